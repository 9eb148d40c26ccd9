// SPDX-License-Identifier: Apache-2.0
#include "tests/support/bench.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

namespace gw::test {

Figure interleave(const std::string& name, const std::string& unit, int rounds,
                  const std::vector<std::pair<std::string, std::function<double()>>>& contenders) {
  Figure figure{name, unit, {}, {}};
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      const size_t turn = (i + static_cast<size_t>(round)) % contenders.size();
      const double value = contenders[turn].second();
      (turn == 0 ? figure.ours : figure.peers[contenders[turn].first]).push_back(value);
    }
  }
  return figure;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void report(const Figure& figure, const std::string& path) {
  const double ours = median(figure.ours);
  const auto [low, high] = std::minmax_element(figure.ours.begin(), figure.ours.end());
  const double spread = ours == 0 ? 0 : (*high - *low) / ours;
  nlohmann::json entry = {{"name", figure.name},
                          {"unit", figure.unit},
                          {"ours", ours},
                          {"peers", nlohmann::json::object()},
                          {"ratio", nlohmann::json::object()},
                          {"spread", spread},
                          {"runs", figure.ours.size()}};
  std::cout << std::left << std::setw(52) << figure.name << std::right << std::setw(14) << std::fixed
            << std::setprecision(1) << ours << " " << figure.unit << "  (spread " << std::setprecision(0)
            << spread * 100 << " %, " << figure.ours.size() << " runs)\n";
  for (const auto& [name, values] : figure.peers) {
    const double peer = median(values);
    const double ratio = peer == 0 ? 0 : ours / peer;
    entry["peers"][name] = peer;
    entry["ratio"][name] = ratio;
    std::cout << std::left << std::setw(52) << ("    beside " + name) << std::right << std::setw(14)
              << std::setprecision(1) << peer << " " << figure.unit << "  ours/this " << std::setprecision(2) << ratio
              << "\n";
  }
  std::cout << std::flush;
  nlohmann::json list = nlohmann::json::array();
  if (std::ifstream in(path); in) list = nlohmann::json::parse(in, nullptr, false);
  if (!list.is_array()) list = nlohmann::json::array();
  list.push_back(entry);
  std::ofstream(path) << list.dump(1) << "\n";
}

std::string bench_file() {
  const char* path = std::getenv("GW_BENCH_JSON");
  return path != nullptr ? path : "bench.json";
}

}  // namespace gw::test
