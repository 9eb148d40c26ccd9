// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bpf/programs/model_gateway.h"

namespace gw::test::model {

/// The small world of standard_image() and standard_hosts(), told a second time.
Gateway standard_gateway();
/// Its rules; `ssh` false: as if web's SSH were closed to alice.
Policy standard_policy(bool ssh = true);

}  // namespace gw::test::model
