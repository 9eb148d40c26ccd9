// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "gatewayd/base/file.h"
#include "gatewayd/config/emit.h"
#include "gatewayd/config/to_yaml.h"
#include "gatewayd/config/words.h"
#include "gatewayd/config/yaml.h"

namespace gw::config {
namespace {

constexpr std::string_view kHeader = "# Kept by gwctl: subnets, groups, rules and sites that were added with it.\n";
constexpr mode_t kDropInMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

/// What a change is about: "group" in the section "groups".
struct Target {
  std::string word;
  std::string section;
  std::string name;

  [[nodiscard]] bool is_rule() const { return word == "rule"; }
};

Entry* find_entry(YamlNode& map, std::string_view key) {
  const auto found =
      std::find_if(map.entries.begin(), map.entries.end(), [&](const Entry& entry) { return entry.key.scalar == key; });
  return found == map.entries.end() ? nullptr : &*found;
}

bool is_named(const YamlNode& rule, std::string_view name) {
  return std::any_of(rule.entries.begin(), rule.entries.end(),
                     [&](const Entry& entry) { return entry.key.scalar == "name" && entry.value.scalar == name; });
}

/// Where the thing is written in one file, nullopt when it is not.
std::optional<Mark> find_in(YamlNode& tree, const Target& target) {
  Entry* section = find_entry(tree, target.section);
  if (section == nullptr) return std::nullopt;
  for (const YamlNode& item : section->value.items) {
    if (target.is_rule() && is_named(item, target.name)) return item.mark;
  }
  const Entry* entry = target.is_rule() ? nullptr : find_entry(section->value, target.name);
  return entry != nullptr ? std::optional(entry->key.mark) : std::nullopt;
}

std::string join_diagnostics(const Loaded& loaded) {
  std::string out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::error) out += (out.empty() ? "" : "\n") + diagnostic.str();
  }
  return out;
}

/// A set of files about to be changed in its drop-in.
class Change {
 public:
  Change(const Files& files, std::string verb, Target target)
      : files_(files), verb_(std::move(verb)), target_(std::move(target)) {}

  /// Parses the drop-in and finds where the thing is written. Fails with the diagnostics of files that are broken
  /// already.
  Result<void> open() {
    const Loaded loaded = load(files_);
    if (!loaded.ok())
      return fail(EINVAL, "the configuration has errors already, repair them first:\n" + join_diagnostics(loaded));
    for (uint32_t i = 0; i < files_.size(); ++i) {
      auto tree = parse_yaml(files_[i].text, i);
      if (!tree) return fail(EINVAL, tree.error().text);
      const auto mark = find_in(*tree, target_);
      if (mark) place_ = fmt::format("{}:{}:{}", files_[i].name, mark->line, mark->column);
      if (files_[i].name == kDropIn) {
        in_drop_in_ = mark.has_value();
        tree_ = std::move(*tree);
      }
    }
    tree_.kind = YamlNode::Kind::map;
    return {};
  }

  Result<Files> add(YamlNode value) {
    if (!place_.empty())
      return fail(EEXIST, fmt::format("it is written at {}; remove it first, or choose another name", place_));
    YamlNode& section = open_section();
    if (target_.is_rule()) {
      section.items.push_back(std::move(value));
    } else {
      section.entries.push_back({scalar_node(target_.name), std::move(value)});
    }
    return finish();
  }

  Result<Files> remove(const Config& config) {
    if (place_.empty()) return fail(ENOENT, "there is none" + nearest(config));
    if (!in_drop_in_)
      return fail(EPERM, fmt::format("it is written at {}, which is edited by hand; remove it there", place_));
    Entry* section = find_entry(tree_, target_.section);
    std::erase_if(section->value.items, [&](const YamlNode& item) { return is_named(item, target_.name); });
    if (!target_.is_rule())
      std::erase_if(section->value.entries, [&](const Entry& entry) { return entry.key.scalar == target_.name; });
    if (section->value.items.empty() && section->value.entries.empty()) {
      std::erase_if(tree_.entries, [&](const Entry& entry) { return entry.key.scalar == target_.section; });
    }
    return finish();
  }

  [[nodiscard]] std::unexpected<Error> fail(int code, std::string detail) const {
    return failure(code, verb_ + " " + target_.word, target_.name, std::move(detail));
  }

 private:
  YamlNode& open_section() {
    Entry* section = find_entry(tree_, target_.section);
    if (section == nullptr) {
      Entry fresh{scalar_node(target_.section), {}};
      section = &tree_.entries.emplace_back(std::move(fresh));
    }
    section->value.kind = target_.is_rule() ? YamlNode::Kind::sequence : YamlNode::Kind::map;
    return section->value;
  }

