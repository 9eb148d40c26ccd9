// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/load.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "gatewayd/base/file.h"
#include "gatewayd/config/draft.h"
#include "gatewayd/config/merge.h"
#include "gatewayd/config/selector.h"

namespace gw::config {
namespace {

constexpr const char* kMain = "gateway.yaml";
constexpr const char* kDropIns = "gateway.d";

/// The trees of the files that could be parsed.
std::vector<YamlNode> parse_all(Diagnostics& diagnostics, const Files& files) {
  std::vector<YamlNode> trees;
  for (uint32_t i = 0; i < files.size(); ++i) {
    auto tree = parse_yaml(files[i].text, i);
    if (!tree) {
      diagnostics.error(tree.error().mark, tree.error().text);
      diagnostics.set_partial();
    } else if (!tree->is(YamlNode::Kind::map) && !tree->is(YamlNode::Kind::null)) {
      diagnostics.error(tree->mark, "the file is a map of sections, such as 'rules:'; this is something else");
      diagnostics.set_partial();
    } else {
      drop_repeated_keys(diagnostics, *tree);
      trees.push_back(std::move(*tree));
    }
  }
  return trees;
}

void read_sections(Diagnostics& diagnostics, const YamlNode& root, Draft& draft) {
  const Section sections(diagnostics, root, "the configuration",
                         {"gateway", "vpn", "network", "subnets", "services", "groups", "rules", "sites", "nat",
                          "guard", "forward_foreign", "dataplane", "metrics"});
  read_services(diagnostics, sections.get("services"), draft);
  read_gateway(diagnostics, sections.get("gateway"), draft);
  read_vpn(diagnostics, sections.get("vpn"), draft);
  read_network(diagnostics, sections.get("network"), draft);
  read_subnets(diagnostics, sections.get("subnets"), draft);
  read_groups(diagnostics, sections.get("groups"), draft);
  read_sites(diagnostics, sections.get("sites"), draft);
  read_rules(diagnostics, sections.get("rules"), draft);
  read_nat(diagnostics, sections.get("nat"), draft);
  read_metrics(diagnostics, sections.get("metrics"), draft);
  read_guard(diagnostics, sections.get("guard"), draft);
  draft.config.forward_foreign =
      read_word<ForwardForeign>(diagnostics, sections.get("forward_foreign"),
                                {{"leave", ForwardForeign::leave}, {"drop", ForwardForeign::drop}})
          .value_or(ForwardForeign::leave);
  read_dataplane(diagnostics, sections.get("dataplane"), draft);
}

/// Whoever is let in may use this of the gateway itself, unless a rule that was written denies it (DATAPLANE "Zones").
Rule gateway_service(std::string name, const std::string& service) {
  Rule rule;
  rule.name = std::move(name);
  rule.action = Action::allow;
  rule.from = {{Selector::Kind::vpn, {}, {}}};
  rule.to = {{Selector::Kind::gateway, {}, {}}};
  rule.services = built_in_services().at(service);
  rule.service_names = {service};
  rule.built_in = true;
  rule.origin.file = "built in";
  return rule;
}

Result<std::vector<std::string>> drop_in_names(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entries != std::filesystem::directory_iterator{}; entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (name.ends_with(".yaml") && !name.starts_with('.')) names.push_back(name);
  }
  if (error) return failure(error.value(), "read directory", directory.string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

bool Loaded::ok() const {
  return std::none_of(diagnostics.begin(), diagnostics.end(),
                      [](const Diagnostic& diagnostic) { return diagnostic.severity == Diagnostic::Severity::error; });
}

Result<Files> read_files(const std::string& directory) {
  const std::filesystem::path root(directory);
  auto text = read_file((root / kMain).string(), kMaxFileBytes);
  if (!text) return std::unexpected(text.error());
  Files files{{kMain, std::move(*text)}};
  const auto names = drop_in_names(root / kDropIns);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    auto drop_in = read_file((root / kDropIns / name).string(), kMaxFileBytes);
    if (!drop_in) return std::unexpected(drop_in.error());
    files.push_back({std::string(kDropIns) + "/" + name, std::move(*drop_in)});
  }
  return files;
}

Loaded load(const Files& files) {
  std::vector<std::string> names;
  for (const File& file : files) names.push_back(file.name);
  Diagnostics diagnostics(std::move(names));
  Draft draft;
  read_sections(diagnostics, merge(parse_all(diagnostics, files)), draft);
  order_rules(diagnostics, draft);
  check_addresses(diagnostics, draft);
  check_devices(diagnostics, draft);
  check_names(diagnostics, draft);
  check_shadows(diagnostics, draft);
  for (DraftRule& rule : draft.rules) draft.config.rules.push_back(std::move(rule.rule));
  draft.config.rules.push_back(gateway_service("builtin-gateway-icmp", "ping"));
  if (draft.config.vpn.dns) draft.config.rules.push_back(gateway_service("builtin-gateway-dns", "dns"));
  return {std::move(draft.config), diagnostics.take()};
}

}  // namespace gw::config
