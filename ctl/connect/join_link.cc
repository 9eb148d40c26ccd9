// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/join_link.h"

#include <cerrno>

#include "gatewayd/base/base64.h"
#include "gatewayd/pki/pki.h"

namespace gw::connect {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::string_view kPath = "/join#";
constexpr std::string_view kToken = "token=";
constexpr std::string_view kAuthority = "ca=";
constexpr size_t kTokenSize = 26;
constexpr size_t kFingerprintSize = 64;
constexpr uint16_t kHttps = 443;

bool consists_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

std::unexpected<Error> wrong(std::string detail) {
  return failure(EINVAL, "read the join link", {},
                 std::move(detail) + "; it looks like https://NAME/join#token=…&ca=…, in quotes on a command line");
}

}  // namespace

std::string JoinLink::digest() const {
  const ctl::Secret whole(server.str() + "\n" + fingerprint + "\n" + token.text);
  return base64(pki::sha256(whole.text));
}

Result<JoinLink> parse_join_link(std::string_view text) {
  if (!text.starts_with(kScheme)) return wrong("it does not begin with https://");
  text.remove_prefix(kScheme.size());
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || !text.substr(slash).starts_with(kPath))
    return wrong("/join# does not follow the gateway's name");
  auto server = parse_host_port(text.substr(0, slash), kHttps);
  if (!server) return wrong("the gateway's name is neither a host name nor an address");
  text.remove_prefix(slash + kPath.size());
  std::string_view token;
  if (text.starts_with(kToken)) {
    text.remove_prefix(kToken.size());
    token = text.substr(0, kTokenSize);
    if (token.size() != kTokenSize || !consists_of(token, "abcdefghijklmnopqrstuvwxyz234567"))
      return wrong("the token is not 26 of a-z and 2-7");
    text.remove_prefix(kTokenSize);
    if (!text.starts_with('&')) return wrong("&ca= does not follow the token");
    text.remove_prefix(1);
  }
  if (!text.starts_with(kAuthority)) return wrong("neither token= nor ca= follows /join#");
  text.remove_prefix(kAuthority.size());
  if (text.size() != kFingerprintSize || !consists_of(text, "0123456789abcdef"))
    return wrong("the fingerprint after ca= is not 64 hexadecimal digits");
  return JoinLink{std::move(*server), std::string(text), ctl::Secret(std::string(token))};
}

}  // namespace gw::connect
