// SPDX-License-Identifier: Apache-2.0
#include "ctl/profile.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/label.h"
#include "gatewayd/pki/pki.h"

namespace gw::ctl {
namespace {

constexpr const char* kMake = "make the profile of client";
constexpr uint32_t kSmallestMtu = 576;
constexpr uint32_t kLargestMtu = 65535;
constexpr size_t kRoom = 4096;            // for all lines beside the certificates
constexpr size_t kLongestInterface = 15;  // IFNAMSIZ less the terminating zero

/// An address with a prefix length; host bits may be set.
bool is_interface_address(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return false;
  const auto address = IpAddress::parse(text.substr(0, slash));
  return address && Prefix::parse((address->family == Family::v4 ? "0.0.0.0" : "::") + text.substr(slash)).has_value();
}

bool is_prefix(const std::string& text) { return Prefix::parse(text).has_value(); }
bool is_address(const std::string& text) { return IpAddress::parse(text).has_value(); }

bool is_domain(std::string_view text) {
  for (;;) {
    const size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "host:port" or "[address]:port", and no character that could end the value.
bool is_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return false;
  const std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) return is_address(std::string(host.substr(1, host.size() - 2)));
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  return !host.empty() && host.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool is_comment(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_comment_block(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; });
}

template <class Test>
bool all(const std::vector<std::string>& values, Test test) {
  return std::ranges::all_of(values, test);
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out.append(out.empty() ? "" : ", ").append(value);
  return out;
}

void add_comment_block(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out.append("# ").append(text.substr(0, end)).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void add_key(std::string& out, const Profile& profile) {
  if (!profile.key)
    out +=
        "# The private key never left the device that made it. Put it in place of the word behind the equals sign.\n";
  std::string key = key_text(profile);
  out.append("PrivateKey = ").append(key).append("\n");
  pki::wipe(key);
}

void add_interface(std::string& out, const Profile& profile) {
  out += "[Interface]\n";
  add_key(out, profile);
  out += "Address = " + joined(profile.addresses) + "\n";
  std::vector<std::string> dns = profile.dns;
  if (!dns.empty() && !profile.dns_domain.empty()) dns.push_back(profile.dns_domain);
  if (!dns.empty()) out += "DNS = " + joined(dns) + "\n";
  if (profile.mtu != 0) out += "MTU = " + std::to_string(profile.mtu) + "\n";
}

void add_peer(std::string& out, const Profile& profile) {
  out += "\n[Peer]\nPublicKey = " + profile.gateway_public_key + "\nEndpoint = " + profile.endpoint +
         "\nAllowedIPs = " + joined(profile.allowed_ips) + "\nPersistentKeepalive = " + std::to_string(kKeepalive) +
         "\n";
}

}  // namespace

Result<void> check_profile(const Profile& profile) {
  const auto bad = [&](const char* why) {
    return failure(EINVAL, kMake, is_comment(profile.client) ? profile.client : "?", why);
  };
  if (!is_comment(profile.client) || !is_comment(profile.gateway)) return bad("a name holds control characters");
  if (profile.endpoint.empty()) return bad("the gateway has no public endpoint; write gateway.public.endpoint");
  if (!is_endpoint(profile.endpoint)) return bad("the endpoint is not host:port");
  if (!PublicKey::parse(profile.gateway_public_key)) return bad("the gateway's public key is none");
  if (profile.addresses.empty() || !all(profile.addresses, is_interface_address))
    return bad("the client's addresses are not addresses with a prefix length");
  if (profile.allowed_ips.empty() || !all(profile.allowed_ips, is_prefix))
    return bad("what goes into the tunnel is no list of prefixes");
  if (!all(profile.dns, is_address)) return bad("a name server is no address");
  if (!profile.dns_domain.empty() && !is_domain(profile.dns_domain)) return bad("the DNS domain is none");
  if (profile.mtu != 0 && (profile.mtu < kSmallestMtu || profile.mtu > kLargestMtu))
    return bad("the MTU is not in 576 to 65535");
  if (!is_comment_block(profile.certificate_pem) || !is_comment_block(profile.chain_pem))
    return bad("a certificate holds control characters");
  return {};
}

bool is_full_tunnel(const Profile& profile) {
  return std::ranges::any_of(profile.allowed_ips, [](const std::string& prefix) { return prefix.ends_with("/0"); });
}

std::string interface_of(const Profile& profile) {
  return (profile.interface.empty() ? profile.client : profile.interface).substr(0, kLongestInterface);
}

std::string_view missing_key() { return "THE-PRIVATE-KEY-OF-THIS-DEVICE"; }

std::string key_text(const Profile& profile) {
  return profile.key ? profile.key->reveal_base64() : std::string(missing_key());
}

std::string day_and_time(UnixSeconds at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[64] = {};
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

Result<std::string> wg_quick(const Profile& profile) {
  if (auto good = check_profile(profile); !good) return std::unexpected(good.error());
  std::string out;
  // Room for all of it at once: growing would leave copies of the key in freed memory. A PEM line has 64 characters.
  out.reserve(kRoom + 2 * (profile.certificate_pem.size() + profile.chain_pem.size()));
  out += "# Client " + profile.client + " of gateway " + profile.gateway + ". Valid until " +
         day_and_time(profile.not_after) + ".\n";
  add_interface(out, profile);
  add_peer(out, profile);
  out += "\n# The certificate of " + profile.client + ", then its authorities:\n";
  add_comment_block(out, profile.certificate_pem);
  add_comment_block(out, profile.chain_pem);
  return out;
}

Result<std::string> wg_quick_compact(const Profile& profile) {
  if (auto good = check_profile(profile); !good) return std::unexpected(good.error());
  if (!profile.key)
    return failure(EINVAL, kMake, profile.client,
                   "its private key is not here, and without it no device can use the code");
  std::string out;
  out.reserve(kRoom);
  add_interface(out, profile);
  add_peer(out, profile);
  return out;
}

Result<void> check_profile_path(const std::string& path, std::string_view extension) {
  std::string name = std::filesystem::path(path).filename();
  const bool suffixed = name.ends_with(extension);
  if (suffixed) name.resize(name.size() - extension.size());
  const bool characters = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_=+.-").contains(c);
  });
  if (suffixed && characters && !name.empty() && name.size() <= kLongestInterface) return {};
  return failure(
      EINVAL, "write profile", path,
      "the interface is named after the file: give 1 to 15 of a-z, A-Z, 0-9 and _=+.-, then " + std::string(extension));
}

}  // namespace gw::ctl
