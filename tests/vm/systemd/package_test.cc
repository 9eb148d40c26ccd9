// SPDX-License-Identifier: Apache-2.0
// The package and its units on a machine with systemd as PID 1, from a fresh installation to the purge: one story, in
// the order of the tests. GW_PACKAGES holds old.deb and new.deb, whose gatewayd has another version and pinned maps of
// another layout.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bpf/abi.h"
#include "gatewayd/base/file.h"
#include "gatewayd/control/message_id.h"
#include "tests/support/lab.h"
#include "tests/support/sockets.h"
#include "tests/vm/systemd/scene.h"

namespace gw::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnit = "gatewayd.service";
constexpr const char* kPins = "/run/gatewayd/bpf/gateway";
constexpr const char* kGateway = "5.5.5.1";
constexpr const char* kWeb = "10.1.1.10";
constexpr const char* kConfiguration = R"(gateway:
  name: contoso
  public: {interface: eth0, endpoint: "5.5.5.1:51820"}
vpn: {subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]}
network: {address_space: [10.1.0.0/16]}
subnets:
  web: {prefixes: [10.1.1.0/24], interface: eth1, address: 10.1.1.1}
  far: {prefixes: [10.1.9.0/24], interface: eth1, via: 10.1.1.10}
groups: {developers: {}}
rules:
  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [icmp]}
)";

std::string package(const std::string& name) { return std::string(std::getenv("GW_PACKAGES")) + "/" + name + ".deb"; }

// Triggers would rebuild the host's databases of manual pages and the like.
std::string install(const std::string& name) {
  const std::string out = must_on_machine("dpkg --no-triggers -i " + package(name));
  std::cout << out;
  return out;
}

void write(const std::string& path, const std::string& text) {
  if (auto written = write_file_atomically(path, text, 0644); !written)
    throw std::runtime_error(written.error().message());
}

Reach reach(uint16_t port) { return try_tcp(scene().laptop(), kGateway, port, kSilence); }

std::string forwarding() { return must_on_machine("cat /proc/sys/net/ipv4/ip_forward"); }

class Package : public testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) std::cerr << journal() << on_machine("systemctl status gatewayd*").out << std::endl;
  }
};

/// What may not happen to packets while `work` is done.
template <class Work>
void expect_no_loss(Work&& work) {
  Stream stream;
  work();
  const auto count = stream.finish();
  EXPECT_EQ(count.received, count.sent) << "of " << count.sent << " packets";
  std::cout << count.received << " of " << count.sent << " packets came back\n";
}

TEST_F(Package, InstalledAfreshItRunsAndFiltersNothing) {
  scene();
  // The time that the service may be silent, shortened for a test below.
  fs::create_directories("/etc/systemd/system/gatewayd.service.d");
  write("/etc/systemd/system/gatewayd.service.d/test.conf", "[Service]\nWatchdogSec=15s\n");
  install("old");
  EXPECT_EQ(property(kUnit, "ActiveState"), "active");
  EXPECT_EQ(property(kUnit, "UnitFileState"), "enabled");
  EXPECT_EQ(property("gatewayd-guard.service", "UnitFileState"), "enabled");
  EXPECT_EQ(property(kUnit, "User"), "gatewayd");
  EXPECT_EQ(must_on_machine("nft list ruleset"), "");
  EXPECT_EQ(forwarding(), "0\n");
  EXPECT_EQ(reach(22), Reach::open);
  EXPECT_EQ(reach(8080), Reach::open);
  EXPECT_NE(journal().find("nothing is configured yet"), std::string::npos);
}

TEST_F(Package, LetsAClientInWithKernelWireGuardAndKeepsSshOpen) {
  write("/etc/gatewayd/gateway.yaml", kConfiguration);
  std::cout << must_on_machine("gwctl apply");
  must_on_machine("gwctl client add alice --group developers --out /root/alice.conf");
  scene().laptop().must("wg-quick up /root/alice.conf");
  EXPECT_EQ(try_ping(scene().laptop(), kWeb), Reach::open);
  EXPECT_EQ(try_tcp(scene().laptop(), kWeb, 22, kSilence), Reach::silent);
  EXPECT_EQ(reach(22), Reach::open);
  EXPECT_EQ(reach(8080), Reach::silent);
  const std::string status = must_on_machine("gwctl status");
  EXPECT_NE(status.find("wireguard   kernel"), std::string::npos) << status;
  EXPECT_NE(status.find("drift       none"), std::string::npos) << status;
  // Its own user, these rights and no others: gatewayd is what it is allowed to be.
  const std::string self = read_file("/proc/" + property(kUnit, "MainPID") + "/status").value_or("");
  EXPECT_NE(self.find("CapEff:\t000000c000001000"), std::string::npos) << self;
  EXPECT_NE(self.find("CapBnd:\t000000c000001000"), std::string::npos) << self;
  EXPECT_NE(self.find("NoNewPrivs:\t1"), std::string::npos) << self;
}

