// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "gatewayd/enroll/bus.h"
#include "gatewayd/enroll/http.h"

namespace gw::enroll {

/// What each resource answers (docs/enrolment.md; RFC 7030). It reads nothing of what it hands on: gatewayd judges
/// tokens, requests and proofs. One thread.
class Service {
 public:
  explicit Service(Bus& bus);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() { bus_.on_restart(nullptr); }

  boost::asio::awaitable<HttpAnswer> answer(HttpRequest request);
  /// The client whose certificate that is, when it has access. Errors as gatewayd tells them (Bus::call).
  boost::asio::awaitable<Result<std::string>> holder_of(std::string certificate_pem);
  /// control::EnrolmentFacts as gatewayd told them, at most a few seconds ago.
  boost::asio::awaitable<Result<Json>> facts();

 private:
  boost::asio::awaitable<HttpAnswer> enroll(HttpRequest request);
  boost::asio::awaitable<HttpAnswer> reenroll(HttpRequest request);
  boost::asio::awaitable<HttpAnswer> profile(HttpRequest request);
  boost::asio::awaitable<HttpAnswer> challenge();
  boost::asio::awaitable<HttpAnswer> authorities();
  boost::asio::awaitable<HttpAnswer> crl();

  struct Kept {
    Json value;
    std::chrono::steady_clock::time_point at;
  };
  Bus& bus_;
  std::optional<Kept> facts_, crl_;
};

}  // namespace gw::enroll
