// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "bpf/abi.h"
#include "gatewayd/control/checks.h"
#include "gatewayd/control/gateway.h"

/// The deny list of the guard.
namespace gw::control {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr const char* kAdd = "block";

uint64_t until_ns(const registry::Block& block) {
  return block.until == 0 ? UINT64_MAX : static_cast<uint64_t>(block.until) * kNsPerSecond;
}

/// The address of "198.51.100.7:51820" or "[2001:db8::1]:51820".
std::optional<IpAddress> address_of(const std::string& endpoint) {
  if (endpoint.empty()) return std::nullopt;
  std::string host = endpoint.substr(0, endpoint.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return IpAddress::parse(host);
}

Result<Prefix> parse(const char* operation, const std::string& text) {
  if (const auto prefix = Prefix::parse(text)) return *prefix;
  return failure(EINVAL, operation, text, "write an address or a prefix without host bits, such as 198.51.100.0/24");
}

}  // namespace

std::map<Prefix, uint64_t> GatewayController::blocks_in_force(UnixSeconds at) const {
  std::map<Prefix, uint64_t> out;
  const auto all = parts_.registry.blocks();
  if (!all) {
    tell(all.error().message());
    return out;
  }
  for (const registry::Block& block : *all) {
    if (block.holds(at)) out[block.prefix] = until_ns(block);
  }
  return out;
}

std::optional<UnixSeconds> GatewayController::next_block_end() const {
  std::optional<UnixSeconds> next;
  const auto all = parts_.registry.blocks();
  if (!all) return next;
  for (const registry::Block& block : *all) {
    if (block.until != 0) next = std::min(next.value_or(block.until), block.until);
  }
  return next;
}

// Nobody blocks the gateway itself, and nobody cuts off people without knowing it.
Result<void> GatewayController::check_block(const Prefix& prefix, bool force) const {
  static const Prefix kMapped = *Prefix::parse("::ffff:0:0/96");
  if (prefix.address.family == Family::v6 && prefix.overlaps(kMapped))
    return failure(EINVAL, kAdd, prefix.str(), "it holds IPv4 addresses in their IPv6 form: write them as IPv4");
  const auto facts = parts_.kernel.facts();
  if (!facts) return std::unexpected(facts.error());
  const auto own = std::ranges::find_if(facts->addresses, [&](const IpAddress& a) { return prefix.contains(a); });
  if (own != facts->addresses.end())
    return failure(EINVAL, kAdd, prefix.str(), "the gateway's own address " + own->str() + " is in it");
  const config::Config* config = applied();
  if (force || config == nullptr) return {};
  const auto peers = parts_.kernel.peers(config->vpn.interface);
  const auto clients = parts_.registry.clients();
  if (!peers || !clients) return {};
  std::vector<std::string> cut_off;
  for (const registry::Client& client : *clients) {
    const auto peer = peers->find(client.wireguard);
    if (peer == peers->end()) continue;
    if (const auto from = address_of(peer->second.endpoint); from && prefix.contains(*from))
      cut_off.push_back(client.name);
  }
  if (cut_off.empty()) return {};
  return failure(
      EBUSY, kAdd, prefix.str(),
      fmt::format("it would cut off {}, last seen from there; --force does it all the same", enumerate(cut_off)));
}

// Tells the kernel. `changed` is what the caller waits for: an error that is about it is the caller's.
Result<void> GatewayController::refresh_blocks(const std::string& changed) {
  const plan::Intent* current = parts_.reconciler.intent();
  if (current == nullptr) return {};  // the list waits for a configuration
  plan::Intent intent = *current;
  intent.blocks = blocks_in_force(now());
  parts_.reconciler.set_intent(std::move(intent));
  const apply::Report report = converge();
  for (const std::string& line : report.leftover) {
    if (line.ends_with("guard: block " + changed) && !report.errors.empty())
      return std::unexpected(report.errors.front());
  }
  return {};
}

Result<std::vector<registry::Block>> GatewayController::blocks() {
  auto all = parts_.registry.blocks();
  if (!all) return all;
  const UnixSeconds at = now();
  std::erase_if(*all, [&](const registry::Block& block) { return !block.holds(at); });
  return all;
}

Result<void> GatewayController::add_block(const NewBlock& wanted, const Who& who) {
  const auto prefix = parse(kAdd, wanted.prefix);
  if (!prefix) return std::unexpected(prefix.error());
  if (auto fits = check_block(*prefix, wanted.force); !fits) return fits;
  const UnixSeconds at = now();
  if (auto done = parts_.registry.remove_ended_blocks(at); !done) return done;
  const auto all = parts_.registry.blocks();
  if (!all) return std::unexpected(all.error());
  const bool is_new = std::ranges::find(*all, *prefix, &registry::Block::prefix) == all->end();
  if (is_new && all->size() >= GW_MAX_BLOCKS)
    return failure(
        ENOSPC, kAdd, prefix->str(),
        fmt::format("the list is full: it holds {} prefixes; remove some, or block a wider one", GW_MAX_BLOCKS));
  const registry::Block block{.prefix = *prefix,
                              .until = wanted.ttl_seconds == 0 ? 0 : at + wanted.ttl_seconds,
                              .comment = wanted.comment,
                              .who = who,
                              .created = at};
  if (auto done = parts_.registry.put_block(block, at); !done) return done;
  tell(fmt::format("{} blocked by {}", prefix->str(), who));
  return refresh_blocks(prefix->str());
}

Result<void> GatewayController::remove_block(const std::string& text, const Who& who) {
  const auto prefix = parse("remove block", text);
  if (!prefix) return std::unexpected(prefix.error());
  if (auto done = parts_.registry.remove_block(*prefix, who, now()); !done) return done;
  tell(fmt::format("{} no longer blocked, by {}", prefix->str(), who));
  return refresh_blocks(prefix->str());
}

void GatewayController::end_blocks(UnixSeconds at) {
  const auto next = next_block_end();
  if (!next || *next > at) return;
  if (auto done = parts_.registry.remove_ended_blocks(at); !done) return tell(done.error().message());
  if (auto done = refresh_blocks(""); !done) tell(done.error().message());
}

}  // namespace gw::control