TEST_F(Package, KeepsTheKeysOfTheAuthorityFromGatewayd) {
  EXPECT_EQ(property("gatewayd-signer.service", "User"), "gatewayd-signer");
  EXPECT_EQ(property("gatewayd-signer.service", "ActiveState"), "active") << "it has issued the certificate above";
  EXPECT_TRUE(fs::exists("/var/lib/gatewayd-signer/ca/issuing.key"));
  EXPECT_FALSE(fs::exists("/var/lib/gatewayd/ca"));
  const std::string as_gatewayd = "setpriv --reuid gatewayd --regid gatewayd --clear-groups ";
  EXPECT_FALSE(on_machine(as_gatewayd + "cat /var/lib/gatewayd-signer/ca/issuing.key").ok());
  write("/root/passphrase", "four words are enough\n");
  must_on_machine("gwctl backup /root/whole.backup --passphrase-file /root/passphrase");
  fs::copy("/root/passphrase", "/tmp/passphrase");
  fs::permissions("/tmp/passphrase", fs::perms(0644));
  const Output refused = on_machine(as_gatewayd + "gwctl backup /tmp/b --passphrase-file /tmp/passphrase");
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.err.find("to root alone"), std::string::npos) << refused.err;
  must_on_machine("gwctl ca rotate");
  EXPECT_NE(must_on_machine("gwctl ca show").find("gatewayd issuing CA 2"), std::string::npos);
}

TEST_F(Package, WritesWhatGwctlChangesAndReloadsWhatIsEdited) {
  must_on_machine("gwctl group add guests --description visitors");
  EXPECT_TRUE(fs::exists("/etc/gatewayd/gateway.d/90-gwctl.yaml"));
  must_on_machine("systemctl reload gatewayd");
  EXPECT_TRUE(Lab::eventually([] { return journal().find("by SIGHUP") != std::string::npos; })) << journal();
  EXPECT_EQ(property(kUnit, "ActiveState"), "active");
  EXPECT_NE(must_on_machine("gwctl status").find("files       as applied"), std::string::npos);
}

TEST_F(Package, RestartsWithoutLosingAPacketAndItsPinsStay) {
  const std::string pins = must_on_machine("ls -i " + std::string(kPins) + "/abi-" + std::to_string(GW_ABI_VERSION));
  expect_no_loss([] { must_on_machine("systemctl restart gatewayd"); });
  EXPECT_EQ(must_on_machine("ls -i " + std::string(kPins) + "/abi-" + std::to_string(GW_ABI_VERSION)), pins);
  expect_no_loss([] {
    must_on_machine("systemctl stop gatewayd");
    EXPECT_EQ(try_ping(scene().laptop(), kWeb), Reach::open);
    EXPECT_EQ(reach(8080), Reach::silent);
    must_on_machine("systemctl start gatewayd");
  });
}

TEST_F(Package, ComesBackAfterAKillAndWhenItNoLongerAnswers) {
  for (const char* signal : {"KILL", "STOP"}) {
    const std::string invocation = property(kUnit, "InvocationID");
    expect_no_loss([&] {
      must_on_machine("systemctl kill -s " + std::string(signal) + " --kill-who=main gatewayd");
      EXPECT_TRUE(restarted(invocation)) << signal;
    });
  }
  EXPECT_EQ(property(kUnit, "NRestarts"), "2");
  EXPECT_NE(must_on_machine("journalctl -b --no-pager -o cat").find("Watchdog timeout"), std::string::npos);
  EXPECT_NE(must_on_machine("gwctl status").find("drift       none"), std::string::npos);
}

TEST_F(Package, TheGuardLoadsTheFrameBeforeTheNetworkAndAloneItIsClosed) {
  EXPECT_NE(property("gatewayd-guard.service", "Before").find("network-pre.target"), std::string::npos);
  EXPECT_NE(property(kUnit, "After").find("gatewayd-guard.service"), std::string::npos);
  must_on_machine("systemctl stop gatewayd");
  must_on_machine("nft flush ruleset");
  EXPECT_EQ(try_tcp(scene().web(), "10.1.1.1", 8080, kSilence), Reach::open) << "else this would show nothing";
  must_on_machine("systemctl restart gatewayd-guard");
  EXPECT_EQ(try_tcp(scene().web(), "10.1.1.1", 8080, kSilence), Reach::silent);
  must_on_machine("systemctl start gatewayd");
}

