// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "netlink/link.h"
#include "netlink/wireguard.h"
#include "tests/support/namespace.h"

/// What every WireGuard implementation must do, as one suite of parametrised tests. A test program instantiates it for
/// the implementations that its kernel offers:
///   INSTANTIATE_TEST_SUITE_P(Kernel, WireGuardContract, testing::Values(&nl::open_kernel_wireguard));
/// Each test runs in a fresh network namespace: it needs root.
namespace gw::test {

using OpenWireGuard = Result<std::unique_ptr<nl::WireGuard>> (*)();

class WireGuardContract : public testing::TestWithParam<OpenWireGuard> {
 protected:
  /// Not on the curve of anyone's private key, but any 32 bytes are a public key.
  static PublicKey key(uint32_t number) {
    PublicKey out;
    out.bytes.fill(0x5a);
    for (size_t i = 0; i < sizeof number; ++i) out.bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    return out;
  }
  static nl::WgPeer client(uint32_t number) {
    IpAddress four = IpAddress::parse("172.16.0.0").value();
    four.bytes[2] = static_cast<uint8_t>(number >> 8U);
    four.bytes[3] = static_cast<uint8_t>(number);
    IpAddress six = IpAddress::parse("fd6d:706e:6c61::").value();
    six.bytes[14] = four.bytes[2];
    six.bytes[15] = four.bytes[3];
    nl::WgPeer out;
    out.allowed_ips = {Prefix::host(four), Prefix::host(six)};
    return out;
  }
  static nl::WgPeers clients(uint32_t count) {
    nl::WgPeers out;
    for (uint32_t i = 1; i <= count; ++i) out[key(i)] = client(i);
    return out;
  }
  static nl::WgChange adding(nl::WgPeers peers) {
    nl::WgChange change;
    change.set = std::move(peers);
    return change;
  }
  static std::string why(const Result<void>& result) { return result ? "" : result.error().message(); }

  void create() { ASSERT_EQ(why(wireguard_->create(name_)), ""); }
  void change(const nl::WgChange& change) { ASSERT_EQ(why(wireguard_->change(name_, change)), ""); }
  void destroy() { ASSERT_EQ(why(wireguard_->destroy(name_)), ""); }
  nl::WgDevice read() {
    auto device = wireguard_->read(name_);
    if (!device) throw std::runtime_error(device.error().message());
    return *device;
  }

  /// Two ends of a cable: 10.255.0.1 here, 10.255.0.2 there.
  static void add_cable_to(const PeerNamespace& beside) {
    must("ip link add gwcable0 type veth peer name gwcable1 netns " + beside.path());
    must("ip address add 10.255.0.1/24 dev gwcable0");
    must("ip link set gwcable0 up");
    beside.inside([] {
      must("ip address add 10.255.0.2/24 dev gwcable1");
      must("ip link set gwcable1 up");
    });
  }
  /// Gives the device a private key and a port, and returns its public key.
  static PublicKey set_up(nl::WireGuard& wireguard, const std::string& device, uint8_t secret) {
    std::array<uint8_t, kWireGuardKeySize> bytes{};
    bytes.fill(secret);
    nl::WgChange change;
    change.private_key = SecretKey(bytes);
    change.listen_port = 51820;
    if (auto done = wireguard.change(device, change); !done) throw std::runtime_error(done.error().message());
    return wireguard.read(device).value().public_key.value();
  }

