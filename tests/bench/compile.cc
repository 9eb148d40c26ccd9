// SPDX-License-Identifier: Apache-2.0
// Milliseconds to compile a policy, and what they grow with: rules, clients of known kinds, and kinds of client.
#include "gatewayd/policy/compile.h"

#include <chrono>
#include <iostream>
#include <stdexcept>

#include "tests/support/bench.h"
#include "tests/support/big_policy.h"

namespace gw::test {
namespace {

constexpr int kRounds = 9;
constexpr size_t kGroups = 100;
constexpr size_t kSubnets = 50;

struct Size {
  size_t rules;
  size_t clients;
  size_t groups_each;
};

class Contender {
 public:
  explicit Contender(const Size& size) : config_(big_network(kGroups, kSubnets)) {
    add_group_rules(config_, size.rules, 1);
    hosts_ = big_clients(config_, size.clients, size.groups_each, 2);
  }

  double milliseconds() const {
    policy::Interner interner;
    const auto start = std::chrono::steady_clock::now();
    const auto compiled = policy::compile(config_, hosts_, interner);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (!compiled) throw std::runtime_error(compiled.error().message());
    return took.count();
  }

 private:
  config::Config config_;
  std::vector<policy::HostFacts> hosts_;
};

void bench_compile() {
  const Contender ours({.rules = 10'000, .clients = 10'000, .groups_each = 1});
  const Contender fewer_rules({.rules = 1'000, .clients = 10'000, .groups_each = 1});
  const Contender fewer_clients({.rules = 10'000, .clients = 1'000, .groups_each = 1});
  const Contender more_kinds({.rules = 10'000, .clients = 1'000, .groups_each = 2});
  report(interleave("compile, 10,000 rules, 10,000 clients", "ms", kRounds,
                    {{"ours", [&] { return ours.milliseconds(); }},
                     {"1,000 rules", [&] { return fewer_rules.milliseconds(); }},
                     {"1,000 clients", [&] { return fewer_clients.milliseconds(); }},
                     {"1,000 clients of two groups each", [&] { return more_kinds.milliseconds(); }}}),
         bench_file());
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_compile();
  } catch (const std::exception& error) {
    std::cerr << "bench_compile: " << error.what() << "\n";
    return 1;
  }
}
