// SPDX-License-Identifier: Apache-2.0
#include "netlink/wguapi.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace gw::nl {
namespace {

// An answer of wireguard-go 0.0.20220316, byte for byte.
constexpr std::string_view kAnswer = R"(private_key=4894d36ceb653e22582e5b393bd0a5e3614e4a6e43846886d40b61a6d167504d
listen_port=51820
public_key=7bdd2dd5af556f151602e9039a57d4cb0c32f1df4965f5d04f89b12682b2e836
preshared_key=8cb1e12835b50997f885b3b74cb919ccfd6bcc0d8712d1dde85c2b068874ca6f
protocol_version=1
endpoint=[2001:db8::33]:51821
last_handshake_time_sec=0
last_handshake_time_nsec=0
tx_bytes=0
rx_bytes=0
persistent_keepalive_interval=0
allowed_ip=172.16.201.5/32
public_key=9b086e86a796ee498c0dc99da74bd80644466c90fd4afaf4e2bd75c7ff0d0026
preshared_key=0000000000000000000000000000000000000000000000000000000000000000
protocol_version=1
endpoint=192.0.2.19:3233
last_handshake_time_sec=0
last_handshake_time_nsec=0
tx_bytes=0
rx_bytes=0
persistent_keepalive_interval=25
allowed_ip=192.168.50.0/24
allowed_ip=fd00::/64
errno=0

)";

std::string written(const WgChange& change) {
  std::string out;
  write_uapi_set(change, [&](std::string_view piece) { out += piece; });
  return out;
}

// kAnswer with its first `old` replaced.
std::string answer_with(std::string_view old, std::string_view fresh) {
  std::string out(kAnswer);
  out.replace(out.find(old), old.size(), fresh);
  return out;
}

PublicKey key(uint8_t byte) {
  PublicKey out;
  out.bytes.fill(byte);
  return out;
}

TEST(UapiAnswer, IsReadWithEveryPeer) {
  const auto read = parse_uapi_get(kAnswer);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->private_key->reveal_base64(), "SJTTbOtlPiJYLls5O9Cl42FOSm5DhGiG1AthptFnUE0=");
  EXPECT_EQ(read->device.listen_port, 51820);
  ASSERT_EQ(read->device.peers.size(), 2U);
  const auto& client = read->device.peers.at(*PublicKey::parse("e90t1a9VbxUWAukDmlfUywwy8d9JZfXQT4mxJoKy6DY="));
  EXPECT_EQ(client.endpoint, (UdpEndpoint{*IpAddress::parse("2001:db8::33"), 51821}));
  EXPECT_EQ(client.keepalive, 0);
  EXPECT_EQ(client.allowed_ips, std::set{*Prefix::parse("172.16.201.5/32")});
  const auto& site = read->device.peers.at(*PublicKey::parse("mwhuhqeW7kmMDcmdp0vYBkRGbJD9Svr04r11x/8NACY="));
  EXPECT_EQ(site.endpoint, (UdpEndpoint{*IpAddress::parse("192.0.2.19"), 3233}));
  EXPECT_EQ(site.keepalive, 25);
  EXPECT_EQ(site.allowed_ips, (std::set{*Prefix::parse("192.168.50.0/24"), *Prefix::parse("fd00::/64")}));
}

TEST(UapiAnswer, CarriesHandshakeAndCounters) {
  std::string text = answer_with("last_handshake_time_sec=0", "last_handshake_time_sec=1700000000");
  text.replace(text.find("tx_bytes=0"), 10, "tx_bytes=7");
  text.replace(text.find("rx_bytes=0"), 10, "rx_bytes=9");
  const auto read = parse_uapi_get(text).value();
  const auto& state = read.device.states.at(*PublicKey::parse("e90t1a9VbxUWAukDmlfUywwy8d9JZfXQT4mxJoKy6DY="));
  EXPECT_EQ(state, (WgPeerState{1700000000, 9, 7, UdpEndpoint{*IpAddress::parse("2001:db8::33"), 51821}}));
}

TEST(UapiAnswer, OfADeviceWithoutAKeyHasNone) {
  const auto read = parse_uapi_get("listen_port=0\nerrno=0\n\n");
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->private_key);
  EXPECT_TRUE(read->device.peers.empty());
}

TEST(UapiAnswer, WithAnErrnoOfEitherSignIsThatError) {
  EXPECT_EQ(parse_uapi_get("errno=-22\n\n").error().code, EINVAL);
  EXPECT_EQ(parse_uapi_set("errno=-98\n\n").error().code, EADDRINUSE);
  EXPECT_EQ(parse_uapi_set("errno=98\n\n").error().code, EADDRINUSE);
  EXPECT_TRUE(parse_uapi_set("errno=0\n\n"));
}

struct Broken {
  const char* what;
  std::string text;
};

