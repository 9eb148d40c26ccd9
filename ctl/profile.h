// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/key.h"
#include "gatewayd/base/result.h"

/// What an operator hands to a device, as facts and in the format of wg-quick(8); ctl/profile_format.h has the others.
namespace gw::ctl {

inline constexpr uint32_t kKeepalive =
    25;  ///< seconds; below the 30 s in which the least patient NATs forget a UDP mapping

/// The facts of one profile. They come from the gateway, all but the key, which stays with whoever made it.
struct Profile {
  std::string client;                    ///< its name
  std::string gateway;                   ///< the gateway's name
  std::vector<std::string> addresses;    ///< with prefix length: "172.16.201.4/32"
  std::vector<std::string> allowed_ips;  ///< prefixes that go into the tunnel
  std::vector<std::string> dns;          ///< addresses of name servers; none leaves the device's own
  std::string dns_domain;                ///< searched, and asked of `dns`; may be empty
  uint32_t mtu = 0;                      ///< 0 leaves the line out
  std::string gateway_public_key;
  std::string endpoint;  ///< host:port, IPv6 in brackets
  std::string certificate_pem;
  std::string chain_pem;  ///< issuing, then root
  UnixSeconds not_after = 0;
  std::string interface;  ///< on the device, where the format names it; empty: the client's name, as far as it fits
  std::optional<SecretKey>
      key;  ///< none: the profile says, where the key goes, what is to be put there, and does not load before
};

/// EINVAL when a fact is missing or could end its line and so become a line of its own (`PostUp` runs as root).
Result<void> check_profile(const Profile& profile);
/// Whether everything goes into the tunnel.
bool is_full_tunnel(const Profile& profile);
/// Profile::interface, or what stands for it: at most 15 bytes.
std::string interface_of(const Profile& profile);
/// What stands where the key is missing: no program loads it, so no tunnel comes up without a key by mistake.
std::string_view missing_key();
/// The key as a value, or `missing_key`; `pki::wipe` it.
std::string key_text(const Profile& profile);
std::string day_and_time(UnixSeconds at);  ///< "2027-01-31 12:00:00 UTC"

/// The profile as text, with certificate and expiry as comments. It holds the private key: `pki::wipe` it after use.
/// Errors of `check_profile`.
Result<std::string> wg_quick(const Profile& profile);

/// The same without comments and certificates, for a QR code that a camera can read: some 300 bytes. EINVAL also
/// without the key.
Result<std::string> wg_quick_compact(const Profile& profile);

/// wg-quick, NetworkManager and networkd take the interface's name from the file's. EINVAL with what would do, unless
/// `path` ends in 1 to 15 of [a-zA-Z0-9_=+.-] and then `extension` (".conf").
Result<void> check_profile_path(const std::string& path, std::string_view extension);

}  // namespace gw::ctl
