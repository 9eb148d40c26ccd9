// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/policy/compile.h"

namespace gw::policy {

/// A selector that some rule mentions, numbered in the order of selectors.
using Atom = uint32_t;

/// All mentioned selectors that an address matches, sorted: addresses of one signature are one class. Empty: matches no
/// rule.
using Signature = std::vector<Atom>;

/// Selectors of one kind, by name or prefix.
config::Selector named(config::Selector::Kind kind, const std::string& name = {});
config::Selector literal(const Prefix& prefix);

/// The selectors that decide anything: those that rules, NAT entries and interconnect groups mention, and `any` and
/// `gateway` always. Two addresses that no mentioned selector tells apart need no two classes.
class Vocabulary {
 public:
  explicit Vocabulary(const config::Config& config);

  [[nodiscard]] size_t size() const { return selectors_.size(); }
  [[nodiscard]] Atom any() const { return any_; }
  [[nodiscard]] Atom gateway() const { return gateway_; }
  [[nodiscard]] std::optional<Atom> find(const config::Selector& selector) const;
  [[nodiscard]] std::vector<Prefix> literals() const;

  /// Probes each length that literals have: independent of how many there are, but for the search in a map.
  [[nodiscard]] Signature signature_of(const HostFacts& host) const;

  /// The signature in words, equal for equal sets of selectors whatever else a configuration mentions: what is
  /// interned.
  [[nodiscard]] std::string text(const Signature& signature) const;

 private:
  std::map<config::Selector, Atom> atoms_;
  std::vector<config::Selector> selectors_;  ///< by atom
  std::map<Family, std::vector<uint8_t>> literal_lengths_;
  Atom any_ = 0;
  Atom gateway_ = 0;
};

}  // namespace gw::policy
