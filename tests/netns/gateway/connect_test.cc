// SPDX-License-Identifier: Apache-2.0
// gwconnect from an invitation to the end of its access, by a real enrolment server.
#include <sys/syscall.h>

#include <csignal>
#include <set>
#include <tuple>

#include "ctl/connect/membership.h"
#include "tests/netns/gateway/branch.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/netns/gateway/member.h"
#include "tests/support/killed.h"
#include "tests/support/must.h"

namespace gw::test {
namespace {

constexpr const char* kWeb = "10.1.1.10";
constexpr const char* kData = "10.1.2.10";
constexpr const char* kRules = R"(rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}
  - {name: con-data, action: allow, from: [group:contractors], to: [subnet:data], services: [icmp]}
)";

class Connect : public testing::Test {
 protected:
  void SetUp() override {
    lab_.configure(std::string(kGroups) + kRules);
    lab_.configure_enrolment();
    lab_.start();
    lab_.start_enrolment();
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << laptop_.log() << lab_.log() << lab_.enrolment_log() << '\n';
  }
  std::string link(const std::string& options) { return lab_.invite(options).at("link").get<std::string>(); }
  [[nodiscard]] std::string key_of(const std::string& client) {
    return nlohmann::json::parse(lab_.must_gwctl("--json client show " + client)).at("wireguard").get<std::string>();
  }

  Lab lab_{GW_BINARY_DIR};
  Member laptop_{lab_, "laptop"};
};

TEST_F(Connect, FromTheInvitationToTheRevocation) {
  laptop_.must("join " + link("--group developers") + " --name laptop");
  laptop_.start();
  EXPECT_TRUE(laptop_.reaches(kWeb));
  EXPECT_FALSE(laptop_.host().run(words("ping -c1 -W1 " + std::string(kData))).ok()) << "no group of its may";
  const auto status = laptop_.status().at(0);
  EXPECT_EQ(status.at("name"), "laptop") << status.dump();

  lab_.must_gwctl("client set laptop --group contractors");
  EXPECT_TRUE(laptop_.reaches(kData));
  EXPECT_FALSE(laptop_.host().run(words("ping -c1 -W1 " + std::string(kWeb))).ok());

  const std::string before = key_of("laptop");
  laptop_.must("renew");
  EXPECT_EQ(key_of("laptop"), before);
  EXPECT_TRUE(laptop_.reaches(kData));
  laptop_.must("renew --rotate");
  EXPECT_NE(key_of("laptop"), before);
  EXPECT_TRUE(laptop_.reaches(kData)) << "under the new key";

  lab_.must_gwctl("client revoke laptop");
  EXPECT_FALSE(laptop_.host().run(words("ping -c1 -W1 " + std::string(kData))).ok());
  EXPECT_FALSE(laptop_.gwconnect("renew").ok());
  laptop_.must("leave");
  EXPECT_FALSE(laptop_.host().run(words("ip link show gw0")).ok());
}

TEST_F(Connect, IsRefusedWithAUsedInvitationAndLeavesNothing) {
  const std::string used = link("--group developers");
  laptop_.must("join " + used + " --name laptop");
  const Member second(lab_, "second");
  const Output refused = second.gwconnect("join " + used + " --name second");
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.err.find("token"), std::string::npos) << refused.err;
  EXPECT_TRUE(second.status().empty());
  const Output taken = second.gwconnect("join " + link("--group developers") + " --name laptop");
  EXPECT_NE(taken.err.find("there is a client of that name already"), std::string::npos) << taken.err;
}

// The invitation is good for one use: what the gateway gave to a join that was killed it has to give again.
TEST_F(Connect, IsKilledAtAnyStepAndComesInByTheSameInvitation) {
  const connect::Store store(laptop_.state());
  const auto now = SystemClock().now();
  std::string invitation;
  int number = 0;
  const auto join = [&] {
    return connect::join(store, must(connect::parse_join_link(invitation)),
                         {.name = "laptop-" + std::to_string(number), .interface = {}}, now);
  };
  // What the gateway has heard and answered, and what is on disk.
  const std::set<uint64_t> steps = {SYS_sendmsg, SYS_sendto, SYS_recvmsg, SYS_recvfrom, SYS_fsync};
  int kills = 0;
  laptop_.host().in([&] {
    kills = kill_at_every_system_call(
        [&] {
          ++number;
          invitation = link("--group developers");
        },
        [&] { std::ignore = join(); },
        [&] {
          const auto attempt = store.read_attempt("5.5.5.1");
          const auto joined = join();
          ASSERT_TRUE(joined) << number << ": " << joined.error().message();
          EXPECT_EQ(joined->trouble, "") << number;
          EXPECT_TRUE(!attempt || attempt->key == joined->key) << number << ": with the keys of before";
          EXPECT_EQ(store.read_attempt("5.5.5.1"), std::nullopt);
          must(store.remove("5.5.5.1"));
        },
        steps);
  });
  EXPECT_GT(kills, 20);
  EXPECT_EQ(nlohmann::json::parse(lab_.must_gwctl("--json client list")).size(), static_cast<size_t>(number));
}

TEST_F(Connect, IsAMemberOfTwoGatewaysAtOnce) {
  Branch north(lab_, "north", "10.2.1", "5.5.5.30",
               "groups: {developers: {}}\nrules:\n  - {name: dev-lan, action: allow, from: [group:developers], to: "
               "[subnet:lan], services: [icmp]}\n");
  north.start_enrolment();
  laptop_.must("join " + link("--group developers") + " --name laptop");
  const auto invitation = nlohmann::json::parse(north.gwctl("--json token create --group developers"));
  laptop_.must("join " + invitation.at("link").get<std::string>() + " --name laptop");
  laptop_.start();
  EXPECT_TRUE(laptop_.reaches(kWeb));
  EXPECT_TRUE(laptop_.reaches(north.host()));
  EXPECT_EQ(laptop_.status().size(), 2U);

  lab_.must_gwctl("client revoke laptop");
  EXPECT_FALSE(laptop_.host().run(words("ping -c1 -W1 " + std::string(kWeb))).ok());
  EXPECT_TRUE(laptop_.reaches(north.host())) << "the other gateway's own affair";
  laptop_.must("leave 5.5.5.1");
  EXPECT_TRUE(laptop_.reaches(north.host()));
}

TEST_F(Connect, TakesTheNameAndTheTunnelOfTheInvitation) {
  laptop_.must("join " + link("--group developers --name kiosk"));
  EXPECT_EQ(laptop_.status().at(0).at("name"), "kiosk");
  EXPECT_TRUE(lab_.gwctl("client show kiosk").ok());
}

}  // namespace
}  // namespace gw::test
