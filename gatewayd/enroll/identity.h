// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "gatewayd/base/clock.h"
#include "gatewayd/enroll/bus.h"

namespace boost::asio::ssl {
class context;
}

namespace gw::enroll {

/// Who the server is to those who connect: a key that it makes itself and that never leaves its directory, and a
/// certificate that gatewayd gives for it. One thread.
class Identity {
 public:
  /// Reads or makes DIRECTORY/tls.key (0600). EUCLEAN: it is damaged.
  static Result<Identity> open(const std::string& directory);

  /// Gets a certificate when there is none, when it is not for exactly the names and authority in `facts`, or when a
  /// third of its life is left. True: `context` is another now.
  boost::asio::awaitable<Result<bool>> refresh(Bus& bus, const Json& facts, UnixSeconds now);
  /// TLS 1.3 alone; null before the first certificate. Connections keep the one they began with.
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> context() const { return context_; }

 private:
  Identity(std::string directory, std::string key_pem);
  [[nodiscard]] bool fits(const Json& facts, UnixSeconds now) const;
  Result<void> use(const std::string& chain_pem);

  std::string directory_;
  std::string key_pem_;
  std::string chain_pem_;
  std::string names_;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace gw::enroll
