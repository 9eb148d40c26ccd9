// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gw {

/// Seconds since the Unix epoch, UTC.
using UnixSeconds = int64_t;

/// Time is passed in, so that tests choose it. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixSeconds now() const = 0;
};

/// CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixSeconds now() const override;
};

}  // namespace gw
