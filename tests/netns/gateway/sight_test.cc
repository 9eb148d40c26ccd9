// SPDX-License-Identifier: Apache-2.0
// What an operator sees while packets pass: verdicts as they come, flows, journal entries, metrics.
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

using nlohmann::json;

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kData4 = "10.1.2.10";
constexpr const char* kRules =
    "  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80, udp/5000]}\n"
    "  - {name: no-data, action: reject, from: [vpn], to: [subnet:data], log: true}\n";

/// More refused packets than the programs tell one by one.
void flood(const Host& from) {
  constexpr int kPackets = 20000;
  const Socket socket = connect_udp(from, kData4, 9);
  for (int i = 0; i < kPackets; ++i) (void)socket.send("x");
}

class Sight : public RunningGateway {
 protected:
  static std::string directory() { return lab().directory(); }
  static Process watch(const std::string& more, const std::string& log) {
    Arguments command = {"env", "DBUS_SYSTEM_BUS_ADDRESS=" + lab().bus_address(), GW_BINARY_DIR "/gwctl", "monitor"};
    for (const auto& word : words(more)) command.push_back(word);
    return lab().gateway().start(command, directory() + "/" + log);
  }
  static std::string text(const std::string& file) { return read_file(directory() + "/" + file).value_or(""); }
  static bool comes(const std::string& file, const std::string& expected) {
    return Lab::eventually([&] { return text(file).find(expected) != std::string::npos; });
  }
  /// Sends until the monitor has told something: it may not have been there yet.
  static bool provoked(const std::string& file, const std::string& expected) {
    return Lab::eventually([&] {
      try_tcp(alice(), kData4, 22, kSilence);
      try_tcp(bob(), kWeb4, 23, kSilence);
      return text(file).find(expected) != std::string::npos;
    });
  }
};

TEST_F(Sight, TheMonitorNamesClientRuleInterfaceAndZonesAsItHappens) {
  rules(kRules);
  Process table = watch("--denied", "table");
  Process alices = watch("--client alice --json", "alices");
  ASSERT_TRUE(provoked("table", "(default)") && provoked("alices", "\n"));
  EXPECT_NE(text("table").find("no-data                   alice > subnet:data"), std::string::npos) << text("table");
  EXPECT_NE(text("table").find("bob > subnet:web"), std::string::npos) << text("table");
  const std::string lines = text("alices");
  const json first = json::parse(lines.substr(0, lines.find('\n')));
  EXPECT_EQ(first.at("rule"), "no-data");
  EXPECT_EQ(first.at("client"), "alice");
  EXPECT_EQ(first.at("interface"), "wg0");
  EXPECT_EQ(first.at("to_zone"), "subnet:data");
  EXPECT_EQ(first.at("destination_port"), 22);
  EXPECT_EQ(lines.find("bob"), std::string::npos);
  EXPECT_EQ(table.end(SIGINT), 0);
  EXPECT_EQ(alices.end(SIGINT), 0);
  EXPECT_EQ(lab().gwctl("monitor --client nobody").status, 1);
}

TEST_F(Sight, ASlowWatcherStopsNobody) {
  rules(kRules);
  Process stopped = watch("--json", "stopped");
  ASSERT_TRUE(provoked("stopped", "no-data"));
  kill(stopped.pid(), SIGSTOP);
  flood(alice());
  EXPECT_TRUE(lab().gwctl("status").ok());
  EXPECT_EQ(try_tcp(alice(), kWeb4, 80), Reach::refused) << "traffic goes on";
  kill(stopped.pid(), SIGCONT);
  EXPECT_TRUE(comes("stopped", "{\"untold\":")) << text("stopped");
  EXPECT_EQ(stopped.end(SIGTERM), 0);
}

