// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "ctl/secret.h"
#include "gatewayd/base/file.h"

namespace gw::connect {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr const char* kState = "network.json";
constexpr const char* kRelay = "relay.json";
constexpr const char* kProxy = "proxy";
constexpr const char* kAttempt = "join.json";
constexpr std::string_view kKeyPrefix = "wireguard-";
constexpr std::string_view kIdentityPrefix = "identity-";
constexpr size_t kMaxKeyFile = 4096;

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4U];
    out += kDigits[static_cast<uint8_t>(c) & 15U];
  }
  return out;
}

std::string key_file(const PublicKey& key) {
  return std::string(kKeyPrefix) + hex({reinterpret_cast<const char*>(key.bytes.data()), size_t{8}}) + ".key";
}

std::string identity_file(const std::string& identity) { return std::string(kIdentityPrefix) + identity + ".key"; }

std::unexpected<Error> damaged(const std::string& id, const std::string& what) {
  return failure(EUCLEAN, "read the state of network", id, what + "; leave the network and join it anew");
}

/// Zeros before the removal: what the file system keeps of the old blocks is beyond us.
void shred(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  const off_t size = fd.valid() ? ::lseek(fd.get(), 0, SEEK_END) : 0;
  const std::string zeros(static_cast<size_t>(std::clamp<off_t>(size, 0, kMaxKeyFile)), '\0');
  if (fd.valid() && ::pwrite(fd.get(), zeros.data(), zeros.size(), 0) >= 0) ::fsync(fd.get());
  std::error_code ignored;
  fs::remove(path, ignored);
}

std::vector<fs::path> entries_of(const std::string& directory) {
  std::vector<fs::path> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) out.push_back(entry.path());
  return out;
}

// What is to become relay.json stays: the service writes that whenever it likes, without the network's lock.
void shred_others(const std::string& directory, const std::set<std::string>& wanted) {
  for (const fs::path& path : entries_of(directory)) {
    const std::string name = path.filename().string();
    if (!wanted.contains(name) && !name.starts_with(kRelay)) shred(path);
  }
}

std::string listed(const std::vector<Network>& networks) {
  std::string out;
  for (const Network& network : networks) out += (out.empty() ? "" : ", ") + network.id;
  return out;
}

}  // namespace

Result<void> Store::prepare() const { return make_directories(directory_, kDirectoryMode); }

Result<Store::Networks> Store::load() const {
  Networks out;
  std::error_code error;
  if (!fs::exists(directory_, error)) return out;
  auto paths = entries_of(directory_);
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    auto network = load(path.filename().string());
    if (network)
      out.networks.push_back(std::move(*network));
    else if (network.error().code != ENOENT && network.error().code != ENOTDIR)
      out.damaged.push_back(network.error());
    // A directory without either is what a join left that had not asked yet.
    else if (read_attempt(path.filename().string()))
      out.attempts.push_back(path.filename().string());
  }
  return out;
}

Result<Network> Store::load(const std::string& id) const {
  const auto text = read_file(directory_of(id) + "/" + kState);
  if (!text) return std::unexpected(text.error());
  auto network = parse_network(id, *text);
  if (!network) return network;
  const auto text_of_relay = read_file(directory_of(id) + "/" + kRelay);
  const auto relay = text_of_relay ? parse_relay(*text_of_relay) : std::nullopt;
  if (relay && relay->port != 0) network->relay = relay;
  if (relay) network->relay_trouble = relay->trouble;
  return network;
}

Result<Network> Store::find(const std::string& word) const {
  auto all = load();
  if (!all) return std::unexpected(all.error());
  std::vector<Network> meant;
  for (const Network& network : all->networks) {
    if (network.id == word) return network;
    if (word.empty() || network.name() == word || network.interface == word) meant.push_back(network);
  }
  if (meant.size() == 1) return meant.front();
  if (!all->damaged.empty()) return std::unexpected(all->damaged.front());
  if (all->networks.empty()) return failure(ENOENT, "find network", word, "this machine has joined none");
  const std::string known = "there are " + listed(all->networks);
  return failure(meant.empty() ? ENOENT : EINVAL, "find network", word, meant.empty() ? known : "say which: " + known);
}

Result<void> Store::save(const Network& network) const {
  const std::string directory = directory_of(network.id);
  const auto written = write_file_atomically(directory + "/" + kState, network_json(network), kFileMode);
  if (!written) return written;
  std::set<std::string> wanted = {kState, key_file(network.key), identity_file(network.identity)};
  if (!network.proxy.empty()) wanted.insert(kProxy);
  if (network.next_key) wanted.insert(key_file(*network.next_key));
  shred_others(directory, wanted);
  return {};
}

Result<void> Store::write_attempt(const std::string& id, const Attempt& attempt) const {
  const Json json = {{"link", attempt.link}, {"key", attempt.key.str()}, {"identity", attempt.identity}};
  auto written = write_file_atomically(directory_of(id) + "/" + kAttempt, json.dump() + "\n", kFileMode);
  if (written) shred_others(directory_of(id), {kAttempt, key_file(attempt.key), identity_file(attempt.identity)});
  return written;
}

