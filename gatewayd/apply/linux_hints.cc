// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <cerrno>

#include "gatewayd/apply/linux_parts.h"

namespace gw::apply {
namespace {

constexpr const char* kRights =
    "gatewayd needs CAP_NET_ADMIN, and CAP_BPF and CAP_PERFMON for its programs: run it as root or by its systemd unit";

template <class Kind>
bool is(const plan::Operation& operation) {
  return std::holds_alternative<Kind>(operation);
}

std::string busy_port(const plan::Operation& operation, const plan::Desired& desired) {
  const bool vpn = is<plan::ChangeWireGuard>(operation) ||
                   (is<plan::SetUp>(operation) && desired.vpns.contains(plan::device_of(operation)));
  if (!vpn) return {};
  const uint16_t port = desired.wireguard.listen_port;
  return fmt::format(
      "UDP port {0} is taken, by another WireGuard device or another program ('ss -lunp sport = :{0}' names it): end "
      "that one, or set "
      "gateway.public.listen_port to a free port",
      port);
}

std::string in_the_way(const plan::Operation& operation) {
  if (is<plan::CreateVpnLink>(operation)) {
    return "there is a device of this name that gatewayd did not make and does not touch: delete or rename it, or set "
           "vpn.interface to another name";
  }
  if (is<plan::CreateVlanLink>(operation)) {
    return "there is a device of this name, or of this VLAN on the same parent, that gatewayd did not make and does "
           "not touch: delete it";
  }
  if (is<plan::AddRoute>(operation))
    return "another program has set a different route to this destination ('ip route show' names it): remove that one";
  return {};
}

std::string hint(int code, const plan::Operation& operation, const plan::Desired& desired) {
  switch (code) {
    case EPERM:
    case EACCES:
      return kRights;
    case EADDRINUSE:
      return busy_port(operation, desired);
    case EEXIST:
      return in_the_way(operation);
    case ENETUNREACH:
      return is<plan::AddRoute>(operation) ? "the interface has no address in the network of the next hop: give it "
                                             "one, or correct the subnet's via"
                                           : "";
    case EOPNOTSUPP:
      return is<plan::CreateVlanLink>(operation) ? "the kernel has no VLAN devices: load the module 8021q" : "";
    default:
      return {};
  }
}

Error with_text(Error error, const std::string& text) {
  if (text.empty()) return error;
  error.detail += error.detail.empty() ? text : "; " + text;
  return error;
}

}  // namespace

Error with_hint(Error error, const plan::Operation& operation, const plan::Desired& desired) {
  const std::string text = hint(error.code, operation, desired);
  return with_text(std::move(error), text);
}

Error with_rights_hint(Error error) {
  const bool refused = error.code == EPERM || error.code == EACCES;
  return refused ? with_text(std::move(error), kRights) : error;
}

std::unexpected<Error> missing_interface(const std::string& device) {
  return failure(ENODEV, "use interface", device,
                 "there is no such interface now; traffic over it is blocked. Correct its name in the configuration, "
                 "or bring it: gatewayd goes on when it appears");
}

}  // namespace gw::apply
