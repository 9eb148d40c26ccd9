// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/linux_parts.h"

namespace gw::apply {

bpf::Hook to_bpf(plan::Hook hook) {
  switch (hook) {
    case plan::Hook::vpn_ingress:
      return bpf::Hook::vpn_ingress;
    case plan::Hook::vpn_egress:
      return bpf::Hook::vpn_egress;
    case plan::Hook::xdp:
      return bpf::Hook::xdp;
    case plan::Hook::guard_ingress:
      return bpf::Hook::guard_ingress;
    case plan::Hook::guard_xdp:
      return bpf::Hook::guard_xdp;
    case plan::Hook::subnet_ingress:
      break;
  }
  return bpf::Hook::subnet_ingress;
}

plan::Hook to_plan(bpf::Hook hook) {
  switch (hook) {
    case bpf::Hook::vpn_ingress:
      return plan::Hook::vpn_ingress;
    case bpf::Hook::vpn_egress:
      return plan::Hook::vpn_egress;
    case bpf::Hook::xdp:
      return plan::Hook::xdp;
    case bpf::Hook::guard_ingress:
      return plan::Hook::guard_ingress;
    case bpf::Hook::guard_xdp:
      return plan::Hook::guard_xdp;
    case bpf::Hook::subnet_ingress:
      break;
  }
  return plan::Hook::subnet_ingress;
}

bpf::Guard to_bpf(const plan::GuardSettings& settings) {
  return {.port = settings.port, .initiations = settings.initiations, .public_key = settings.public_key};
}
plan::GuardSettings to_plan(const bpf::Guard& guard) {
  return {.port = guard.port, .initiations = guard.initiations, .public_key = guard.public_key};
}

bpf::Host to_bpf(const plan::Host& host) { return {host.class_id, host.client, host.flags, host.valid_until_ns}; }
plan::Host to_plan(const bpf::Host& host) { return {host.class_id, host.client, host.flags, host.valid_until_ns}; }

}  // namespace gw::apply
