// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/profile_format.h"

// Apple, "Configuration Profile Reference", com.apple.vpn.managed; the WireGuard app's MOBILECONFIG.md.
namespace gw::ctl {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string pair(const char* key, const std::string& value) {
  return fmt::format("<key>{}</key><string>{}</string>\n", key, escaped(value));
}

std::string envelope(const Profile& profile, const char* type, const std::string& identifier) {
  return pair("PayloadType", type) + pair("PayloadIdentifier", identifier) +
         pair("PayloadUUID", profile_uuid(profile, type)) + "<key>PayloadVersion</key><integer>1</integer>\n";
}

}  // namespace

Result<Secret> mobileconfig(const Profile& profile) {
  auto plain = wg_quick_compact(profile);
  if (!plain) return std::unexpected(plain.error());
  const Secret configuration(escaped(*plain));
  pki::wipe(*plain);
  const std::string identifier = "org.gatewayd." + profile_uuid(profile, "identifier");
  const std::string name = profile.gateway + " (" + profile.client + ")";
  Secret out;
  out.text.reserve(16384);  // growing would leave copies of the key in freed memory
  out.text +=
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n";
  out.text += envelope(profile, "Configuration", identifier) + pair("PayloadDisplayName", name);
  out.text += "<key>PayloadContent</key>\n<array>\n<dict>\n";
  out.text += envelope(profile, "com.apple.vpn.managed", identifier + ".vpn") + pair("PayloadDisplayName", "VPN");
  out.text += pair("UserDefinedName", name) + pair("VPNType", "VPN") + pair("VPNSubType", "com.wireguard.ios");
  out.text += "<key>VendorConfig</key>\n<dict>\n<key>WgQuickConfig</key><string>";
  out.text.append(configuration.text).append("</string>\n</dict>\n<key>VPN</key>\n<dict>\n");
  out.text += pair("RemoteAddress", profile.endpoint) + pair("AuthenticationMethod", "Password");
  out.text += "</dict>\n</dict>\n</array>\n</dict>\n</plist>\n";
  return out;
}

}  // namespace gw::ctl
