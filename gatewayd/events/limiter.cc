// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/events/limiter.h"

#include <algorithm>
#include <utility>

namespace gw::events {

std::optional<uint64_t> Limiter::admit(Time now) {
  if (now > last_) {
    // One line a second is one milli-line a millisecond.
    const uint64_t gained = static_cast<uint64_t>((now - last_).count()) * per_second_;
    tokens_ = std::min(tokens_ + gained, burst_ * kUnit);
    last_ = now;
  }
  if (tokens_ < kUnit) {
    ++suppressed_;
    return std::nullopt;
  }
  tokens_ -= kUnit;
  return std::exchange(suppressed_, 0);
}

}  // namespace gw::events
