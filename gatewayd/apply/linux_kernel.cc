// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/linux_kernel.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "gatewayd/apply/linux_parts.h"
#include "netlink/address.h"
#include "netlink/card.h"
#include "netlink/link.h"
#include "netlink/nftables.h"

namespace gw::apply {

std::string link_alias(const std::string& instance) { return "gatewayd " + instance; }

Result<uint32_t> index_of(nl::Socket& socket, const std::string& device) {
  const auto link = nl::find_link(socket, device);
  if (link) return link->index;
  if (link.error().code == ENODEV) return missing_interface(device);
  return std::unexpected(link.error());
}

LinuxKernel::LinuxKernel(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LinuxKernel::~LinuxKernel() = default;

Result<std::unique_ptr<LinuxKernel>> LinuxKernel::open(const Options& options, const Clock& clock) {
  auto route = nl::Socket::open(NETLINK_ROUTE);
  if (!route) return std::unexpected(route.error());
  auto generic = nl::Socket::open(NETLINK_GENERIC);
  if (!generic) return std::unexpected(generic.error());
  auto wireguard = nl::open_wireguard();
  if (!wireguard) return std::unexpected(with_rights_hint(wireguard.error()));
  const std::string pins = options.bpffs + "/" + options.instance + "/abi-" + std::to_string(GW_ABI_VERSION);
  auto dataplane = bpf::Dataplane::open(pins);
  if (!dataplane) return std::unexpected(dataplane.error());
  auto parts =
      std::make_unique<Parts>(options.instance, pins, clock, LinkJournal(options.run_directory), std::move(*route),
                              std::move(*wireguard), std::move(*generic), std::move(*dataplane));
  const auto errors = parts->dataplane.fast_errors();
  if (!errors) return std::unexpected(errors.error());
  parts->fast_errors = *errors;
  return std::unique_ptr<LinuxKernel>(new LinuxKernel(std::move(parts)));
}

namespace {

/// A device that goes down takes some packets along: those are no failure of its driver.
bool has_failed(uint64_t errors, uint64_t before) {
  constexpr uint64_t kTolerated = 16;
  return errors > before + kTolerated;
}

/// What the cards can do, less what their drivers have turned out not to do.
Result<std::map<std::string, plan::Card>> read_cards(LinuxKernel::Parts& parts, const std::vector<nl::Link>& links) {
  const auto cards = nl::list_cards(parts.generic, links);
  if (!cards) return std::unexpected(cards.error());
  const auto errors = parts.dataplane.fast_errors();
  if (!errors) return std::unexpected(errors.error());
  const bool failed = has_failed(*errors, parts.fast_errors);
  if (failed) parts.fast_errors = *errors;
  std::map<std::string, plan::Card> out;
  for (const nl::Link& link : links) {
    const auto card = cards->find(link.index);
    if (card == cards->end() || !link.mac) continue;
    // Which driver it was the kernel does not tell in a form that lasts: the fast path ends for all.
    if (failed && card->second.native) parts.losing_cards.insert(link.name);
    const auto trouble = parts.card_trouble.find(link.name);
    out[link.name] = {.mac = *link.mac,
                      .native_xdp = card->second.native,
                      .transmits = card->second.transmit,
                      .defers_checksums = card->second.defers_checksums,
                      .strips_vlan = card->second.strips_vlan,
                      .loses_frames = parts.losing_cards.contains(link.name),
                      .trouble = trouble == parts.card_trouble.end() ? std::string() : trouble->second};
  }
  return out;
}

}  // namespace

Result<Facts> LinuxKernel::facts() {
  const auto links = nl::list_links(parts_->route);
  if (!links) return std::unexpected(links.error());
  const auto addresses = nl::list_addresses(parts_->route);
  if (!addresses) return std::unexpected(addresses.error());
  auto cards = read_cards(*parts_, *links);
  if (!cards) return std::unexpected(cards.error());
  Facts facts;
  facts.cards = std::move(*cards);
  std::map<uint32_t, std::string> names;
  for (const nl::Link& link : *links) {
    names[link.index] = link.name;
    facts.mtu[link.name] = link.mtu;
    facts.state[link.name] = !link.up ? "down" : link.carrier ? "up" : "no carrier";
  }
  for (const nl::Address& address : *addresses) {
    facts.addresses.push_back(address.address);
    if (const auto name = names.find(address.ifindex); name != names.end())
      facts.device_addresses[name->second].push_back(address.address);
  }
  return facts;
}

namespace {

std::string text(const std::optional<nl::UdpEndpoint>& endpoint) {
  if (!endpoint) return {};
  const std::string address = endpoint->address.str();
  const std::string host = endpoint->address.family == Family::v6 ? "[" + address + "]" : address;
  return host + ":" + std::to_string(endpoint->port);
}

}  // namespace

Result<std::map<PublicKey, PeerState>> LinuxKernel::peers(const std::string& device) {
  const auto read = parts_->wireguard->read(device);
  if (!read) return std::unexpected(read.error());
  std::map<PublicKey, PeerState> peers;
  for (const auto& [key, state] : read->states) {
    peers[key] = {.last_handshake = state.last_handshake,
                  .rx_bytes = state.rx_bytes,
                  .tx_bytes = state.tx_bytes,
                  .endpoint = text(state.endpoint)};
  }
  return peers;
}

std::string LinuxKernel::wireguard_implementation() const { return parts_->wireguard->implementation(); }

Result<uint64_t> LinuxKernel::generation() { return parts_->dataplane.generation(); }

Result<void> LinuxKernel::sync_clock(int64_t ahead) {
  return parts_->dataplane.sync_clock(std::chrono::seconds(ahead));
}

namespace {

Result<Counter> to_apply(const Result<bpf::Counter>& read) {
  if (!read) return std::unexpected(read.error());
  const bpf::Counter& counter = *read;
  return Counter{.packets = counter.packets,
                 .bytes = counter.bytes,
                 .flows = counter.flows,
                 .denied = counter.denied,
                 .idle_ns = counter.idle_ns};
}

}  // namespace

Result<Counter> LinuxKernel::rule_counter(uint32_t rule) { return to_apply(parts_->dataplane.rule_counter(rule)); }

Result<Counter> LinuxKernel::client_counter(uint32_t client) {
  return to_apply(parts_->dataplane.client_counter(client));
}

Result<void> LinuxKernel::clear_client_counter(uint32_t client) {
  return parts_->dataplane.clear_client_counter(client);
}

Result<std::vector<uint64_t>> LinuxKernel::drop_counters() { return parts_->dataplane.reasons(); }

Result<FlowPage> LinuxKernel::flows(uint64_t from, uint32_t room) {
  auto page = parts_->dataplane.flows(from, room);
  if (!page) return std::unexpected(page.error());
  FlowPage out{.flows = {}, .next = page->next};
  out.flows.reserve(page->flows.size());
  for (const bpf::Flow& flow : page->flows) out.flows.push_back({flow.key, flow.entry, flow.idle_ns});
  return out;
}

Result<uint64_t> LinuxKernel::count_flows() { return parts_->dataplane.count_flows(); }

Result<bool> LinuxKernel::erase_flow(const gw_flow_key& key) { return parts_->dataplane.erase_flow(key); }

Result<std::vector<uint64_t>> LinuxKernel::untold_events() { return parts_->dataplane.untold(); }

Result<gw_explanation> LinuxKernel::explain(const gw_tuple& tuple, const std::string& device) {
  const auto index = index_of(parts_->route, device);
  return index ? parts_->dataplane.explain(tuple, *index) : std::unexpected(index.error());
}

Result<bool> LinuxKernel::fast_path_failed() const {
  const auto errors = parts_->dataplane.fast_errors();
  return errors ? Result<bool>(has_failed(*errors, parts_->fast_errors)) : std::unexpected(errors.error());
}

bool LinuxKernel::xdp_is_gone() const {
  return std::ranges::any_of(parts_->xdp_seen, [&](const bpf::Attachment& one) {
    const auto now = parts_->dataplane.attachments(one.ifindex);
    return now && std::ranges::find(*now, one) == now->end();
  });
}

Result<bool> LinuxKernel::has_frame() {
  const auto live = nl::live_frame(nl::Frame().table);
  return live ? Result<bool>(live->has_value()) : std::unexpected(live.error());
}

Result<std::vector<std::string>> LinuxKernel::remove_other_layouts() {
  return bpf::remove_other_layouts(parts_->pin_directory);
}

int LinuxKernel::event_fd() const { return parts_->dataplane.event_fd(); }

Result<void> LinuxKernel::drain_events(const std::function<void(const gw_event&)>& handle) {
  return parts_->dataplane.drain(handle);
}

}  // namespace gw::apply
