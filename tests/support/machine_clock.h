// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/timex.h>

namespace gw::test {

/// What a time daemon tells the kernel when it is satisfied. Only where the clock is the test's own: in a virtual
/// machine.
inline void mark_synchronised() {
  timex state{};
  state.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR;
  state.status = STA_PLL;
  ASSERT_GE(adjtimex(&state), 0);
}

}  // namespace gw::test
