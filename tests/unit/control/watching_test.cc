// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kOffset = 1'800'000'000'000'000'000;
constexpr uint64_t kNs = 1'000'000'000;

gw_addr addr(const std::string& text) {
  gw_addr out{};
  const auto bytes = IpAddress::parse(text)->mapped();
  std::memcpy(out.b, bytes.data(), bytes.size());
  return out;
}

gw_tuple tuple(const std::string& source, const std::string& destination, uint8_t proto, uint16_t port) {
  gw_tuple out{};
  out.src = addr(source);
  out.dst = addr(destination);
  out.sport = htons(40000);
  out.dport = htons(port);
  out.proto = proto;
  return out;
}

std::vector<std::string> lines(const control::FlowList& list) {
  std::vector<std::string> out;
  for (const auto& flow : list.flows) {
    out.push_back(flow.protocol + " " + flow.source + ">" + flow.destination + ":" +
                  std::to_string(flow.destination_port) + " " + flow.client + ">" + flow.to_client + " " + flow.rule +
                  " " + flow.state);
  }
  return out;
}

// What stands on a watcher's socket at this moment.
std::vector<nlohmann::json> records(const UniqueFd& fd) {
  std::vector<nlohmann::json> out;
  std::array<char, 4096> record{};
  for (;;) {
    const ssize_t size = ::recv(fd.get(), record.data(), record.size(), MSG_DONTWAIT);
    if (size <= 0) return out;
    out.push_back(nlohmann::json::parse(std::string(record.data(), static_cast<size_t>(size))));
  }
}

// alice (172.16.201.3) is a developer, bob (.4) is in ops.
class WatchingTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    write(kUsual);
    start();
    value_of(add("alice", {"developers"}));
    value_of(add("bob", {"ops"}));
  }

  gw_flow& track(const gw_tuple& tuple, uint32_t client, const std::string& rule, uint32_t flags) {
    apply::Flow flow;
    flow.key.lo_port = static_cast<uint16_t>(kernel_.tracked.size() + 1);
    flow.entry.orig = tuple;
    flow.entry.client[0] = client;
    flow.entry.rule = reconciler_->rule_id(rule);
    flow.entry.flags = flags;
    flow.entry.word = kernel_.word << 1U;
    flow.entry.valid_until_ns = UINT64_MAX;
    flow.idle_ns = 5 * kNs;
    kernel_.tracked.push_back(flow);
    return kernel_.tracked.back().entry;
  }
  void track_three() {
    track(tuple("172.16.201.3", "10.1.1.7", IPPROTO_TCP, 443), 1, "dev-web", GW_FLOW_REPLIED);
    track(tuple("172.16.201.3", "10.1.1.8", IPPROTO_ICMP, 0x0800), 1, "dev-web", GW_FLOW_REPLIED);
    track(tuple("172.16.201.4", "172.16.201.1", IPPROTO_UDP, 53), 2, "builtin-gateway-icmp", 0);
  }
  control::FlowList all(const control::FlowFilter& filter) {
    control::FlowList out;
    uint64_t from = 0;
    do {
      auto page = value_of(gateway_->flows(filter, from));
      out.flows.insert(out.flows.end(), page.flows.begin(), page.flows.end());
      from = page.next;
    } while (from != 0);
    return out;
  }
  gw_event denied(const std::string& source, const std::string& destination, const std::string& rule) {
    gw_event event{};
    event.tuple = tuple(source, destination, IPPROTO_TCP, 22);
    event.time_ns = 1'500'000'000;
    event.ifindex = 1;
    event.length = 60;
    event.action = rule.empty() ? GW_ACTION_DENY : GW_ACTION_REJECT;
    event.reason = rule.empty() ? GW_REASON_DEFAULT : GW_REASON_REJECTED;
    event.rule = rule.empty() ? 0 : reconciler_->rule_id(rule);
    event.client = source == "172.16.201.3" ? 1 : 0;
    return event;
  }
  control::Sighting see(const gw_event& event) { return gateway_->sight(event, kOffset).value(); }
};

