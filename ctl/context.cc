// SPDX-License-Identifier: Apache-2.0
#include "ctl/context.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace gw::ctl {

Outcome<void> Context::connect() {
  if (bus_) return {};
  auto opened = Bus::open(host);
  if (!opened) return std::unexpected(opened.error());
  bus_.emplace(std::move(*opened));
  return {};
}

Outcome<UniqueFd> Context::ask_for_fd(const std::string& method, const std::string& signature, const Json& arguments) {
  if (auto connected = connect(); !connected) return std::unexpected(connected.error());
  return bus_->call_for_fd(method, signature, arguments);
}

Outcome<Json> Context::ask(const std::string& method, const std::string& signature, const Json& arguments) {
  if (auto connected = connect(); !connected) return std::unexpected(connected.error());
  auto answer = bus_->call(method, signature, arguments);
  if (!answer) return answer;
  if (answer->empty()) return Json();
  if (answer->size() == 1) return Json(std::move(answer->front()));
  return answer;
}

void Context::warn(const std::string& text) const {
  fmt::print(stderr, "{}\n", Style::of(STDERR_FILENO).paint(Tone::warn, "gwctl: " + text));
}

std::string json_text(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace gw::ctl
