// SPDX-License-Identifier: Apache-2.0
// gwctl: everything an operator does with a gateway. (docs/gwctl.md)
#include "ctl/context.h"

int main(int argc, char** argv) {
  const gw::SystemClock clock;
  return gw::ctl::run(argc, argv, clock, GW_VERSION);
}
