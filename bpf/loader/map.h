// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "gatewayd/base/ip.h"
#include "gatewayd/base/result.h"

namespace gw::bpf {

inline gw_addr to_addr(const IpAddress& address) {
  gw_addr out{};
  const auto bytes = address.mapped();
  std::memcpy(out.b, bytes.data(), bytes.size());
  return out;
}

inline IpAddress from_addr(const gw_addr& addr) {
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), addr.b, bytes.size());
  return IpAddress::from_mapped(bytes);
}

/// A BPF map with the types of its keys and values. Borrows the file descriptor. Any thread: every call is one system
/// call or a loop of them; the error's object is the map's name.
template <class Key, class Value>
class Map {
 public:
  Map(int fd, const char* name) : fd_(fd), name_(name) {}

  [[nodiscard]] int fd() const { return fd_; }

  [[nodiscard]] Result<std::optional<Value>> find(const Key& key) const {
    Value value{};
    if (bpf_map_lookup_elem(fd_, &key, &value) == 0) return value;
    if (errno == ENOENT) return std::nullopt;
    return fail("read");
  }

  Result<void> put(const Key& key, const Value& value, uint64_t flags = BPF_ANY) const {
    if (bpf_map_update_elem(fd_, &key, &value, flags) == 0) return {};
    return fail("write");
  }

  /// Success when the key was not there; true when it was.
  Result<bool> erase(const Key& key) const {
    if (bpf_map_delete_elem(fd_, &key) == 0) return true;
    if (errno == ENOENT) return false;
    return fail("delete from");
  }

  /// Some entries of a hash, and where the next ones are.
  struct Page {
    std::vector<std::pair<Key, Value>> entries;
    std::optional<uint32_t> next;  ///< opaque: the kernel's bucket number; nullopt: that was all
  };
  /// Up to `room` entries, more where one bucket holds more. `after` is the `next` of the page before; nullopt: from
  /// the beginning. What others change meanwhile may or may not be seen.
  [[nodiscard]] Result<Page> page(std::optional<uint32_t> after, uint32_t room) const {
    for (;;) {
      std::vector<Key> keys(room);
      std::vector<Value> values(room);
      uint32_t count = room;
      uint32_t position = after.value_or(0);
      const int status = bpf_map_lookup_batch(fd_, after ? &position : nullptr, &position, keys.data(), values.data(),
                                              &count, nullptr);
      if (status != 0 && errno == ENOSPC) {  // one bucket holds more
        room *= 2;
        continue;
      }
      if (status != 0 && errno != ENOENT) return fail("read");
      Page out;
      if (status == 0) out.next = position;
      out.entries.reserve(count);
      for (uint32_t i = 0; i < count; ++i) out.entries.emplace_back(keys[i], values[i]);
      return out;
    }
  }

  /// All entries of a hash, in batches.
  [[nodiscard]] Result<std::vector<std::pair<Key, Value>>> all() const {
    std::vector<std::pair<Key, Value>> out;
    std::optional<uint32_t> after;
    do {
      auto next = page(after, kBatch);
      if (!next) return std::unexpected(next.error());
      out.insert(out.end(), next->entries.begin(), next->entries.end());
      after = next->next;
    } while (after);
    return out;
  }

  /// Writes all of `entries`, some thousands a system call.
  Result<void> put_all(const std::vector<std::pair<Key, Value>>& entries, uint64_t flags = BPF_ANY) const {
    std::vector<Key> keys;
    std::vector<Value> values;
    for (size_t start = 0; start < entries.size(); start += kBatch) {
      const size_t end = std::min<size_t>(entries.size(), start + kBatch);
      keys.clear();
      values.clear();
      for (size_t i = start; i < end; ++i) {
        keys.push_back(entries[i].first);
        values.push_back(entries[i].second);
      }
      auto count = static_cast<uint32_t>(keys.size());
      LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = flags);
      if (bpf_map_update_batch(fd_, keys.data(), values.data(), &count, &options) != 0) return fail("write");
    }
    return {};
  }

 private:
  static constexpr uint32_t kBatch = 4096;

  [[nodiscard]] std::unexpected<Error> fail(const char* what) const {
    const int code = errno;
    std::string detail;
    if (code == E2BIG || code == ENOSPC) detail = "the map is full";
    return failure(code, std::string(what) + " BPF map", name_, std::move(detail));
  }

  int fd_;
  const char* name_;
};

}  // namespace gw::bpf
