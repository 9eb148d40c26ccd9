// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "gatewayd/plan/plan.h"

/// The concerns of compile(), a file each. Each fills its own part of Desired from the intent and reads nothing another
/// has written, except where it says so.
namespace gw::plan {

/// links.cc: the VPN device, VLAN devices, addresses and routes.
void want_links(const Intent& intent, Desired& desired);
/// peers.cc: clients and sites.
void want_peers(const Intent& intent, Desired& desired);
/// hosts.cc: rules, exact addresses, link entries, attachments. After want_links: its addresses become the gateway's.
Result<void> want_policy(const Intent& intent, policy::Interner& interner, Desired& desired);
/// fast.cc: the fast path. After want_policy: it completes link entries.
void want_fast_path(const Intent& intent, Desired& desired);
/// guard.cc: what the guard at the public interface goes by, and where it is attached.
void want_guard(const Intent& intent, Desired& desired);
/// frame.cc: the nftables frame.
void want_frame(const Intent& intent, Desired& desired);
/// sysctls.cc: forwarding, redirects, reverse path, router advertisements.
void want_sysctls(const Intent& intent, Desired& desired);

/// The devices that subnets' packets arrive on, the public one among them when it carries a subnet.
std::set<std::string> subnet_devices(const config::Config& config);

/// Whether subnets are VLANs of the card: a program in XDP has to see their tags.
bool has_vlans(const config::Config& config, const std::string& card);

}  // namespace gw::plan
