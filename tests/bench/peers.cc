// SPDX-License-Identifier: Apache-2.0
// The control plane with 1,000, 10,000 and 50,000 clients beside wg(8) with as many peers and nothing else: load after
// a boot, restart, one client's key changed, one client taken away. Ours does more each time: certificates, addresses,
// policy, and reading the kernel back. What wg is given is what `wg showconf` says of ours.
// usage: bench_peers [--prepare] [--states DIRECTORY] [COUNT...]
//   --prepare only makes the registries, which takes long on an emulated machine; without it they are made if missing.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <stdexcept>

#include "gatewayd/base/file.h"
#include "tests/bench/big_gateway.h"
#include "tests/support/bench.h"

namespace gw::test {
namespace {

constexpr int kRounds = 3;

/// WireGuard with the same peers, driven by wg(8).
class PlainWireGuard {
 public:
  explicit PlainWireGuard(const std::string& configuration) : text_(configuration) {
    write(text_, "all");
    const size_t last = text_.rfind("[Peer]");
    without_one_ = text_.substr(0, last);
    write(without_one_, "less");
    changed_ = without_one_ + text_.substr(last);
    const size_t key = changed_.find("PublicKey = ", last) + 12;
    changed_.replace(key, 43, std::string(42, 'B') + "A");
    write(changed_, "changed");
  }

  double load() {
    if (!device_.empty()) lab_.gateway().must("ip link delete " + device_);
    device_ = "plain" + std::to_string(++devices_);  // userspace WireGuard ends a while after its device
    lab_.gateway().must({"bash", "-c",
                         "ip link add " + device_ + " type wireguard 2>/dev/null || LOG_LEVEL=silent wireguard-go " +
                             device_ + " 2>/dev/null"});
    return timed("setconf", "all");
  }
  double restart() { return timed("syncconf", "all"); }
  double change() {
    const double took = timed("syncconf", "changed");
    timed("syncconf", "all");
    return took;
  }
  double remove() {
    const double took = timed("syncconf", "less");
    timed("syncconf", "all");
    return took;
  }

 private:
  void write(const std::string& text, const std::string& name) { std::ofstream(lab_.directory() + "/" + name) << text; }
  double timed(const std::string& verb, const std::string& file) {
    return milliseconds_of([&] {
      const Output output =
          lab_.gateway().run({"wg", verb, device_, lab_.directory() + "/" + file}, std::chrono::minutes(10));
      if (!output.ok()) throw std::runtime_error("wg " + verb + ": " + output.err);
    });
  }

  Lab lab_{GW_BINARY_DIR};
  std::string text_, without_one_, changed_, device_;
  int devices_ = 0;
};

std::filesystem::path prepared(const std::filesystem::path& states, size_t count) {
  const std::filesystem::path state = states / std::to_string(count);
  if (std::filesystem::exists(state)) return state;
  std::cerr << "making a registry of " << count << " clients\n";
  BigGateway gateway(count);
  gateway.stop();
  std::filesystem::create_directories(states);
  const std::filesystem::path part = state.string() + ".part";
  std::filesystem::remove_all(part);
  std::filesystem::copy(gateway.lab().state_directory(), part, std::filesystem::copy_options::recursive);
  std::filesystem::rename(part, state);
  return state;
}

void bench_peers(const std::filesystem::path& state, size_t count) {
  BigGateway ours(state);
  PlainWireGuard plain(ours.lab().gateway().must("wg showconf wg0"));
  size_t next = 0;
  const auto name = [&] { return "client-" + std::to_string(next++); };
  const auto compare = [&](const std::string& what, const std::function<double()>& one,
                           const std::function<double()>& other, const char* tool) {
    report(interleave(std::to_string(count) + " peers: " + what, "ms", kRounds, {{"ours", one}, {tool, other}}),
           bench_file());
  };
  compare("load", [&] { return ours.start_cold(); }, [&] { return plain.load(); }, "wg setconf");
  compare("restart", [&] { return ours.start_again(); }, [&] { return plain.restart(); }, "wg syncconf");
  compare("change one", [&] { return ours.rekey(name()); }, [&] { return plain.change(); }, "wg syncconf");
  compare("remove one", [&] { return ours.revoke(name()); }, [&] { return plain.remove(); }, "wg syncconf");
  report(interleave(std::to_string(count) + " peers: memory of gatewayd", "MB", 1,
                    {{"ours", [&] { return ours.memory("VmRSS"); }}}),
         bench_file());
}

}  // namespace
}  // namespace gw::test

int main(int argc, char** argv) {
  std::vector<size_t> counts = {1'000, 10'000, 50'000};
  std::string states = std::filesystem::path(GW_BINARY_DIR).parent_path() / "bench-states";
  bool prepare = false;
  CLI::App app("The control plane by number of clients, beside wg(8).", "bench_peers");
  app.add_option("counts", counts, "Numbers of clients");
  app.add_option("--states", states, "Where the registries are kept");
  app.add_flag("--prepare", prepare, "Make the registries and end");
  CLI11_PARSE(app, argc, argv);
  try {
    for (const size_t count : counts) {
      const auto state = gw::test::prepared(states, count);
      if (!prepare) gw::test::bench_peers(state, count);
    }
  } catch (const std::exception& error) {
    std::cerr << "bench_peers: " << error.what() << "\n";
    return 1;
  }
}
