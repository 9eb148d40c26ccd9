// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ctime>

#include "tests/unit/registry/fixture.h"

namespace gw::registry {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ClientsTest : public RegistryTest {};

TEST_F(ClientsTest, ComeBackAsTheyWereAddedAfterReopening) {
  Client added;
  {
    Registry registry = open();
    added = value_of(registry.plan_client("alice", pools()));
    added.device_uuid = uuid(1);
    added.wireguard = key(1);
    added.groups = {"ops", "developers", "ops"};
    added.tunnel = config::Tunnel::full;
    added.description = "Alice's \xc3\xa4lteres laptop";
    require(registry.add_client(added, certificate("alice", 1, key(1)), "uid 0", kNow));
  }
  added.groups = {"developers", "ops"};
  added.created = kNow;
  added.serial = serial(1);
  added.not_after = kNow + kYear;
  const Registry registry = open();
  EXPECT_EQ(value_of(registry.client("alice")), added);
  EXPECT_THAT(value_of(registry.clients()), ElementsAre(added));
  const Certificate stored = value_of(registry.certificate(serial(1)));
  Certificate expected = certificate("alice", 1, key(1));
  expected.client_number = 1;
  EXPECT_EQ(stored, expected);
}

TEST_F(ClientsTest, AreListedByName) {
  Registry registry = open();
  add(registry, "carol", 1, {"b"});
  add(registry, "alice", 2, {"a", "b"});
  add(registry, "bob", 3);
  std::vector<std::string> names;
  for (const Client& client : value_of(registry.clients())) names.push_back(client.name);
  EXPECT_THAT(names, ElementsAre("alice", "bob", "carol"));
  EXPECT_THAT(value_of(registry.client("alice")).groups, ElementsAre("a", "b"));
  EXPECT_THAT(value_of(registry.client("bob")).groups, IsEmpty());
}

TEST_F(ClientsTest, ThatDoNotExistAreNamed) {
  Registry registry = open();
  EXPECT_EQ(code_of(registry.client("nobody")), ENOENT);
  EXPECT_EQ(code_of(registry.revoke_client("nobody", "unspecified", "uid 0", kNow)), ENOENT);
  EXPECT_EQ(code_of(registry.remove_client("nobody", "uid 0", kNow)), ENOENT);
  Client nobody;
  nobody.name = "nobody";
  EXPECT_EQ(code_of(registry.update_client(nobody, "uid 0", kNow)), ENOENT);
  EXPECT_EQ(code_of(registry.rekey_client("nobody", certificate("nobody", 1, key(1)), "uid 0", kNow)), ENOENT);
  EXPECT_EQ(code_of(registry.add_certificate(certificate("nobody", 1, key(1)), "uid 0", kNow)), ENOENT);
  EXPECT_THAT(value_of(registry.audit(10)), IsEmpty());
}

TEST_F(ClientsTest, GetTheSmallestFreeNumberAndTheLowestFreeAddresses) {
  Registry registry = open();
  for (uint32_t n = 1; n <= 5; ++n) {
    const Client client = add(registry, "c" + std::to_string(n), n);
    EXPECT_EQ(client.number, n);
    EXPECT_EQ(client.addresses[0].str(), "172.16.0." + std::to_string(n + 2));
    EXPECT_EQ(client.addresses[1].str(), "fd6d:706e:6c61::" + std::to_string(n + 2));
  }
  require(registry.remove_client("c4", "uid 0", kNow));
  require(registry.remove_client("c2", "uid 0", kNow));
  EXPECT_EQ(add(registry, "d", 6).number, 2U);
  EXPECT_EQ(add(registry, "e", 7).addresses[0].str(), "172.16.0.6");
  EXPECT_EQ(add(registry, "f", 8).number, 6U);
}

TEST_F(ClientsTest, KeepTheirAddressesOverRenewalAndRestart) {
  Client before;
  {
    Registry registry = open();
    add(registry, "alice", 1);
    before = add(registry, "bob", 2);
    require(registry.remove_client("alice", "uid 0", kNow));
    require(registry.add_certificate(certificate("bob", 3, key(2)), "uid 0", kNow));
  }
  Registry registry = open();
  EXPECT_EQ(value_of(registry.client("bob")).addresses, before.addresses);
  EXPECT_EQ(add(registry, "carol", 4).addresses[0].str(), "172.16.0.3");  // alice's, known again after the restart
}

TEST_F(ClientsTest, AreRefusedWithTheCountsWhenThePoolIsUsedUp) {
  Registry registry = open();
  const std::vector<Prefix> small = {*Prefix::parse("10.9.0.0/29")};
  for (uint32_t n = 1; n <= 4; ++n) add(registry, "c" + std::to_string(n), n, {}, small);
  const auto full = registry.plan_client("one-more", small);
  EXPECT_EQ(code_of(full), ENOSPC);
  EXPECT_THAT(refusal(full), AllOf(HasSubstr("all 4 addresses of 10.9.0.0/29 are taken by 4 clients"),
                                   HasSubstr("gwctl client remove")));
  EXPECT_THAT(value_of(registry.pool_use(small)), ElementsAre(PoolUse{small[0], 4, 4}));
  require(registry.remove_client("c3", "uid 0", kNow));
  EXPECT_EQ(add(registry, "one-more", 5, {}, small).addresses[0].str(), "10.9.0.5");
}

TEST_F(ClientsTest, CannotBePlannedInAPoolWithoutRoom) {
  const Registry registry = open();
  const auto planned = registry.plan_client("alice", {*Prefix::parse("10.9.0.0/30")});
  EXPECT_EQ(code_of(planned), ENOSPC);
  EXPECT_THAT(refusal(planned), HasSubstr("10.9.0.0/30 has no address for clients"));
}

TEST_F(ClientsTest, OfAnEarlierPoolDoNotCountInTheNewOne) {
  Registry registry = open();
  add(registry, "alice", 1, {}, {*Prefix::parse("10.9.0.0/29")});
  const std::vector<Prefix> now = {*Prefix::parse("10.10.0.0/29"), *Prefix::parse("fd00::/64")};
  EXPECT_THAT(value_of(registry.pool_use(now)), ElementsAre(PoolUse{now[0], 4, 0}, PoolUse{now[1], UINT64_MAX - 2, 0}));
  EXPECT_EQ(add(registry, "bob", 2, {}, now).addresses[0].str(), "10.10.0.3");
}

TEST_F(ClientsTest, AreRefusedByNameWhenSomethingOfTheirsIsTaken) {
  Registry registry = open();
  const Client alice = add(registry, "alice", 1);
  EXPECT_EQ(code_of(registry.plan_client("alice", pools())), EEXIST);
  Client bob = value_of(registry.plan_client("bob", pools()));
  bob.device_uuid = uuid(2);
  bob.wireguard = key(2);
  const auto attempt = [&](const Client& client, uint32_t n) {
    const auto added = registry.add_client(client, certificate(client.name, n, client.wireguard), "uid 0", kNow);
    EXPECT_EQ(code_of(added), EEXIST);
    return refusal(added);
  };
  Client same = bob;
  same.name = "alice";
  EXPECT_THAT(attempt(same, 2), HasSubstr("there is a client of that name already"));
  same = bob;
  same.number = alice.number;
  EXPECT_THAT(attempt(same, 2), HasSubstr("client alice has number 1"));
  same = bob;
  same.device_uuid = alice.device_uuid;
  EXPECT_THAT(attempt(same, 2), HasSubstr("client alice has device " + uuid(1)));
  same = bob;
  same.addresses[1] = alice.addresses[1];
  EXPECT_THAT(attempt(same, 2), HasSubstr("client alice has the address fd6d:706e:6c61::3"));
  same = bob;
  same.wireguard = alice.wireguard;
  EXPECT_THAT(attempt(same, 2), AllOf(HasSubstr(alice.wireguard.str()), HasSubstr("client alice has it")));
  EXPECT_THAT(attempt(bob, 1), HasSubstr("client alice has a certificate of this serial number"));
  EXPECT_EQ(value_of(registry.clients()).size(), 1U);
  EXPECT_EQ(value_of(registry.audit(10)).size(), 1U);
  require(registry.add_client(bob, certificate("bob", 2, key(2)), "uid 0", kNow));
}

TEST_F(ClientsTest, AreRefusedWhenMalformed) {
  Registry registry = open();
  const auto attempt = [&](auto change) {
    Client client = value_of(registry.plan_client("alice", pools()));
    client.device_uuid = uuid(1);
    client.wireguard = key(1);
    Certificate issued = certificate("alice", 1, key(1));
    change(client, issued);
    const auto added = registry.add_client(client, issued, "uid 0", kNow);
    EXPECT_EQ(code_of(added), EINVAL);
    return refusal(added);
  };
  EXPECT_THAT(attempt([](Client& c, Certificate&) { c.name = "Alice"; }), HasSubstr("no host name"));
  EXPECT_THAT(attempt([](Client& c, Certificate&) { c.name = std::string(1 << 20, 'a'); }), HasSubstr("no host name"));
  EXPECT_THAT(attempt([](Client& c, Certificate&) { c.number = 0; }), HasSubstr("number"));
  EXPECT_THAT(attempt([](Client& c, Certificate&) { c.device_uuid = ""; }), HasSubstr("UUID"));
  EXPECT_THAT(attempt([](Client& c, Certificate&) { c.description = std::string(1 << 20, 'a'); }),
              HasSubstr("description"));
  EXPECT_THAT(attempt([](Client& c, Certificate&) { c.groups = {"a\nb"}; }), HasSubstr("group"));
  EXPECT_THAT(attempt([](Client& c, Certificate&) { c.addresses[1] = *IpAddress::parse("10.0.0.1"); }),
              HasSubstr("two addresses"));
  EXPECT_THAT(attempt([](Client& c, Certificate& i) { c.wireguard = i.wireguard = PublicKey{}; }),
              HasSubstr("low order"));
  EXPECT_THAT(attempt([](Client&, Certificate& i) { i.wireguard = key(9); }), HasSubstr("another WireGuard key"));
  EXPECT_THAT(attempt([](Client&, Certificate& i) { i.pem = std::string(1 << 20, 'a'); }), HasSubstr("16 KiB"));
  EXPECT_THAT(attempt([](Client&, Certificate& i) { i.serial = "x'; DROP TABLE client;"; }), HasSubstr("not hex"));
  EXPECT_THAT(value_of(registry.clients()), IsEmpty());
  for (const char* bad : {"", "a b", "-a", "a.b", "\xc3\xa4"})
    EXPECT_EQ(code_of(registry.plan_client(bad, pools())), EINVAL) << bad;
}

TEST_F(ClientsTest, ChangeGroupsTunnelDescriptionAndState) {
  Registry registry = open();
  Client client = add(registry, "alice", 1, {"a"});
  client.groups = {"c", "b", "b"};
  client.tunnel = config::Tunnel::split;
  client.description = "new";
  client.disabled = true;
  client.addresses = {};      // not changed here
  client.wireguard = key(9);  // nor this
  require(registry.update_client(client, "user bob", kNow + 1));
  const Client after = value_of(registry.client("alice"));
  EXPECT_THAT(after.groups, ElementsAre("b", "c"));
  EXPECT_EQ(after.tunnel, config::Tunnel::split);
  EXPECT_EQ(after.description, "new");
  EXPECT_TRUE(after.disabled);
  EXPECT_EQ(after.wireguard, key(1));
  EXPECT_EQ(after.addresses.size(), 2U);
  EXPECT_FALSE(after.has_access(kNow));
  EXPECT_EQ(value_of(registry.audit(1)).at(0).what,
            "client set alice: groups b, c, tunnel split, description 'new', disabled");
}

TEST_F(ClientsTest, ThatAreSetToWhatTheyAreLeaveNoTrace) {
  Registry registry = open();
  add(registry, "alice", 1, {"a"});
  require(registry.update_client(value_of(registry.client("alice")), "uid 0", kNow));
  EXPECT_EQ(value_of(registry.audit(10)).size(), 1U);
}

TEST_F(ClientsTest, LeaveTheirCertificatesBehindRevoked) {
  Registry registry = open();
  add(registry, "alice", 1);
  require(registry.remove_client("alice", "uid 0", kNow + 5));
  EXPECT_THAT(value_of(registry.clients()), IsEmpty());
  const Certificate left = value_of(registry.certificate(serial(1)));
  EXPECT_EQ(left.revoked_at, kNow + 5);
  EXPECT_EQ(left.reason, "cessationOfOperation");
  EXPECT_EQ(left.client, "alice");
  EXPECT_EQ(left.client_number, 1U);
  add(registry, "bob", 2);  // gets the number again
  EXPECT_EQ(value_of(registry.certificate(serial(1))).client, "alice");
}

TEST_F(ClientsTest, CostTheSameToAddAt10AndAt10000) {
  Registry registry = open();
  const auto cpu = [] {
    timespec at{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) * 1e6 + static_cast<double>(at.tv_nsec) / 1e3;
  };
  uint32_t n = 0;
  const auto median_cost = [&] {
    std::vector<double> costs;
    for (int i = 0; i < 101; ++i) {
      const double start = cpu();
      ++n;
      add(registry, "c" + std::to_string(n), n, {"developers"});
      costs.push_back(cpu() - start);
    }
    std::ranges::nth_element(costs, costs.begin() + 50);
    return costs[50];
  };
  while (n < 10) ++n, add(registry, "c" + std::to_string(n), n);
  const double few = median_cost();
  while (n < 10000) ++n, add(registry, "c" + std::to_string(n), n, {"developers"});
  const double many = median_cost();
  RecordProperty("microseconds_at_10", std::to_string(few));
  RecordProperty("microseconds_at_10000", std::to_string(many));
  EXPECT_LT(many, 2 * few);  // a scan of the clients would cost tens of times as much

  const double start = cpu();
  EXPECT_EQ(value_of(registry.clients()).size(), n);
  RecordProperty("microseconds_to_list", std::to_string(cpu() - start));
  std::printf("add: %.0f us at 10, %.0f us at 10,000; list 10,000: %.1f ms\n", few, many, (cpu() - start) / 1000);
}

}  // namespace
}  // namespace gw::registry
