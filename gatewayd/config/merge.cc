// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace gw::config {
namespace {

/// Sections with keys of ours are joined at every depth: a drop-in may add `gateway.public.allow`. In the others the
/// keys are names, and half a subnet in another file would only hide.
bool joined_deeply(std::string_view key) { return key == "gateway" || key == "vpn" || key == "network"; }

void join(YamlNode& into, YamlNode from);

void join_entry(YamlNode& into, Entry from) {
  const auto same = std::find_if(into.entries.begin(), into.entries.end(),
                                 [&](const Entry& entry) { return entry.key.scalar == from.key.scalar; });
  if (same != into.entries.end() && same->value.is(YamlNode::Kind::map) && from.value.is(YamlNode::Kind::map)) {
    join(same->value, std::move(from.value));
  } else {
    into.entries.push_back(std::move(from));
  }
}

void join(YamlNode& into, YamlNode from) {
  for (Entry& entry : from.entries) join_entry(into, std::move(entry));
}

void join_section(YamlNode& root, Entry section) {
  const auto same = std::find_if(root.entries.begin(), root.entries.end(),
                                 [&](const Entry& entry) { return entry.key.scalar == section.key.scalar; });
  if (same == root.entries.end()) {
    root.entries.push_back(std::move(section));
    return;
  }
  if (section.value.is(YamlNode::Kind::null)) return;
  if (same->value.is(YamlNode::Kind::null)) {
    *same = std::move(section);
  } else if (same->value.is(YamlNode::Kind::map) && section.value.is(YamlNode::Kind::map)) {
    if (joined_deeply(section.key.scalar)) return join(same->value, std::move(section.value));
    std::move(section.value.entries.begin(), section.value.entries.end(), std::back_inserter(same->value.entries));
  } else if (same->value.is(YamlNode::Kind::sequence) && section.value.is(YamlNode::Kind::sequence)) {
    std::move(section.value.items.begin(), section.value.items.end(), std::back_inserter(same->value.items));
  } else {
    root.entries.push_back(std::move(section));  // of two kinds: both stay, and the reader reports them
  }
}

}  // namespace

void drop_repeated_keys(Diagnostics& diagnostics, YamlNode& node) {
  for (YamlNode& item : node.items) drop_repeated_keys(diagnostics, item);
  std::map<std::string, Mark> seen;
  std::erase_if(node.entries, [&](Entry& entry) {
    const auto [first, fresh] = seen.emplace(entry.key.scalar, entry.key.mark);
    if (fresh) {
      drop_repeated_keys(diagnostics, entry.value);
    } else {
      diagnostics.error(entry.key.mark, fmt::format("key '{}' is given twice, first at {}; keep one", entry.key.scalar,
                                                    diagnostics.place(first->second)));
    }
    return !fresh;
  });
}

YamlNode merge(std::vector<YamlNode> trees) {
  YamlNode root;
  root.kind = YamlNode::Kind::map;
  for (YamlNode& tree : trees) {
    if (tree.is(YamlNode::Kind::null)) continue;
    // A file whose root is no map is reported by the caller.
    for (Entry& section : tree.entries) join_section(root, std::move(section));
  }
  return root;
}

}  // namespace gw::config
