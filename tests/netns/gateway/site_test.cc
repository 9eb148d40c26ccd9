// SPDX-License-Identifier: Apache-2.0
// Three gateways, joined site to site: in the middle the lab's, beside it two more with a network each.
#include <fmt/core.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/support/bus_daemon.h"

namespace gw::test {
namespace {

/// Another whole gateway on the lab's internet, with one subnet of one host.
class Branch {
 public:
  Branch(Lab& middle, std::string name, std::string net, std::string address)
      : middle_(middle),
        name_(std::move(name)),
        net_(std::move(net)),
        address_(std::move(address)),
        gateway_(name_),
        host_(name_ + "-host") {
    connect(middle_.internet(), name_, gateway_, "eth0");
    middle_.internet().ip({"link set " + name_ + " master br0"});
    gateway_.ip({"address add " + address_ + "/24 dev eth0"});
    connect(gateway_, "eth1", host_, "eth0");
    host_.ip({"address add " + host() + "/24 dev eth0", "route add default via " + net_ + ".1"});
    std::filesystem::create_directories(directory() + "/etc");
    configure("");
    start();
  }
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;
  ~Branch() { daemon_.end(SIGKILL); }

  [[nodiscard]] std::string host() const { return net_ + ".10"; }
  [[nodiscard]] std::string prefix() const { return net_ + ".0/24"; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const Host& machine() const { return host_; }
  [[nodiscard]] const Host& gateway() const { return gateway_; }
  [[nodiscard]] std::string public_key() const {
    return nlohmann::json::parse(gwctl("--json status")).at("public_key").get<std::string>();
  }

  void configure(const std::string& more) {
    const std::string text = fmt::format(R"(gateway: {{name: {0}, public: {{interface: eth0, endpoint: "{1}:51820"}}}}
vpn: {{interface: wg0, subnets: [172.16.{2}.0/24]}}
network: {{address_space: ["{3}.0/24"]}}
subnets: {{lan: {{prefixes: ["{3}.0/24"], interface: eth1, address: ["{3}.1"]}}}}
{4})",
                                         name_, address_, address_.substr(address_.rfind('.') + 1), net_, more);
    if (auto written = write_file_atomically(directory() + "/etc/gateway.yaml", text, 0644); !written)
      throw std::runtime_error(written.error().message());
  }
  std::string gwctl(const std::string& line) const {
    Arguments command = {"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus_.address(), GW_BINARY_DIR "/gwctl"};
    for (const auto& word : words(line)) command.push_back(word);
    return gateway_.must(command);
  }

 private:
  [[nodiscard]] std::string directory() const { return middle_.directory() + "/" + name_; }
  void start() {
    daemon_ =
        gateway_.start({GW_BINARY_DIR "/gatewayd", "--trust-clock", "--config", directory() + "/etc", "--state",
                        directory() + "/state", "--run", directory() + "/run", "--bpffs", "/run/bpf"},
                       directory() + "/log", [this] { setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_.address().c_str(), 1); });
    if (!Lab::eventually([this] {
          return read_file(directory() + "/log").value_or("").find("serving, version") != std::string::npos;
        }))
      throw std::runtime_error(read_file(directory() + "/log").value_or("no log"));
  }

  Lab& middle_;
  std::string name_, net_, address_;
  BusDaemon bus_;
  Host gateway_, host_;
  Process daemon_;
};

class Sites : public testing::Test {
 protected:
  Sites() {
    lab_.configure(kGroups);
    lab_.start();
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << lab_.gwctl("site list").out << std::endl;
  }
  std::string public_key() {
    return nlohmann::json::parse(lab_.must_gwctl("--json status")).at("public_key").get<std::string>();
  }
  /// The branch calls, or waits to be called.
  void join(Branch& branch, const std::string& name, bool branch_calls, const std::string& behind) {
    lab_.must_gwctl(fmt::format("site add {} --public-key {} --prefix {}{}", name, branch.public_key(), branch.prefix(),
                                branch_calls ? "" : " --endpoint " + branch.address() + ":51820"));
    branch.gwctl(fmt::format("site add middle --public-key {} --prefix 10.1.1.0/24 --prefix {}{}", public_key(), behind,
                             branch_calls ? " --endpoint 5.5.5.1:51820 --keepalive 25" : ""));
  }
  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Sites, ThreeGatewaysJoinedReachWhatTheRulesSay) {
  Branch north(lab_, "north", "10.2.1", "5.5.5.30");
  Branch south(lab_, "south", "10.3.1", "5.5.5.40");
  join(north, "north", true, south.prefix());
  join(south, "south", false, north.prefix());
  // Both ends decide: the branches let everything in from the middle, the middle names what may pass.
  for (const Branch* branch : {&north, &south}) {
    branch->gwctl("rule add in --action allow --from site:middle --to subnet:lan");
    branch->gwctl("rule add out --action allow --from subnet:lan --to site:middle --apply");
  }
  lab_.must_gwctl("apply");
  EXPECT_EQ(try_ping(north.machine(), "10.1.1.10", kSilence), Reach::silent) << "no rule allows a site anything";

  lab_.must_gwctl("rule add north-web --action allow --from site:north --to subnet:web");
  lab_.must_gwctl("rule add through --action allow --from site:north --to site:south --apply");
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(north.machine(), "10.1.1.10") == Reach::open; }));
  EXPECT_TRUE(Lab::eventually([&] { return try_ping(north.machine(), south.host()) == Reach::open; }))
      << "one site reaches another through the middle";
  EXPECT_EQ(try_ping(south.machine(), north.host(), kSilence), Reach::silent) << "and not the other way round";
  EXPECT_EQ(try_ping(south.machine(), "10.1.1.10", kSilence), Reach::silent);

  const auto sites = nlohmann::json::parse(lab_.must_gwctl("--json site list"));
  ASSERT_EQ(sites.size(), 2U);
  EXPECT_EQ(sites[0].at("endpoint_now"), "5.5.5.30:51820") << "it called, and is known since";
  EXPECT_TRUE(sites[0].at("online") && sites[1].at("online"));

  lab_.must_gwctl("rule remove through --apply");
  EXPECT_EQ(try_ping(north.machine(), south.host(), kSilence), Reach::silent);
  EXPECT_EQ(lab_.gwctl("site remove north").status, 1) << "a rule names it";
  lab_.must_gwctl("rule remove north-web");
  lab_.must_gwctl("site remove north --apply");
  EXPECT_EQ(try_ping(north.machine(), "10.1.1.10", kSilence), Reach::silent);
}

TEST_F(Sites, WhosePrefixesOverlapAreRefusedWithBothNames) {
  const std::string key = "eZTWiQiZb62dRE+7aGKN5V5bZc+wPPIZx1r/r+dB4Fk=";
  lab_.must_gwctl("site add north --public-key " + key + " --prefix 10.2.0.0/16");
  const Output again =
      lab_.gwctl("site add south --public-key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= --prefix 10.2.3.0/24");
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find("north"), std::string::npos) << again.err;
  EXPECT_NE(again.err.find("south"), std::string::npos) << again.err;
  const Output subnet = lab_.gwctl("site add west --public-key " + key + " --prefix 10.1.1.0/25");
  EXPECT_EQ(subnet.status, 1);
  EXPECT_NE(subnet.err.find("'web'"), std::string::npos) << subnet.err;
  EXPECT_EQ(lab_.gwctl("site add west --public-key short --prefix 10.9.0.0/16").status, 2);
}

}  // namespace
}  // namespace gw::test
