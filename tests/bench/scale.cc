// SPDX-License-Identifier: Apache-2.0
// gatewayd with 10,000 clients beside one with 10: time to start (process start to READY=1, the kernel then as wanted),
// memory, and the time of the bus call that adds or removes one client.
#include <iostream>
#include <stdexcept>

#include "tests/bench/big_gateway.h"
#include "tests/support/bench.h"

namespace gw::test {
namespace {

constexpr int kStarts = 5;
constexpr int kColdStarts = 3;
constexpr int kChanges = 50;
constexpr int kNewKinds = 9;
constexpr size_t kMany = 10'000;
constexpr size_t kFew = 10;

void bench_scale() {
  BigGateway few(kFew);
  BigGateway many(kMany);
  const auto compare = [&](const std::string& what, const char* unit, int rounds, auto measure) {
    report(interleave("10,000 clients: " + what, unit, rounds,
                      {{"ours", [&] { return measure(many); }}, {"10 clients", [&] { return measure(few); }}}),
           bench_file());
  };
  compare("start after a boot", "ms", kColdStarts, [](BigGateway& one) { return one.start_cold(); });
  compare("start again", "ms", kStarts, [](BigGateway& one) { return one.start_again(); });
  compare("memory after the start", "MB", 1, [](BigGateway& one) { return one.memory("VmRSS"); });
  compare("add one", "ms", kChanges, [](BigGateway& one) { return one.add_like_others(); });
  compare("remove one", "ms", kChanges, [](BigGateway& one) { return one.remove_one(); });
  compare("add the first of a new kind", "ms", kNewKinds, [](BigGateway& one) { return one.add_first_of_kind(); });
  compare("most memory", "MB", 1, [](BigGateway& one) { return one.memory("VmHWM"); });
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_scale();
  } catch (const std::exception& error) {
    std::cerr << "bench_scale: " << error.what() << "\n";
    return 1;
  }
}
