// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "gatewayd/base/result.h"

namespace gw::ctl {

using Json = nlohmann::json;

/// Exit codes of gwctl (DESIGN §4).
enum class Exit : int {
  done = 0,
  refused = 1,      ///< by gatewayd, or by this machine (a file that cannot be written)
  usage = 2,        ///< the command line is wrong; nothing was asked of the gateway
  unreachable = 3,  ///< gatewayd does not answer
};

/// Why a command did not do what it was asked: how to exit, and a sentence for stderr (several lines when there are
/// diagnostics).
struct Failure {
  Exit exit = Exit::refused;
  std::string text;
  bool maybe_done = false;  ///< the connection broke after the question was sent: it may have been done all the same

  bool operator==(const Failure&) const = default;
};

template <class T = void>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> refused(std::string text) {
  return std::unexpected(Failure{Exit::refused, std::move(text), false});
}
inline std::unexpected<Failure> refused(const Error& error) { return refused(error.message()); }

/// `argument` as the user wrote it: "--days", "NAME".
inline std::unexpected<Failure> usage(const std::string& argument, const std::string& why) {
  return std::unexpected(Failure{Exit::usage, argument + ": " + why, false});
}

}  // namespace gw::ctl
