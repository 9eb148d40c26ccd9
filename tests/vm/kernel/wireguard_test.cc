// SPDX-License-Identifier: Apache-2.0
// The contract of WireGuard devices on the kernel's own implementation.
#include "netlink/wireguard.h"

#include "tests/support/wireguard_contract.h"

namespace gw::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Kernel, WireGuardContract, testing::Values(&nl::open_kernel_wireguard));

TEST(OpenWireGuard, PrefersTheKernels) {
  const auto wireguard = nl::open_wireguard();
  ASSERT_TRUE(wireguard) << wireguard.error().message();
  EXPECT_TRUE((*wireguard)->in_kernel());
}

}  // namespace
}  // namespace gw::test
