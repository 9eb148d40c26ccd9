// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/support/lab.h"

namespace gw::test {

/// Megabits a second of one TCP stream that arrived at `address` of `server`, over three seconds after the first.
inline double tcp_throughput(const Host& client, const Host& server, const std::string& address) {
  Process listener = server.start(words("iperf3 --server --one-off --bind " + address), "/dev/null");
  const auto ready = [&] { return !server.must("ss -Htln sport = :5201").empty(); };
  if (!Lab::eventually(ready)) throw std::runtime_error("iperf3 does not listen");
  const std::string told = client.must("iperf3 --json --time 3 --omit 1 --client " + address);
  return nlohmann::json::parse(told).at("end").at("sum_received").at("bits_per_second").get<double>() / 1e6;
}

}  // namespace gw::test
