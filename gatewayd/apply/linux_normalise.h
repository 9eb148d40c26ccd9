// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bpf/loader/dataplane.h"
#include "gatewayd/base/clock.h"
#include "gatewayd/plan/state.h"
#include "netlink/address.h"
#include "netlink/link.h"
#include "netlink/route.h"
#include "netlink/wireguard.h"

namespace gw::apply {

/// What the kernel told, as it told it: ours and foreign.
struct Raw {
  std::vector<nl::Link> links;
  std::vector<nl::Address> addresses;
  std::vector<nl::Route> routes;
  std::optional<nl::WgDevice> wireguard;  ///< of the wanted device, when it is ours
  std::string installed;                  ///< fingerprint of the active policy
  bpf::Hosts hosts;
  std::map<uint32_t, bpf::Link> link_entries;
  bpf::Guard guard;
  bpf::Blocks blocks;
  std::vector<bpf::Attachment> attachments;
  std::optional<std::string> frame;  ///< nl::live_frame()
  std::map<std::string, std::string> sysctls;
  bool ipv6 = true;  ///< has_ipv6_sysctls()
};

/// Ours out of it, in the form in which it was wanted. Pure. `alias` marks our devices.
plan::Observed normalise(const Raw& raw, const plan::KernelState& desired, const std::string& alias, UnixSeconds now);

}  // namespace gw::apply
