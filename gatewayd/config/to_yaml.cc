// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/to_yaml.h"

namespace gw::config {
namespace {

constexpr Mark kNowhere{0, 0, 0};

YamlNode map_node() {
  YamlNode node;
  node.kind = YamlNode::Kind::map;
  node.mark = kNowhere;
  return node;
}

void put(YamlNode& map, const char* key, YamlNode value) {
  map.entries.push_back({scalar_node(key), std::move(value)});
}
void put(YamlNode& map, const char* key, const std::string& value) { put(map, key, scalar_node(value)); }
void put_text(YamlNode& map, const char* key, const std::string& value) {
  if (!value.empty()) put(map, key, value);
}

YamlNode list(const std::vector<std::string>& texts) {
  YamlNode node;
  node.kind = YamlNode::Kind::sequence;
  node.mark = kNowhere;
  for (const std::string& text : texts) node.items.push_back(scalar_node(text));
  return node;
}

template <class T>
YamlNode list_of(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(value.str());
  return list(texts);
}

const char* word(Action action) {
  switch (action) {
    case Action::allow:
      return "allow";
    case Action::reject:
      return "reject";
    case Action::deny:
      break;
  }
  return "deny";
}

}  // namespace

YamlNode to_yaml(const Subnet& subnet) {
  YamlNode map = map_node();
  put(map, "prefixes", list_of(subnet.prefixes));
  put(map, "interface", subnet.interface);
  if (subnet.vlan) put(map, "vlan", std::to_string(*subnet.vlan));
  if (!subnet.address.empty()) put(map, "address", list_of(subnet.address));
  if (!subnet.via.empty()) put(map, "via", list_of(subnet.via));
  if (!subnet.hosts.empty()) {
    YamlNode hosts = map_node();
    for (const auto& [name, host] : subnet.hosts) put(hosts, name.c_str(), list_of(host.addresses));
    put(map, "hosts", std::move(hosts));
  }
  put_text(map, "description", subnet.description);
  return map;
}

YamlNode to_yaml(const Group& group) {
  YamlNode map = map_node();
  put_text(map, "description", group.description);
  if (group.interconnect) put(map, "interconnect", "true");
  if (group.tunnel) put(map, "tunnel", *group.tunnel == Tunnel::full ? "full" : "split");
  return map;
}

YamlNode to_yaml(const Rule& rule, const std::optional<std::string>& before, const std::optional<std::string>& after) {
  YamlNode map = map_node();
  put(map, "name", rule.name);
  put(map, "action", word(rule.action));
  put(map, "from", list_of(rule.from));
  put(map, "to", list_of(rule.to));
  if (!rule.service_names.empty()) put(map, "services", list(rule.service_names));
  if (rule.log) put(map, "log", "true");
  if (before) put(map, "before", *before);
  if (after) put(map, "after", *after);
  return map;
}

YamlNode to_yaml(const Site& site) {
  YamlNode map = map_node();
  put(map, "public_key", site.public_key.str());
  if (site.endpoint) put(map, "endpoint", site.endpoint->str());
  put(map, "prefixes", list_of(site.prefixes));
  if (site.keepalive != 0) put(map, "keepalive", std::to_string(site.keepalive));
  put_text(map, "description", site.description);
  return map;
}

}  // namespace gw::config
