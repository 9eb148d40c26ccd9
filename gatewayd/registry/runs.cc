// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/registry/runs.h"

#include <algorithm>
#include <iterator>

namespace gw::registry {

RunSet::Runs::const_iterator RunSet::run_at(Value value) const {
  auto next = runs_.upper_bound(value);
  if (next == runs_.begin()) return runs_.end();
  const auto run = std::prev(next);
  return run->second >= value ? run : runs_.end();
}

bool RunSet::contains(Value value) const { return run_at(value) != runs_.end(); }

void RunSet::insert(Value value) {
  if (contains(value)) return;
  Value last = value;
  if (const auto after = runs_.find(value + 1); after != runs_.end()) {
    last = after->second;
    runs_.erase(after);
  }
  if (const auto before = value == 0 ? runs_.cend() : run_at(value - 1); before != runs_.end()) {
    runs_[before->first] = last;
  } else {
    runs_[value] = last;
  }
}

void RunSet::erase(Value value) {
  const auto run = run_at(value);
  if (run == runs_.end()) return;
  const auto [first, last] = *run;
  runs_.erase(run);
  if (first < value) runs_[first] = value - 1;
  if (value < last) runs_[value + 1] = last;
}

Value RunSet::lowest_free(Value from) const {
  const auto run = run_at(from);
  return run == runs_.end() ? from : run->second + 1;
}

uint64_t RunSet::count(Value first, Value last) const {
  uint64_t total = 0;
  auto run = run_at(first);
  if (run == runs_.end()) run = runs_.lower_bound(first);
  for (; run != runs_.end() && run->first <= last; ++run) {
    total += static_cast<uint64_t>(std::min(run->second, last) - std::max(run->first, first)) + 1;
  }
  return total;
}

}  // namespace gw::registry
