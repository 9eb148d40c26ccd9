// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is not in <cstdlib>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace gw::test {

/// A directory of one test, mode 0700, removed at the end with all it holds.
class TempDir {
 public:
  /// `base` on a tmpfs such as /dev/shm makes fsync free, for tests that write thousands of times.
  explicit TempDir(const std::filesystem::path& base = std::filesystem::temp_directory_path()) {
    path_ = (base / "gateway-test-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace gw::test
