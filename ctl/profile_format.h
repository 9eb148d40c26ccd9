// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/profile.h"
#include "ctl/secret.h"

/// A profile in the formats of those who take it.
namespace gw::ctl {

enum class ProfileFormat : uint8_t {
  wg_quick,        ///< wg-quick(8); the WireGuard apps and `nmcli connection import` take it as well
  networkmanager,  ///< nm-settings-keyfile(5), with split DNS
  networkd,        ///< systemd.netdev(5) and systemd.network(5), two files
  mobileconfig,    ///< Apple's configuration profile, for the WireGuard app of iOS and iPadOS
  bundle           ///< a zip of what belongs to one client: profile, certificate, CA, a read-me
};
/// Their names on the command line, in the order of the enumeration.
const std::vector<std::string>& format_names();
ProfileFormat format_of(const std::string& name);  ///< `name` is one of format_names()

/// One file of a profile.
struct ProfileFile {
  std::string extension;  ///< ".conf"
  Secret content;
};

/// What only a bundle holds.
struct BundleKeys {
  std::string certificate_key_pem;  ///< empty: the key is not here, and no PKCS#12 is made; wipe it
  std::string passphrase;           ///< of the PKCS#12
};

/// How the names of the format's files end; the first is that of the path which is asked for.
std::vector<std::string> extensions_of(ProfileFormat format);

/// The files, in the order of `extensions_of`. Errors of `check_profile`.
Result<std::vector<ProfileFile>> render(ProfileFormat format, const Profile& profile, const BundleKeys& keys);

/// 100 random bits for a person to type: "k7wq-…", in groups of five. Wipe it.
std::string make_passphrase();

// One of each in ctl/profile_NAME.cc; `profile` has passed check_profile.
Secret networkmanager_keyfile(const Profile& profile);
Secret networkd_netdev(const Profile& profile);
Secret networkd_network(const Profile& profile);
Result<Secret> mobileconfig(const Profile& profile);
Result<Secret> bundle(const Profile& profile, const BundleKeys& keys);

/// A UUID (RFC 9562, version 8) that is the same for the same client of the same gateway, so that importing a profile
/// again replaces the old one. `purpose` keeps several of one profile apart.
std::string profile_uuid(const Profile& profile, const std::string& purpose);

}  // namespace gw::ctl