std::optional<Attempt> Store::read_attempt(const std::string& id) const {
  const auto text = read_file(directory_of(id) + "/" + kAttempt, kMaxKeyFile);
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  try {
    const auto key = PublicKey::parse(json.at("key").get<std::string>());
    if (!key) return std::nullopt;
    return Attempt{json.at("link").get<std::string>(), *key, json.at("identity").get<std::string>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Result<void> Store::remove(const std::string& id) const {
  const std::string directory = directory_of(id);
  // The state goes first: from then on there is no network, only rests.
  std::error_code error;
  fs::remove(directory + "/" + kState, error);
  for (const fs::path& path : entries_of(directory)) shred(path);
  fs::remove(directory, error);
  if (error) return failure(error.value(), "remove", directory);
  return sync_directory(directory_);
}

Result<void> Store::write_key(const std::string& id, const pki::WireGuardKeys& keys) const {
  if (auto made = make_directories(directory_of(id), kDirectoryMode); !made) return made;
  const ctl::Secret text(keys.secret.reveal_base64());
  return write_file_atomically(directory_of(id) + "/" + key_file(keys.public_key), text.text, kFileMode);
}

Result<std::string> Store::write_identity(const std::string& id, const pki::PrivateKey& key) const {
  if (auto made = make_directories(directory_of(id), kDirectoryMode); !made) return std::unexpected(made.error());
  std::string identity = hex(pki::random_bytes(8));
  const ctl::Secret text(key.reveal_pem());
  auto written = write_file_atomically(directory_of(id) + "/" + identity_file(identity), text.text, kFileMode);
  if (!written) return std::unexpected(written.error());
  return identity;
}

Result<SecretKey> Store::read_key(const std::string& id, const PublicKey& key) const {
  auto text = read_file(directory_of(id) + "/" + key_file(key), kMaxKeyFile);
  if (!text) return damaged(id, "its WireGuard key cannot be read (" + text.error().message() + ")");
  const auto secret = SecretKey::parse(*text);
  pki::wipe(*text);
  if (!secret || pki::public_of(*secret) != key) return damaged(id, "the file of its WireGuard key holds another");
  return *secret;
}

Result<pki::PrivateKey> Store::read_identity(const std::string& id, const std::string& identity) const {
  auto text = read_file(directory_of(id) + "/" + identity_file(identity), kMaxKeyFile);
  if (!text) return damaged(id, "the key of its certificate cannot be read (" + text.error().message() + ")");
  auto key = pki::PrivateKey::parse(*text);
  pki::wipe(*text);
  if (!key) return damaged(id, "the key of its certificate is damaged");
  return key;
}

Result<void> Store::write_proxy(const std::string& id, const Proxy& proxy) const {
  if (auto made = make_directories(directory_of(id), kDirectoryMode); !made) return made;
  const ctl::Secret text(proxy_url(proxy));
  return write_file_atomically(directory_of(id) + "/" + kProxy, text.text, kFileMode);
}

Result<std::optional<Proxy>> Store::read_proxy(const std::string& id) const {
  auto text = read_file(directory_of(id) + "/" + kProxy, kMaxKeyFile);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  auto proxy = parse_proxy(*text);
  pki::wipe(*text);
  if (!proxy) return damaged(id, "the file of its proxy is damaged");
  return std::move(*proxy);
}

Result<void> Store::set_relay(const std::string& id, const std::optional<Relay>& relay) const {
  const std::string path = directory_of(id) + "/" + kRelay;
  std::error_code error;
  if (!relay) {
    fs::remove(path, error);
    return {};
  }
  return write_file_atomically(path, relay_json(*relay), kFileMode);
}

Result<UniqueFd> Store::lock(const std::string& id) const {
  for (;;) {
    auto held = lock_directory(directory_of(id));
    if (!held) return held;
    // Whoever held it may have removed the directory, and another may have made it anew.
    struct stat locked{};
    struct stat present{};
    if (::fstat(held->get(), &locked) != 0) return failure(errno, "lock", directory_of(id));
    if (::stat(directory_of(id).c_str(), &present) != 0) return failure(errno, "lock", directory_of(id));
    if (locked.st_ino == present.st_ino && locked.st_dev == present.st_dev) return held;
  }
}

Result<UniqueFd> Store::reserve(const std::string& id) const {
  for (;;) {
    if (auto made = make_directories(directory_of(id), kDirectoryMode); !made) return std::unexpected(made.error());
    auto held = lock(id);
    if (held || held.error().code != ENOENT) return held;  // else it went between the two
  }
}

Result<UniqueFd> Store::lock_all() const {
  if (auto made = prepare(); !made) return std::unexpected(made.error());
  return lock_directory(directory_);
}

}  // namespace gw::connect
