// SPDX-License-Identifier: Apache-2.0
// gwconnect: the connector for Linux endpoints. (docs/gwconnect.md)
#include "ctl/connect/commands.h"

int main(int argc, char** argv) {
  const gw::SystemClock clock;
  return gw::connect::run(argc, argv, clock, GW_VERSION);
}
