// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gatewayd/base/result.h"
#include "gatewayd/config/config.h"

namespace gw::config {

/// One configuration file as read: its name relative to the configuration directory and its text.
struct File {
  std::string name;  ///< "gateway.yaml", "gateway.d/90-gwctl.yaml"
  std::string text;

  bool operator==(const File&) const = default;
};

/// gateway.yaml first, then gateway.d/*.yaml in name order: the whole of what an operator wrote. This is what is stored
/// as an intent, so that origins stay true for an intent whose files have been edited since.
using Files = std::vector<File>;

struct Diagnostic {
  enum class Severity : uint8_t { error, warning };
  Severity severity = Severity::error;
  Origin origin;
  std::string text;  ///< what is wrong and what would be right

  bool operator==(const Diagnostic&) const = default;
  /// "gateway.yaml:7:3: error: unknown key 'intrface'; did you mean 'interface'?"
  [[nodiscard]] std::string str() const;
};

struct Loaded {
  Config config;                        ///< meaningful only when `ok()`
  std::vector<Diagnostic> diagnostics;  ///< all of them, in file order

  [[nodiscard]] bool ok() const;  ///< no diagnostic of severity error
};

/// Reads the files of a configuration directory. ENOENT when gateway.yaml is missing.
Result<Files> read_files(const std::string& directory);

/// Text -> Config: parse, merge, validate. Pure. Never throws.
Loaded load(const Files& files);

}  // namespace gw::config
