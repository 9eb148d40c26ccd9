// SPDX-License-Identifier: Apache-2.0
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "netlink/generic.h"
#include "netlink/link.h"
#include "netlink/message.h"
#include "netlink/wireguard.h"

namespace gw::nl {
namespace {

// A message is sent once it has passed this size; one more attribute always fits into the rest of its capacity.
constexpr size_t kBatchSize = size_t{16} << 10U;
constexpr size_t kCapacity = kBatchSize + 1024;

std::vector<uint8_t> sockaddr_of(const UdpEndpoint& endpoint) {
  std::vector<uint8_t> out;
  if (endpoint.address.family == Family::v4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, endpoint.address.bytes.data(), sizeof address.sin_addr);
    out.resize(sizeof address);
    std::memcpy(out.data(), &address, sizeof address);
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    std::memcpy(&address.sin6_addr, endpoint.address.bytes.data(), sizeof address.sin6_addr);
    out.resize(sizeof address);
    std::memcpy(out.data(), &address, sizeof address);
  }
  return out;
}

std::optional<UdpEndpoint> endpoint_from(std::span<const uint8_t> raw) {
  UdpEndpoint out;
  if (raw.size() == sizeof(sockaddr_in)) {
    sockaddr_in address{};
    std::memcpy(&address, raw.data(), sizeof address);
    out.address.family = Family::v4;
    std::memcpy(out.address.bytes.data(), &address.sin_addr, sizeof address.sin_addr);
    out.port = ntohs(address.sin_port);
    return out;
  }
  if (raw.size() != sizeof(sockaddr_in6)) return std::nullopt;
  sockaddr_in6 address{};
  std::memcpy(&address, raw.data(), sizeof address);
  out.address.family = Family::v6;
  std::memcpy(out.address.bytes.data(), &address.sin6_addr, sizeof address.sin6_addr);
  out.port = ntohs(address.sin6_port);
  return out;
}

std::optional<PublicKey> key_from(const Attributes& attributes, int type) {
  const auto raw = attributes.bytes(type);
  PublicKey key;
  if (!raw || raw->size() != key.bytes.size()) return std::nullopt;
  std::memcpy(key.bytes.data(), raw->data(), raw->size());
  return key;
}

// Writes a change as a row of SET_DEVICE messages, each sent when it is full.
class Batches {
 public:
  Batches(Socket& socket, uint16_t family, const std::string& device)
      : socket_(socket), family_(family), device_(device), message_(fresh()) {}

  Message& message() { return message_; }

  Result<void> remove(const PublicKey& key) {
    open(key, WGPEER_F_REMOVE_ME);
    return close(false);
  }

  Result<void> set(const PublicKey& key, const WgPeer& peer) {
    open(key, WGPEER_F_REPLACE_ALLOWEDIPS);
    if (peer.endpoint) message_.put(WGPEER_A_ENDPOINT, sockaddr_of(*peer.endpoint));
    message_.put_u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, peer.keepalive);
    nlattr* list = message_.begin(WGPEER_A_ALLOWEDIPS);
    for (const auto& prefix : peer.allowed_ips) {
      if (message_.size() >= kBatchSize) {
        message_.end(list);
        if (auto sent = close(true); !sent) return sent;
        open(key, 0);  // a peer that goes on: only its key, and what is added
        list = message_.begin(WGPEER_A_ALLOWEDIPS);
      }
      nlattr* entry = message_.begin(0);
      message_.put_u16(WGALLOWEDIP_A_FAMILY, prefix.address.family == Family::v4 ? AF_INET : AF_INET6);
      message_.put(WGALLOWEDIP_A_IPADDR, prefix.address);
      message_.put_u8(WGALLOWEDIP_A_CIDR_MASK, prefix.length);
      message_.end(entry);
    }
    message_.end(list);
    return close(false);
  }

  Result<void> send() {
    if (peers_ != nullptr) message_.end(peers_);
    peers_ = nullptr;
    auto sent = request(socket_, message_, {"configure WireGuard device", device_});
    message_ = fresh();
    return sent;
  }

 private:
  Message fresh() {
    Message message = generic_message(family_, WG_CMD_SET_DEVICE, WG_GENL_VERSION, kCapacity);
    message.put(WGDEVICE_A_IFNAME, device_);
    return message;
  }
  void open(const PublicKey& key, uint32_t flags) {
    if (peers_ == nullptr) peers_ = message_.begin(WGDEVICE_A_PEERS);
    peer_ = message_.begin(0);
    message_.put(WGPEER_A_PUBLIC_KEY, key.bytes);
    if (flags != 0) message_.put_u32(WGPEER_A_FLAGS, flags);
  }
  Result<void> close(bool full) {
    message_.end(peer_);
    if (full || message_.size() >= kBatchSize) return send();
    return {};
  }

  Socket& socket_;
  uint16_t family_;
  const std::string& device_;
  Message message_;
  nlattr* peers_ = nullptr;
  nlattr* peer_ = nullptr;
};

void merge_allowed_ips(const Attributes& list, std::set<Prefix>& into) {
  list.each([&](const nlattr* nest) {
    const auto entry = Attributes::inside(nest);
    const auto address = entry.address(WGALLOWEDIP_A_IPADDR);
    const auto length = entry.u8(WGALLOWEDIP_A_CIDR_MASK);
    if (address && length) into.insert(Prefix::of(*address, *length));
  });
}

