// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/outcome.h"

/// Passphrases: from the person at the terminal, unseen, or from a file. The caller wipes them (pki::wipe).
namespace gw::ctl {

/// The first line of `file`, when one is given; else what is typed at /dev/tty, with `twice` again until both are the
/// same. Exit::usage: no terminal and no file. Exit::refused: empty, longer than 1024 bytes, or, with `twice`, shorter
/// than 12.
Outcome<std::string> ask_passphrase(const std::string& file, const std::string& what, bool twice);

}  // namespace gw::ctl
