// SPDX-License-Identifier: Apache-2.0
#include "tests/support/host.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>

#include "gatewayd/base/fd.h"

namespace gw::test {
namespace {

TEST(Host, TakesItsDaemonsWithIt) {
  std::string said;
  UniqueFd daemon;
  {
    const Host host("left");
    said = host.must(Arguments{"sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"});
    daemon.reset(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(said), 0)));
    ASSERT_TRUE(daemon.valid()) << said;
    pollfd running{daemon.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&running, 1, 0), 0);
  }
  pollfd ended{daemon.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 10'000), 1);
}

}  // namespace
}  // namespace gw::test
