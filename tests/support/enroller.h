// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "ctl/connect/est.h"
#include "ctl/connect/join_link.h"
#include "gatewayd/base/clock.h"
#include "tests/support/host.h"
#include "tests/support/must.h"

/// Devices that enrol within this process, by gwconnect's own client: no program is started, so that many can. For
/// programs that link gw_connect.
namespace gw::test {

/// An honest device with keys of its own on a host. One thread at a time; several at once for one host.
class Enroller {
 public:
  /// `link`: of `gwctl token create`.
  Enroller(const Host& host, const std::string& link, std::string name)
      : host_(host), link_(must(connect::parse_join_link(link))), name_(std::move(name)) {}

  /// One attempt over a connection of its own, always with the same keys; what it gets is kept.
  Result<void> enrol() {
    return ask(connect_options(), [this](connect::Https& gateway) {
      return connect::enrol(gateway, link_.token.text, name_, identity_, keys_);
    });
  }

  /// As a device that does not give up while the gateway is away or busy, until `limit`.
  Result<void> enrol_patiently(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
      auto done = enrol();
      const bool final = done || done.error().code == EACCES || done.error().code == EINVAL;
      if (final || std::chrono::steady_clock::now() > end) return done;
    }
  }

  /// For the same keys, with the certificate that it has.
  Result<void> renew() {
    connect::HttpsOptions options = connect_options();
    options.certificate_pem = certificate_;
    options.issuing_pem = authorities_.issuing_pem;
    options.identity = &identity_;
    return ask(options, [this](connect::Https& gateway) {
      return connect::reenrol(gateway, name_, identity_, keys_, keys_.secret);
    });
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& certificate() const { return certificate_; }
  [[nodiscard]] const connect::Authorities& authorities() const { return authorities_; }

 private:
  [[nodiscard]] connect::HttpsOptions connect_options() const {
    connect::HttpsOptions out;
    out.server = link_.server;
    out.trust.host = link_.server.host;
    out.trust.fingerprint = link_.fingerprint;
    out.trust.now = SystemClock().now();
    return out;
  }

  template <class Question>
  Result<void> ask(const connect::HttpsOptions& options, Question question) {
    Result<std::string> answer = failure(EAGAIN, "enrol", name_, "nothing was asked");
    host_.in([&] {
      auto gateway = connect::Https::connect(options);
      answer = gateway ? question(*gateway) : std::unexpected(gateway.error());
      if (answer) authorities_ = gateway->authorities();
    });
    if (!answer) return std::unexpected(answer.error());
    certificate_ = std::move(*answer);
    return {};
  }

  const Host& host_;
  connect::JoinLink link_;
  std::string name_;
  pki::PrivateKey identity_ = must(pki::PrivateKey::generate());
  pki::WireGuardKeys keys_ = must(pki::generate_wireguard_keys());
  connect::Authorities authorities_;
  std::string certificate_;
};

}  // namespace gw::test
