// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "gatewayd/enroll/http.h"
#include "gatewayd/relay/pump.h"

namespace gw::enroll {

/// How long an answer may take to be sent.
inline constexpr std::chrono::seconds kAnswerTime{10};

/// Sends an answer; whether another request may come after it. `head`: without its body.
boost::asio::awaitable<bool> write_answer(relay::Stream& stream, HttpAnswer answer, bool head, bool keep_alive);

}  // namespace gw::enroll
