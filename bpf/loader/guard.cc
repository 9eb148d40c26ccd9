// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

#include "bpf/blake2s.h"
#include "bpf/loader/impl.h"

namespace gw::bpf {
namespace {

constexpr std::string_view kLabel = "mac1----";
constexpr uint32_t kMac1Size = 16;
constexpr uint32_t kMapped = 96;  // bits in front of an IPv4 address in its mapped form

/// WireGuard whitepaper 5.4.4: mac1 is keyed with the hash of the label and the public key. The key is the first block;
/// what follows from it is the same for all messages.
std::array<uint32_t, GW_BLAKE2S_HASH> mac1_state(const PublicKey& public_key) {
  std::array<uint32_t, GW_BLAKE2S_WORDS> block{};
  std::memcpy(block.data(), kLabel.data(), kLabel.size());
  std::memcpy(block.data() + kLabel.size() / sizeof(uint32_t), public_key.bytes.data(), public_key.bytes.size());
  gw_blake2s hash{};
  gw_blake2s_begin(&hash, kWireGuardKeySize, 0);
  gw_blake2s_take(&hash, block.data(), static_cast<uint32_t>(kLabel.size() + public_key.bytes.size()), 1);

  block = {};
  std::copy(std::begin(hash.h), std::end(hash.h), block.begin());
  gw_blake2s state{};
  gw_blake2s_begin(&state, kMac1Size, kWireGuardKeySize);
  gw_blake2s_take(&state, block.data(), GW_BLAKE2S_BLOCK, 0);
  std::array<uint32_t, GW_BLAKE2S_HASH> out{};
  std::copy(std::begin(state.h), std::end(state.h), out.begin());
  return out;
}

Map<uint32_t, gw_guard> guard_map(const Dataplane::Impl& impl) {
  return {bpf_map__fd(impl.skeleton->maps.gw_guard), "gw_guard"};
}

Map<gw_prefix_key, gw_block> block_map(const Dataplane::Impl& impl) {
  return {bpf_map__fd(impl.skeleton->maps.gw_blocks), "gw_blocks"};
}

gw_prefix_key key_of(const Prefix& prefix) {
  gw_prefix_key key{};
  key.prefixlen = prefix.length + (prefix.address.family == Family::v4 ? kMapped : 0);
  key.addr = to_addr(prefix.address);
  return key;
}

Prefix prefix_of(const gw_prefix_key& key) {
  const IpAddress address = from_addr(key.addr);
  return Prefix::of(address, static_cast<uint8_t>(key.prefixlen - (address.family == Family::v4 ? kMapped : 0)));
}

}  // namespace

Result<Guard> Dataplane::guard() const {
  const auto read = guard_map(*impl_).find(0);
  if (!read) return std::unexpected(read.error());
  const gw_guard& there = read->value();
  Guard out{.port = ntohs(there.port), .initiations = static_cast<uint32_t>(there.initiations), .public_key = {}};
  std::copy(std::begin(there.public_key), std::end(there.public_key), out.public_key.bytes.begin());
  if (!std::ranges::equal(there.mac1, mac1_state(out.public_key))) return Guard();
  return out;
}

Result<void> Dataplane::put_guard(const Guard& guard) {
  gw_guard entry{};
  entry.port = htons(guard.port);
  entry.initiations = guard.initiations;
  std::ranges::copy(mac1_state(guard.public_key), std::begin(entry.mac1));
  std::ranges::copy(guard.public_key.bytes, std::begin(entry.public_key));
  return guard_map(*impl_).put(0, entry);
}

Result<Blocks> Dataplane::blocks() const {
  // One by one: a trie has no batches before Linux 5.17 and another position than a hash.
  const auto map = block_map(*impl_);
  Blocks out;
  gw_prefix_key key{};
  const gw_prefix_key* last = nullptr;
  while (bpf_map_get_next_key(map.fd(), last, &key) == 0) {
    const auto block = map.find(key);
    if (!block) return std::unexpected(block.error());
    if (*block) out[prefix_of(key)] = (*block)->until_ns;
    last = &key;
  }
  if (errno != ENOENT) return failure(errno, "read BPF map", "gw_blocks");
  return out;
}

Result<void> Dataplane::put_block(const Prefix& prefix, uint64_t until_ns) {
  static const Prefix kAllMapped = *Prefix::parse("::ffff:0:0/96");
  if (prefix.address.family == Family::v6 && prefix.overlaps(kAllMapped))
    return failure(EINVAL, "block", prefix.str(), "it holds IPv4 addresses in their mapped form: write them as IPv4");
  return block_map(*impl_).put(key_of(prefix), {until_ns});
}

Result<void> Dataplane::erase_block(const Prefix& prefix) {
  const auto erased = block_map(*impl_).erase(key_of(prefix));
  return erased ? Result<void>() : std::unexpected(erased.error());
}

}  // namespace gw::bpf
