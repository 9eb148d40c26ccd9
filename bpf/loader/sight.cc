// SPDX-License-Identifier: Apache-2.0
// What passes: flows and events.
#include <algorithm>
#include <cerrno>

#include "bpf/loader/dataplane.h"
#include "bpf/loader/impl.h"
#include "bpf/loader/per_cpu.h"

namespace gw::bpf {
namespace {

// A place between two pages: the kernel's bucket number, whether the table was begun, and which table. 0 is the
// beginning.
constexpr uint64_t kBegun = uint64_t{1} << 32U;
constexpr unsigned kTableShift = 33;

constexpr uint32_t kCountRoom = 16384;

}  // namespace

Result<FlowPage> Dataplane::flows(uint64_t from, uint32_t room) const {
  const auto tables = impl_->flows();
  const uint64_t table = from >> kTableShift;
  if (table >= tables.size()) return failure(EINVAL, "read flows", "from " + std::to_string(from), "no such place");
  std::optional<uint32_t> after;
  if ((from & kBegun) != 0) after = static_cast<uint32_t>(from);
  const auto page = tables.at(table).page(after, room);
  if (!page) return std::unexpected(page.error());
  FlowPage out;
  const auto now = static_cast<uint64_t>(clock_ns(CLOCK_MONOTONIC));
  out.flows.reserve(page->entries.size());
  for (const auto& [key, entry] : page->entries) {
    out.flows.push_back({key, entry, now - std::min<uint64_t>(now, entry.last_seen_ns)});
  }
  if (page->next) {
    out.next = table << kTableShift | kBegun | *page->next;
  } else if (table + 1 < tables.size()) {
    out.next = (table + 1) << kTableShift;
  }
  return out;
}

Result<uint64_t> Dataplane::count_flows() const {
  uint64_t count = 0;
  for (const auto& table : impl_->flows()) {
    std::optional<uint32_t> after;
    do {
      const auto page = table.page(after, kCountRoom);
      if (!page) return std::unexpected(page.error());
      count += page->entries.size();
      after = page->next;
    } while (after);
  }
  return count;
}

Result<bool> Dataplane::erase_flow(const gw_flow_key& key) {
  bool there = false;
  for (const auto& table : impl_->flows()) {
    const auto erased = table.erase(key);
    if (!erased) return erased;
    there = there || *erased;
  }
  return there;
}

Result<std::vector<uint64_t>> Dataplane::untold() const {
  return read_sums(bpf_map__fd(impl_->skeleton->maps.gw_event_untold), "gw_event_untold", GW_EVENT_CLASSES);
}

int Dataplane::event_fd() const { return ring_buffer__epoll_fd(impl_->ring.get()); }

Result<void> Dataplane::drain(const std::function<void(const gw_event&)>& handle) {
  impl_->handler = &handle;
  const int status = ring_buffer__consume(impl_->ring.get());
  impl_->handler = nullptr;
  if (status < 0) return failure(-status, "read BPF events");
  return {};
}

}  // namespace gw::bpf
