// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/authority_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "gatewayd/base/file.h"
#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOpen = "open certificate authority";
constexpr mode_t kSecretMode = 0600;
constexpr mode_t kPublicMode = 0644;
constexpr mode_t kDirectoryMode = 0700;

struct Entry {
  const char* name;
  std::string AuthorityFiles::* text;
  mode_t mode;
  bool required;
};

// The root's key is only for making the next intermediate: a careful operator keeps it elsewhere.
constexpr std::array<Entry, 4> kEntries = {{
    {"root.crt", &AuthorityFiles::root_certificate, kPublicMode, true},
    {"root.key", &AuthorityFiles::root_key, kSecretMode, false},
    {"issuing.crt", &AuthorityFiles::issuing_certificate, kPublicMode, true},
    {"issuing.key", &AuthorityFiles::issuing_key, kSecretMode, true},
}};

Result<void> close_to_others(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return failure(errno, kOpen, path);
  if ((facts.st_mode & 0077U) == 0) return {};
  if (::chmod(path.c_str(), kSecretMode) != 0)
    return failure(errno, kOpen, path, "others can read this key, and its mode cannot be set to 0600");
  return {};
}

/// nullopt when the file does not exist.
Result<std::optional<std::string>> read_entry(const std::string& path, const Entry& entry) {
  if (entry.mode == kSecretMode) {
    if (const auto closed = close_to_others(path); !closed && closed.error().code != ENOENT)
      return std::unexpected(closed.error());
  }
  auto text = read_file(path, kMaxPemSize);
  if (text) return std::move(*text);
  if (text.error().code == ENOENT) return std::nullopt;
  return failure(text.error().code, kOpen, path, text.error().detail);
}

Result<bool> holds_nothing(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory, error) && !error) return true;
  if (!error && !fs::is_directory(directory, error))
    return failure(ENOTDIR, kOpen, directory, "move the file away: the authority's directory belongs here");
  const bool empty = !error && fs::is_empty(directory, error);
  if (error) return failure(error.value(), kOpen, directory);
  return empty;
}

}  // namespace

AuthorityFiles::~AuthorityFiles() {
  wipe(root_key);
  wipe(issuing_key);
}

std::string parent_of(const std::string& directory) {
  const auto parent = fs::path(directory).parent_path();
  return parent.empty() ? "." : parent.string();
}

Result<std::optional<AuthorityFiles>> load_authority(const std::string& directory) {
  const auto nothing = holds_nothing(directory);
  if (!nothing) return std::unexpected(nothing.error());
  if (*nothing) return std::nullopt;
  AuthorityFiles files;
  std::string missing;
  for (const Entry& entry : kEntries) {
    auto text = read_entry(directory + "/" + entry.name, entry);
    if (!text) return std::unexpected(text.error());
    if (*text) {
      files.*entry.text = std::move(**text);
    } else if (entry.required) {
      missing += std::string(missing.empty() ? "" : " and ") + entry.name;
    }
  }
  if (!missing.empty()) {
    return failure(EUCLEAN, kOpen, directory,
                   missing + " missing: restore from the backup of this gateway; nothing was changed");
  }
  return files;
}

Result<void> store_authority(const std::string& directory, const AuthorityFiles& files) {
  constexpr const char* kMake = "make certificate authority";
  const std::string aside = directory + ".new";
  std::error_code error;
  fs::remove_all(aside, error);  // of a crash in between; its keys were never used
  if (error) return failure(error.value(), kMake, aside);
  if (::mkdir(aside.c_str(), kDirectoryMode) != 0) return failure(errno, kMake, aside);
  for (const Entry& entry : kEntries) {
    if (auto written = write_file_atomically(aside + "/" + entry.name, files.*entry.text, entry.mode); !written) {
      fs::remove_all(aside, error);
      return written;
    }
  }
  if (::rename(aside.c_str(), directory.c_str()) != 0) {
    auto failed = failure(errno, kMake, directory);
    fs::remove_all(aside, error);
    return failed;
  }
  return sync_directory(parent_of(directory));
}

}  // namespace gw::pki
