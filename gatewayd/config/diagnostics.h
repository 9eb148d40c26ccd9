// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gatewayd/config/load.h"
#include "gatewayd/config/yaml.h"

namespace gw::config {

/// Collects what is wrong with a set of files, so that all of it is told at once.
class Diagnostics {
 public:
  explicit Diagnostics(std::vector<std::string> files) : files_(std::move(files)) {}

  void error(const Mark& mark, std::string text);
  /// Something that is named but nowhere written. Not an error while `partial`: it may stand in a file that could not
  /// be read.
  void missing(const Mark& mark, std::string text);
  void set_partial() { partial_ = true; }
  void warning(const Mark& mark, std::string text);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] Origin origin(const Mark& mark) const;
  [[nodiscard]] std::string place(const Mark& mark) const { return origin(mark).str(); }
  /// In file order. Leaves nothing.
  [[nodiscard]] std::vector<Diagnostic> take();

 private:
  struct Found {
    Mark mark;
    Diagnostic::Severity severity;
    std::string text;
  };
  std::vector<std::string> files_;
  std::vector<Found> found_;
  bool partial_ = false;
};

}  // namespace gw::config
