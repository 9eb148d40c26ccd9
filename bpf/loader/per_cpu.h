// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <ctime>
#include <vector>

#include "gatewayd/base/result.h"

namespace gw::bpf {

/// Nanoseconds of a clock, as the programs count them.
inline int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

/// One value per possible CPU. ENOENT when `key` is past the array.
template <class Value>
Result<std::vector<Value>> read_per_cpu(int fd, const char* name, uint32_t key) {
  static_assert(sizeof(Value) % 8 == 0, "the kernel rounds per-CPU values up to 8 bytes");
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return failure(-cpus, "count CPUs");
  std::vector<Value> values(static_cast<size_t>(cpus));
  if (bpf_map_lookup_elem(fd, &key, values.data()) != 0) return failure(errno, "read BPF map", name);
  return values;
}

/// The sums over all CPUs of the first `size` numbers of a per-CPU array.
inline Result<std::vector<uint64_t>> read_sums(int fd, const char* name, uint32_t size) {
  std::vector<uint64_t> out(size);
  for (uint32_t key = 0; key < size; ++key) {
    const auto values = read_per_cpu<uint64_t>(fd, name, key);
    if (!values) return std::unexpected(values.error());
    for (const uint64_t value : *values) out[key] += value;
  }
  return out;
}

}  // namespace gw::bpf
