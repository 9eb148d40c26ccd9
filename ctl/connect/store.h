// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ctl/connect/network.h"
#include "ctl/connect/proxy.h"
#include "gatewayd/base/fd.h"
#include "gatewayd/pki/pki.h"

namespace gw::connect {

/// A join that has not come to its end: the gateway may know its keys by now.
struct Attempt {
  std::string link;  ///< JoinLink::digest
  PublicKey key;
  std::string identity;  ///< as Network::identity
  bool operator==(const Attempt&) const = default;
};

/// The networks of this machine on disk: a directory each, 0700, with network.json and the private keys, 0600. Keys are
/// synced before network.json names them, and go after it has ceased to; it is replaced atomically. So a crash at any
/// moment leaves the network as it was or as it will be, or, in `add`, none. Several processes may use one directory:
/// whoever changes a network holds its lock, whoever chooses slots or changes the kernel holds the directory's.
class Store {
 public:
  explicit Store(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string directory_of(const std::string& id) const { return directory_ + "/" + id; }

  /// Makes the directory where it is missing.
  Result<void> prepare() const;
  /// Of all that can be read, by id. What cannot is told in `damaged`, and left as it is.
  struct Networks {
    std::vector<Network> networks;
    std::vector<Error> damaged;
    std::vector<std::string> attempts;  ///< the ids of those that were never joined
  };
  [[nodiscard]] Result<Networks> load() const;
  /// ENOENT when there is none of that id, EUCLEAN when it is damaged.
  [[nodiscard]] Result<Network> load(const std::string& id) const;
  /// The one of that id, or else of that gateway's name or interface; an empty word stands for the only one. ENOENT,
  /// or EINVAL when several are meant, with those that there are.
  [[nodiscard]] Result<Network> find(const std::string& word) const;

  /// Writes a network whose keys are written, new or in place of an old one, and removes the keys that it does not
  /// name.
  Result<void> save(const Network& network) const;
  /// Overwrites the keys with zeros and removes all. Not an error when it is gone.
  Result<void> remove(const std::string& id) const;

  /// Writes down what a join asks with, the keys written before, and removes all else. `save` ends it.
  Result<void> write_attempt(const std::string& id, const Attempt& attempt) const;
  /// Nothing when there is none, or none that can be read.
  [[nodiscard]] std::optional<Attempt> read_attempt(const std::string& id) const;

  /// Makes the directory where it is missing. Nothing counts before `save` or `write_attempt`.
  Result<void> write_key(const std::string& id, const pki::WireGuardKeys& keys) const;
  /// Returns what to put into Network::identity.
  Result<std::string> write_identity(const std::string& id, const pki::PrivateKey& key) const;
  /// EUCLEAN when the file is missing, damaged or of another key.
  [[nodiscard]] Result<SecretKey> read_key(const std::string& id, const PublicKey& key) const;
  [[nodiscard]] Result<pki::PrivateKey> read_identity(const std::string& id, const std::string& identity) const;

  /// With its password, 0600; it stays as long as Network::proxy names one. Makes the directory where it is missing.
  Result<void> write_proxy(const std::string& id, const Proxy& proxy) const;
  /// Nothing when there is none; EUCLEAN when the file is damaged.
  [[nodiscard]] Result<std::optional<Proxy>> read_proxy(const std::string& id) const;

  /// What `load` tells as Network::relay and relay_trouble. Not an error when there is no such network any more.
  Result<void> set_relay(const std::string& id, const std::optional<Relay>& relay) const;

  /// Waits for whoever works on the network; ENOENT when it is not there.
  [[nodiscard]] Result<UniqueFd> lock(const std::string& id) const;
  [[nodiscard]] Result<UniqueFd> lock_all() const;
  /// As `lock`, and makes the network's directory: for one that is to be.
  [[nodiscard]] Result<UniqueFd> reserve(const std::string& id) const;

 private:
  std::string directory_;
};

}  // namespace gw::connect
