// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/apply/stage.h"
#include "tests/support/reconciler_contract.h"

namespace gw::test {

INSTANTIATE_TYPED_TEST_SUITE_P(Linux, ReconcilerContract, LinuxStage);

}  // namespace gw::test