TEST(UapiAnswer, ThatDoesNotFollowTheProtocolIsRefused) {
  const std::vector<Broken> all = {
      {"nothing", ""},
      {"no end", "listen_port=5\n"},
      {"no empty line", "errno=0\n"},
      {"no newline", "errno=0"},
      {"something behind the end", "errno=0\n\nx"},
      {"an empty line first", "\nerrno=0\n\n"},
      {"no equals sign", answer_with("listen_port=51820", "listen_port")},
      {"an unknown key", answer_with("listen_port", "listen_ports")},
      {"a port past 65535", answer_with("51820", "65536")},
      {"a negative port", answer_with("51820", "-1")},
      {"an empty port", answer_with("51820", "")},
      {"a port with a sign", answer_with("51820", "+51820")},
      {"a port with rest", answer_with("51820", "51820 ")},
      {"a key of the device given twice", answer_with("listen_port=51820", "listen_port=1\nlisten_port=2")},
      {"a short key", answer_with("4894d3", "4894d")},
      {"a long key", answer_with("4894d3", "4894d300")},
      {"a key in capitals", answer_with("4894d3", "4894D3")},
      {"a key that is not hexadecimal", answer_with("4894d3", "4894g3")},
      {"a preshared key that is not hexadecimal", answer_with("8cb1e1", "8cb1x1")},
      {"a key of a peer before any peer", "allowed_ip=10.0.0.0/8\nerrno=0\n\n"},
      {"a key of the device behind a peer", answer_with("tx_bytes=0", "listen_port=5")},
      {"a key of a peer given twice", answer_with("tx_bytes=0", "rx_bytes=0")},
      {"the same peer twice", answer_with("9b086e86a796ee498c0dc99da74bd80644466c90fd4afaf4e2bd75c7ff0d0026",
                                          "7bdd2dd5af556f151602e9039a57d4cb0c32f1df4965f5d04f89b12682b2e836")},
      {"the same allowed IP twice", answer_with("fd00::/64", "192.168.50.0/24")},
      {"an allowed IP with host bits", answer_with("192.168.50.0/24", "192.168.50.1/24")},
      {"an allowed IP without a length", answer_with("172.16.201.5/32", "172.16.201.5")},
      {"another version", answer_with("protocol_version=1", "protocol_version=2")},
      {"too many nanoseconds", answer_with("nsec=0", "nsec=1000000000")},
      {"a negative handshake", answer_with("time_sec=0", "time_sec=-1")},
      {"a counter past 64 bits", answer_with("rx_bytes=0", "rx_bytes=18446744073709551616")},
      {"a keepalive past 65535", answer_with("interval=25", "interval=65536")},
      {"an endpoint without a port", answer_with("192.0.2.19:3233", "192.0.2.19")},
      {"an IPv6 endpoint without brackets", answer_with("[2001:db8::33]:51821", "2001:db8::33:51821")},
      {"an IPv4 endpoint in brackets", answer_with("192.0.2.19:3233", "[192.0.2.19]:3233")},
      {"an endpoint that is a name", answer_with("192.0.2.19:3233", "host:3233")},
      {"an errno out of range", "errno=4096\n\n"},
      {"an errno that is no number", "errno=x\n\n"},
      {"two signs", "errno=--1\n\n"},
  };
  for (const auto& broken : all) {
    const auto read = parse_uapi_get(broken.text);
    ASSERT_FALSE(read) << broken.what;
    EXPECT_EQ(read.error().code, EBADMSG) << broken.what;
  }
  EXPECT_EQ(parse_uapi_get(all[10].text).error().object, "line 2");
  EXPECT_EQ(parse_uapi_set(kAnswer).error().code, EBADMSG);
}

TEST(UapiAnswer, OfALinkLocalPeerLosesItsScope) {
  const auto read = parse_uapi_get(answer_with("[2001:db8::33]", "[fe80::1%eth0]")).value();
  const auto& client = read.device.peers.at(*PublicKey::parse("e90t1a9VbxUWAukDmlfUywwy8d9JZfXQT4mxJoKy6DY="));
  EXPECT_EQ(client.endpoint->address.str(), "fe80::1");
}

TEST(UapiAnswer, CutOffAnywhereIsRefused) {
  for (size_t size = 0; size < kAnswer.size(); ++size) EXPECT_FALSE(parse_uapi_get(kAnswer.substr(0, size))) << size;
}

TEST(UapiSet, WritesRemovalsBeforePeersAndOnlyWhatIsGiven) {
  WgChange change;
  change.listen_port = 51820;
  change.remove = {key(1)};
  change.set[key(2)] = {UdpEndpoint{*IpAddress::parse("fd00::9"), 443}, 25, {*Prefix::parse("10.1.0.0/16")}};
  change.set[key(3)] = {std::nullopt, 0, {}};
  EXPECT_EQ(written(change),
            "set=1\nlisten_port=51820\n"
            "public_key=0101010101010101010101010101010101010101010101010101010101010101\nremove=true\n"
            "public_key=0202020202020202020202020202020202020202020202020202020202020202\nendpoint=[fd00::9]:443\n"
            "persistent_keepalive_interval=25\nreplace_allowed_ips=true\nallowed_ip=10.1.0.0/16\n"
            "public_key=0303030303030303030303030303030303030303030303030303030303030303\n"
            "persistent_keepalive_interval=0\nreplace_allowed_ips=true\n\n");
}

TEST(UapiSet, WritesThePrivateKeyInHexadecimal) {
  WgChange change;
  std::array<uint8_t, kWireGuardKeySize> bytes{};
  bytes.fill(0xa5);
  change.private_key = SecretKey(bytes);
  std::string expected = "set=1\nprivate_key=";
  for (int i = 0; i < 32; ++i) expected += "a5";
  EXPECT_EQ(written(change), expected + "\n\n");
}

TEST(UapiSet, ComesInPiecesThatStayBounded) {
  WgChange change;
  for (int i = 0; i < 2000; ++i) {
    PublicKey number;
    number.bytes[0] = static_cast<uint8_t>(i);
    number.bytes[1] = static_cast<uint8_t>(i >> 8);
    change.set[number].allowed_ips = {*Prefix::parse("10.0.0.0/8")};
  }
  size_t pieces = 0;
  size_t longest = 0;
  write_uapi_set(change, [&](std::string_view piece) {
    ++pieces;
    longest = std::max(longest, piece.size());
  });
  EXPECT_GT(pieces, 10U);
  EXPECT_LT(longest, size_t{17} << 10U);
}

}  // namespace
}  // namespace gw::nl
