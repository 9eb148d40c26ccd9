// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/link_journal.h"

#include <unistd.h>

#include <cerrno>

#include "gatewayd/base/file.h"

namespace gw::apply {

Result<void> LinkJournal::begin(const std::string& device) { return write_file_atomically(path_, device, 0600); }

bool LinkJournal::was_beginning(const std::string& device) const { return read_file(path_) == device; }

Result<void> LinkJournal::end() {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return failure(errno, "remove", path_);
  return {};
}

}  // namespace gw::apply
