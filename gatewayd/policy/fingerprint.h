// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bpf/image.h"

namespace gw::policy {

/// The first 128 bits of SHA-256 over every table of the image, as 32 hex digits.
std::string fingerprint(const bpf::PolicyImage& image);

}  // namespace gw::policy
