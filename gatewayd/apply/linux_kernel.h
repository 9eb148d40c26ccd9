// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gatewayd/apply/kernel.h"
#include "gatewayd/base/clock.h"

namespace gw::apply {

/// The Linux kernel of the network namespace of the opening thread: netlink/ and bpf/loader behind Kernel. Ownership is
/// told by link alias ("gatewayd INSTANCE"), IFA_PROTO, route protocol and what our nftables table says of itself.
class LinuxKernel final : public Kernel {
 public:
  struct Options {
    std::string instance = "gateway";
    std::string run_directory;  ///< exists; same lifetime as the kernel's objects (a tmpfs)
    std::string bpffs;          ///< a bpffs; pins go under BPFFS/INSTANCE/abi-N
  };
  /// ENOTSUP: no bpffs, no WireGuard; EPERM names the capability.
  static Result<std::unique_ptr<LinuxKernel>> open(const Options& options, const Clock& clock);
  ~LinuxKernel() override;

  Result<plan::Observed> observe(const plan::KernelState& desired) override;
  Result<void> execute(const plan::Operation& operation, const plan::Desired& desired, const SecretKey& key) override;
  Result<Facts> facts() override;
  Result<std::map<PublicKey, PeerState>> peers(const std::string& device) override;
  [[nodiscard]] std::string wireguard_implementation() const override;
  Result<uint64_t> generation() override;
  Result<void> sync_clock(int64_t ahead) override;
  Result<Counter> rule_counter(uint32_t rule) override;
  Result<Counter> client_counter(uint32_t client) override;
  Result<void> clear_client_counter(uint32_t client) override;
  Result<std::vector<uint64_t>> drop_counters() override;
  Result<FlowPage> flows(uint64_t from, uint32_t room) override;
  Result<uint64_t> count_flows() override;
  Result<bool> erase_flow(const gw_flow_key& key) override;
  Result<std::vector<uint64_t>> untold_events() override;
  Result<gw_explanation> explain(const gw_tuple& tuple, const std::string& device) override;

  /// True when drivers lose packets of the fast path: the next converge() turns it off, and the cards' `trouble` says
  /// why.
  [[nodiscard]] Result<bool> fast_path_failed() const;
  /// Whether a program in a driver that observe() saw last is not there any more: no notification tells (a link of BPF
  /// ends without one).
  [[nodiscard]] bool xdp_is_gone() const;
  /// Whether there is a table of ours in nftables, whatever is in it. Costs one run of nft.
  Result<bool> has_frame();
  /// After an upgrade or downgrade, once everything of this build is attached: the pinned programs and maps of other
  /// layouts go. Returns the directories that are gone.
  Result<std::vector<std::string>> remove_other_layouts();

  /// Readable when events of denied packets and logged rules wait; `drain_events` calls back for each.
  [[nodiscard]] int event_fd() const;
  Result<void> drain_events(const std::function<void(const gw_event&)>& handle);

  struct Parts;  // linux_parts.h

 private:
  explicit LinuxKernel(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gw::apply
