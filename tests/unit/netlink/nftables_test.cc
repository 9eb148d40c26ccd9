// SPDX-License-Identifier: Apache-2.0
#include "netlink/nftables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

namespace gw::nl {
namespace {

using Json = nlohmann::json;

Frame frame() {
  Frame out;
  out.public_interface = "eth0";
  out.vpn_interface = "wg0";
  out.inner_interfaces = {"eth1", "eth1.20"};
  out.wireguard_port = 51820;
  out.open = {{"tcp", 22, 22}, {"udp", 60000, 61000}, {"icmp", 0, 0}};
  out.masquerade = true;
  out.masquerade_out = {"eth0"};
  out.mark_allow = 1;
  out.mark_nat = 2;
  out.mark_reject = 4;
  return out;
}

Json commands(const Frame& of) { return Json::parse(render(of)).at("nftables"); }

/// The expressions of the chain's rules, in order, each as one line of JSON.
std::vector<std::string> rules(const Frame& of, const std::string& chain) {
  std::vector<std::string> out;
  for (const auto& command : commands(of)) {
    const auto& added = command.contains("add") ? command["add"] : Json::object();
    if (added.contains("rule") && added["rule"]["chain"] == chain) out.push_back(added["rule"]["expr"].dump());
  }
  return out;
}

bool has_chain(const Frame& of, const std::string& chain) {
  const Json all = commands(of);
  return std::ranges::any_of(all, [&](const Json& command) {
    return command.contains("add") && command["add"].contains("chain") && command["add"]["chain"]["name"] == chain;
  });
}

struct Change {
  const char* what;
  std::function<void(Frame&)> apply;
};

TEST(RenderedFrame, ReplacesTheWholeTableInOneTransaction) {
  const Json all = commands(frame());
  const Json table = {{"table", {{"family", "inet"}, {"name", "gatewayd"}}}};
  EXPECT_EQ(all[0], (Json{{"add", table}}));
  EXPECT_EQ(all[1], (Json{{"delete", table}}));
  EXPECT_EQ(all[2], (Json{{"add", table}}));
  for (size_t i = 3; i < all.size(); ++i) {
    const Json& object = all[i].at("add").begin().value();
    EXPECT_EQ(object.at("table"), "gatewayd") << i;
    EXPECT_EQ(object.at("family"), "inet") << i;
  }
}

TEST(RenderedFrame, KeepsPlainAllowedFlowsAndWireGuardOutOfConnectionTracking) {
  const auto raw = rules(frame(), "prerouting");
  ASSERT_EQ(raw.size(), 2U);
  EXPECT_EQ(
      raw[1],
      R"([{"match":{"left":{"meta":{"key":"iifname"}},"op":"==","right":"eth0"}},)"
      R"({"match":{"left":{"payload":{"field":"dport","protocol":"udp"}},"op":"==","right":51820}},{"notrack":null}])");
  EXPECT_EQ(raw[0], R"([{"match":{"left":{"&":[{"meta":{"key":"mark"}},3]},"op":"==","right":1}},{"notrack":null}])");
}

TEST(RenderedFrame, MatchesMarksUnderTheirOwnBitsOnly) {
  const auto forward = rules(frame(), "forward");
  EXPECT_EQ(
      forward[1],
      R"([{"match":{"left":{"&":[{"meta":{"key":"mark"}},4]},"op":"==","right":4}},{"goto":{"target":"rejected"}}])");
  EXPECT_EQ(
      forward[0],
      R"([{"match":{"left":{"&":[{"meta":{"key":"mark"}},1]},"op":"==","right":1}},{"goto":{"target":"allowed"}}])");
}

TEST(RenderedFrame, EndsForwardingByDroppingWhatTouchesOurInterfaces) {
  const auto forward = rules(frame(), "forward");
  ASSERT_EQ(forward.size(), 5U);
  for (size_t i : {3U, 4U}) {
    EXPECT_NE(forward[i].find(R"({"set":["wg0","eth1","eth1.20"]})"), std::string::npos);
    EXPECT_NE(forward[i].find(R"({"drop":null})"), std::string::npos);
  }
}

TEST(RenderedFrame, OfAnApplianceDropsAllOtherForwarding) {
  Frame appliance = frame();
  appliance.drop_foreign_forward = true;
  EXPECT_EQ(rules(appliance, "forward").back(), R"([{"counter":null},{"drop":null}])");
}

TEST(RenderedFrame, OfOneCardDropsWhatTurnsAroundOnItAndLeavesForeignForwardingThroughIt) {
  Frame one_card = frame();
  one_card.inner_interfaces = {"eth0"};
  const auto forward = rules(one_card, "forward");
  ASSERT_EQ(forward.size(), 6U);
  EXPECT_EQ(forward[3].find("eth0"), std::string::npos);
  EXPECT_EQ(forward[4].find("eth0"), std::string::npos);
  EXPECT_EQ(
      forward[5],
      R"([{"match":{"left":{"meta":{"key":"iifname"}},"op":"==","right":"eth0"}},)"
      R"({"match":{"left":{"meta":{"key":"oifname"}},"op":"==","right":"eth0"}},{"counter":null},{"drop":null}])");
}

TEST(RenderedFrame, OpensThePublicSideForWhatIsNamed) {
  const auto outside = rules(frame(), "outside");
  const auto opens = [&](const std::string& text) {
    return std::ranges::any_of(outside, [&](const std::string& rule) {
      return rule.find(text) != std::string::npos && rule.find(R"({"accept":null})") != std::string::npos;
    });
  };
  EXPECT_TRUE(opens(R"("right":51820)"));
  EXPECT_TRUE(opens(R"({"field":"dport","protocol":"tcp"}},"op":"==","right":22)"));
  EXPECT_TRUE(opens(R"({"field":"dport","protocol":"udp"}},"op":"==","right":{"range":[60000,61000]})"));
  EXPECT_TRUE(opens(R"({"field":"type","protocol":"icmp"}},"op":"==","right":"echo-request")"));
  EXPECT_TRUE(opens(R"({"field":"type","protocol":"icmpv6"}},"op":"==","right":"echo-request")"));
  EXPECT_EQ(outside.back(), R"([{"counter":null},{"drop":null}])");
}

TEST(RenderedFrame, OpensProtocolsWithoutPortsAndEverythingWhereThatIsNamed) {
  Frame wide = frame();
  wide.open = {{"proto", 47, 47}, {"proto", 50, 51}};
  EXPECT_THAT(
      rules(wide, "outside"),
      testing::IsSupersetOf(
          {R"([{"match":{"left":{"meta":{"key":"l4proto"}},"op":"==","right":47}},{"accept":null}])",
           R"([{"match":{"left":{"meta":{"key":"l4proto"}},"op":"==","right":{"range":[50,51]}}},{"accept":null}])"}));
  wide.open = {{"any", 0, UINT16_MAX}};
  EXPECT_THAT(rules(wide, "outside"), testing::Contains(R"([{"accept":null}])"));
  wide.open = {{"proto", 47, 256}};
  EXPECT_FALSE(validate(wide));
}

TEST(RenderedFrame, TranslatesAddressesOnlyWhereAsked) {
  EXPECT_EQ(rules(frame(), "postrouting"),
            std::vector<std::string>{R"([{"match":{"left":{"meta":{"key":"oifname"}},"op":"==","right":"eth0"}},)"
                                     R"({"match":{"left":{"&":[{"meta":{"key":"mark"}},3]},"op":"==","right":3}},)"
                                     R"({"masquerade":null}])"});
  Frame without = frame();
  without.masquerade = false;
  EXPECT_FALSE(has_chain(without, "postrouting"));
}

TEST(FrameFingerprint, HasThirtyTwoDigitsAndIsTheSameForTheSameFrame) {
  EXPECT_EQ(fingerprint(frame()).size(), 32U);
  EXPECT_EQ(fingerprint(frame()).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(fingerprint(frame()), fingerprint(frame()));
}

TEST(FrameFingerprint, ChangesWithEveryFact) {
  const std::vector<Change> changes = {
      {"table", [](Frame& of) { of.table = "other"; }},
      {"public interface", [](Frame& of) { of.public_interface = "eth9"; }},
      {"VPN interface", [](Frame& of) { of.vpn_interface = "wg9"; }},
      {"inner interfaces", [](Frame& of) { of.inner_interfaces.pop_back(); }},
      {"port", [](Frame& of) { of.wireguard_port = 51821; }},
      {"service", [](Frame& of) { of.open.pop_back(); }},
      {"range of a service", [](Frame& of) { of.open[1].last = 60999; }},
      {"masquerade", [](Frame& of) { of.masquerade = false; }},
      {"masquerade device", [](Frame& of) { of.masquerade_out = {"eth2"}; }},
      {"foreign forwarding", [](Frame& of) { of.drop_foreign_forward = true; }},
      {"allow mark", [](Frame& of) { of.mark_allow = 16; }},
      {"NAT mark", [](Frame& of) { of.mark_nat = 16; }},
      {"reject mark", [](Frame& of) { of.mark_reject = 16; }},
  };
  std::set<std::string> seen{fingerprint(frame())};
  for (const auto& change : changes) {
    Frame changed = frame();
    change.apply(changed);
    EXPECT_TRUE(seen.insert(fingerprint(changed)).second) << change.what;
  }
}

TEST(Frame, IsValidAsWeUseIt) { EXPECT_TRUE(validate(frame())); }

TEST(Frame, ThatMustNotBeLoadedIsRefused) {
  const std::vector<Change> changes = {
      {"no public interface", [](Frame& of) { of.public_interface = ""; }},
      {"no VPN interface", [](Frame& of) { of.vpn_interface = ""; }},
      {"a wildcard", [](Frame& of) { of.public_interface = "eth*"; }},
      {"a quote", [](Frame& of) { of.inner_interfaces = {"e\"h"}; }},
      {"a variable", [](Frame& of) { of.masquerade_out = {"$x"}; }},
      {"a long name", [](Frame& of) { of.vpn_interface = "sixteencharacter"; }},
      {"public and VPN the same", [](Frame& of) { of.vpn_interface = "eth0"; }},
      {"no table", [](Frame& of) { of.table = ""; }},
      {"a table with a space", [](Frame& of) { of.table = "a b"; }},
      {"no allow mark", [](Frame& of) { of.mark_allow = 0; }},
      {"no NAT mark", [](Frame& of) { of.mark_nat = 0; }},
      {"no reject mark", [](Frame& of) { of.mark_reject = 0; }},
      {"marks that share a bit", [](Frame& of) { of.mark_reject = 6; }},
      {"no port", [](Frame& of) { of.wireguard_port = 0; }},
      {"an unknown protocol", [](Frame& of) { of.open = {{"sctp", 1, 1}}; }},
      {"a service without a port", [](Frame& of) { of.open = {{"tcp", 0, 0}}; }},
      {"a range backwards", [](Frame& of) { of.open = {{"tcp", 9, 8}}; }},
  };
  for (const auto& change : changes) {
    Frame changed = frame();
    change.apply(changed);
    const auto valid = validate(changed);
    ASSERT_FALSE(valid) << change.what;
    EXPECT_EQ(valid.error().code, EINVAL) << change.what;
    EXPECT_FALSE(valid.error().detail.empty()) << change.what;
  }
}

}  // namespace
}  // namespace gw::nl
