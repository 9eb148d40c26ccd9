// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "gatewayd/base/fd.h"
#include "gatewayd/base/result.h"

namespace gw {

/// The whole file as text. ENOENT when missing; EFBIG past `limit` bytes.
Result<std::string> read_file(const std::string& path, size_t limit = size_t{64} << 20U);

/// Replaces `path` atomically: temporary file in the same directory, fsync, rename, fsync of the directory. After a
/// crash the old content or the new is there, whole. Nothing is changed on failure.
Result<void> write_file_atomically(const std::string& path, std::string_view content, mode_t mode);

/// Makes the directory and its parents; an existing one keeps its mode.
Result<void> make_directories(const std::string& path, mode_t mode);

/// fsync(2) of a directory: makes what was created in it, renamed or removed survive a power cut.
Result<void> sync_directory(const std::string& path);

/// Waits for an exclusive flock(2) on an existing directory. Held while the fd lives.
Result<UniqueFd> lock_directory(const std::string& path);

/// Takes an exclusive flock(2) on `path`, creating it 0600; EBUSY when another process holds it. Held while the fd
/// lives.
Result<UniqueFd> lock_file(const std::string& path);

}  // namespace gw