TEST_F(Sight, FlowsAreListedAndKillingOneMeansItIsJudgedAgain) {
  rules(kRules);
  lab().must_gwctl("flows --kill --all");
  const Socket listener = listen_tcp(lab().web(), kWeb4, 80);
  const Socket client = connect_tcp(alice(), kWeb4, 80);
  const Socket server = listener.accept();
  ASSERT_TRUE(client.send("up") && server.receive() == "up");
  const auto list = [&] { return json::parse(lab().must_gwctl("flows --client alice --service tcp/80 --json")); };
  const json flows = list();
  ASSERT_EQ(flows.size(), 1U) << flows;
  EXPECT_EQ(flows[0].at("rule"), "dev-web");
  EXPECT_EQ(flows[0].at("state"), "established");
  EXPECT_EQ(flows[0].at("destination"), kWeb4);
  EXPECT_TRUE(flows[0].contains("access_ends"));
  EXPECT_NE(lab().must_gwctl("flows").find("dev-web"), std::string::npos);

  const std::string kill = "flows --kill --to subnet:web --client alice";
  EXPECT_NE(lab().must_gwctl(kill).find("ended"), std::string::npos);
  EXPECT_TRUE(list().empty());
  ASSERT_TRUE(server.send("down"));
  EXPECT_EQ(client.receive(kSilence), std::nullopt) << "no rule lets web open a connection to alice";
  ASSERT_TRUE(client.send("up"));
  EXPECT_EQ(server.receive(), "up") << "from the side that the rule allows it goes on";
  EXPECT_EQ(client.receive(), "down") << "and takes what waited along";

  rules("  - {name: dev-web, action: deny, from: [group:developers], to: [subnet:web]}\n");
  lab().must_gwctl("flows --kill --all");
  EXPECT_TRUE(list().empty());
  ASSERT_TRUE(client.send("up"));
  EXPECT_EQ(server.receive(kSilence), std::nullopt);
}

TEST_F(Sight, MetricsArePrintedAndWrittenWhereTheyAreWanted) {
  const std::string file = directory() + "/gatewayd.prom";
  lab().reconfigure(std::string(kGroups) + "metrics: {textfile: " + file + ", interval: 1s}\nrules:\n" + kRules);
  try_tcp(alice(), kData4, 22, kSilence);
  const auto has = [&](const std::string& text) {
    return Lab::eventually([&] { return read_file(file).value_or("").find(text) != std::string::npos; });
  };
  EXPECT_TRUE(has("gatewayd_rule_packets_total{rule=\"no-data\",action=\"reject\"} "))
      << read_file(file).value_or("none");
  EXPECT_TRUE(has("gatewayd_dropped_packets_total{reason=\"rejected\"} "));
  EXPECT_TRUE(has("gatewayd_peers_online 3"));
  const Output parsed = run({"/usr/bin/python3", "-c",
                             "import sys; from prometheus_client.parser import text_string_to_metric_families as t; "
                             "print(len(list(t(sys.stdin.read()))))"},
                            std::chrono::seconds(30), {}, lab().must_gwctl("metrics"));
  EXPECT_EQ(parsed.status, 0) << parsed.err;
  EXPECT_GE(std::stoi(parsed.out), 20);
  rules(kRules);
  EXPECT_FALSE(std::filesystem::exists(file)) << "nobody keeps it fresh any more";
}

/// A gateway whose log is the journal: a socket in its place, and what came there.
TEST(Journal, DeniedFlowsAreEntriesWithFields) {
  Lab lab(GW_BINARY_DIR);
  lab.configure(std::string(kGroups) + "rules:\n" + kRules);
  const Host& gateway = lab.gateway();
  gateway.must("mkdir -p /run/systemd");
  gateway.must("mount -t tmpfs journal /run/systemd");
  gateway.must("mkdir /run/systemd/journal");
  const std::string received = lab.directory() + "/entries";
  Process journal = gateway.start({"socat", "-u", "UNIX-RECV:/run/systemd/journal/socket", "CREATE:" + received},
                                  lab.directory() + "/socat.log");
  ASSERT_TRUE(Lab::eventually([&] { return gateway.run({"test", "-S", "/run/systemd/journal/socket"}).ok(); }));
  lab.log_to_journal();
  lab.start();
  Host& alice = lab.enrol("alice", "developers");
  EXPECT_EQ(try_tcp(alice, kData4, 22), Reach::refused);
  const auto has = [&](const std::string& field) {
    return Lab::eventually([&] { return read_file(received).value_or("").find(field + "\n") != std::string::npos; });
  };
  for (const char* field :
       {"MESSAGE_ID=539cd98b149d40ef810476f1ceb2c062", "PRIORITY=5", "GATEWAYD_ACTION=reject", "GATEWAYD_RULE=no-data",
        "GATEWAYD_CLIENT=alice", "GATEWAYD_DESTINATION=10.1.2.10", "GATEWAYD_DESTINATION_PORT=22",
        "GATEWAYD_PROTOCOL=tcp", "GATEWAYD_INTERFACE=wg0", "GATEWAYD_TO_ZONE=subnet:data"}) {
    EXPECT_TRUE(has(field)) << field << "\n" << read_file(received).value_or("nothing came");
  }
  // A flood is told in few entries and one number.
  flood(alice);
  EXPECT_TRUE(Lab::eventually(
      [&] { return read_file(received).value_or("").find("GATEWAYD_SUPPRESSED=") != std::string::npos; }));
}

}  // namespace
}  // namespace gw::test
