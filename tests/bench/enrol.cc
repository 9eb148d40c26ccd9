// SPDX-License-Identifier: Apache-2.0
// Enrolments and renewals a second through the real enrolment server, each with a connection, a handshake and a
// challenge of its own, by a few devices at the same time on the same machine.
#include <chrono>
#include <future>
#include <iostream>
#include <stdexcept>

#include "tests/support/bench.h"
#include "tests/support/enroller.h"
#include "tests/support/lab.h"

namespace gw::test {
namespace {

constexpr int kRounds = 6;
constexpr size_t kDevices = 40;  // a round; the lab's pool has addresses for 252
constexpr size_t kAtOnce = 4;

class Gateway {
 public:
  Gateway() : lab_(GW_BINARY_DIR), outside_(lab_.attach("devices")) {
    lab_.configure("groups: {developers: {}}\n");
    lab_.configure_enrolment();
    lab_.start();
    lab_.start_enrolment();
    link_ = lab_.invite("--group developers --uses " + std::to_string(kDevices * kRounds)).at("link");
  }

  double enrolments_per_second() {
    devices_.clear();
    for (size_t i = 0; i < kDevices; ++i) devices_.emplace_back(outside_, link_, "device" + std::to_string(++made_));
    return per_second([](Enroller& device) { return device.enrol(); });
  }

  /// Of those that enrolled last.
  double renewals_per_second() {
    return per_second([](Enroller& device) { return device.renew(); });
  }

 private:
  template <class Work>
  double per_second(Work work) {
    const auto before = std::chrono::steady_clock::now();
    std::vector<std::future<void>> workers;
    workers.reserve(kAtOnce);
    for (size_t first = 0; first < kAtOnce; ++first) {
      workers.push_back(std::async(std::launch::async, [this, first, work] {
        for (size_t i = first; i < devices_.size(); i += kAtOnce) must(work(devices_[i]));
      }));
    }
    for (auto& worker : workers) worker.get();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
    return static_cast<double>(devices_.size()) / took.count();
  }

  Lab lab_;
  Host& outside_;
  std::string link_;
  std::vector<Enroller> devices_;
  size_t made_ = 0;
};

void bench_enrolment() {
  Gateway gateway;
  Figure enrolments{.name = "enrol: devices with a token", .unit = "1/s", .ours = {}, .peers = {}};
  Figure renewals{.name = "enrol: renewals for the same keys", .unit = "1/s", .ours = {}, .peers = {}};
  for (int round = 0; round < kRounds; ++round) {
    enrolments.ours.push_back(gateway.enrolments_per_second());
    renewals.ours.push_back(gateway.renewals_per_second());
  }
  report(enrolments, bench_file());
  report(renewals, bench_file());
}

}  // namespace
}  // namespace gw::test

int main() {
  try {
    gw::test::bench_enrolment();
  } catch (const std::exception& error) {
    std::cerr << "bench_enrol: " << error.what() << "\n";
    return 1;
  }
}
