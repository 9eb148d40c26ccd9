// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gatewayd/base/fd.h"
#include "gatewayd/events/loop.h"

namespace gw::events {

/// Tells when the wall clock was set, as opposed to having gone on (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
class ClockWatch {
 public:
  static Result<ClockWatch> open(const Loop& loop, Source::Callback callback);

 private:
  ClockWatch(UniqueFd fd, Source source) : fd_(std::move(fd)), source_(std::move(source)) {}
  UniqueFd fd_;
  Source source_;
};

}  // namespace gw::events