TEST_F(WatchingTest, ListsFlowsPageByPageInTheOperatorsWords) {
  track_three();
  EXPECT_THAT(lines(all({})), ElementsAre("tcp 172.16.201.3>10.1.1.7:443 alice> dev-web established",
                                          "icmp 172.16.201.3>10.1.1.8:0 alice> dev-web established",
                                          "udp 172.16.201.4>172.16.201.1:53 bob> builtin-gateway-icmp opening"));
  const auto first = value_of(gateway_->flows({}, 0));
  EXPECT_EQ(first.flows.size(), 2U);
  EXPECT_NE(first.next, 0U);
  EXPECT_EQ(first.flows[1].icmp, "8/0");
  EXPECT_EQ(first.flows[0].idle_seconds, 5U);
}

TEST_F(WatchingTest, TellsWhereAFlowStands) {
  gw_flow& flow = track(tuple("172.16.201.3", "10.1.1.7", IPPROTO_TCP, 443), 1, "dev-web",
                        GW_FLOW_REPLIED | GW_FLOW_FIN_ORIG | GW_FLOW_FIN_REPLY);
  flow.valid_until_ns = static_cast<uint64_t>(clock_.at + 60) * kNs;
  const auto closing = all({}).flows.at(0);
  EXPECT_EQ(closing.state, "closing");
  EXPECT_EQ(closing.access_ends, clock_.at + 60);
  EXPECT_TRUE(closing.current);
  kernel_.tracked[0].entry.flags = GW_FLOW_REPLIED | GW_FLOW_FIN_ORIG | GW_FLOW_NAT;
  ++kernel_.word;
  const auto older = all({}).flows.at(0);
  EXPECT_EQ(older.state, "established") << "one side has more to say";
  EXPECT_TRUE(older.nat);
  EXPECT_FALSE(older.current);
}

TEST_F(WatchingTest, LeavesOutWhatLetsNothingPassAnyMore) {
  track_three();
  kernel_.tracked[0].idle_ns = GW_IDLE_ESTABLISHED + 1;
  kernel_.tracked[1].entry.valid_until_ns = static_cast<uint64_t>(clock_.at) * kNs;
  kernel_.tracked[2].idle_ns = GW_IDLE_OTHER + 1;
  EXPECT_THAT(all({}).flows, IsEmpty());
}

TEST_F(WatchingTest, FindsFlowsByClientPlaceServiceAndRule) {
  track_three();
  const auto count = [&](const control::FlowFilter& filter) { return all(filter).flows.size(); };
  EXPECT_EQ(count({.client = "alice"}), 2U);
  EXPECT_EQ(count({.from = "bob"}), 1U);
  EXPECT_EQ(count({.from = "group:ops"}), 1U);
  EXPECT_EQ(count({.to = "subnet:web"}), 2U);
  EXPECT_EQ(count({.to = "10.1.1.8"}), 1U);
  EXPECT_EQ(count({.to = "10.1.1.0/29"}), 1U);
  EXPECT_EQ(count({.service = "https"}), 1U);
  EXPECT_EQ(count({.service = "icmp"}), 1U);
  EXPECT_EQ(count({.service = "udp"}), 1U);
  EXPECT_EQ(count({.rule = "dev-web"}), 2U);
  EXPECT_EQ(count({.client = "alice", .service = "udp"}), 0U);
}

TEST_F(WatchingTest, RefusesFiltersThatMeanNothing) {
  EXPECT_THAT(refusal(gateway_->flows({.client = "alcie"}, 0)), HasSubstr("did you mean 'alice'?"));
  EXPECT_THAT(refusal(gateway_->flows({.rule = "dev-wbe"}, 0)), HasSubstr("did you mean 'dev-web'?"));
  EXPECT_THAT(refusal(gateway_->flows({.to = "subnet:wob"}, 0)), HasSubstr("did you mean 'web'?"));
  EXPECT_THAT(refusal(gateway_->flows({.from = "internet"}, 0)), HasSubstr("name an address, a prefix, a client"));
  EXPECT_THAT(refusal(gateway_->flows({.service = "tpc/1"}, 0)), HasSubstr("tpc/1"));
  EXPECT_THAT(refusal(gateway_->watch({.subnet = "wob"})), HasSubstr("did you mean 'web'?"));
}

