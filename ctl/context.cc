// SPDX-License-Identifier: Apache-2.0
#include "ctl/context.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace gw::ctl {

Outcome<Json> Context::ask(const std::string& method, const std::string& signature, const Json& arguments) {
  if (!bus_) {
    auto opened = Bus::open(host);
    if (!opened) return std::unexpected(opened.error());
    bus_.emplace(std::move(*opened));
  }
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
