// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/endings.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace gw::control {
namespace {

constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kHour = 3600;
constexpr std::array<uint32_t, 3> kStages = {1, 7, 30};
constexpr size_t kMost = 10;

std::string in_words(UnixSeconds left) {
  if (left >= 2 * kDay) return fmt::format("in {} days", left / kDay);
  if (left >= 2 * kHour) return fmt::format("in {} hours", left / kHour);
  return fmt::format("in {} min", left / 60);
}

}  // namespace

uint32_t urgency(UnixSeconds left, UnixSeconds life) {
  for (const uint32_t days : kStages)
    if (left <= days * kDay && days * kDay <= life / 3) return days;
  return 0;
}

std::string sentence(const Ending& ending, UnixSeconds now) {
  return fmt::format("{} ends {} ({:%Y-%m-%d %H:%M:%S} UTC): {}", ending.what, in_words(ending.at - now),
                     fmt::gmtime(ending.at), ending.remedy);
}

std::vector<std::string> sentences(const std::vector<Ending>& soon, UnixSeconds now) {
  std::vector<std::string> out;
  for (const Ending& ending : soon) {
    if (out.size() == kMost) {
      out.push_back(fmt::format("{} more end within 30 days: gwctl cert list", soon.size() - kMost));
      break;
    }
    out.push_back(sentence(ending, now));
  }
  return out;
}

std::vector<Ending> EndingWatch::news(const std::vector<Ending>& soon, UnixSeconds now) {
  std::vector<Ending> out;
  std::vector<Told> next;
  next.reserve(soon.size());
  for (const Ending& ending : soon) {
    const uint32_t stage = urgency(ending.at - now, ending.life);
    const auto before = std::ranges::lower_bound(told_, ending.what, {}, &Told::what);
    const bool known = before != told_.end() && before->what == ending.what && before->at == ending.at;
    if (!known || stage < before->urgency) out.push_back(ending);
    next.push_back({ending.what, ending.at, stage});
  }
  std::ranges::sort(next, {}, &Told::what);
  told_ = std::move(next);
  return out;
}

}  // namespace gw::control
