// SPDX-License-Identifier: Apache-2.0
// gwctl flows and gwctl monitor.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "gatewayd/base/file.h"
#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

json ssh_flow() {
  return {{"protocol", "tcp"},      {"source", "172.16.201.3"},
          {"source_port", 40000},   {"destination", "10.1.1.7"},
          {"destination_port", 22}, {"client", "alice"},
          {"rule", "dev-web"},      {"state", "established"},
          {"idle_seconds", 130},    {"nat", false},
          {"current", true}};
}

json ping_flow() {
  return {{"protocol", "icmp"}, {"source", "fd6d::3"}, {"destination", "fd6d::4"}, {"icmp", "128/0"},
          {"client", "alice"},  {"to_client", "bob"},  {"rule", "between"},        {"state", "opening"},
          {"idle_seconds", 1},  {"current", false}};
}

json verdict() {
  return {{"time_ms", 1800000001500}, {"action", "reject"},   {"reason", "rejected"},      {"rule", "no-web"},
          {"client", "alice"},        {"from_zone", "vpn"},   {"to_zone", "subnet:web"},   {"protocol", "tcp"},
          {"source", "172.16.201.3"}, {"source_port", 40000}, {"destination", "10.1.1.7"}, {"destination_port", 22},
          {"interface", "wg0"},       {"length", 60}};
}

TEST_F(Gwctl, FlowsAreListedFromAllPages) {
  const std::vector<json> pages = {{json::array({ssh_flow()}), 4096}, {json::array({ping_flow()}), 0}};
  gateway().answer_in_turn("ListFlows", pages);
  EXPECT_EQ(
      told({"flows"}),
      R"(PROTO       FROM                TO           CLIENT        RULE                          STATE         IDLE  ACCESS ENDS
tcp         172.16.201.3:40000  10.1.1.7:22  alice         dev-web                       established  2 min  -
icmp/128/0  fd6d::3             fd6d::4      alice -> bob  between (to be judged again)  opening        1 s  -
)");
  EXPECT_EQ(gateway().calls().back().arguments, json::array({json::object(), 4096}));
  gateway().answer_in_turn("ListFlows", pages);
  EXPECT_EQ(json::parse(told({"flows", "--json"})), json::array({ssh_flow(), ping_flow()}));
}

TEST_F(Gwctl, FlowsPassTheFilterOn) {
  gateway().answer("ListFlows", {json::array(), 0});
  EXPECT_EQ(told({"flows", "--client", "alice", "--from", "group:ops", "--to", "10.1.1.7", "--service", "ssh", "--rule",
                  "dev-web"}),
            "No flows.\n");
  EXPECT_EQ(arguments_of("ListFlows"), json::parse(R"([{"client": "alice", "from": "group:ops", "to": "10.1.1.7",
                                                        "service": "ssh", "rule": "dev-web"}, 0])"));
}

TEST_F(Gwctl, FlowsAreKilledOnlyWhenItIsSaidWhich) {
  gateway().answer("EndFlows", {2, 0});
  EXPECT_EQ(told({"flows", "--kill", "--client", "alice"}),
            "2 flows ended. What a rule still allows goes on with its next packet.\n");
  EXPECT_EQ(arguments_of("EndFlows"), json::parse(R"([{"client": "alice"}, 0])"));
  const auto output = gwctl({"flows", "--kill"});
  EXPECT_EQ(output.status, 2);
  EXPECT_THAT(output.err, HasSubstr("say which"));
  EXPECT_EQ(gwctl({"flows", "--all"}).status, 2);
  EXPECT_EQ(json::parse(told({"flows", "--kill", "--all", "--json"})), json({{"ended", 2}}));
}

TEST_F(Gwctl, MetricsArePrintedAsTheyCome) {
  const std::string text = "# TYPE gatewayd_peers gauge\ngatewayd_peers 3\n";
  gateway().answer("GetMetrics", {text});
  EXPECT_EQ(told({"metrics"}), text);
  EXPECT_EQ(json::parse(told({"metrics", "--json"})), text);
}

/// A gwctl monitor against a socket that this test writes to.
class Monitor : public Gwctl {
 protected:
  Monitor() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::runtime_error("socketpair");
    write_end_.reset(ends[0]);
    gateway().answer_fd("Watch", UniqueFd(ends[1]));
  }
  void tell(const json& record) {
    const std::string text = record.dump() + "\n";
    ASSERT_EQ(::send(write_end_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  UniqueFd write_end_;
};

TEST_F(Monitor, PrintsVerdictsAndWhatIsMissingAndSaysWhenGatewaydGoes) {
  tell(verdict());
  tell({{"lost", 7}});
  tell({{"untold", 31}});
  write_end_.reset();
  const auto output =
      gwctl({"monitor", "--denied", "--client", "alice", "--subnet", "web", "--rule", "no-web"}, {"TZ=UTC"});
  EXPECT_THAT(output.out, StartsWith("TIME          ACTION  RULE (REASON)"));
  EXPECT_THAT(output.out, HasSubstr("08:00:01.500  reject  no-web                    alice > subnet:web"));
  EXPECT_THAT(output.out, HasSubstr("172.16.201.3:40000       10.1.1.7:22              wg0\n"));
  EXPECT_THAT(output.out, HasSubstr("7 verdicts lost"));
  EXPECT_THAT(output.out, HasSubstr("31 more packets were not told"));
  EXPECT_EQ(output.status, 3);
  EXPECT_THAT(output.err, HasSubstr("gatewayd has gone"));
  EXPECT_EQ(arguments_of("Watch"),
            json::parse(R"([{"denied": true, "client": "alice", "subnet": "web", "rule": "no-web"}])"));
}

TEST_F(Monitor, GivesProgramsOneObjectALine) {
  tell(verdict());
  tell({{"untold", 31}});
  write_end_.reset();
  const std::string out = gwctl({"monitor", "--json"}).out;
  EXPECT_EQ(json::parse(out.substr(0, out.find('\n'))), verdict());
  EXPECT_EQ(json::parse(out.substr(out.find('\n'))), json({{"untold", 31}}));
}

TEST_F(Monitor, EndsCleanlyWhenItIsInterrupted) {
  const std::string log = (directory() / "log").string();
  auto process =
      gw::test::start({"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus().address(), GW_BINARY_DIR "/gwctl", "monitor"}, log);
  tell(verdict());
  while (process.running() && read_file(log).value_or("").find("no-web") == std::string::npos)
    std::this_thread::yield();
  EXPECT_EQ(process.end(SIGINT), 0) << read_file(log).value_or("");
}

TEST_F(Monitor, EndsWhenNobodyReadsItsOutputAnyMore) {
  tell(verdict());
  const auto output = gw::test::run({"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus().address(), "bash", "-o", "pipefail",
                                     "-c", GW_BINARY_DIR "/gwctl monitor --json | head -n 1"});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(json::parse(output.out), verdict());
}

}  // namespace
}  // namespace gw::ctl::test
