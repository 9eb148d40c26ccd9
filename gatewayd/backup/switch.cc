// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/backup/switch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "gatewayd/base/file.h"

namespace gw::backup {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRestore = "restore";
constexpr mode_t kPrivate = 0700;
constexpr mode_t kSecretMode = 0600;
constexpr mode_t kConfigMode = 0644;
constexpr const char* kDropIns = "gateway.d";

/// The log goes first: beside another database it would be played into that.
constexpr std::array<const char*, 4> kPieces = {"registry.db-wal", "registry.db", "wireguard.key", "intents"};

std::string committed(const std::string& state) { return state + "/restore"; }
std::string kept(const std::string& state) { return state + "/before-restore"; }

bool is_there(const std::string& path) {
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) == 0;
}

Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return failure(error.value(), kRestore, path);
  return {};
}

Result<void> move(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failure(errno, kRestore, to);
  return {};
}

Result<void> sync_tree(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
    if (!entry.is_directory()) continue;
    if (auto synced = sync_directory(entry.path()); !synced) return synced;
  }
  if (error) return failure(error.value(), kRestore, directory);
  return sync_directory(directory);
}

Result<void> put_in_place(const std::string& state, const std::string& piece) {
  const std::string fresh = committed(state) + "/state/" + piece;
  const std::string place = state + "/" + piece;
  const std::string old = kept(state) + "/" + piece;
  const bool log = piece == kPieces.front();
  // The log of the database that goes: there is none to put in its place.
  if (log ? !is_there(committed(state) + "/state/registry.db") : !is_there(fresh)) return {};
  if (is_there(place) && !is_there(old)) {
    if (auto moved = move(place, old); !moved) return moved;
  }
  return log ? Result<void>() : move(fresh, place);
}

/// The text of NAME below `directory`, which is not followed where it leads out.
Result<std::string> read_inside(int directory, const std::string& name) {
  constexpr size_t kBuffer = 65536;
  const UniqueFd fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat facts{};
  if (!fd.valid() || ::fstat(fd.get(), &facts) != 0) return failure(errno, kRestore, name);
  if (!S_ISREG(facts.st_mode) || facts.st_nlink != 1) return failure(EINVAL, kRestore, name, "it is no plain file");
  std::string out;
  std::array<char, kBuffer> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0) return failure(errno, kRestore, name);
    if (n == 0) return out;
    out.append(buffer.data(), static_cast<size_t>(n));
  }
}

Result<UniqueFd> open_inside(int directory, const std::string& name) {
  UniqueFd fd(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return failure(errno, kRestore, name);
  return fd;
}

/// The configuration files of the pending restore, by name: "gateway.yaml", "gateway.d/50-more.yaml".
Result<Files> pending_configuration(int root) {
  Files out;
  auto config = open_inside(root, "config");
  if (!config) return std::unexpected(config.error());
  auto text = read_inside(config->get(), "gateway.yaml");
  if (!text) return std::unexpected(text.error());
  out.emplace_back("gateway.yaml", std::move(*text));
  auto drop_ins = open_inside(config->get(), kDropIns);
  if (!drop_ins) return std::unexpected(drop_ins.error());
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd/" + std::to_string(drop_ins->get()), error)) {
    const std::string name = entry.path().filename();
    if (!is_safe(name)) return failure(EINVAL, kRestore, name, "that is no name of a configuration file");
    text = read_inside(drop_ins->get(), name);
    if (!text) return std::unexpected(text.error());
    out.emplace_back((fs::path(kDropIns) / name).string(), std::move(*text));
  }
  if (error) return failure(error.value(), kRestore, kDropIns);
  return out;
}

/// A configuration directory, and where this restore keeps what it replaces there.
struct Place {
  std::string config;
  std::string kept;
};

/// What is there of `name` goes beside, unless a run before this one has kept it.
Result<void> keep_configuration(const Place& place, const std::string& name) {
  const std::string old = place.kept + "/" + name;
  if (!is_there(place.config + "/" + name)) return {};
  if (auto made = make_directories(fs::path(old).parent_path(), kPrivate); !made) return made;
  if (is_there(old)) return {};
  const auto text = read_file(place.config + "/" + name);
  return text ? write_file_atomically(old, *text, kSecretMode) : std::unexpected(text.error());
}

