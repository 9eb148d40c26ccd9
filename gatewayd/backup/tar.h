// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/result.h"

/// The files of a backup in one piece: POSIX.1-1988 "ustar", as tar(1) writes and reads it. No more of the format than
/// regular files with short names, so that there is nothing else to get wrong.
namespace gw::backup {

struct File {
  std::string name;  ///< relative, at most 99 characters: "state/registry.db"
  std::string content;

  File() = default;
  File(std::string file_name, std::string file_content)
      : name(std::move(file_name)), content(std::move(file_content)) {}
  File(const File&) = default;
  File(File&&) = default;
  File& operator=(const File&) = default;
  File& operator=(File&&) = default;
  ~File();  ///< zeroes the content: keys are among them
  bool operator==(const File&) const = default;
};
using Files = std::vector<File>;

/// nullptr: there is no file of this name.
const std::string* find(const Files& files, std::string_view name);

/// Modes are 0600. EINVAL: a name that is_safe refuses; EFBIG: a file of 8 GiB or more.
Result<std::string> write_tar(const Files& files, UnixSeconds modified);

/// EINVAL with the place: cut short, a wrong checksum, anything but regular files, names that are not safe or come
/// twice, more than 4096 files.
Result<Files> read_tar(std::string_view tar);

/// A relative name that leads nowhere else: parts of letters, digits, '.', '_' and '-', none of them beginning with a
/// dot.
bool is_safe(std::string_view name);

}  // namespace gw::backup
