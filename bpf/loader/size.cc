// SPDX-License-Identifier: Apache-2.0
#include "bpf/loader/size.h"

#include <bpf/bpf.h>
#include <sys/sysinfo.h>

#include <cerrno>

#include "bpf/loader/impl.h"

namespace gw::bpf {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20U;

uint64_t memory_of_this_machine() {
  struct sysinfo facts{};
  return ::sysinfo(&facts) == 0 ? uint64_t{facts.totalram} * facts.mem_unit : UINT64_MAX;
}

/// Of the map that is pinned at `path`; 0 where there is none.
uint32_t pinned_entries(const std::string& path) {
  const UniqueFd map(bpf_obj_get(path.c_str()));
  bpf_map_info info{};
  uint32_t length = sizeof info;
  if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0) return 0;
  return info.max_entries;
}

}  // namespace

uint32_t entries_for(uint32_t full, uint64_t memory_bytes) {
  if (memory_bytes >= 3072 * kMiB) return full;
  if (memory_bytes >= 1536 * kMiB) return full / 2;
  if (memory_bytes >= 768 * kMiB) return full / 4;
  return full / 8;
}

Result<void> size_tables(gw_policy& skeleton, const std::string& pin_directory) {
  const uint64_t memory = memory_of_this_machine();
  for (bpf_map* map : {skeleton.maps.gw_flows, skeleton.maps.gw_flows_answered, skeleton.maps.gw_flows_new,
                       skeleton.maps.gw_fragments, skeleton.maps.gw_sources, skeleton.maps.gw_initiators}) {
    const std::string name = bpf_map__name(map);
    std::string path = pin_directory;
    path.append("/").append(name);
    const uint32_t pinned = pinned_entries(path);
    const uint32_t entries = pinned != 0 ? pinned : entries_for(bpf_map__max_entries(map), memory);
    if (const int status = bpf_map__set_max_entries(map, entries); status != 0)
      return failure(-status, "size BPF map", name);
  }
  return {};
}

}  // namespace gw::bpf
