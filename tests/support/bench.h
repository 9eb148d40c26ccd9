// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace gw::test {

/// One figure, taken of ours and of its peers in turn: run after run, so that a drift of the machine meets all alike.
struct Figure {
  std::string name;
  std::string unit;
  std::vector<double> ours;
  std::map<std::string, std::vector<double>> peers;
};

/// Calls every contender once per round, in an order that turns by one each round. The first of `contenders` is ours.
Figure interleave(const std::string& name, const std::string& unit, int rounds,
                  const std::vector<std::pair<std::string, std::function<double()>>>& contenders);

double median(std::vector<double> values);

/// Prints medians, spread (max - min over median) and ratios, and appends the figure to the JSON list in `path`:
/// {"name", "unit", "ours", "peers": {name: median}, "ratio": {name: ours/peer}, "spread", "runs"}.
void report(const Figure& figure, const std::string& path);

/// The file named by GW_BENCH_JSON, or bench.json here.
std::string bench_file();

}  // namespace gw::test
