// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/draft.h"

namespace gw::config {
namespace {

Group read_group(Diagnostics& diagnostics, const Named& named) {
  const Section section(diagnostics, *named.value, fmt::format("group '{}'", named.name),
                        {"description", "interconnect", "tunnel"});
  Group group;
  if (const auto text = read_text(diagnostics, section.get("description"))) group.description = text->text;
  group.interconnect = read_bool(diagnostics, section.get("interconnect")).value_or(false);
  group.tunnel =
      read_word<Tunnel>(diagnostics, section.get("tunnel"), {{"split", Tunnel::split}, {"full", Tunnel::full}});
  group.origin = diagnostics.origin(named.mark);
  return group;
}

void read_key(Diagnostics& diagnostics, const YamlNode* node, Site& site, Draft& draft) {
  const auto text = read_text(diagnostics, node);
  if (!text) return;
  const auto key = PublicKey::parse(text->text);
  if (!key) {
    diagnostics.error(
        text->mark,
        "this is no WireGuard public key; it is the 44 characters that 'wg pubkey' prints, the last one '='");
    return;
  }
  if (key->is_low_order()) {
    diagnostics.error(text->mark,
                      "this key is a point of small order, with which nothing stays secret; make a new pair with 'wg "
                      "genkey | wg pubkey'");
    return;
  }
  const auto [first, fresh] = draft.site_keys.emplace(*key, text->mark);
  if (!fresh) {
    diagnostics.error(text->mark, fmt::format("another site has the same key, at {}; each site needs a pair of its own",
                                              diagnostics.place(first->second)));
  }
  site.public_key = *key;
}

Site read_site(Diagnostics& diagnostics, const Named& named, Draft& draft) {
  const std::string what = fmt::format("site '{}'", named.name);
  const Section section(diagnostics, *named.value, what,
                        {"public_key", "endpoint", "prefixes", "keepalive", "description"});
  Site site;
  read_key(diagnostics, section.require("public_key", "public_key: \"…44 characters…\""), site, draft);
  site.endpoint = read_endpoint(diagnostics, section.get("endpoint"), std::nullopt);
  const YamlNode* list = section.require("prefixes", "prefixes: [192.168.50.0/24]");
  const auto prefixes = read_prefixes(diagnostics, list);
  if (list != nullptr && list->is(YamlNode::Kind::sequence) && list->items.empty()) {
    diagnostics.error(list->mark, fmt::format("{} has no prefix; write prefixes: [192.168.50.0/24]", what));
  }
  for (const auto& [prefix, mark] : prefixes) draft.claims.push_back({prefix, mark, what});
  site.prefixes = values(prefixes);
  site.keepalive = static_cast<uint16_t>(read_number(diagnostics, section.get("keepalive"), 0, UINT16_MAX).value_or(0));
  if (const auto text = read_text(diagnostics, section.get("description"))) site.description = text->text;
  site.origin = diagnostics.origin(named.mark);
  return site;
}

}  // namespace

void read_groups(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  for (const Named& named : read_names(diagnostics, node, "group")) {
    draft.groups.emplace(named.name, named.mark);
    draft.config.groups.emplace(named.name, read_group(diagnostics, named));
  }
}

void read_sites(Diagnostics& diagnostics, const YamlNode* node, Draft& draft) {
  for (const Named& named : read_names(diagnostics, node, "site")) {
    draft.sites.emplace(named.name, named.mark);
    draft.config.sites.emplace(named.name, read_site(diagnostics, named, draft));
  }
}

}  // namespace gw::config
