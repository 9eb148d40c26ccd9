// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/pki/pki.h"

namespace gw::control {

/// The gateway's own WireGuard keys out of `path`, in the form that `wg genkey` writes. Made, 0600, when there is none.
/// A file that others could read is set to 0600. EUCLEAN: it holds no key; it is not touched.
Result<pki::WireGuardKeys> open_wireguard_keys(const std::string& path);

}  // namespace gw::control
