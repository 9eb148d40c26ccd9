// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/events/clock_watch.h"

#include <sys/timerfd.h>

#include <cerrno>
#include <ctime>
#include <limits>

namespace gw::events {
namespace {

bool arm(int fd) {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<time_t>::max();
  return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) == 0;
}

}  // namespace

Result<ClockWatch> ClockWatch::open(const Loop& loop, Source::Callback callback) {
  UniqueFd fd(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd.valid() || !arm(fd.get())) return failure(errno, "watch", "the clock");
  auto source = Source::readable(loop, fd.get(), [raw = fd.get(), callback = std::move(callback)] {
    uint64_t expirations = 0;
    const bool set = ::read(raw, &expirations, sizeof expirations) < 0 && errno == ECANCELED;
    arm(raw);
    if (set) callback();
  });
  if (!source) return std::unexpected(source.error());
  return ClockWatch(std::move(fd), std::move(*source));
}

}  // namespace gw::events