// A peer that did not fit into one message comes again with its key and the rest of its allowed IPs only.
void merge_peer(const Attributes& attributes, WgDevice& device) {
  const auto key = key_from(attributes, WGPEER_A_PUBLIC_KEY);
  if (!key) return;
  WgPeer& peer = device.peers[*key];
  WgPeerState& state = device.states[*key];
  merge_allowed_ips(attributes.nested(WGPEER_A_ALLOWEDIPS), peer.allowed_ips);
  if (const auto keepalive = attributes.u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL)) peer.keepalive = *keepalive;
  if (const auto rx = attributes.u64(WGPEER_A_RX_BYTES)) state.rx_bytes = *rx;
  if (const auto tx = attributes.u64(WGPEER_A_TX_BYTES)) state.tx_bytes = *tx;
  if (const auto endpoint = attributes.bytes(WGPEER_A_ENDPOINT)) {
    peer.endpoint = endpoint_from(*endpoint);
    state.endpoint = peer.endpoint;
  }
  const auto time = attributes.bytes(WGPEER_A_LAST_HANDSHAKE_TIME);
  if (time && time->size() >= sizeof state.last_handshake) {  // struct __kernel_timespec: seconds first
    std::memcpy(&state.last_handshake, time->data(), sizeof state.last_handshake);
  }
}

void merge_device(const Attributes& attributes, WgDevice& device) {
  if (const auto port = attributes.u16(WGDEVICE_A_LISTEN_PORT)) device.listen_port = *port;
  if (const auto mark = attributes.u32(WGDEVICE_A_FWMARK)) device.fwmark = *mark;
  if (const auto key = key_from(attributes, WGDEVICE_A_PUBLIC_KEY)) device.public_key = key;
  attributes.nested(WGDEVICE_A_PEERS).each([&](const nlattr* peer) { merge_peer(Attributes::inside(peer), device); });
}

class KernelWireGuard final : public WireGuard {
 public:
  KernelWireGuard(Socket route, Socket generic, uint16_t family)
      : route_(std::move(route)), generic_(std::move(generic)), family_(family) {}

  [[nodiscard]] std::string implementation() const override { return "kernel"; }
  [[nodiscard]] bool in_kernel() const override { return true; }

  Result<void> create(const std::string& name) override { return add_wireguard_link(route_, name); }

  Result<void> destroy(const std::string& name) override {
    const auto link = find_link(route_, name);
    if (!link) return std::unexpected(link.error());
    Batches batches(generic_, family_, name);
    batches.message().put_u32(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
    if (auto emptied = batches.send(); !emptied) return emptied;
    return delete_link(route_, link->index);
  }

  Result<WgDevice> read(const std::string& name) override {
    if (!is_link_name(name)) return failure(ENODEV, "read WireGuard device", name);
    Message message = generic_message(family_, WG_CMD_GET_DEVICE, WG_GENL_VERSION);
    message.put(WGDEVICE_A_IFNAME, name);
    WgDevice device;
    auto done = dump(
        generic_, message, {"read WireGuard device", name}, [&] { device = {}; },
        [&](const nlmsghdr* part) { merge_device(Attributes(part, sizeof(genlmsghdr)), device); });
    if (!done) return std::unexpected(done.error());
    return device;
  }

  Result<void> change(const std::string& name, const WgChange& change) override {
    if (!is_link_name(name)) return failure(ENODEV, "configure WireGuard device", name);
    Batches batches(generic_, family_, name);
    if (change.private_key) batches.message().put(WGDEVICE_A_PRIVATE_KEY, change.private_key->reveal());
    if (change.listen_port) batches.message().put_u16(WGDEVICE_A_LISTEN_PORT, *change.listen_port);
    if (change.fwmark) batches.message().put_u32(WGDEVICE_A_FWMARK, *change.fwmark);
    for (const auto& key : change.remove) {
      if (auto done = batches.remove(key); !done) return done;
    }
    for (const auto& [key, peer] : change.set) {
      if (auto done = batches.set(key, peer); !done) return done;
    }
    return batches.send();
  }

 private:
  Socket route_;
  Socket generic_;
  uint16_t family_;
};

// Loads the module where there is one; a listing of modules or a look at the kernel's version could not tell.
Result<void> try_device(Socket& route) {
  const std::string name = "gwprobe" + std::to_string(::getpid() % 10'000'000);
  if (auto added = add_wireguard_link(route, name); !added) return added;
  const auto link = find_link(route, name);
  if (!link) return std::unexpected(link.error());
  return delete_link(route, link->index);
}

}  // namespace

Result<std::unique_ptr<WireGuard>> open_kernel_wireguard() {
  auto route = Socket::open(NETLINK_ROUTE);
  if (!route) return std::unexpected(route.error());
  if (auto tried = try_device(*route); !tried) return std::unexpected(tried.error());
  auto generic = Socket::open(NETLINK_GENERIC);
  if (!generic) return std::unexpected(generic.error());
  const auto family = find_family(*generic, WG_GENL_NAME);
  if (!family) return std::unexpected(family.error());
  return std::make_unique<KernelWireGuard>(std::move(*route), std::move(*generic), *family);
}

}  // namespace gw::nl
