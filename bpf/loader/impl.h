// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "bpf/loader/dataplane.h"
#include "bpf/loader/map.h"
#include "bpf/policy.skel.h"
#include "gatewayd/base/fd.h"

namespace gw::bpf {

inline constexpr size_t kHooks = 6;

struct SkeletonDeleter {
  void operator()(gw_policy* skeleton) const { gw_policy::destroy(skeleton); }
};
struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

/// The mapped gw_state: user space's only way to write it is one aligned 8-byte store a field.
class StatePage {
 public:
  StatePage() = default;
  explicit StatePage(gw_state* page) : page_(page) {}
  StatePage(StatePage&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  StatePage& operator=(StatePage&& other) noexcept;
  StatePage(const StatePage&) = delete;
  StatePage& operator=(const StatePage&) = delete;
  ~StatePage();

  static Result<StatePage> map(int fd);

  [[nodiscard]] uint64_t word() const { return __atomic_load_n(&page_->word, __ATOMIC_ACQUIRE); }
  void set_word(uint64_t word) { __atomic_store_n(&page_->word, word, __ATOMIC_RELEASE); }
  [[nodiscard]] uint32_t slot() const { return word() & 1U; }
  [[nodiscard]] uint64_t abi() const { return __atomic_load_n(&page_->abi, __ATOMIC_ACQUIRE); }
  void set_abi(uint64_t abi) { __atomic_store_n(&page_->abi, abi, __ATOMIC_RELEASE); }
  void set_wall_offset(int64_t offset) { __atomic_store_n(&page_->wall_offset_ns, offset, __ATOMIC_RELEASE); }
  void set_flow_rate(uint64_t rate) { __atomic_store_n(&page_->flow_rate, rate, __ATOMIC_RELEASE); }

 private:
  gw_state* page_ = nullptr;
};

struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};

struct Dataplane::Impl {
  std::unique_ptr<gw_policy, SkeletonDeleter> skeleton;
  std::array<UniqueFd, kHooks> programs;  ///< by Hook: the pinned ones, which may be older loads of the same build
  std::array<uint32_t, kHooks> program_ids{};
  std::string link_directory;  ///< of the instance: links outlive a change of the layout
  std::vector<std::unique_ptr<bpf_link, LinkDeleter>> watches;  ///< for fast_errors()
  StatePage state;
  std::unique_ptr<ring_buffer, RingDeleter> ring;
  const std::function<void(const gw_event&)>* handler = nullptr;  ///< only during drain

  [[nodiscard]] Map<gw_addr, gw_host> hosts() const { return {bpf_map__fd(skeleton->maps.gw_hosts), "gw_hosts"}; }
  [[nodiscard]] Map<uint32_t, gw_link> links() const { return {bpf_map__fd(skeleton->maps.gw_links), "gw_links"}; }
  [[nodiscard]] Map<gw_vlan_key, uint32_t> vlans() const { return {bpf_map__fd(skeleton->maps.gw_vlans), "gw_vlans"}; }
  [[nodiscard]] Map<gw_vlan_key, uint32_t> vlan_devices() const {
    return {bpf_map__fd(skeleton->maps.gw_vlan_devices), "gw_vlan_devices"};
  }
  [[nodiscard]] Map<uint32_t, gw_meta> meta() const { return {bpf_map__fd(skeleton->maps.gw_meta), "gw_meta"}; }
  using Flows = Map<gw_flow_key, gw_flow>;
  [[nodiscard]] std::array<Flows, 3> flows() const {
    return {Flows(bpf_map__fd(skeleton->maps.gw_flows), "gw_flows"),
            Flows(bpf_map__fd(skeleton->maps.gw_flows_answered), "gw_flows_answered"),
            Flows(bpf_map__fd(skeleton->maps.gw_flows_new), "gw_flows_new")};
  }
  [[nodiscard]] static Host host_of(const gw_host& entry, uint32_t slot) {
    return {entry.class_id[slot], entry.client, entry.flags, entry.valid_until_ns};
  }
  uint64_t bump();

  // xdp.cc
  [[nodiscard]] Result<bool> xdp_attached(const Attachment& attachment) const;
  Result<void> attach_xdp(const Attachment& attachment);
  Result<void> detach_xdp(const Attachment& attachment);
};

}  // namespace gw::bpf
