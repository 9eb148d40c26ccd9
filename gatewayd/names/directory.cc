// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/names/directory.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "gatewayd/base/file.h"

namespace gw::names {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;
constexpr const char* kHostsFile = "/hosts";

}  // namespace

// The mode apart: another user reads, whatever our umask is.
Result<void> Directory::make() const {
  for (const std::string& path : {path_, path_ + kHostsDirectory}) {
    if (auto made = make_directories(path, kDirectoryMode); !made) return made;
    if (::chmod(path.c_str(), kDirectoryMode) != 0) return failure(errno, "set the mode of", path);
  }
  return {};
}

// Written beside and renamed into: dnsmasq reads every file of that directory, a half-written one as well.
Result<void> Directory::put_hosts(const std::string& text) {
  const std::string path = path_ + kHostsDirectory + kHostsFile;
  if (hosts_.empty()) hosts_ = read_file(path).value_or("");
  if (hosts_ == text) return {};
  const std::string fresh = path_ + kHostsFile;
  if (auto written = write_file_atomically(fresh, text, kFileMode); !written) return written;
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failure(errno, "rename onto", path);
  hosts_ = text;
  return {};
}

Result<void> Directory::put_server(const std::string& text) {
  const std::string path = path_ + kServerFile;
  if (server_.empty()) server_ = read_file(path).value_or("");
  if (server_ == text) return {};
  if (auto written = write_file_atomically(path, text, kFileMode); !written) return written;
  server_ = text;
  return {};
}

Result<void> Directory::remove() {
  hosts_.clear();
  server_.clear();
  for (const std::string& path : {path_ + kServerFile, path_ + kHostsDirectory + kHostsFile}) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
      return failure(error.value(), "remove", path);
  }
  return {};
}

Result<void> Directory::put(const config::Config& config, std::span<const Entry> clients) {
  const std::string server = server_file(config, path_ + kHostsDirectory);
  if (server.empty()) return remove();
  if (auto made = make(); !made) return made;
  // Hosts first: a server that starts with the other file finds them.
  if (auto put = put_hosts(hosts_file(config, clients)); !put) return put;
  return put_server(server);
}

}  // namespace gw::names
