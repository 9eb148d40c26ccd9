// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "gatewayd/apply/linux_normalise.h"
#include "gatewayd/apply/linux_parts.h"
#include "gatewayd/apply/linux_sysctl.h"
#include "netlink/nftables.h"

namespace gw::apply {
namespace {

/// Moves the value out, or remembers the first error: many reads, one check.
template <class T>
void take(Result<T> result, T& into, std::optional<Error>& first) {
  if (result) {
    into = std::move(*result);
  } else if (!first) {
    first = std::move(result.error());
  }
}

Result<std::vector<nl::Route>> read_routes(nl::Socket& socket, const plan::KernelState& desired) {
  auto ours = nl::list_routes(socket, nl::kRouteProtocol);
  // A router may hold a million foreign routes: they are read only while one of ours is missing.
  if (!ours || ours->size() >= desired.routes.size()) return ours;
  return nl::list_routes(socket, 0);
}

Result<std::optional<nl::WgDevice>> read_wireguard(nl::WireGuard& wireguard, const Raw& raw, const std::string& device,
                                                   const std::string& alias) {
  const bool ours =
      std::ranges::any_of(raw.links, [&](const nl::Link& link) { return link.name == device && link.alias == alias; });
  if (!ours) return std::nullopt;
  auto read = wireguard.read(device);
  if (!read && read.error().code == ENODEV) return std::nullopt;
  if (!read) return std::unexpected(read.error());
  return std::move(*read);
}

Result<std::vector<bpf::Attachment>> read_attachments(const bpf::Dataplane& dataplane,
                                                      const std::vector<nl::Link>& links) {
  std::vector<bpf::Attachment> all;
  for (const nl::Link& link : links) {
    auto some = dataplane.attachments(link.index);
    if (!some && some.error().code == ENODEV) continue;  // went while we read
    if (!some) return some;
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

Result<std::map<std::string, std::string>> read_sysctls(const std::map<std::string, std::string>& wanted) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : wanted) {
    auto read = read_sysctl(name);
    if (!read && read.error().code == ENOENT) continue;
    if (!read) return std::unexpected(read.error());
    values[name] = std::move(*read);
  }
  return values;
}

}  // namespace

Result<plan::Observed> LinuxKernel::observe(const plan::KernelState& desired) {
  const std::string alias = link_alias(parts_->instance);
  Raw raw;
  std::optional<Error> error;
  take(nl::list_links(parts_->route), raw.links, error);
  take(nl::list_addresses(parts_->route), raw.addresses, error);
  take(read_routes(parts_->route, desired), raw.routes, error);
  take(read_wireguard(*parts_->wireguard, raw, desired.wireguard.device, alias), raw.wireguard, error);
  take(parts_->dataplane.installed(), raw.installed, error);
  take(parts_->dataplane.hosts(), raw.hosts, error);
  take(parts_->dataplane.links(), raw.link_entries, error);
  take(parts_->dataplane.guard(), raw.guard, error);
  take(parts_->dataplane.blocks(), raw.blocks, error);
  take(read_attachments(parts_->dataplane, raw.links), raw.attachments, error);
  take(nl::live_frame(nl::Frame().table), raw.frame, error);
  take(read_sysctls(desired.sysctls), raw.sysctls, error);
  if (error) return std::unexpected(*error);
  parts_->xdp_seen = raw.attachments;
  std::erase_if(parts_->xdp_seen, [](const bpf::Attachment& one) {
    return one.hook != bpf::Hook::xdp && one.hook != bpf::Hook::guard_xdp;
  });
  raw.ipv6 = has_ipv6_sysctls();
  return normalise(raw, desired, alias, parts_->clock.now());
}

}  // namespace gw::apply
