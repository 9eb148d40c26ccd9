// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "gatewayd/base/fd.h"
#include "tests/support/process.h"

namespace gw::test {

/// A fresh network namespace and a fresh mount namespace for the calling process, which must have one thread only; the
/// old ones come back at the end. Inside, mounts are private, /run/wireguard is an empty tmpfs (so that wireguard-go's
/// sockets do not meet those of other tests), lo is up. At the end TUN devices are deleted, which ends every
/// wireguard-go started inside and with it the namespace. Throws std::system_error when the kernel refuses: run as
/// root.
class Namespace {
 public:
  Namespace();
  ~Namespace();
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

 private:
  UniqueFd old_net_;
  UniqueFd old_mnt_;
  UniqueFd old_root_;
  UniqueFd old_directory_;
};

/// A further network namespace beside the current one (mounts are shared), reached by its fd or by `inside`.
class PeerNamespace {
 public:
  PeerNamespace();
  ~PeerNamespace();
  PeerNamespace(const PeerNamespace&) = delete;
  PeerNamespace& operator=(const PeerNamespace&) = delete;

  [[nodiscard]] int fd() const { return net_.get(); }
  /// For `nsenter --net=` and `ip link set netns`; valid while this process lives.
  [[nodiscard]] std::string path() const;
  /// Runs `body` with the thread in this namespace: sockets opened there stay there.
  void inside(const std::function<void()>& body) const;

 private:
  UniqueFd net_;
};

/// Runs a program from PATH and returns what it wrote to standard output; throws std::runtime_error with its standard
/// error unless it exits with 0.
std::string must(const Arguments& arguments, const std::string& input = {});
/// The same on the words of a line, split at blanks: no quoting, no shell.
std::string must(const std::string& line);

}  // namespace gw::test
