// SPDX-License-Identifier: Apache-2.0
// What gwconnect reads from people and gateways: the join link, and the profile. What is accepted is written and read
// again the same.
#include <cerrno>
#include <cstdlib>

#include "ctl/connect/join_link.h"
#include "ctl/connect/profile.h"

namespace {

void read_link(const std::string& text) {
  const auto link = gw::connect::parse_join_link(text);
  if (!link) {
    if (link.error().code != EINVAL || link.error().detail.empty()) std::abort();
    return;
  }
  const auto again = gw::connect::parse_join_link("https://" + link->server.str() + "/join#token=" + link->token.text +
                                                  "&ca=" + link->fingerprint);
  if (!again || again->server != link->server || again->token.text != link->token.text) std::abort();
}

void read_profile(const std::string& text) {
  const auto profile = gw::connect::parse_profile(text);
  if (!profile) {
    if (profile.error().code != EBADMSG || profile.error().detail.empty()) std::abort();
    return;
  }
  if (profile->addresses.empty() || profile->allowed_ips.empty() || profile->gateway_key.is_low_order()) std::abort();
  const auto again = gw::connect::parse_profile(gw::connect::profile_json(*profile));
  if (!again || *again != *profile) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  read_link(text);
  read_profile(text);
  return 0;
}
