// SPDX-License-Identifier: Apache-2.0
// The guard of a running gateway: real handshakes under a flood, the deny list, and what status shows.
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <future>
#include <nlohmann/json.hpp>

#include "tests/netns/gateway/lab_fixture.h"
#include "tests/support/flood.h"
#include "tests/support/wireguard_message.h"

namespace gw::test {
namespace {

constexpr const char* kPublic = "5.5.5.1";
constexpr uint32_t kFloodRate = 200'000;
constexpr int kHandshakes = 100;                 // of each of three clients
constexpr std::chrono::seconds kLongEnough{12};  // an emulated machine makes fewer

class Guard : public RunningGateway {
 protected:
  static nlohmann::json status() { return nlohmann::json::parse(lab().must_gwctl("status --json")); }

  static uint64_t dropped(const std::string& beginning) {
    uint64_t out = 0;
    const auto all = status();
    for (const auto& [reason, packets] : all.at("drops").items()) {
      if (reason.starts_with(beginning)) out += packets.get<uint64_t>();
    }
    return out;
  }

  /// What `gwctl status` says of it on the public interface.
  static std::string guard_shown() {
    const auto all = status();
    for (const auto& interface : all.at("interfaces")) {
      if (interface.at("name") != "eth0") continue;
      for (const auto& program : interface.at("programs")) {
        if (program.get<std::string>().starts_with("guard")) return program;
      }
    }
    return "";
  }

  /// As somebody with a strong will does: the program goes with the link that is pinned.
  static void take_away_xdp() {
    const std::string index = lab().gateway().must("cat /sys/class/net/eth0/ifindex");
    lab().gateway().must("rm /run/bpf/gateway/xdp_" + index.substr(0, index.find('\n')));
  }

  static UniqueFd pass_all() {
    const bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    return UniqueFd(bpf_prog_load(BPF_PROG_TYPE_XDP, "another", "GPL", program, std::size(program), nullptr));
  }

  /// Forgets the session of a client and makes a new one by a ping through the tunnel. WireGuard tries again after five
  /// seconds: what is there sooner is the first try's.
  static bool handshake(const Host& client, const std::string& settings) {
    const std::string device = client.must("wg show interfaces").substr(0, 15);
    const std::string name = device.substr(0, device.find('\n'));
    const std::string peer = client.must("wg show " + name + " peers").substr(0, 44);
    client.must("wg set " + name + " peer " + peer + " remove");
    client.must("wg set " + name + " peer " + peer + " " + settings);
    return try_ping(client, "172.16.201.1", std::chrono::milliseconds(4500)) == Reach::open;
  }

  struct Handshakes {
    int tried = 0, good = 0;
    double flood_rate = 0;  ///< packets a second
  };

  static Handshakes handshakes_of(const Host& client) {
    const std::string settings = "endpoint 5.5.5.1:51820 allowed-ips 172.16.201.0/24";
    Handshakes out;
    const auto end = std::chrono::steady_clock::now() + kLongEnough;
    while (out.tried < kHandshakes && std::chrono::steady_clock::now() < end) {
      // Without any flood WireGuard refuses a peer's initiation that comes sooner (INITIATIONS_PER_SECOND is 50).
      const auto next = std::chrono::steady_clock::now() + std::chrono::milliseconds(40);
      ++out.tried;
      out.good += handshake(client, settings) ? 1 : 0;
      std::this_thread::sleep_until(next);
    }
    return out;
  }

  /// How many of all handshakes come about while the flood runs, and how strong it was.
  static Handshakes handshakes_under_flood(const Flood& flood) {
    std::atomic<bool> stop = false;
    auto rate = std::async(std::launch::async, [&] { return flood.run(kFloodRate, stop); });
    std::vector<std::future<Handshakes>> clients;
    for (Host* client : {&alice(), &bob(), &carol()})
      clients.push_back(std::async(std::launch::async, [client] { return handshakes_of(*client); }));
    Handshakes all;
    for (auto& client : clients) {
      const Handshakes one = client.get();
      all.tried += one.tried;
      all.good += one.good;
    }
    stop = true;
    all.flood_rate = rate.get();
    return all;
  }