TEST_F(Package, GoesToAHigherVersionAndBackWithTheTunnelOpenAndEveryPacketThrough) {
  for (const auto& [name, version] : {std::pair{"new", "gatewayd next"}, {"old", "gatewayd " GW_VERSION}}) {
    const std::string invocation = property(kUnit, "InvocationID");
    expect_no_loss([&] {
      install(name);
      EXPECT_TRUE(restarted(invocation));
    });
    const std::string status = must_on_machine("gwctl status");
    EXPECT_NE(status.find(version), std::string::npos) << status;
    EXPECT_NE(status.find("drift       none"), std::string::npos) << status;
  }
  EXPECT_EQ(must_on_machine("ls " + std::string(kPins)), "abi-" + std::to_string(GW_ABI_VERSION) + "\n");
  EXPECT_EQ(read_file("/etc/gatewayd/gateway.yaml").value_or(""), kConfiguration);
}

TEST_F(Package, ExplainsItsEntriesInTheJournalAndTheyAreFoundByTheirKind) {
  EXPECT_NE(must_on_machine("journalctl -b -x --no-pager -u gatewayd").find("From now on it is what every start uses"),
            std::string::npos);
  const std::string applied = "MESSAGE_ID=" + std::string(control::message_id::kApplied);
  EXPECT_TRUE(must_on_machine("journalctl -b --no-pager -o cat " + applied).starts_with("apply 1 by uid 0"));
}

TEST_F(Package, NetworkdLeavesRoutesAndTheWireGuardDeviceAlone) {
  // A file for everything, as images of clouds have it: it manages eth1, and would manage wg0.
  fs::create_directories("/etc/systemd/network");
  write("/etc/systemd/network/99-all.network", "[Match]\nName=eth1 wg0\n\n[Network]\nAddress=10.1.1.1/24\n");
  must_on_machine("systemctl stop gatewayd");  // which would mend it
  const std::string routes = must_on_machine("ip route show proto 103");
  EXPECT_NE(routes.find("10.1.9.0/24"), std::string::npos) << routes;
  // networkd waits until udev has looked at a device.
  must_on_machine("systemctl start systemd-udevd");
  must_on_machine("udevadm trigger --action=add --subsystem-match=net --settle");
  must_on_machine("systemctl start systemd-networkd");
  const auto state = [](const std::string& device) { return must_on_machine("networkctl --no-legend list " + device); };
  EXPECT_TRUE(Lab::eventually([&] { return state("eth1").find(" configured") != std::string::npos; })) << state("");
  EXPECT_EQ(must_on_machine("ip route show proto 103"), routes);
  EXPECT_NE(state("wg0").find("unmanaged"), std::string::npos) << state("wg0");
  EXPECT_NE(must_on_machine("ip address show wg0").find("172.16.201.1/24"), std::string::npos);
  must_on_machine("systemctl stop systemd-networkd.socket systemd-networkd");
  must_on_machine("systemctl start gatewayd");
  EXPECT_EQ(try_ping(scene().laptop(), kWeb), Reach::open);
}

TEST_F(Package, AnswersAdministratorsAndWhomPolkitAllowsAndNobodyElse) {
  const Output users =
      run({"systemd-sysusers", "--inline", "u ordinary -", "u operator -", "m operator gatewayd-admin"});
  ASSERT_TRUE(users.ok()) << users.err;
  const auto as = [](const std::string& user, const std::string& words) {
    return on_machine("setpriv --reuid=" + user + " --regid=" + user + " --init-groups gwctl " + words);
  };
  EXPECT_TRUE(as("operator", "client show alice").ok());
  EXPECT_TRUE(as("operator", "apply").ok());
  for (const char* words : {"status", "apply", "client revoke alice"}) {
    const Output refused = as("ordinary", words);
    EXPECT_EQ(refused.status, 1) << words;
    EXPECT_NE(refused.err.find("polkit would ask for a password"), std::string::npos) << refused.err;
  }
  fs::create_directories("/etc/polkit-1/rules.d");
  write("/etc/polkit-1/rules.d/10-test.rules",
        "polkit.addRule(function(action, subject) {\n"
        "  if (action.id == 'org.gatewayd.read' && subject.user == 'ordinary') return polkit.Result.YES;\n});\n");
  EXPECT_TRUE(Lab::eventually([&] { return as("ordinary", "status").ok(); }));
  EXPECT_EQ(as("ordinary", "apply").status, 1);
}

