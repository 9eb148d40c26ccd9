// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/pace.h"

#include <algorithm>

namespace gw::apply {

void Pace::changed(Time now) {
  if (!first_change_) first_change_ = now;
  last_change_ = now;
}

void Pace::finished(Time now, bool clean) {
  first_change_.reset();
  last_change_.reset();
  not_before_ = now + (kShare - 1) * (started_ ? now - *started_ : Time(0));
  started_.reset();
  later_ = now + (clean ? kAudit : retry_);
  retry_ = clean ? kFirstRetry : std::min(2 * retry_, kLongestRetry);
}

std::optional<Pace::Time> Pace::next_run_at() const {
  if (!first_change_) return later_;
  const Time settled = std::max(std::min(*last_change_ + kQuiet, *first_change_ + kLongestBurst), not_before_);
  return later_ ? std::min(settled, *later_) : settled;
}

}  // namespace gw::apply
