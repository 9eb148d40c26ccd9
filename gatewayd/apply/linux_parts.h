// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bpf/loader/dataplane.h"
#include "gatewayd/apply/link_journal.h"
#include "gatewayd/apply/linux_kernel.h"
#include "netlink/socket.h"
#include "netlink/wireguard.h"

namespace gw::apply {

/// What LinuxKernel is made of; its files share it.
struct LinuxKernel::Parts {
  std::string instance;
  std::string pin_directory;
  const Clock& clock;
  LinkJournal journal;
  nl::Socket route;
  std::unique_ptr<nl::WireGuard> wireguard;
  nl::Socket generic;
  bpf::Dataplane dataplane;
  std::map<std::string, std::string> card_trouble = {};  ///< by device: plan::Card::trouble, until the next start
  std::set<std::string> losing_cards = {};               ///< plan::Card::loses_frames, until the next start
  std::vector<bpf::Attachment> xdp_seen = {};            ///< by the last observe()
  uint64_t fast_errors = 0;                              ///< that are forgiven
};

/// IFLA_IFALIAS of a device that this instance made.
std::string link_alias(const std::string& instance);

/// ENODEV, as the one sentence for all operations on a device that is missing.
std::unexpected<Error> missing_interface(const std::string& device);
Result<uint32_t> index_of(nl::Socket& socket, const std::string& device);

/// Adds to the kernel's words what a person can do about it.
Error with_hint(Error error, const plan::Operation& operation, const plan::Desired& desired);
/// The same where nothing is being done yet: what a refusal for want of rights calls for.
Error with_rights_hint(Error error);

bpf::Hook to_bpf(plan::Hook hook);
plan::Hook to_plan(bpf::Hook hook);
bpf::Guard to_bpf(const plan::GuardSettings& settings);
plan::GuardSettings to_plan(const bpf::Guard& guard);
bpf::Host to_bpf(const plan::Host& host);
plan::Host to_plan(const bpf::Host& host);

}  // namespace gw::apply
