// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gatewayd/plan/parts.h"

namespace gw::plan {
namespace {

constexpr uint16_t kFirstPort = 1;

void open_service(const config::Service& service, std::vector<nl::OpenService>& open) {
  switch (service.kind) {
    case config::Service::Kind::tcp:
      open.push_back({"tcp", std::max(service.first, kFirstPort), service.last});
      break;
    case config::Service::Kind::udp:
      open.push_back({"udp", std::max(service.first, kFirstPort), service.last});
      break;
    case config::Service::Kind::icmp:  // `load` takes echo requests alone, which "icmp" is for both versions
      if (std::ranges::find(open, "icmp", &nl::OpenService::protocol) == open.end()) open.push_back({"icmp"});
      break;
    case config::Service::Kind::any:
      open.push_back({"any", 0, UINT16_MAX});
      break;
    case config::Service::Kind::protocol:
      open.push_back({"proto", service.first, service.last});
      break;
  }
}

}  // namespace

nl::Frame frame_of(const config::Config& config) {
  nl::Frame frame;
  frame.public_interface = config.public_side.interface;
  frame.vpn_interface = config.vpn.interface;
  const std::set<std::string> inner = subnet_devices(config);
  frame.inner_interfaces.assign(inner.begin(), inner.end());
  frame.wireguard_port = config.public_side.listen_port;
  for (const config::Service& service : config.public_side.allow) open_service(service, frame.open);
  if (const auto port = config.public_side.enroll_port)
    open_service({.kind = config::Service::Kind::tcp, .first = *port, .last = *port}, frame.open);
  std::set<std::string> out;
  for (const config::Nat& nat : config.nat) out.insert(nat.out);
  frame.masquerade = !out.empty();
  frame.masquerade_out.assign(out.begin(), out.end());
  frame.drop_foreign_forward = config.forward_foreign == config::ForwardForeign::drop;
  frame.mark_allow = GW_MARK_ALLOW;
  frame.mark_nat = GW_MARK_NAT;
  frame.mark_reject = GW_MARK_REJECT;
  return frame;
}

void want_frame(const Intent& intent, Desired& desired) {
  desired.frame = frame_of(intent.config);
  desired.firewall.fingerprint = nl::fingerprint(desired.frame);
}

}  // namespace gw::plan
