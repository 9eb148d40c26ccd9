// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::pki {

inline constexpr UnixSeconds kNow = 1'800'000'000;  // 2027-01-15 08:00:00 UTC
inline constexpr UnixSeconds kYear = 365 * 86400;
inline const char* const kUuid = "5cda404d-68ad-4d7f-88a3-e2642a04d2fa";

/// The value, or the end of the test with the error's sentence.
template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}

template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "accepted" : result.error().message();
}

/// An authority in a directory of the test, and a client with its keys.
class AuthorityTest : public testing::Test {
 protected:
  [[nodiscard]] Authority open(const std::string& name = "ca") const {
    return value_of(Authority::open(directory_ / name, "contoso", kNow));
  }
  [[nodiscard]] Request request(const std::string& name = "alice") const {
    return value_of(parse_request(value_of(make_request(key_, name, wireguard_))));
  }
  [[nodiscard]] Certificate issue(const Authority& authority, UnixSeconds not_after = kNow + kYear) const {
    return value_of(authority.issue(request(), "alice", kUuid, kNow, not_after));
  }
  /// A file of the test with this content; its path.
  std::string file(const std::string& name, const std::string& content) const {
    const std::string path = directory_ / name;
    if (const auto written = write_file_atomically(path, content, 0600); !written)
      throw std::runtime_error(written.error().message());
    return path;
  }

  test::TempDir directory_;
  PrivateKey key_ = value_of(PrivateKey::generate());
  PublicKey wireguard_ = value_of(generate_wireguard_keys()).public_key;
};

}  // namespace gw::pki
