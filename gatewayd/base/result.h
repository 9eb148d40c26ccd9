// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace gw {

/// What failed, told so that a person can act on it. `code` is an errno value and decides the exit code and the D-Bus
/// error name (ENOENT not found, EEXIST there already, EINVAL bad argument, EPERM/EACCES not allowed, ENOSPC used up,
/// EBUSY in use, ECONNREFUSED not reachable); it is never 0. Plain value, any thread.
struct Error {
  int code = 0;
  std::string operation;  ///< what was being done, as a phrase: "add address"
  std::string object;     ///< to what: "172.16.201.1/24 on wg0"; may be empty
  std::string detail;     ///< why, and what to do: the kernel's own text, a hint; may be empty

  bool operator==(const Error&) const = default;

  /// One sentence: "add address 172.16.201.1/24 on wg0: Operation not permitted (EPERM): …detail…".
  [[nodiscard]] std::string message() const;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// An Error in the shape that `return` wants.
inline std::unexpected<Error> failure(int code, std::string operation, std::string object = {},
                                      std::string detail = {}) {
  return std::unexpected(Error{code, std::move(operation), std::move(object), std::move(detail)});
}

}  // namespace gw