Result<void> write_configuration(const Place& place, const File& file) {
  const std::string path = place.config + "/" + file.name;
  const auto present = read_file(path);
  if (present && *present == file.content) return {};
  if (auto saved = keep_configuration(place, file.name); !saved) return saved;
  if (auto made = make_directories(fs::path(path).parent_path(), 0755); !made) return made;
  return write_file_atomically(path, file.content, kConfigMode);
}

/// Drop-ins that the backup does not have would change what it means.
Result<void> remove_others(const Place& place, const Files& wanted) {
  const std::string& config = place.config;
  std::error_code error;
  std::vector<std::string> surplus;
  for (const auto& entry : fs::directory_iterator(config + "/" + kDropIns, error)) {
    const std::string name = std::string(kDropIns) + "/" + entry.path().filename().string();
    if (entry.path().extension() == ".yaml" && find(wanted, name) == nullptr) surplus.push_back(name);
  }
  for (const std::string& name : surplus) {
    if (auto saved = keep_configuration(place, name); !saved) return saved;
    if (::unlink((fs::path(config) / name).c_str()) != 0) return failure(errno, kRestore, name);
  }
  return surplus.empty() ? Result<void>() : sync_directory(config + "/" + kDropIns);
}

}  // namespace

std::string staging_directory(const std::string& state) { return state + "/restore.new"; }

Result<void> stage(const std::string& state, const Files& files, const std::string& id) {
  const std::string staging = staging_directory(state);
  if (auto gone = remove_tree(staging); !gone) return gone;
  // Also where the backup has none: an old authority, or an old drop-in, must not stay.
  for (const char* directory : {"/state/ca", "/state/intents", "/config/gateway.d"}) {
    if (auto made = make_directories(staging + directory, kPrivate); !made) return made;
  }
  if (auto written = write_file_atomically(staging + "/id", id, kSecretMode); !written) return written;
  for (const File& file : files) {
    const std::string path = staging + "/" + file.name;
    if (auto made = make_directories(fs::path(path).parent_path(), kPrivate); !made) return made;
    if (auto written = write_file_atomically(path, file.content, kSecretMode); !written) return written;
  }
  return {};
}

void drop_staged(const std::string& state) {
  std::error_code ignored;
  fs::remove_all(staging_directory(state), ignored);
}

Result<void> commit(const std::string& state) {
  if (is_pending(state)) return failure(EBUSY, kRestore, state, "an earlier restore waits for gatewayd to start anew");
  if (auto synced = sync_tree(staging_directory(state)); !synced) return synced;
  if (auto gone = remove_tree(kept(state)); !gone) return gone;
  if (auto moved = move(staging_directory(state), committed(state)); !moved) return moved;
  return sync_directory(state);
}

bool is_pending(const std::string& state) { return is_there(committed(state)); }

Result<void> finish_configuration(const std::string& state, const std::string& config) {
  if (!is_pending(state)) return {};
  const auto root = open_inside(AT_FDCWD, committed(state));
  if (!root) return std::unexpected(root.error());
  const auto id = read_inside(root->get(), "id");
  if (!id || !is_safe(*id)) return failure(EINVAL, kRestore, committed(state), "it was not made by gatewayd");
  const auto wanted = pending_configuration(root->get());
  if (!wanted) return std::unexpected(wanted.error());
  const Place place{config, config + "/before-restore-" + *id};
  for (const File& file : *wanted) {
    if (auto done = write_configuration(place, file); !done) return done;
  }
  return remove_others(place, *wanted);
}

Result<void> finish_state(const std::string& state, bool configuration_is_written) {
  const std::string done = state + "/restore.done";
  if (is_pending(state)) {
    if (auto made = make_directories(kept(state), kPrivate); !made) return made;
    for (const char* piece : kPieces) {
      if (auto moved = put_in_place(state, piece); !moved) return moved;
    }
    const std::string config = committed(state) + "/config";
    const std::string left = state + "/restored-config";
    if (!configuration_is_written && is_there(config)) {
      if (auto gone = remove_tree(left); !gone) return gone;
      if (auto moved = move(config, left); !moved) return moved;
    }
    if (auto synced = sync_directory(kept(state)); !synced) return synced;
    if (auto synced = sync_directory(state); !synced) return synced;
    if (auto gone = remove_tree(done); !gone) return gone;
    if (auto moved = move(committed(state), done); !moved) return moved;
  }
  drop_staged(state);
  return remove_tree(done);
}

}  // namespace gw::backup
