// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/base/fd.h"
#include "gatewayd/base/result.h"

namespace gw::names {

/// dnsmasq as a child, for as long as there is a configuration for it (directory.h). This is what gatewayd-names does,
/// so that gatewayd needs no power over other services: it writes files, and this process follows them. One thread;
/// SIGTERM, SIGINT and SIGCHLD are blocked for it.
class Server {
 public:
  /// `directory` is that of the files and need not be there yet. ENOSYS and the like where the kernel has no inotify.
  static Result<Server> open(std::string directory, std::string program);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) = delete;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Starts dnsmasq with the configuration, starts it anew when that changes and ends it when it goes. Returns after
  /// SIGTERM or SIGINT, dnsmasq ended. EIO: dnsmasq ended by itself (its own words are on stderr); ENOENT: it is not
  /// installed.
  Result<void> run();

 private:
  Server(std::string directory, std::string program, UniqueFd inotify, UniqueFd signals);

  void watch();
  Result<void> follow();
  Result<void> start();
  void stop();
  Result<bool> take_signals();
  [[nodiscard]] std::string wanted() const;

  std::string directory_, program_;
  UniqueFd inotify_, signals_;
  int watch_ = -1;       ///< on the directory; -1: it is not there
  int child_ = -1;       ///< pid
  std::string running_;  ///< the configuration that the child was started with
};

}  // namespace gw::names
