// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/authority_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "gatewayd/base/file.h"
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
  bool required;  ///< of every authority
};

// The root's key is only for making the next intermediate: a careful operator keeps it elsewhere.
constexpr std::array<Entry, 9> kEntries = {{
    {"root.crt", &AuthorityFiles::root_certificate, kPublicMode, true},
    {"root.key", &AuthorityFiles::root_key, kSecretMode, false},
    {"issuing.crt", &AuthorityFiles::issuing_certificate, kPublicMode, true},
    {"issuing.key", &AuthorityFiles::issuing_key, kSecretMode, true},
    {"cross.crt", &AuthorityFiles::cross, kPublicMode, false},
    {"earlier.crt", &AuthorityFiles::earlier, kPublicMode, false},
    {"earlier.key", &AuthorityFiles::earlier_keys, kSecretMode, false},
    {"request.key", &AuthorityFiles::request_key, kSecretMode, false},
    {"request.csr", &AuthorityFiles::request, kPublicMode, false},
}};

/// Earlier certificates gather; each is far smaller than kMaxPemSize.
constexpr size_t kMaxFile = size_t{1} << 20U;

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
  auto text = read_file(path, kMaxFile);
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
  wipe(earlier_keys);
  wipe(request_key);
}

std::string parent_of(const std::string& directory) {
  const auto parent = fs::path(directory).parent_path();
  return parent.empty() ? "." : parent.string();
}

std::map<std::string, std::string> by_name(const AuthorityFiles& files) {
  std::map<std::string, std::string> out;
  for (const Entry& entry : kEntries) {
    if (!(files.*entry.text).empty()) out.emplace(entry.name, files.*entry.text);
  }
  return out;
}

Result<AuthorityFiles> from_names(const std::map<std::string, std::string>& named) {
  AuthorityFiles out;
  for (const auto& [name, text] : named) {
    const auto* entry = std::ranges::find(kEntries, name, [](const Entry& one) { return std::string(one.name); });
    if (entry == kEntries.end()) return failure(EINVAL, kOpen, name, "that is no file of an authority");
    out.*entry->text = text;
  }
  return out;
}

Result<void> remove_authority(const std::string& directory) {
  std::error_code error;
  fs::remove_all(directory, error);
  if (error) return failure(error.value(), "remove certificate authority", directory);
  return sync_directory(parent_of(directory));
}

void forget_aside(const std::string& directory) {
  std::error_code error;
  fs::remove_all(directory + ".new", error);
}

std::vector<std::string> pem_blocks(const std::string& pems) {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ";
  std::vector<std::string> out;
  size_t at = 0;
  while ((at = pems.find(kBegin, at)) != std::string::npos) {
    const size_t last = pems.find(kEnd, at);
    const size_t line = last == std::string::npos ? last : pems.find('\n', last);
    const size_t end = line == std::string::npos ? pems.size() : line + 1;
    out.push_back(pems.substr(at, end - at));
    at = end;
  }
  return out;
}

Result<AuthorityFiles> load_authority(const std::string& directory) {
  AuthorityFiles files;
  const auto nothing = holds_nothing(directory);
  if (!nothing) return std::unexpected(nothing.error());
  if (*nothing) return files;
  std::string missing;
  bool any = false;
  for (const Entry& entry : kEntries) {
    auto text = read_entry(directory + "/" + entry.name, entry);
    if (!text) return std::unexpected(text.error());
    if (*text) {
      files.*entry.text = std::move(**text);
      any = any || entry.required;
    } else if (entry.required) {
      missing += std::string(missing.empty() ? "" : " and ") + entry.name;
    }
  }
  // A request may be all that there is.
  if (!missing.empty() && (any || files.request.empty() || !files.root_key.empty())) {
    return failure(EUCLEAN, kOpen, directory,
                   missing + " missing: restore from the backup of this gateway; nothing was changed");
  }
  return files;
}

Result<void> store_authority(const std::string& directory, const AuthorityFiles& files) {
  constexpr const char* kMake = "write certificate authority";
  const std::string aside = directory + ".new";
  std::error_code error;
  fs::remove_all(aside, error);  // of a crash in between: never used, or no longer
  if (error) return failure(error.value(), kMake, aside);
  if (::mkdir(aside.c_str(), kDirectoryMode) != 0) return failure(errno, kMake, aside);
  for (const Entry& entry : kEntries) {
    if ((files.*entry.text).empty()) continue;
    if (auto written = write_file_atomically(aside + "/" + entry.name, files.*entry.text, entry.mode); !written) {
      fs::remove_all(aside, error);
      return written;
    }
  }
  const bool exchange = fs::exists(directory, error);
  if (::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, directory.c_str(), exchange ? RENAME_EXCHANGE : 0) != 0) {
    auto failed = failure(errno, kMake, directory);
    fs::remove_all(aside, error);
    return failed;
  }
  if (auto synced = sync_directory(parent_of(directory)); !synced) return synced;
  fs::remove_all(aside, error);
  return error ? Result<void>(failure(error.value(), kMake, aside)) : Result<void>();
}

}  // namespace gw::pki
