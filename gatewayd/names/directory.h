// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "gatewayd/base/result.h"
#include "gatewayd/names/render.h"

namespace gw::names {

/// In RUN/INSTANCE. gatewayd writes there; gatewayd-names (server.h), another user, reads.
inline constexpr const char* kDirectory = "/names";
inline constexpr const char* kServerFile = "/dnsmasq.conf";
inline constexpr const char* kHostsDirectory = "/hosts.d";

/// The files that names are served from. dnsmasq takes a new hosts file the moment it is there; the rest is
/// gatewayd-names' to follow. One thread.
class Directory {
 public:
  /// `run_directory` has to exist.
  explicit Directory(std::string run_directory) : path_(std::move(run_directory) + kDirectory) {}

  /// Makes the files what `config` and `clients` say, each at once and only where it differs; takes them away where
  /// no names are served. Costs with the number of clients.
  Result<void> put(const config::Config& config, std::span<const Entry> clients);

 private:
  Result<void> make() const;
  Result<void> put_hosts(const std::string& text);
  Result<void> put_server(const std::string& text);
  Result<void> remove();

  std::string path_;
  std::string hosts_, server_;  ///< as last written; empty: not known
};

}  // namespace gw::names