TEST_F(WatchingTest, EndsTheFlowsThatAreMeantAndNoOther) {
  track_three();
  uint32_t ended = 0;
  uint64_t from = 0;
  do {
    const auto page = value_of(gateway_->end_flows({.client = "alice"}, false, from, "uid 0"));
    ended += page.ended;
    from = page.next;
  } while (from != 0);
  EXPECT_EQ(ended, 2U);
  EXPECT_THAT(lines(all({})), ElementsAre(HasSubstr("172.16.201.4>")));
  EXPECT_THAT(log_.back(), HasSubstr("2 flows ended by uid 0"));
  EXPECT_THAT(refusal(gateway_->end_flows({}, false, 0, "uid 0")), HasSubstr("say which"));
  EXPECT_EQ(value_of(gateway_->end_flows({}, true, 2, "uid 0")).ended, 1U);
}

TEST_F(WatchingTest, NamesAVerdict) {
  const auto sighting = see(denied("172.16.201.3", "10.1.1.7", "no-web"));
  EXPECT_EQ(control::line_of(sighting),
            "rejected by rule no-web: tcp 172.16.201.3:40000 -> 10.1.1.7:22 on lo, 60 bytes, client alice");
  EXPECT_TRUE(sighting.logged);
  EXPECT_EQ(sighting.time_ms, 1'800'000'001'500);
  EXPECT_EQ(sighting.from_zone, "vpn");
  EXPECT_EQ(sighting.to_zone, "subnet:web");
  const auto other = see(denied("10.1.1.7", "172.16.201.4", ""));
  EXPECT_EQ(control::line_of(other),
            "denied (no rule allows it): tcp 10.1.1.7:40000 -> 172.16.201.4:22 on lo, 60 bytes");
  EXPECT_FALSE(other.logged);
  EXPECT_EQ(other.reason, "default");
  EXPECT_EQ(other.to_client, "bob");
}

TEST_F(WatchingTest, GivesTheJournalAFieldForEachFact) {
  EXPECT_THAT(
      control::journal_fields(see(denied("172.16.201.3", "10.1.1.7", "no-web")), 9),
      ElementsAre("MESSAGE=rejected by rule no-web: tcp 172.16.201.3:40000 -> 10.1.1.7:22 on lo, 60 bytes, "
                  "client alice (9 more were not told before)",
                  "MESSAGE_ID=539cd98b149d40ef810476f1ceb2c062", "PRIORITY=5", "GATEWAYD_ACTION=reject",
                  "GATEWAYD_REASON=rejected", "GATEWAYD_RULE=no-web", "GATEWAYD_CLIENT=alice", "GATEWAYD_PROTOCOL=tcp",
                  "GATEWAYD_SOURCE=172.16.201.3", "GATEWAYD_SOURCE_PORT=40000", "GATEWAYD_DESTINATION=10.1.1.7",
                  "GATEWAYD_DESTINATION_PORT=22", "GATEWAYD_INTERFACE=lo", "GATEWAYD_FROM_ZONE=vpn",
                  "GATEWAYD_TO_ZONE=subnet:web", "GATEWAYD_LENGTH=60", "GATEWAYD_SUPPRESSED=9"));
  const auto unlogged = control::journal_fields(see(denied("172.16.201.3", "10.1.1.7", "")), 0);
  EXPECT_THAT(unlogged, ::testing::Contains("PRIORITY=6"));
  EXPECT_THAT(unlogged, Not(::testing::Contains(::testing::StartsWith("GATEWAYD_SUPPRESSED"))));
}

