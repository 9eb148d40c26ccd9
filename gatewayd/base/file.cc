// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace gw {
namespace {

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure(errno, "write", path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

Result<void> fill(int fd, const std::string& path, std::string_view content, mode_t mode) {
  if (auto written = write_all(fd, content, path); !written) return written;
  if (::fchmod(fd, mode) != 0) return failure(errno, "set the mode of", path);
  if (::fsync(fd) != 0) return failure(errno, "sync", path);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return failure(errno, "open", path);
  std::string out;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure(errno, "read", path);
    if (n == 0) return out;
    out.append(buffer, static_cast<size_t>(n));
    if (out.size() > limit) return failure(EFBIG, "read", path, "more than " + std::to_string(limit) + " bytes");
  }
}

Result<void> write_file_atomically(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return failure(errno, "create a temporary file beside", path);
  auto done = fill(fd.get(), temporary, content, mode);
  fd.reset();
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = failure(errno, "rename onto", path);
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  return sync_directory(directory_of(path));
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  const std::filesystem::path whole(path);
  std::filesystem::path partial;
  for (const auto& part : whole) {
    partial /= part;
    if (::mkdir(partial.c_str(), mode) != 0 && errno != EEXIST && errno != EISDIR)
      return failure(errno, "make directory", partial);
  }
  if (!std::filesystem::is_directory(whole)) return failure(ENOTDIR, "make directory", path);
  return {};
}

Result<void> sync_directory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return failure(errno, "sync directory", path);
  return {};
}

Result<UniqueFd> lock_directory(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return failure(errno, "open directory", path);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return failure(errno, "lock directory", path);
  }
  return fd;
}

Result<UniqueFd> lock_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return failure(errno, "open lock file", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return failure(errno == EWOULDBLOCK ? EBUSY : errno, "lock", path, "another process holds it");
  return fd;
}

}  // namespace gw