  static Flood::Target target() {
    return {.sender = lab().internet(),
            .sender_device = "gw",
            .gateway = lab().gateway(),
            .gateway_device = "eth0",
            .address = kPublic};
  }
};

TEST_F(Guard, LetsRealHandshakesThroughAFloodThatItDrops) {
  const Flood flood(target(), Flood::Kind::mixed);
  const auto tell = [](const std::string& how, const Handshakes& result) {
    std::cerr << "handshakes under a flood of " << static_cast<uint64_t>(result.flood_rate) << " packets/s, " << how
              << ": " << result.good << " of " << result.tried << "\n";
  };
  for (const char* hook : {"xdp", "tc"}) {
    lab().reconfigure(std::string(kGroups) + "guard: {hook: " + hook + "}\n");
    const uint64_t forged = dropped("WireGuard handshake made without");
    const auto result = handshakes_under_flood(flood);
    EXPECT_GE(result.tried, 9) << hook;
    EXPECT_GE(result.good, result.tried * 99 / 100) << hook;
    EXPECT_GT(dropped("WireGuard handshake made without"), forged + 10'000) << hook;
    tell(std::string("guard at ") + hook, result);
  }
  // The daemon would put it back: without it, traffic goes on as before.
  lab().crash();
  lab().gateway().must("tc filter del dev eth0 ingress prio 6");
  tell("no guard", handshakes_under_flood(flood));
  lab().start();
  lab().reconfigure(kGroups);
}

TEST_F(Guard, RunsInXdpWhereItIsAskedToAndNeverLeavesTheInterfaceOpenInBetween) {
  const std::string xdp = std::string(kGroups) + "guard: {hook: xdp}\n";
  const Bytes forged = forged_initiation();
  const std::string message(forged.begin(), forged.end());
  const Socket sender = connect_udp(lab().outside(), kPublic, kWireGuardPort);
  lab().gateway().must(Arguments{"nft",
                                 "add table inet watch; add counter inet watch forged; add chain inet watch in { type "
                                 "filter hook prerouting priority -400; }; add rule inet watch in ip saddr 5.5.5.200 "
                                 "udp dport 51820 counter name forged"});
  const uint64_t before = dropped("WireGuard handshake made without");
  std::atomic<bool> stop = false;
  auto flood = std::async(std::launch::async, [&] {
    while (!stop) (void)sender.send(message);
  });
  for (int i = 0; i < 3; ++i) {
    lab().reconfigure(xdp);
    EXPECT_EQ(guard_shown(), "guard XDP");
    EXPECT_NE(lab().gateway().must("ip link show eth0").find("prog/xdp id"), std::string::npos);
    EXPECT_EQ(lab().gateway().must("tc filter show dev eth0 ingress").find("guard_ingress"), std::string::npos);
    lab().reconfigure(kGroups);
    EXPECT_EQ(guard_shown(), "guard TC (a veth)");
    EXPECT_EQ(lab().gateway().must("ip link show eth0").find("prog/xdp id"), std::string::npos);
  }
  stop = true;
  flood.get();
  EXPECT_GT(dropped("WireGuard handshake made without"), before);
  EXPECT_NE(lab().gateway().must("nft list counter inet watch forged").find("packets 0 "), std::string::npos);
  lab().gateway().must("nft delete table inet watch");
}

TEST_F(Guard, InXdpIsPutBackAndLetsEverythingElseThrough) {
  lab().reconfigure(std::string(kGroups) +
                    "guard: {hook: xdp}\nrules:\n  - {name: all, action: allow, from: [vpn], to: "
                    "[subnet:web]}\n");
  take_away_xdp();
  EXPECT_TRUE(Lab::eventually(
      [] { return lab().gateway().must("ip link show eth0").find("prog/xdp id") != std::string::npos; }));
  EXPECT_TRUE(handshake(alice(), "endpoint 5.5.5.1:51820 allowed-ips 172.16.201.0/24,10.1.0.0/16"));
  const Socket listener = listen_tcp(lab().web(), "10.1.1.10", 80);
  const Socket client = connect_tcp(alice(), "10.1.1.10", 80);
  const Socket server = listener.accept();
  const std::string much(1 << 20, 'x');
  std::jthread writer([&] { (void)client.send(much); });
  size_t got = 0;
  while (got < much.size()) {
    const auto part = server.receive();
    if (!part || part->empty()) break;
    got += part->size();
  }
  EXPECT_EQ(got, much.size());
  lab().must_gwctl("block add 5.5.5.200");
  EXPECT_EQ(try_ping(lab().outside(), kPublic, kSilence), Reach::silent);
  lab().must_gwctl("block remove 5.5.5.200");
  EXPECT_EQ(try_ping(lab().outside(), kPublic), Reach::open);
  lab().reconfigure(kGroups);
}

TEST_F(Guard, FallsBackToTcWhereAnotherHasTheDriversProgram) {
  lab().stop();
  lab().gateway().must("ip link set dev eth0 xdp off");
  const UniqueFd foreign = pass_all();
  lab().gateway().in([&] {
    ASSERT_EQ(bpf_xdp_attach(static_cast<int>(if_nametoindex("eth0")), foreign.get(), XDP_FLAGS_DRV_MODE, nullptr), 0);
  });
  lab().start();
  lab().reconfigure(std::string(kGroups) + "guard: {hook: xdp}\n");
  EXPECT_NE(guard_shown().find("guard TC (attach XDP program"), std::string::npos) << guard_shown();
  EXPECT_NE(lab().gateway().must("tc filter show dev eth0 ingress").find("guard_ingress"), std::string::npos);
  lab().gateway().must("ip link set dev eth0 xdp off");
  lab().stop();
  lab().start();
  EXPECT_EQ(guard_shown(), "guard XDP") << "a start tries again";
  lab().reconfigure(kGroups);
}

TEST_F(Guard, IsShownInStatusAndPutBackWhenSomebodyTakesItAway) {
  EXPECT_EQ(guard_shown(), "guard TC (a veth)");
  lab().gateway().must("tc filter del dev eth0 ingress prio 6");
  EXPECT_TRUE(Lab::eventually([] {
    return lab().gateway().must("tc filter show dev eth0 ingress").find("guard_ingress") != std::string::npos;
  }));
  EXPECT_EQ(guard_shown(), "guard TC (a veth)");
}

TEST_F(Guard, BlocksAPrefixAtOnceAndAfterARestart) {
  ASSERT_EQ(try_ping(lab().outside(), kPublic), Reach::open);
  lab().must_gwctl("block add 5.5.5.200 --ttl 1h");
  EXPECT_EQ(try_ping(lab().outside(), kPublic, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(lab().outside(), "2a0d:5::1"), Reach::open) << "its other address is not blocked";
  EXPECT_GE(dropped("source is on the deny list"), 1U);
  lab().crash();
  EXPECT_EQ(try_ping(lab().outside(), kPublic, kSilence), Reach::silent) << "the kernel holds the list";
  lab().start();
  EXPECT_EQ(try_ping(lab().outside(), kPublic, kSilence), Reach::silent);
  EXPECT_NE(lab().must_gwctl("block list").find("5.5.5.200/32"), std::string::npos);
  lab().must_gwctl("block remove 5.5.5.200");
  EXPECT_EQ(try_ping(lab().outside(), kPublic), Reach::open);
}

TEST_F(Guard, ABlockEndsByItself) {
  lab().must_gwctl("block add 5.5.5.200 --ttl 2s");
  EXPECT_TRUE(Lab::eventually([] { return try_ping(lab().outside(), kPublic, kSilence) == Reach::open; }));
  EXPECT_TRUE(Lab::eventually([] { return lab().must_gwctl("block list --json") == "[]\n"; }));
}

TEST_F(Guard, RefusesABlockThatCutsOffAClientUnlessForced) {
  const Output refused = lab().gwctl("block add 5.5.5.11");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("alice"), std::string::npos) << refused.err;
  EXPECT_EQ(try_ping(alice(), "172.16.201.1"), Reach::open);
  lab().must_gwctl("block add 5.5.5.11 --force");
  EXPECT_EQ(try_ping(alice(), "172.16.201.1", kSilence), Reach::silent);
  lab().must_gwctl("block remove 5.5.5.11");
  EXPECT_EQ(try_ping(alice(), "172.16.201.1"), Reach::open);
}

TEST_F(Guard, TakesAFewInitiationsOfASourceWhenALimitIsSet) {
  constexpr uint32_t kInitiations = 200;
  const auto key = PublicKey::parse(lab().gateway().must("wg show wg0 public-key").substr(0, 44));
  ASSERT_TRUE(key);
  lab().reconfigure(std::string(kGroups) + "guard: {initiations_per_source: 1}\n");
  const uint64_t before = dropped("too many WireGuard handshakes");
  const Socket sender = connect_udp(lab().outside(), kPublic, kWireGuardPort);
  for (uint32_t seed = 1; seed <= kInitiations; ++seed) {
    const Bytes message = initiation(*key, seed);
    ASSERT_TRUE(sender.send(std::string(message.begin(), message.end())));
  }
  EXPECT_GT(dropped("too many WireGuard handshakes") - before, kInitiations / 2);
  EXPECT_TRUE(handshake(alice(), "endpoint 5.5.5.1:51820 allowed-ips 172.16.201.0/24")) << "another source has its own";
  lab().reconfigure(kGroups);
}

}  // namespace
}  // namespace gw::test