  [[nodiscard]] std::string nearest(const Config& config) const {
    std::vector<std::string_view> known;
    const auto take = [&](const auto& map) {
      for (const auto& [name, unused] : map) known.push_back(name);
    };
    if (target_.word == "subnet") take(config.subnets);
    if (target_.word == "group") take(config.groups);
    if (target_.word == "site") take(config.sites);
    for (const Rule& rule : config.rules) {
      if (target_.is_rule() && !rule.built_in) known.push_back(rule.name);
    }
    return hint(target_.name, known);
  }

  Result<Files> finish() {
    Files changed = files_;
    const auto same =
        std::find_if(changed.begin(), changed.end(), [](const File& file) { return file.name == kDropIn; });
    if (same != changed.end()) {
      same->text = emit(tree_, same->text);
    } else {
      // The first file stays first: it is gateway.yaml, which sorts after the drop-ins.
      const auto place = std::find_if(changed.begin() + (changed.empty() ? 0 : 1), changed.end(),
                                      [](const File& file) { return file.name > kDropIn; });
      changed.insert(place, {kDropIn, std::string(kHeader) + emit(tree_, {})});
    }
    const Loaded loaded = load(changed);
    if (!loaded.ok()) return fail(EINVAL, join_diagnostics(loaded));
    return changed;
  }

  const Files& files_;
  std::string verb_;
  Target target_;
  YamlNode tree_;
  std::string place_;
  bool in_drop_in_ = false;
};

Result<Files> add(const Files& files, Target target, YamlNode value) {
  Change change(files, "add", std::move(target));
  if (const auto opened = change.open(); !opened) return std::unexpected(opened.error());
  return change.add(std::move(value));
}

/// What names the thing: "rule 'a' at gateway.yaml:3:1, …"; empty for nothing.
std::string users_of(const Config& config, Selector::Kind kind, const std::string& name) {
  const auto names = [&](const std::vector<Selector>& selectors) {
    return std::any_of(selectors.begin(), selectors.end(),
                       [&](const Selector& selector) { return selector.kind == kind && selector.name == name; });
  };
  std::string out;
  for (const Rule& rule : config.rules) {
    if (names(rule.from) || names(rule.to))
      out += fmt::format("{}rule '{}' at {}", out.empty() ? "" : ", ", rule.name, rule.origin.str());
  }
  for (const Nat& nat : config.nat) {
    if (names(nat.from)) out += fmt::format("{}'nat' at {}", out.empty() ? "" : ", ", nat.origin.str());
  }
  return out;
}

Result<Files> remove(const Files& files, const Target& target, std::optional<Selector::Kind> kind) {
  Change change(files, "remove", target);
  if (const auto opened = change.open(); !opened) return std::unexpected(opened.error());
  const Config config = load(files).config;
  const std::string users = kind ? users_of(config, *kind, target.name) : std::string();
  if (!users.empty()) return change.fail(EBUSY, fmt::format("it is named by {}; remove or change that first", users));
  return change.remove(config);
}

}  // namespace

Result<Files> add_subnet(const Files& files, const std::string& name, const Subnet& subnet) {
  return add(files, {"subnet", "subnets", name}, to_yaml(subnet));
}

Result<Files> add_group(const Files& files, const std::string& name, const Group& group) {
  return add(files, {"group", "groups", name}, to_yaml(group));
}

Result<Files> add_rule(const Files& files, const Rule& rule, const std::optional<std::string>& before,
                       const std::optional<std::string>& after) {
  return add(files, {"rule", "rules", rule.name}, to_yaml(rule, before, after));
}

Result<Files> add_site(const Files& files, const std::string& name, const Site& site) {
  return add(files, {"site", "sites", name}, to_yaml(site));
}

Result<Files> remove_subnet(const Files& files, const std::string& name) {
  return remove(files, {"subnet", "subnets", name}, Selector::Kind::subnet);
}

Result<Files> remove_group(const Files& files, const std::string& name) {
  return remove(files, {"group", "groups", name}, Selector::Kind::group);
}

Result<Files> remove_rule(const Files& files, const std::string& name) {
  const Config config = load(files).config;
  const bool built_in = std::any_of(config.rules.begin(), config.rules.end(),
                                    [&](const Rule& rule) { return rule.built_in && rule.name == name; });
  if (built_in)
    return failure(EPERM, "remove rule", name, "it is built in; write a rule that denies the same, which comes first");
  return remove(files, {"rule", "rules", name}, std::nullopt);
}

Result<Files> remove_site(const Files& files, const std::string& name) {
  return remove(files, {"site", "sites", name}, Selector::Kind::site);
}

Result<void> write_drop_in(const std::string& directory, const Files& files) {
  const auto drop_in = std::find_if(files.begin(), files.end(), [](const File& file) { return file.name == kDropIn; });
  if (drop_in == files.end()) return failure(ENOENT, "write", kDropIn, "there is no such file in this configuration");
  const std::filesystem::path path = std::filesystem::path(directory) / kDropIn;
  if (auto made = make_directories(path.parent_path().string(), kDirectoryMode); !made) return made;
  return write_file_atomically(path.string(), drop_in->text, kDropInMode);
}

}  // namespace gw::config
