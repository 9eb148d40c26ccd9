// SPDX-License-Identifier: Apache-2.0
// What the guard lets on to the stack and what it drops, frame by frame, in XDP and at TC.
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <chrono>

#include "bpf/reasons.h"
#include "tests/bpf/programs/guard_world.h"

namespace gw::test {
namespace {

Bytes cut(Bytes bytes, size_t size) {
  bytes.resize(size);
  return bytes;
}
Bytes with_byte(Bytes bytes, size_t at, uint8_t value) {
  bytes.at(at) = value;
  return bytes;
}
Bytes flipped(Bytes bytes, size_t at) {
  bytes.at(at) ^= 1U;
  return bytes;
}

struct MessageCase {
  const char* description;
  Bytes message;
  gw_reason verdict;
};

std::vector<MessageCase> message_cases(const PublicKey& key) {
  const PublicKey other = some_key(2);
  return {
      {"an initiation for us", initiation(key), GW_REASON_NONE},
      {"another initiation for us", initiation(key, 7), GW_REASON_NONE},
      {"an initiation with a cookie (mac2)", with_byte(initiation(key), 140, 9), GW_REASON_NONE},
      {"an initiation for somebody else", initiation(other), GW_REASON_WG_MAC1},
      {"an initiation without mac1", forged_initiation(), GW_REASON_WG_MAC1},
      {"an initiation of zeros", with_byte(Bytes(148), 0, 1), GW_REASON_WG_MAC1},
      {"an initiation with its first covered byte changed", flipped(initiation(key), 4), GW_REASON_WG_MAC1},
      {"an initiation with its last covered byte changed", flipped(initiation(key), 115), GW_REASON_WG_MAC1},
      {"an initiation with the first byte of mac1 changed", flipped(initiation(key), 116), GW_REASON_WG_MAC1},
      {"an initiation with the last byte of mac1 changed", flipped(initiation(key), 131), GW_REASON_WG_MAC1},
      {"an initiation with byte 63 changed", flipped(initiation(key), 63), GW_REASON_WG_MAC1},
      {"an initiation with byte 64 changed", flipped(initiation(key), 64), GW_REASON_WG_MAC1},
      {"an initiation one byte short", cut(initiation(key), 147), GW_REASON_WG_LENGTH},
      {"an initiation one byte long", cut(initiation(key), 149), GW_REASON_WG_LENGTH},
      {"a response for us", response(key), GW_REASON_NONE},
      {"a response for somebody else", response(other), GW_REASON_WG_MAC1},
      {"a response without mac1", forged_response(), GW_REASON_WG_MAC1},
      {"a response with its first covered byte changed", flipped(response(key), 4), GW_REASON_WG_MAC1},
      {"a response with its last covered byte changed", flipped(response(key), 59), GW_REASON_WG_MAC1},
      {"a response with the last byte of mac1 changed", flipped(response(key), 75), GW_REASON_WG_MAC1},
      {"a response with a cookie (mac2)", with_byte(response(key), 80, 9), GW_REASON_NONE},
      {"a response one byte short", cut(response(key), 91), GW_REASON_WG_LENGTH},
      {"a response one byte long", cut(response(key), 93), GW_REASON_WG_LENGTH},
      {"a response as long as an initiation", cut(response(key), 148), GW_REASON_WG_LENGTH},
      {"a cookie reply", cookie_reply(), GW_REASON_NONE},
      {"a cookie reply one byte short", cut(cookie_reply(), 63), GW_REASON_WG_LENGTH},
      {"a cookie reply one byte long", cut(cookie_reply(), 65), GW_REASON_WG_LENGTH},
      {"a keepalive", transport_data(), GW_REASON_NONE},
      {"data of a full packet", transport_data(1440), GW_REASON_NONE},
      {"data as long as an initiation", transport_data(148), GW_REASON_NONE},
      {"data shorter than a keepalive", transport_data(31), GW_REASON_WG_LENGTH},
      {"type 0", with_byte(transport_data(), 0, 0), GW_REASON_WG_TYPE},
      {"type 5", with_byte(transport_data(), 0, 5), GW_REASON_WG_TYPE},
      {"type 255", with_byte(transport_data(), 0, 255), GW_REASON_WG_TYPE},
      {"data with a reserved byte set", with_byte(transport_data(), 1, 1), GW_REASON_WG_TYPE},
      {"an initiation with a reserved byte set", with_byte(initiation(key), 3, 1), GW_REASON_WG_TYPE},
      {"DNS", {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1}, GW_REASON_WG_TYPE},
      {"text", {'h', 'e', 'l', 'l', 'o'}, GW_REASON_WG_TYPE},
      {"three bytes", {4, 0, 0}, GW_REASON_WG_LENGTH},
      {"the type alone", {4, 0, 0, 0}, GW_REASON_WG_LENGTH},
      {"nothing", {}, GW_REASON_WG_LENGTH},
  };
}

TEST_F(GuardWorld, KnowsWhatCanBeAWireGuardMessage) {
  for (const auto& [description, message, verdict] : message_cases(key)) {
    EXPECT_EQ(run(to_gateway(message).ethernet()), verdict) << "IPv4: " << description;
    EXPECT_EQ(run(to_gateway_v6(message).ethernet()), verdict) << "IPv6: " << description;
    EXPECT_EQ(run(to_gateway(message).ethernet({20})), verdict) << "IPv4, tagged: " << description;
    EXPECT_EQ(run(to_gateway_v6(message).ethernet({0})), verdict) << "IPv6, tagged: " << description;
  }
}

TEST_F(GuardWorld, LooksForMessagesOnlyOnTheWireGuardPortOfTheGateway) {
  const Bytes garbage = forged_initiation();
  EXPECT_EQ(run((ipv4("198.51.100.7", "192.0.2.9") / udp(kWireGuardPort).carrying(garbage)).ethernet()), GW_REASON_NONE)
      << "a stranger to a stranger";
  EXPECT_EQ(run((ipv6("2001:db8::7", "2001:db8::9") / udp(kWireGuardPort).carrying(garbage)).ethernet()),
            GW_REASON_NONE);
  EXPECT_EQ(run((ipv4("198.51.100.7", kPublicV4) / udp(53).carrying(garbage)).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run((ipv4("198.51.100.7", kPublicV4) / tcp(kWireGuardPort)).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run((ipv4("198.51.100.7", kPublicV4) / icmp(8)).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run((ipv4("198.51.100.7", kGatewayV4) / udp(kWireGuardPort).carrying(garbage)).ethernet()),
            GW_REASON_WG_MAC1)
      << "every address of the gateway answers on that port";
}

TEST_F(GuardWorld, LetsNobodyFromThePublicSideIntoTheNetworksBehind) {
  for (const char* inside : {kWebV4, kDataV4, kAliceV4}) {
    EXPECT_EQ(run((ipv4("198.51.100.7", inside) / udp(53)).ethernet()), GW_REASON_OUTSIDE) << inside;
    EXPECT_EQ(run((ipv4(kWebV4, inside) / tcp(22)).ethernet()), GW_REASON_OUTSIDE) << "not from there either";
    EXPECT_EQ(run((ipv4("198.51.100.7", inside) / icmp(8)).ethernet({0})), GW_REASON_OUTSIDE) << "VID 0 is no VLAN";
    EXPECT_EQ(run((ipv4("198.51.100.7", inside) / udp(53)).ethernet({20})), GW_REASON_NONE)
        << "a VLAN on that card has its own program";
  }
  for (const char* inside : {kWebV6, kAliceV6})
    EXPECT_EQ(run((ipv6("2001:db8::7", inside) / tcp(22)).ethernet()), GW_REASON_OUTSIDE) << inside;
  EXPECT_EQ(run((ipv4("198.51.100.7", "172.16.201.200") / udp(53)).ethernet()), GW_REASON_OUTSIDE)
      << "no client has it now, but it is the VPN's";
}

TEST_F(GuardWorld, LeavesTheNetworksBehindToThePolicyWhereTheyShareTheInterface) {
  constexpr uint32_t kTestRunDevice = 1;  // lo
  const auto links = policy->map<uint32_t, gw_link>("gw_links");
  gw_link shared{};
  shared.link = 7;
  shared.flags = GW_LINK_PUBLIC;
  ASSERT_TRUE(links.put(kTestRunDevice, shared));
  EXPECT_EQ(run((ipv4("198.51.100.7", kWebV4) / udp(53)).ethernet()), GW_REASON_NONE);
  ASSERT_TRUE(links.erase(kTestRunDevice));
  EXPECT_EQ(run((ipv4("198.51.100.7", kWebV4) / udp(53)).ethernet()), GW_REASON_OUTSIDE);
}

TEST_F(GuardWorld, WithoutWireGuardChecksNoMessages) {
  ASSERT_TRUE(policy->dataplane().put_guard({}));
  EXPECT_EQ(run(to_gateway(forged_initiation()).ethernet()), GW_REASON_NONE);
}

TEST_F(GuardWorld, LeavesWhatIsNotIpToTheStack) {
  const Bytes good = to_gateway(forged_initiation()).ethernet();
  for (size_t size = 14; size < 34; ++size) EXPECT_EQ(run(cut(good, size), Guarded::xdp), GW_REASON_NONE) << size;
  EXPECT_EQ(run(with_byte(good, 12, 0x88)), GW_REASON_NONE) << "no IP";
  EXPECT_EQ(run(with_byte(good, 14, 0x65)), GW_REASON_NONE) << "version 6 in IPv4";
  EXPECT_EQ(run(with_byte(good, 14, 0x44)), GW_REASON_NONE) << "a header of 16 bytes";
  EXPECT_EQ(run(with_byte(with_byte(good, 12, 0x08), 13, 0x06)), GW_REASON_NONE) << "ARP";
  EXPECT_EQ(run(to_gateway(forged_initiation()).ethernet({20, 30})), GW_REASON_NONE) << "two tags";
}

TEST_F(GuardWorld, FollowsOptionsAndExtensionHeaders) {
  const Bytes plain = to_gateway(forged_initiation()).layer3();
  Bytes options(plain.begin(), plain.begin() + 20);
  options[0] = 0x47;  // two words of no-operation
  options[3] = static_cast<uint8_t>(options[3] + 8);
  options.insert(options.end(), 8, 1);
  options.insert(options.end(), plain.begin() + 20, plain.end());
  EXPECT_EQ(run(framed(options)), GW_REASON_WG_MAC1);
  const Bytes six_of_padding = {0, 1, 4, 0, 0, 0, 0};
  Packet packet = to_gateway_v6(forged_initiation());
  for (int headers = 1; headers < 6; ++headers) {
    packet = packet.extended(IPPROTO_DSTOPTS, six_of_padding);
    EXPECT_EQ(run(packet.ethernet()), GW_REASON_WG_MAC1) << headers;
  }
  EXPECT_EQ(run(packet.extended(IPPROTO_DSTOPTS, six_of_padding).ethernet()), GW_REASON_MALFORMED) << "no end of them";
  EXPECT_EQ(run(to_gateway_v6(initiation(key)).extended(IPPROTO_HOPOPTS, six_of_padding).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run(to_gateway_v6({}).extended(IPPROTO_DSTOPTS, {200, 1, 4, 0, 0, 0, 0}).ethernet()), GW_REASON_MALFORMED)
      << "longer than the packet";
}

TEST_F(GuardWorld, BelievesTheUdpHeaderNoFurtherThanIp) {
  const auto udp_length = [&](uint16_t length) {
    Bytes frame = to_gateway(initiation(key)).ethernet();
    frame.at(14 + 20 + 4) = static_cast<uint8_t>(length >> 8U);
    frame.at(14 + 20 + 5) = static_cast<uint8_t>(length);
    return frame;
  };
  EXPECT_EQ(run(udp_length(156)), GW_REASON_NONE);
  EXPECT_EQ(run(udp_length(157)), GW_REASON_WG_LENGTH);
  EXPECT_EQ(run(udp_length(155)), GW_REASON_WG_LENGTH);
  EXPECT_EQ(run(udp_length(7)), GW_REASON_WG_LENGTH);
  EXPECT_EQ(run(udp_length(0)), GW_REASON_NONE) << "RFC 2675: as long as IP says";
  EXPECT_EQ(run(cut(to_gateway(initiation(key)).ethernet(), 150)), GW_REASON_WG_LENGTH) << "the frame was cut";
  Bytes padded = to_gateway(transport_data()).ethernet();
  padded.resize(padded.size() + 20);
  EXPECT_EQ(run(padded), GW_REASON_NONE) << "Ethernet pads";
}

TEST_F(GuardWorld, LetsDataComeInFragmentsButNoHandshake) {
  const auto pieces = [&](const Bytes& message, size_t at) { return fragments(to_gateway(message), at, 77); };
  EXPECT_EQ(run(framed(pieces(transport_data(1440), 1208).first)), GW_REASON_NONE);
  EXPECT_EQ(run(framed(pieces(transport_data(1440), 1208).second)), GW_REASON_NONE);
  EXPECT_EQ(run(framed(pieces(initiation(key), 64).first)), GW_REASON_WG_FRAGMENT);
  EXPECT_EQ(run(framed(pieces(response(key), 64).first)), GW_REASON_WG_FRAGMENT);
  EXPECT_EQ(run(framed(pieces(cookie_reply(), 32).first)), GW_REASON_WG_FRAGMENT);
  EXPECT_EQ(run(framed(pieces(transport_data(1440), 8).first)), GW_REASON_WG_FRAGMENT) << "the type is not in it";
  EXPECT_EQ(run(framed(pieces(transport_data(1440), 16).first)), GW_REASON_NONE);
  Bytes odd = pieces(transport_data(1440), 16).first;
  odd.at(3) = 20 + 12;  // the stack rounds a first fragment down to 8s, and takes the type from another one
  EXPECT_EQ(run(framed(odd)), GW_REASON_WG_FRAGMENT);
  odd.at(3) = 20 + 7;
  EXPECT_EQ(run(framed(odd)), GW_REASON_FRAGMENT) << "not even the ports are in it";

  const auto v6 = [&](const Bytes& message, size_t at) { return fragments(to_gateway_v6(message), at, 77); };
  EXPECT_EQ(run(framed(v6(transport_data(1440), 1208).first)), GW_REASON_NONE);
  EXPECT_EQ(run(framed(v6(transport_data(1440), 1208).second)), GW_REASON_NONE);
  EXPECT_EQ(run(framed(v6(initiation(key), 64).first)), GW_REASON_WG_FRAGMENT);
  const Bytes whole = {0, 0, 0, 0, 0, 0, 7};  // RFC 6946: a fragment that is all there is
  EXPECT_EQ(run(to_gateway_v6(initiation(key)).extended(IPPROTO_FRAGMENT, whole).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run(to_gateway_v6(forged_initiation()).extended(IPPROTO_FRAGMENT, whole).ethernet()), GW_REASON_WG_MAC1);
  EXPECT_EQ(run(to_gateway_v6(initiation(key))
                    .extended(IPPROTO_FRAGMENT, whole)
                    .extended(IPPROTO_FRAGMENT, whole)
                    .ethernet()),
            GW_REASON_MALFORMED);
}

TEST_F(GuardWorld, LooksAtEverySegmentOfWhatTheStackPutTogether) {
  const auto together = [](const std::vector<Bytes>& messages) {
    Bytes all;
    for (const Bytes& message : messages) all.insert(all.end(), message.begin(), message.end());
    return to_gateway(all).ethernet();
  };
  const Bytes data = transport_data(148);
  EXPECT_EQ(run(together({data, data, data}), Guarded::tc, 148), GW_REASON_NONE);
  EXPECT_EQ(run(together({data, initiation(key), data}), Guarded::tc, 148), GW_REASON_NONE);
  EXPECT_EQ(run(together({data, forged_initiation(), data}), Guarded::tc, 148), GW_REASON_WG_MAC1);
  EXPECT_EQ(run(together({data, data, forged_initiation()}), Guarded::tc, 148), GW_REASON_WG_MAC1);
  EXPECT_EQ(run(together({transport_data(1200), transport_data(1200), forged_initiation()}), Guarded::tc, 1200),
            GW_REASON_WG_MAC1)
      << "the last one may be shorter";
  EXPECT_EQ(run(together({transport_data(1200), transport_data(1200), initiation(key)}), Guarded::tc, 1200),
            GW_REASON_NONE);
  EXPECT_EQ(run(together({transport_data(1200), transport_data(16)}), Guarded::tc, 1200), GW_REASON_WG_LENGTH);
}

TEST_F(GuardWorld, BlocksWhatIsOnTheDenyListFromEveryServiceOfTheGateway) {
  auto& dataplane = policy->dataplane();
  ASSERT_TRUE(dataplane.put_block(*Prefix::parse("198.51.100.0/24"), UINT64_MAX));
  ASSERT_TRUE(dataplane.put_block(*Prefix::parse("2001:db8:bad::/48"), UINT64_MAX));
  EXPECT_EQ(run(to_gateway(initiation(key)).ethernet()), GW_REASON_BLOCKED);
  EXPECT_EQ(run(to_gateway(initiation(key)).ethernet({20})), GW_REASON_BLOCKED);
  EXPECT_EQ(run((ipv4("198.51.100.255", kPublicV4) / tcp(22)).ethernet()), GW_REASON_BLOCKED);
  EXPECT_EQ(run((ipv4("198.51.100.0", kPublicV4) / icmp(8)).ethernet()), GW_REASON_BLOCKED);
  EXPECT_EQ(run(framed(fragments(to_gateway(transport_data(1440)), 1208, 7).second)), GW_REASON_BLOCKED);
  EXPECT_EQ(run((ipv4("198.51.101.0", kPublicV4) / tcp(22)).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run((ipv4("198.51.100.7", "192.0.2.9") / tcp(22)).ethernet()), GW_REASON_NONE) << "not to the gateway";
  EXPECT_EQ(run((ipv6("2001:db8:bad::7", kPublicV6) / tcp(22)).ethernet()), GW_REASON_BLOCKED);
  EXPECT_EQ(run((ipv6("2001:db8:bae::7", kPublicV6) / tcp(22)).ethernet()), GW_REASON_NONE);
  ASSERT_TRUE(dataplane.erase_block(*Prefix::parse("198.51.100.0/24")));
  EXPECT_EQ(run((ipv4("198.51.100.255", kPublicV4) / tcp(22)).ethernet()), GW_REASON_NONE);
}

TEST_F(GuardWorld, BlocksUntilTheBlockEnds) {
  const auto state = policy->map<uint32_t, gw_state>("gw_state").find(0).value().value();
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const uint64_t wall = static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(state.wall_offset_ns);
  auto& dataplane = policy->dataplane();
  const Prefix prefix = *Prefix::parse("198.51.100.7");
  ASSERT_TRUE(dataplane.put_block(prefix, wall + 60'000'000'000));
  EXPECT_EQ(run((ipv4("198.51.100.7", kPublicV4) / tcp(22)).ethernet()), GW_REASON_BLOCKED);
  ASSERT_TRUE(dataplane.put_block(prefix, wall - 60'000'000'000));
  EXPECT_EQ(run((ipv4("198.51.100.7", kPublicV4) / tcp(22)).ethernet()), GW_REASON_NONE);
}

TEST_F(GuardWorld, LimitsTheInitiationsOfOneSourceOnlyWhenTold) {
  const Bytes from_one = to_gateway(initiation(key)).ethernet();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(run(from_one, Guarded::xdp), GW_REASON_NONE) << "no limit by default";
  put_guard(5);
  int passed = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) passed += run(from_one, Guarded::tc) == GW_REASON_NONE ? 1 : 0;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(passed, 2) << "a source may be a second ahead";
  EXPECT_LE(passed, 5 * (took.count() + 1) + 2);
  EXPECT_LT(passed, 100);
  EXPECT_EQ(run(to_gateway(initiation(key), "198.51.100.8").ethernet()), GW_REASON_NONE) << "another source";
  EXPECT_EQ(run(to_gateway(response(key)).ethernet()), GW_REASON_NONE) << "only initiations count";
  EXPECT_EQ(run(to_gateway(transport_data()).ethernet()), GW_REASON_NONE);
}

TEST_F(GuardWorld, SpendsNobodysShareOnForgedInitiations) {
  put_guard(5);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(run(to_gateway(forged_initiation()).ethernet()), GW_REASON_WG_MAC1);
  EXPECT_EQ(run(to_gateway(initiation(key)).ethernet(), Guarded::xdp), GW_REASON_NONE);
}

TEST_F(GuardWorld, TakesAnIpv6NetworkOf64BitsForOneSource) {
  put_guard(5);
  const auto from = [&](int host) {
    return to_gateway_v6(initiation(key), ("2001:db8::" + std::to_string(host)).c_str()).ethernet();
  };
  gw_reason last = GW_REASON_NONE;
  for (int host = 1; host < 50; ++host) last = run(from(host), Guarded::tc);
  EXPECT_EQ(last, GW_REASON_WG_RATE);
  EXPECT_EQ(run(to_gateway_v6(initiation(key), "2001:db8:0:1::1").ethernet(), Guarded::tc), GW_REASON_NONE);
}

TEST_F(GuardWorld, RefusesMappedAddressesOnTheWire) {
  EXPECT_EQ(run((ipv6("2001:db8::7", "::ffff:203.0.113.1") / tcp(22)).ethernet()), GW_REASON_MALFORMED);
  EXPECT_EQ(run((ipv6("::ffff:198.51.100.7", kPublicV6) / tcp(22)).ethernet()), GW_REASON_MALFORMED);
}

TEST_F(GuardWorld, SettingsAreReadBack) {
  auto& dataplane = policy->dataplane();
  const bpf::Guard guard{.port = 4500, .initiations = 9, .public_key = some_key(3)};
  ASSERT_TRUE(dataplane.put_guard(guard));
  EXPECT_EQ(dataplane.guard().value(), guard);
  const auto map = policy->map<uint32_t, gw_guard>("gw_guard");
  gw_guard entry = map.find(0).value().value();
  entry.mac1[0] ^= 1U;
  ASSERT_TRUE(map.put(0, entry));
  EXPECT_EQ(dataplane.guard().value(), bpf::Guard()) << "it would refuse every handshake";
}

TEST_F(GuardWorld, BlocksAreReadBackAndRefusedWhenTheyDoNotFit) {
  auto& dataplane = policy->dataplane();
  const bpf::Blocks blocks = {{*Prefix::parse("0.0.0.0/0"), 1},
                              {*Prefix::parse("10.0.0.0/8"), UINT64_MAX},
                              {*Prefix::parse("10.1.2.3/32"), 3},
                              {*Prefix::parse("2001:db8::/32"), 4}};
  for (const auto& [prefix, until] : blocks) ASSERT_TRUE(dataplane.put_block(prefix, until));
  EXPECT_EQ(dataplane.blocks().value(), blocks);
  EXPECT_TRUE(dataplane.erase_block(*Prefix::parse("192.0.2.0/24"))) << "was not there";
  EXPECT_EQ(dataplane.put_block(*Prefix::parse("::/0"), 1).error().code, EINVAL);
  for (uint32_t i = 0; i < GW_MAX_BLOCKS - blocks.size(); ++i) {
    const IpAddress address{Family::v4, {100, 64, static_cast<uint8_t>(i >> 8U), static_cast<uint8_t>(i)}};
    ASSERT_TRUE(dataplane.put_block(Prefix::host(address), 1));
  }
  EXPECT_EQ(dataplane.put_block(*Prefix::parse("192.0.2.7"), 1).error().code, ENOSPC);
}

TEST_F(GuardWorld, AgreesWithTheReferenceOnAllMessages) {
  const GuardScene scene{.public_key = key, .ours = {IpAddress::parse(kPublicV4).value()}, .blocks = {}};
  for (const auto& [description, message, verdict] : message_cases(key))
    EXPECT_EQ(guard_reference(to_gateway(message).ethernet(), scene, false), verdict) << description;
}

}  // namespace
}  // namespace gw::test
