// SPDX-License-Identifier: Apache-2.0
#include "ctl/profile_format.h"

#include <algorithm>

namespace gw::ctl {
namespace {

Result<std::vector<ProfileFile>> one(const char* extension, Result<Secret> content) {
  if (!content) return std::unexpected(content.error());
  std::vector<ProfileFile> out;
  out.push_back({extension, std::move(*content)});
  return out;
}

Result<Secret> wg_quick_file(const Profile& profile) {
  auto text = wg_quick(profile);
  if (!text) return std::unexpected(text.error());
  Secret out(*text);
  pki::wipe(*text);
  return out;
}

}  // namespace

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> kNames = {"wg-quick", "networkmanager", "networkd", "mobileconfig", "bundle"};
  return kNames;
}

ProfileFormat format_of(const std::string& name) {
  return static_cast<ProfileFormat>(std::ranges::find(format_names(), name) - format_names().begin());
}

std::vector<std::string> extensions_of(ProfileFormat format) {
  switch (format) {
    case ProfileFormat::networkmanager:
      return {".nmconnection"};
    case ProfileFormat::networkd:
      return {".netdev", ".network"};
    case ProfileFormat::mobileconfig:
      return {".mobileconfig"};
    case ProfileFormat::bundle:
      return {".zip"};
    case ProfileFormat::wg_quick:
      break;
  }
  return {".conf"};
}

Result<std::vector<ProfileFile>> render(ProfileFormat format, const Profile& profile, const BundleKeys& keys) {
  if (auto good = check_profile(profile); !good) return std::unexpected(good.error());
  switch (format) {
    case ProfileFormat::networkmanager:
      return one(".nmconnection", networkmanager_keyfile(profile));
    case ProfileFormat::mobileconfig:
      return one(".mobileconfig", mobileconfig(profile));
    case ProfileFormat::bundle:
      return one(".zip", bundle(profile, keys));
    case ProfileFormat::networkd: {
      std::vector<ProfileFile> out;
      out.push_back({".netdev", networkd_netdev(profile)});
      out.push_back({".network", networkd_network(profile)});
      return out;
    }
    case ProfileFormat::wg_quick:
      break;
  }
  return one(".conf", wg_quick_file(profile));
}

std::string make_passphrase() {
  constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz23456789a";  // 32; none that is taken for another
  std::string random = pki::random_bytes(20);
  std::string out;
  out.reserve(random.size() + random.size() / 5);
  for (size_t i = 0; i < random.size(); ++i) {
    if (i != 0 && i % 5 == 0) out += '-';
    out += kLetters[static_cast<unsigned char>(random[i]) % kLetters.size()];
  }
  pki::wipe(random);
  return out;
}

std::string profile_uuid(const Profile& profile, const std::string& purpose) {
  return pki::named_uuid(purpose + "/" + profile.gateway_public_key + "/" + profile.client);
}

}  // namespace gw::ctl
