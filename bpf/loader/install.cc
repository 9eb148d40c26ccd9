// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bpf/loader/impl.h"

namespace gw::bpf {
namespace {

/// The tables of one slot. The kernel frees them with the last reference: ours, or the slot's.
struct Tables {
  UniqueFd prefixes, pairs, nodes, nat;
};

template <class Key, class Value>
Result<UniqueFd> make_table(bpf_map_type type, const char* name, uint32_t flags,
                            const std::vector<std::pair<Key, Value>>& entries) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
  const auto size = std::max<uint32_t>(1, static_cast<uint32_t>(entries.size()));
  UniqueFd fd(bpf_map_create(type, name, sizeof(Key), sizeof(Value), size, &options));
  if (!fd.valid()) return failure(errno, "make BPF map", name, std::to_string(size) + " entries");
  if (auto filled = Map<Key, Value>(fd.get(), name).put_all(entries); !filled) return std::unexpected(filled.error());
  return fd;
}

Result<Tables> make_tables(const PolicyImage& image) {
  std::vector<std::pair<uint32_t, gw_node>> nodes;
  nodes.reserve(image.nodes.size());
  for (const gw_node& node : image.nodes) nodes.emplace_back(static_cast<uint32_t>(nodes.size()), node);
  std::vector<std::pair<uint32_t, uint32_t>> nat;
  nat.reserve(image.nat_classes.size());
  for (const uint32_t class_id : image.nat_classes) nat.emplace_back(class_id, 1);

  auto prefix_table = make_table(BPF_MAP_TYPE_LPM_TRIE, "gw_prefix_trie", BPF_F_NO_PREALLOC, image.prefixes);
  if (!prefix_table) return std::unexpected(prefix_table.error());
  auto pair_table = make_table(BPF_MAP_TYPE_HASH, "gw_pair_table", 0, image.pairs);
  if (!pair_table) return std::unexpected(pair_table.error());
  auto node_table = make_table(BPF_MAP_TYPE_ARRAY, "gw_node_table", BPF_F_INNER_MAP, nodes);
  if (!node_table) return std::unexpected(node_table.error());
  auto nat_table = make_table(BPF_MAP_TYPE_HASH, "gw_nat_table", 0, nat);
  if (!nat_table) return std::unexpected(nat_table.error());
  return Tables{std::move(*prefix_table), std::move(*pair_table), std::move(*node_table), std::move(*nat_table)};
}

Result<void> set_table(const bpf_map* slots, uint32_t slot, const UniqueFd& table) {
  const int fd = table.get();
  if (bpf_map_update_elem(bpf_map__fd(slots), &slot, &fd, BPF_ANY) != 0)
    return failure(errno, "write BPF map", bpf_map__name(slots));
  return {};
}

Result<void> set_tables(const gw_policy& skeleton, uint32_t slot, const Tables& tables) {
  if (auto done = set_table(skeleton.maps.gw_prefixes, slot, tables.prefixes); !done) return done;
  if (auto done = set_table(skeleton.maps.gw_pairs, slot, tables.pairs); !done) return done;
  if (auto done = set_table(skeleton.maps.gw_nodes, slot, tables.nodes); !done) return done;
  return set_table(skeleton.maps.gw_nat, slot, tables.nat);
}

using Entries = std::vector<std::pair<gw_addr, gw_host>>;

/// Deletes what is not in `hosts`; true when anything was.
Result<bool> drop_others(const Map<gw_addr, gw_host>& map, const Entries& there, const Hosts& hosts) {
  bool dropped = false;
  for (const auto& [addr, entry] : there) {
    if (hosts.contains(from_addr(addr))) continue;
    const auto erased = map.erase(addr);
    if (!erased) return std::unexpected(erased.error());
    dropped = dropped || *erased;
  }
  return dropped;
}

/// Gives every host its class in `slot` and leaves its class in the other alone; a new host has none there.
Result<void> write_hosts(const Map<gw_addr, gw_host>& map, const Entries& there, const Hosts& hosts, uint32_t slot) {
  std::map<IpAddress, const gw_host*> before;
  for (const auto& [addr, entry] : there) before.emplace(from_addr(addr), &entry);
  Entries changed;
  for (const auto& [address, host] : hosts) {
    gw_host entry{};
    const auto old = before.find(address);
    if (old != before.end()) {
      if (Dataplane::Impl::host_of(*old->second, slot) == host) continue;
      entry.class_id[slot ^ 1U] = old->second->class_id[slot ^ 1U];
    }
    entry.class_id[slot] = host.class_id;
    entry.client = host.client;
    entry.flags = host.flags;
    entry.valid_until_ns = host.valid_until_ns;
    changed.emplace_back(to_addr(address), entry);
  }
  return map.put_all(changed, BPF_F_LOCK);
}

Result<void> write_fingerprint(const Map<uint32_t, gw_meta>& map, uint32_t slot, const std::string& fingerprint) {
  gw_meta meta{};
  if (fingerprint.size() >= sizeof meta.fingerprint)
    return failure(EINVAL, "install policy", fingerprint, "the fingerprint is too long");
  std::memcpy(meta.fingerprint, fingerprint.data(), fingerprint.size());
  return map.put(slot, meta);
}

}  // namespace

Result<std::string> Dataplane::installed() const {
  const auto meta = impl_->meta().find(impl_->state.slot());
  if (!meta) return std::unexpected(meta.error());
  if (!*meta) return std::string();
  const char* text = (*meta)->fingerprint;
  return std::string(text, strnlen(text, sizeof(*meta)->fingerprint));
}

Result<void> Dataplane::install(const PolicyImage& image, const Hosts& hosts) {
  if (hosts.size() > GW_MAX_HOSTS)
    return failure(ENOSPC, "install policy", std::to_string(hosts.size()) + " addresses",
                   "at most " + std::to_string(GW_MAX_HOSTS) + " fit");
  const auto there = impl_->hosts().all();
  if (!there) return std::unexpected(there.error());
  const auto dropped = drop_others(impl_->hosts(), *there, hosts);
  if (!dropped) return std::unexpected(dropped.error());
  if (*dropped) impl_->bump();  // their flows end now, whatever fails below

  const uint32_t next = impl_->state.slot() ^ 1U;
  const auto tables = make_tables(image);
  if (!tables) return std::unexpected(tables.error());
  if (auto done = set_tables(*impl_->skeleton, next, *tables); !done) return done;
  if (auto done = write_hosts(impl_->hosts(), *there, hosts, next); !done) return done;
  if (auto done = write_fingerprint(impl_->meta(), next, image.fingerprint); !done) return done;

  const uint64_t generation = (impl_->state.word() >> 1U) + 1;
  impl_->state.set_word(generation << 1U | next);
  // An update of a map of maps returns only when no program runs that could have read the word before.
  return set_table(impl_->skeleton->maps.gw_nat, next, tables->nat);
}

}  // namespace gw::bpf