TEST_F(WatchingTest, ShowsEachWatcherWhatItAskedFor) {
  const auto everything = value_of(gateway_->watch({}));
  const auto alices = value_of(gateway_->watch({.client = "alice"}));
  const auto rules = value_of(gateway_->watch({.denied = true, .subnet = "web", .rule = "no-web"}));
  see(denied("172.16.201.3", "10.1.1.7", "no-web"));
  see(denied("172.16.201.4", "10.1.1.7", ""));
  gw_event allowed = denied("172.16.201.3", "10.1.1.7", "no-web");
  allowed.action = GW_ACTION_ALLOW;
  see(allowed);
  EXPECT_EQ(records(everything).size(), 3U);
  EXPECT_EQ(records(alices).size(), 2U);
  const auto one = records(rules);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].at("client"), "alice");
  EXPECT_EQ(one[0].at("rule"), "no-web");
  EXPECT_EQ(one[0].at("action"), "reject");
  EXPECT_FALSE(one[0].contains("icmp"));
}

TEST_F(WatchingTest, NeverWaitsForASlowReaderAndTellsItWhatItLost) {
  const auto slow = value_of(gateway_->watch({}));
  constexpr size_t kMany = 20000;
  for (size_t i = 0; i < kMany; ++i) see(denied("172.16.201.3", "10.1.1.7", "no-web"));
  EXPECT_FALSE(gateway_->settle_watchers()) << "there is no room yet";
  const auto first = records(slow);
  EXPECT_LT(first.size(), kMany);
  EXPECT_TRUE(gateway_->settle_watchers());
  const auto then = records(slow);
  ASSERT_EQ(then.size(), 1U);
  EXPECT_EQ(then[0].at("lost").get<size_t>() + first.size(), kMany);
}

TEST_F(WatchingTest, TellsHowManyEventsTheProgramsKeptToThemselves) {
  kernel_.untold = {100, 5};
  gateway_->tell_untold();
  const auto watcher = value_of(gateway_->watch({}));
  kernel_.untold = {130, 6};
  EXPECT_EQ(gateway_->tell_untold(), 31U) << "what was before is no news";
  EXPECT_EQ(gateway_->tell_untold(), 0U);
  const auto told = records(watcher);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].at("untold"), 31);
}

TEST_F(WatchingTest, LetsOnlySoManyWatchAndForgetsThoseWhoLeft) {
  std::vector<UniqueFd> all;
  for (size_t i = 0; i < control::Watchers::kMost; ++i) all.push_back(value_of(gateway_->watch({})));
  EXPECT_THAT(refusal(gateway_->watch({})), HasSubstr("watch already"));
  all.pop_back();
  EXPECT_TRUE(gateway_->watch({}));
}

TEST_F(WatchingTest, ShowsAClientsFlowsAndWhenItWasLastSeen) {
  kernel_.client_counters[1] = {.packets = 3, .bytes = 4, .flows = 2, .denied = 1, .idle_ns = 7 * kNs};
  const auto alice = value_of(gateway_->client("alice"));
  EXPECT_EQ(alice.flows, 2U);
  EXPECT_EQ(alice.idle_seconds, 7U);
  EXPECT_EQ(value_of(gateway_->client("bob")).idle_seconds, UINT64_MAX);
}

TEST_F(WatchingTest, CountersFollowARuleToAnotherPlace) {
  kernel_.rule_counters[reconciler_->rule_id("no-web")] = {.packets = 9, .bytes = 540, .flows = 9, .denied = 9};
  write(R"(
subnets:
  web: {prefixes: [10.1.1.0/24, "fd10:1:1::/64"], interface: eth1, address: [10.1.1.1, "fd10:1:1::1"]}
groups:
  developers: {description: people who ship}
  ops: {}
rules:
  - {name: new, action: allow, from: [group:ops], to: [subnet:web], services: [tcp/22]}
  - {name: no-web, action: reject, from: [group:ops], to: [subnet:web], log: true}
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/443, icmp]}
)");
  value_of(gateway_->apply(0, "uid 0"));
  const auto rules = value_of(gateway_->rules());
  EXPECT_EQ(rules[0].packets, 0U);
  EXPECT_EQ(rules[1].rule.name, "no-web");
  EXPECT_EQ(rules[1].packets, 9U);
}

}  // namespace
}  // namespace gw::test
