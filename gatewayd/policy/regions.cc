// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/regions.h"

#include <algorithm>
#include <tuple>

#include "bpf/abi.h"
#include "gatewayd/policy/special.h"

namespace gw::policy {
namespace {

using config::Selector;

/// One reason for a cut: a prefix and what it says of the addresses in it.
struct Cut {
  enum class Kind : uint8_t { root, special, space, network, vpn, literal };
  Prefix prefix;
  Kind kind = Kind::root;
  std::optional<Atom> atom;  ///< of a network or literal, when rules mention it
  uint32_t link = 0;         ///< of a network
  Reach reach = Reach::global;
};

void add_network(std::vector<Cut>& cuts, const std::vector<Prefix>& prefixes, std::optional<Atom> atom, uint32_t link) {
  for (const Prefix& prefix : prefixes) {
    cuts.push_back({.prefix = prefix, .kind = Cut::Kind::network, .atom = atom, .link = link});
  }
}

/// Within ::ffff:0:0/96 the tables hold IPv4; an IPv6 packet with such an address is dropped before any lookup.
bool poses_as_ipv4(const Prefix& prefix) {
  static const Prefix kMapped = Prefix::parse("::ffff:0:0/96").value();
  return kMapped.contains(prefix);
}

std::vector<Cut> all_cuts(const config::Config& config, const Vocabulary& vocabulary,
                          const std::map<std::string, uint32_t>& links) {
  std::vector<Cut> cuts;
  for (const Family family : {Family::v4, Family::v6}) {
    cuts.push_back({.prefix = {.address = {.family = family, .bytes = {}}, .length = 0}, .atom = {}});
  }
  for (const SpecialBlock& block : special_blocks()) {
    cuts.push_back({.prefix = block.prefix, .kind = Cut::Kind::special, .atom = {}, .reach = block.reach});
  }
  for (const Prefix& prefix : config.address_space) {
    cuts.push_back({.prefix = prefix, .kind = Cut::Kind::space, .atom = {}});
  }
  for (const Prefix& prefix : config.vpn.subnets) {
    cuts.push_back({.prefix = prefix, .kind = Cut::Kind::vpn, .atom = {}});
  }
  for (const auto& [name, subnet] : config.subnets) {
    const auto atom = vocabulary.find(named(Selector::Kind::subnet, name));
    add_network(cuts, subnet.prefixes, atom, links.at(subnet.device()));
  }
  for (const auto& [name, site] : config.sites) {
    add_network(cuts, site.prefixes, vocabulary.find(named(Selector::Kind::site, name)), GW_LINK_ID_VPN);
  }
  for (const Prefix& prefix : vocabulary.literals()) {
    cuts.push_back({.prefix = prefix, .kind = Cut::Kind::literal, .atom = vocabulary.find(literal(prefix))});
  }
  std::erase_if(cuts, [](const Cut& cut) { return poses_as_ipv4(cut.prefix); });
  return cuts;
}

/// `around`: every cut that contains `prefix`, the shortest first.
Region region_of(const Prefix& prefix, const std::vector<const Cut*>& around, const Vocabulary& vocabulary) {
  Region out{.prefix = prefix, .signature = {}};
  bool configured = false;
  const Cut* special = nullptr;
  for (const Cut* cut : around) {
    if (cut->kind == Cut::Kind::vpn) return {.prefix = prefix, .signature = {}, .flags = GW_PREFIX_VPN};
    if (cut->kind == Cut::Kind::special) special = cut;
    if (cut->kind == Cut::Kind::space || cut->kind == Cut::Kind::network) configured = true;
    if (cut->kind == Cut::Kind::network) out.link = cut->link;
  }
  const bool never = special != nullptr && special->reach == Reach::never;
  const bool internet = !configured && (special == nullptr || special->reach == Reach::global);
  for (const Cut* cut : around) {
    if (!cut->atom) continue;
    if (!never || (cut->kind == Cut::Kind::literal && special->prefix.contains(cut->prefix))) {
      out.signature.push_back(*cut->atom);
    }
  }
  if (!never) out.signature.push_back(vocabulary.any());
  if (!configured) out.flags = GW_PREFIX_OUTSIDE;
  if (internet) {
    if (const auto atom = vocabulary.find(named(Selector::Kind::internet))) out.signature.push_back(*atom);
  }
  std::ranges::sort(out.signature);
  out.signature.erase(std::ranges::unique(out.signature).begin(), out.signature.end());
  return out;
}

}  // namespace

std::vector<Region> cut_regions(const config::Config& config, const Vocabulary& vocabulary,
                                const std::map<std::string, uint32_t>& links) {
  std::vector<Cut> cuts = all_cuts(config, vocabulary, links);
  // Address before length: what contains a prefix comes before it, and nothing else lies between that is not inside.
  std::ranges::stable_sort(cuts, {}, [](const Cut& cut) { return std::tie(cut.prefix.address, cut.prefix.length); });
  std::vector<Region> out;
  std::vector<size_t> open;  // regions of `out` around the current prefix
  std::vector<const Cut*> around;
  for (size_t i = 0; i < cuts.size();) {
    const Prefix prefix = cuts[i].prefix;
    while (!around.empty() && !around.back()->prefix.contains(prefix)) around.pop_back();
    while (!open.empty() && !out[open.back()].prefix.contains(prefix)) open.pop_back();
    for (; i < cuts.size() && cuts[i].prefix == prefix; ++i) around.push_back(&cuts[i]);
    Region region = region_of(prefix, around, vocabulary);
    if (!open.empty() && out[open.back()].same_value(region)) continue;
    open.push_back(out.size());
    out.push_back(std::move(region));
  }
  return out;
}

}  // namespace gw::policy
