// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ctl/arguments.h"
#include "ctl/profile_format.h"
#include "gatewayd/pki/pki.h"

/// What `client add`, `client rekey` and `client export` share: keys made here, profiles written here.
namespace gw::ctl {

inline constexpr uint32_t kDefaultDays = 365;
inline constexpr uint32_t kMostDays = 3650;

/// Where a profile goes.
struct ProfileOptions {
  std::string name;  ///< the client's
  std::string
      out;  ///< a file, "-" for the standard output; empty: NAME and the format's extension, or nowhere with `qr`
  std::string cert_out;             ///< beginning of the names of certificate and key; empty: they are not kept
  std::string format = "wg-quick";  ///< one of format_names()
  bool qr = false;
  bool force = false;

  /// `out`, or what stands for it; empty: only the QR code is wanted.
  [[nodiscard]] std::string path() const;
  /// Where each file of the format goes, in the order of `extensions_of`; empty as `path` is, or for the standard
  /// output.
  [[nodiscard]] std::vector<std::string> paths() const;
  [[nodiscard]] bool to_stdout() const { return out == "-"; }
};

void declare_profile(CLI::App& command, ProfileOptions& options, bool with_certificate);

/// Finds out before anything is asked of the gateway that what comes of it can be written: the file's name, its
/// directory, and, without --force, that nothing is lost. Exit::usage names the argument.
Outcome<void> check_outputs(const Context& context, const ProfileOptions& options);
/// For one file; `argument` is named in the failure. Makes and deletes a file beside `path`.
Outcome<void> check_output(const std::string& argument, const std::string& path, bool force);

/// The keys of one device and the request that the gateway signs. The private halves do not leave this process but into
/// the files that the caller asked for.
struct DeviceKeys {
  pki::WireGuardKeys wireguard;
  pki::PrivateKey certificate;
  std::string request_pem;
};
Outcome<DeviceKeys> make_device_keys(const std::string& client);

/// control::ProfileFacts as they came over the bus.
Profile profile_of(const Json& facts);

/// Writes the files and returns what goes to the standard output: `headline` and what to do next; with --json the facts
/// and the paths. `keys` may be null (export). The returned text may hold the profile: wipe it.
Outcome<std::string> deliver(const Context& context, const ProfileOptions& options, const Json& facts,
                             const Profile& profile, const DeviceKeys* keys, const std::string& headline);

}  // namespace gw::ctl
