// SPDX-License-Identifier: Apache-2.0
#include "bpf/loader/dataplane.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "bpf/loader/impl.h"
#include "bpf/loader/libbpf_log.h"
#include "bpf/loader/per_cpu.h"

namespace gw::bpf {
namespace {

Result<Counter> read_counter(int fd, const char* name, uint32_t key) {
  const auto values = read_per_cpu<gw_counter>(fd, name, key);
  if (!values) return std::unexpected(values.error());
  Counter out;
  uint64_t last_seen = 0;
  for (const gw_counter& value : *values) {
    out.packets += value.packets;
    out.bytes += value.bytes;
    out.flows += value.flows;
    out.denied += value.denied;
    last_seen = std::max<uint64_t>(last_seen, value.last_seen_ns);
  }
  const auto now = static_cast<uint64_t>(clock_ns(CLOCK_MONOTONIC));
  if (last_seen != 0) out.idle_ns = now - std::min(now, last_seen);
  return out;
}

}  // namespace

Dataplane::Dataplane(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Dataplane::Dataplane(Dataplane&&) noexcept = default;
Dataplane& Dataplane::operator=(Dataplane&&) noexcept = default;
Dataplane::~Dataplane() = default;

uint64_t Dataplane::Impl::bump() {
  const uint64_t word = state.word() + 2;
  state.set_word(word);
  return word >> 1U;
}

Result<Hosts> Dataplane::hosts() const {
  const auto entries = impl_->hosts().all();
  if (!entries) return std::unexpected(entries.error());
  Hosts out;
  const uint32_t slot = impl_->state.slot();
  for (const auto& [addr, entry] : *entries) out.emplace(from_addr(addr), Impl::host_of(entry, slot));
  return out;
}

Result<void> Dataplane::put_host(const IpAddress& address, const Host& host) {
  const gw_addr addr = to_addr(address);
  const auto before = impl_->hosts().find(addr);
  if (!before) return std::unexpected(before.error());
  gw_host entry{};
  entry.class_id[0] = entry.class_id[1] = host.class_id;
  entry.client = host.client;
  entry.flags = host.flags;
  entry.valid_until_ns = host.valid_until_ns;
  if (auto done = impl_->hosts().put(addr, entry, BPF_F_LOCK); !done) return done;
  if (*before && Impl::host_of(**before, impl_->state.slot()) != host) impl_->bump();
  return {};
}

Result<void> Dataplane::erase_host(const IpAddress& address) {
  const auto erased = impl_->hosts().erase(to_addr(address));
  if (!erased) return std::unexpected(erased.error());
  if (*erased) impl_->bump();
  return {};
}

Result<uint64_t> Dataplane::bump_generation() { return impl_->bump(); }

uint64_t Dataplane::generation() const { return impl_->state.word() >> 1U; }

Result<std::map<uint32_t, Link>> Dataplane::links() const {
  const auto links = impl_->links().all();
  if (!links) return std::unexpected(links.error());
  const auto vlans = impl_->vlans().all();
  if (!vlans) return std::unexpected(vlans.error());
  std::map<uint32_t, Link> out;
  for (const auto& [ifindex, entry] : *links) {
    Link& link = out[ifindex];
    link = {.link = entry.link, .flags = entry.flags, .out_ifindex = entry.out_ifindex, .out_vid = entry.out_vid};
    std::copy_n(std::begin(entry.mac), link.mac.size(), link.mac.begin());
  }
  for (const auto& [key, unused] : *vlans) {
    const auto parent = out.find(key.ifindex);
    if (parent != out.end()) parent->second.vlans.push_back(static_cast<uint16_t>(key.vid));
  }
  for (auto& [ifindex, link] : out) std::sort(link.vlans.begin(), link.vlans.end());
  return out;
}

namespace {

/// Makes the VIDs of `ifindex` exactly `wanted`.
Result<void> sync_vlans(const Map<gw_vlan_key, uint32_t>& vlans, uint32_t ifindex,
                        const std::vector<uint16_t>& wanted) {
  for (const uint16_t vid : wanted) {
    if (auto done = vlans.put({ifindex, vid}, 1); !done) return done;
  }
  const auto there = vlans.all();
  if (!there) return std::unexpected(there.error());
  for (const auto& [key, unused] : *there) {
    if (key.ifindex != ifindex || std::find(wanted.begin(), wanted.end(), key.vid) != wanted.end()) continue;
    if (auto done = vlans.erase(key); !done) return std::unexpected(done.error());
  }
  return {};
}

/// Where the fast path finds the VLAN device `ifindex` is its `link`, and nowhere else.
Result<void> sync_vlan_device(const Map<gw_vlan_key, uint32_t>& devices, uint32_t ifindex, const Link& link) {
  const auto there = devices.all();
  if (!there) return std::unexpected(there.error());
  for (const auto& [key, device] : *there) {
    if (device != ifindex || (key.ifindex == link.out_ifindex && key.vid == link.out_vid)) continue;
    if (auto done = devices.erase(key); !done) return std::unexpected(done.error());
  }
  return link.out_vid == 0 ? Result<void>() : devices.put({link.out_ifindex, link.out_vid}, ifindex);
}

}  // namespace

Result<void> Dataplane::put_link(uint32_t ifindex, const Link& link) {
  if (auto done = sync_vlans(impl_->vlans(), ifindex, link.vlans); !done) return done;
  if (auto done = sync_vlan_device(impl_->vlan_devices(), ifindex, link); !done) return done;
  const auto before = impl_->links().find(ifindex);
  if (!before) return std::unexpected(before.error());
  gw_link entry{
      .link = link.link, .flags = link.flags, .out_ifindex = link.out_ifindex, .out_vid = link.out_vid, .mac = {}};
  std::ranges::copy(link.mac, std::begin(entry.mac));
  if (auto done = impl_->links().put(ifindex, entry); !done) return done;
  if (*before && (*before)->link != link.link) impl_->bump();
  return {};
}

Result<void> Dataplane::erase_link(uint32_t ifindex) {
  const auto erased = impl_->links().erase(ifindex);
  if (!erased) return std::unexpected(erased.error());
  if (*erased) impl_->bump();
  if (auto done = sync_vlan_device(impl_->vlan_devices(), ifindex, {}); !done) return done;
  return sync_vlans(impl_->vlans(), ifindex, {});
}

Result<void> Dataplane::sync_clock(std::chrono::seconds ahead) {
  const int64_t wall = clock_ns(CLOCK_REALTIME) + std::chrono::nanoseconds(ahead).count();
  impl_->state.set_wall_offset(wall - clock_ns(CLOCK_MONOTONIC));
  return {};
}

Result<Counter> Dataplane::rule_counter(uint32_t rule) const {
  return read_counter(bpf_map__fd(impl_->skeleton->maps.gw_rule_count), "gw_rule_count", rule);
}

Result<Counter> Dataplane::client_counter(uint32_t client) const {
  return read_counter(bpf_map__fd(impl_->skeleton->maps.gw_client_count), "gw_client_count", client);
}

Result<void> Dataplane::clear_client_counter(uint32_t client) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return failure(-cpus, "count CPUs");
  const std::vector<gw_counter> zeros(static_cast<size_t>(cpus));
  if (bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.gw_client_count), &client, zeros.data(), BPF_ANY) != 0)
    return failure(errno, "write BPF map", "gw_client_count");
  return {};
}

Result<std::vector<uint64_t>> Dataplane::reasons() const {
  return read_sums(bpf_map__fd(impl_->skeleton->maps.gw_reasons), "gw_reasons", GW_REASON_COUNT);
}

Result<uint64_t> Dataplane::fast_errors() const {
  const auto errors = read_sums(bpf_map__fd(impl_->skeleton->maps.gw_fast_errors), "gw_fast_errors", GW_FAST_ERRORS);
  if (!errors) return std::unexpected(errors.error());
  return std::accumulate(errors->begin(), errors->end(), uint64_t{0});
}

Result<gw_explanation> Dataplane::explain(const gw_tuple& tuple, uint32_t ifindex) const {
  gw_question question{};
  question.tuple = tuple;
  question.ifindex = ifindex;
  gw_question answered{};
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = &question, .data_out = &answered, .data_size_in = sizeof question,
              .data_size_out = sizeof answered);
  if (bpf_prog_test_run_opts(bpf_program__fd(impl_->skeleton->progs.explain), &options) != 0)
    return failure(errno, "run BPF program", "explain");
  if (options.retval != 0) return failure(EINVAL, "run BPF program", "explain", "it could not read the question");
  return answered.answer;
}

}  // namespace gw::bpf