  Namespace namespace_;
  std::unique_ptr<nl::WireGuard> wireguard_ = GetParam()().value();
  const std::string name_ = "gwtest0";
};

TEST_P(WireGuardContract, ANewDeviceHasNoKeyAndNoPeers) {
  create();
  const auto device = read();
  EXPECT_FALSE(device.public_key);
  EXPECT_TRUE(device.peers.empty());
  destroy();
}

TEST_P(WireGuardContract, ThreePeersAreReadBackAsTheyWereWritten) {
  create();
  auto peers = clients(3);
  peers[key(2)].keepalive = 25;
  peers[key(2)].endpoint = nl::UdpEndpoint{IpAddress::parse("192.0.2.9").value(), 51820};
  peers[key(3)].endpoint = nl::UdpEndpoint{IpAddress::parse("2001:db8::9").value(), 443};
  peers[key(3)].allowed_ips = {Prefix::parse("0.0.0.0/0").value(), Prefix::parse("fd20::/32").value()};
  auto written = adding(peers);
  written.listen_port = 51999;
  written.fwmark = 26480;
  change(written);
  const auto device = read();
  EXPECT_EQ(device.peers, peers);
  EXPECT_EQ(device.listen_port, 51999);
  EXPECT_EQ(device.fwmark, 26480U);
  ASSERT_TRUE(device.states.contains(key(2)));
  EXPECT_EQ(device.states.at(key(2)), (nl::WgPeerState{0, 0, 0, peers[key(2)].endpoint}));
  destroy();
}

TEST_P(WireGuardContract, ThePublicKeyOfTheDeviceIsThatOfItsPrivateKey) {
  create();
  // RFC 7748, section 6.1: Alice.
  nl::WgChange written;
  written.private_key =
      SecretKey({0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
                 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a});
  change(written);
  PublicKey expected;
  expected.bytes = {0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
                    0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
  EXPECT_EQ(read().public_key, expected);
  destroy();
}

TEST_P(WireGuardContract, TwoThousandPeersAreReadBackEqual) {
  create();
  const auto peers = clients(2000);
  change(adding(peers));
  EXPECT_TRUE(read().peers == peers);
  destroy();
}

TEST_P(WireGuardContract, APeerWithMorePrefixesThanOneMessageHoldsKeepsThemAll) {
  create();
  nl::WgPeers peers = clients(2);
  for (uint32_t i = 0; i < 3000; ++i) {
    IpAddress address = IpAddress::parse("10.0.0.0").value();
    address.bytes[1] = static_cast<uint8_t>(i >> 8U);
    address.bytes[2] = static_cast<uint8_t>(i);
    peers[key(1)].allowed_ips.insert(Prefix::of(address, 24));
  }
  change(adding(peers));
  EXPECT_TRUE(read().peers == peers);
  destroy();
}

TEST_P(WireGuardContract, AChangeTouchesOnlyThePeersItNames) {
  create();
  auto peers = clients(5);
  peers[key(4)].keepalive = 25;
  change(adding(peers));

  nl::WgChange difference;
  difference.remove = {key(1), key(77)};
  difference.set[key(2)] = client(200);
  difference.set[key(9)] = client(9);
  change(difference);

  peers.erase(key(1));
  peers[key(2)] = client(200);
  peers[key(9)] = client(9);
  EXPECT_EQ(read().peers, peers);
  destroy();
}

TEST_P(WireGuardContract, AnAllowedIpMovesToThePeerThatIsGivenItLast) {
  create();
  change(adding(clients(2)));
  nl::WgChange moved;
  moved.set[key(2)] = client(1);
  change(moved);
  const auto peers = read().peers;
  EXPECT_TRUE(peers.at(key(1)).allowed_ips.empty());
  EXPECT_EQ(peers.at(key(2)), client(1));
  destroy();
}

TEST_P(WireGuardContract, AnEndpointThatIsNotGivenStays) {
  create();
  auto peers = clients(1);
  peers[key(1)].endpoint = nl::UdpEndpoint{IpAddress::parse("192.0.2.9").value(), 51820};
  change(adding(peers));
  change(adding(clients(1)));
  EXPECT_EQ(read().peers, peers);
  destroy();
}

TEST_P(WireGuardContract, AllPeersCanBeRemoved) {
  create();
  nl::WgChange emptied;
  for (const auto& [key, peer] : clients(2000)) emptied.remove.insert(key);
  change(adding(clients(2000)));
  change(emptied);
  EXPECT_TRUE(read().peers.empty());
  destroy();
}

TEST_P(WireGuardContract, AFullDeviceIsDestroyedAndItsNameIsFreeAgain) {
  create();
  change(adding(clients(2000)));
  destroy();
  EXPECT_EQ(wireguard_->read(name_).error().code, ENODEV);
  create();
  EXPECT_TRUE(read().peers.empty());
  destroy();
}

TEST_P(WireGuardContract, ADeviceIsNotMadeTwice) {
  create();
  change(adding(clients(3)));
  EXPECT_EQ(wireguard_->create(name_).error().code, EEXIST);
  EXPECT_EQ(read().peers.size(), 3U);
  destroy();
}

TEST_P(WireGuardContract, AMissingDeviceIsToldByName) {
  EXPECT_EQ(wireguard_->read(name_).error().code, ENODEV);
  EXPECT_EQ(wireguard_->change(name_, adding(clients(1))).error().code, ENODEV);
  const auto destroyed = wireguard_->destroy(name_);
  EXPECT_EQ(destroyed.error().code, ENODEV);
  EXPECT_EQ(destroyed.error().object, name_);
}

TEST_P(WireGuardContract, ADeviceOfAnotherKindIsLeftAlone) {
  must("ip link add " + name_ + " type veth peer name gwtest1");
  EXPECT_EQ(wireguard_->create(name_).error().code, EEXIST);
  EXPECT_EQ(wireguard_->read(name_).error().code, EOPNOTSUPP);
  EXPECT_EQ(wireguard_->change(name_, adding(clients(1))).error().code, EOPNOTSUPP);
  EXPECT_EQ(wireguard_->destroy(name_).error().code, EOPNOTSUPP);
  EXPECT_NE(must("ip link show " + name_), "");
}

TEST_P(WireGuardContract, AnImpossibleNameIsRefused) {
  EXPECT_EQ(wireguard_->create("no/slash").error().code, EINVAL);
  EXPECT_EQ(wireguard_->read("no/slash").error().code, ENODEV);
}

TEST_P(WireGuardContract, TwoDevicesTalkToEachOther) {
  const std::string other = "gwtest1";
  const PeerNamespace beside;
  add_cable_to(beside);
  create();
  std::unique_ptr<nl::WireGuard> far;
  beside.inside([&] {
    far = GetParam()().value();
    ASSERT_EQ(why(far->create(other)), "");
  });
  const auto ours = set_up(*wireguard_, name_, 1);
  const auto theirs = set_up(*far, other, 2);
  change(adding({{theirs,
                  {nl::UdpEndpoint{IpAddress::parse("10.255.0.2").value(), 51820},
                   0,
                   {Prefix::parse("172.16.201.2/32").value()}}}}));
  ASSERT_EQ(why(far->change(other, adding({{ours, {std::nullopt, 0, {Prefix::parse("172.16.201.1/32").value()}}}}))),
            "");
  beside.inside([&] {
    must("ip address add 172.16.201.2/24 dev " + other);
    must("ip link set " + other + " up");
  });
  must("ip address add 172.16.201.1/24 dev " + name_);
  must("ip link set " + name_ + " up");

  must("ping -c 1 -W 10 172.16.201.2");

  const auto state = read().states.at(theirs);
  EXPECT_GT(state.last_handshake, 0);
  EXPECT_GT(state.rx_bytes, 0U);
  EXPECT_GT(state.tx_bytes, 0U);
  const auto learned = far->read(other).value().peers.at(ours).endpoint;
  ASSERT_TRUE(learned);
  EXPECT_EQ(learned->address.str(), "10.255.0.1");
  beside.inside([&] { EXPECT_EQ(why(far->destroy(other)), ""); });
  destroy();
}

}  // namespace gw::test
