// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/clock.h"

#include <ctime>

namespace gw {

UnixSeconds SystemClock::now() const {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return ts.tv_sec;
}

}  // namespace gw
