// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gatewayd/base/result.h"

namespace gw::ctl {

/// A QR code (ISO/IEC 18004, byte mode, error correction L) of `text` for a terminal: half blocks in UTF-8, two modules
/// a character high, with the quiet zone of four modules. Black on white is set by escape sequences, so that cameras
/// read it on dark and on light terminals. Ends with a line break. EFBIG when the text does not fit a code (2,953
/// bytes); EINVAL when it is empty. The text of a profile is a secret, and so is its code: `pki::wipe` both.
Result<std::string> terminal_qr(std::string_view text);

}  // namespace gw::ctl
