// SPDX-License-Identifier: Apache-2.0
// Sightings as text: for the log, for programs, for the journal.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "gatewayd/control/message_id.h"
#include "gatewayd/control/sight.h"

namespace gw::control {
namespace {

constexpr int kNotice = 5;
constexpr int kInfo = 6;

std::string end_of(const std::string& address, uint16_t port) {
  return port == 0 ? address : config::Endpoint{address, port}.str();
}

const char* done_word(const std::string& action) {
  if (action == "allow") return "allowed";
  return action == "reject" ? "rejected" : "denied";
}

std::string flow_of(const Sighting& sighting) {
  const std::string protocol = sighting.icmp.empty() ? sighting.protocol : sighting.protocol + "/" + sighting.icmp;
  return fmt::format("{} {} -> {}", protocol, end_of(sighting.source, sighting.source_port),
                     end_of(sighting.destination, sighting.destination_port));
}

}  // namespace

std::string line_of(const Sighting& sighting) {
  const std::string why = sighting.rule.empty() ? sighting.because : "by rule " + sighting.rule;
  return fmt::format("{} {}{}{}: {} on {}, {} bytes{}", done_word(sighting.action), sighting.rule.empty() ? "(" : "",
                     why, sighting.rule.empty() ? ")" : "", flow_of(sighting), sighting.interface, sighting.length,
                     sighting.client.empty() ? "" : ", client " + sighting.client);
}

std::string json_of(const Sighting& sighting) {
  nlohmann::ordered_json out = {{"time_ms", sighting.time_ms},
                                {"action", sighting.action},
                                {"reason", sighting.reason},
                                {"because", sighting.because},
                                {"logged", sighting.logged}};
  const auto put = [&](const char* key, const auto& value) {
    if (value != std::decay_t<decltype(value)>{}) out[key] = value;
  };
  put("rule", sighting.rule);
  put("client", sighting.client);
  put("to_client", sighting.to_client);
  put("protocol", sighting.protocol);
  put("source", sighting.source);
  put("source_port", sighting.source_port);
  put("destination", sighting.destination);
  put("destination_port", sighting.destination_port);
  put("icmp", sighting.icmp);
  put("interface", sighting.interface);
  put("from_zone", sighting.from_zone);
  put("to_zone", sighting.to_zone);
  put("length", sighting.length);
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::vector<std::string> journal_fields(const Sighting& sighting, uint64_t suppressed) {
  std::vector<std::string> out = {
      "MESSAGE=" + line_of(sighting) +
          (suppressed == 0 ? "" : fmt::format(" ({} more were not told before)", suppressed)),
      fmt::format("MESSAGE_ID={}", message_id::kFlow),
      fmt::format("PRIORITY={}", sighting.logged ? kNotice : kInfo),
      "GATEWAYD_ACTION=" + sighting.action,
      "GATEWAYD_REASON=" + sighting.reason,
  };
  const auto put = [&](const char* key, const auto& value) {
    if (value != std::decay_t<decltype(value)>{}) out.push_back(fmt::format("GATEWAYD_{}={}", key, value));
  };
  put("RULE", sighting.rule);
  put("CLIENT", sighting.client);
  put("TO_CLIENT", sighting.to_client);
  put("PROTOCOL", sighting.protocol);
  put("SOURCE", sighting.source);
  put("SOURCE_PORT", sighting.source_port);
  put("DESTINATION", sighting.destination);
  put("DESTINATION_PORT", sighting.destination_port);
  put("ICMP", sighting.icmp);
  put("INTERFACE", sighting.interface);
  put("FROM_ZONE", sighting.from_zone);
  put("TO_ZONE", sighting.to_zone);
  put("LENGTH", sighting.length);
  put("SUPPRESSED", suppressed);
  return out;
}

std::vector<std::string> journal_summary(uint64_t suppressed) {
  return {fmt::format("MESSAGE={} more packets that were denied, or met a rule that logs, were not told one by one",
                      suppressed),
          fmt::format("MESSAGE_ID={}", message_id::kSummary), fmt::format("PRIORITY={}", kInfo),
          fmt::format("GATEWAYD_SUPPRESSED={}", suppressed)};
}

}  // namespace gw::control