TEST_F(Package, LetsADeviceEnrolThroughAServerThatMayDoNothingElse) {
  write("/etc/gatewayd/gateway.d/10-enrol.yaml", "gateway: {public: {enroll_port: 443}}\n");
  must_on_machine("gwctl apply");
  EXPECT_EQ(property("gatewayd-enroll.socket", "UnitFileState"), "disabled") << "another server may have the port";
  must_on_machine("systemctl start gatewayd-enroll.socket");
  const auto serves = [] {
    return scene().laptop().run(words("curl -fsSk -o /dev/null https://5.5.5.1/.well-known/gatewayd/challenge")).ok();
  };
  ASSERT_TRUE(Lab::eventually(serves)) << must_on_machine("journalctl -b --no-pager -u gatewayd-enroll");
  const std::string unit = "gatewayd-enroll.service";
  const std::string self = read_file("/proc/" + property(unit, "MainPID") + "/status").value_or("");
  EXPECT_NE(self.find("CapBnd:\t0000000000000000"), std::string::npos) << self;
  EXPECT_EQ(property(unit, "User"), "gatewayd-enroll");
  const std::string as = "setpriv --reuid=gatewayd-enroll --regid=gatewayd-enroll --clear-groups ";
  EXPECT_FALSE(on_machine(as + "gwctl status").ok());
  EXPECT_FALSE(on_machine(as + "gwctl token create").ok());

  const auto invitation = nlohmann::json::parse(must_on_machine("gwctl --json token create --group developers"));
  const Output joined =
      scene().laptop().run({"sh", "-c",
                            "curl -fsSk --tlsv1.3 --pinnedpubkey sha256//" + invitation.at("pin").get<std::string>() +
                                " https://5.5.5.1/join.sh | NO_UP=1 WG_DIR=/root/wg sh -s -- '" +
                                invitation.at("link").get<std::string>() + "' tablet"});
  EXPECT_TRUE(joined.ok()) << joined.out << joined.err;
  EXPECT_NE(must_on_machine("gwctl client list").find("tablet"), std::string::npos);
  // Restarted under its feet: systemd keeps the socket, and nobody is turned away.
  must_on_machine("systemctl restart " + unit);
  EXPECT_TRUE(serves());
}

TEST_F(Package, ServesNamesToWhoIsInside) {
  write("/etc/gatewayd/gateway.d/20-names.yaml", "vpn: {dns: {domain: vpn.internal}}\n");
  must_on_machine("gwctl apply");
  const auto answer = [] {
    return scene().laptop().run(words("timeout 5 dig +short +tries=1 +time=2 alice.vpn.internal @172.16.201.1")).out;
  };
  EXPECT_TRUE(Lab::eventually([&] { return answer() == "172.16.201.3\n"; }))
      << answer() << must_on_machine("journalctl -b --no-pager -u gatewayd-names");
  EXPECT_EQ(property("gatewayd-names.service", "User"), "gatewayd-names");
}

TEST_F(Package, RemovedItLeavesNothingInTheKernelAndTheAdministratorsFiles) {
  const Output removed = on_machine("dpkg --no-triggers -r gatewayd");
  std::cout << removed.out << removed.err;
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(must_on_machine("nft list ruleset"), "");
  EXPECT_FALSE(on_machine("ip link show wg0").ok());
  for (const char* device : {"eth0", "eth1"})
    EXPECT_EQ(must_on_machine("tc filter show dev " + std::string(device) + " ingress"), "");
  EXPECT_FALSE(fs::exists(kPins));
  EXPECT_EQ(must_on_machine("ip route show proto 103"), "");
  EXPECT_EQ(forwarding(), "0\n");
  EXPECT_EQ(reach(22), Reach::open);
  EXPECT_EQ(reach(8080), Reach::open);
  EXPECT_FALSE(on_machine("mountpoint -q /run/gatewayd/bpf").ok());
  EXPECT_EQ(read_file("/etc/gatewayd/gateway.yaml").value_or(""), kConfiguration);
  EXPECT_TRUE(fs::exists("/var/lib/gatewayd/registry.db"));
}

TEST_F(Package, PurgedItLeavesNothing) {
  must_on_machine("dpkg --no-triggers -P gatewayd");
  EXPECT_EQ(on_machine("find /etc /usr /var /run -xdev -name *gatewayd* -not -path *gatewayd.service.d*").out, "");
  EXPECT_EQ(on_machine("systemctl list-unit-files --no-legend gatewayd*").out, "");
}

}  // namespace
}  // namespace gw::test
