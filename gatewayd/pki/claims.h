// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: what a certificate says of its holder.

#include <vector>

#include "gatewayd/pki/foreign.h"
#include "gatewayd/pki/openssl.h"

namespace gw::pki {

/// In the order of Holder::claims; names of other kinds (addresses, directory names) are left out. EINVAL: a name is
/// damaged, not text, or holds control characters: such a certificate is not read by halves.
Result<std::vector<Claim>> claims_of(X509* certificate);

}  // namespace gw::pki
