// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/doors.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "gatewayd/base/ip.h"

namespace gw::enroll {
namespace {

constexpr size_t kMostBuckets = 4096;
constexpr uint8_t kSubscriber = 64;  // what one IPv6 customer has at least (RFC 6177)

}  // namespace

std::string source_of(const std::string& address) {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return address;
  const IpAddress plain = IpAddress::from_mapped(parsed->mapped());
  return plain.family == Family::v4 ? plain.str() : Prefix::of(plain, kSubscriber).str();
}

void Doors::make_room(const std::string& source) {
  auto from = sources_.find(source);
  if (from == sources_.end() || from->second.size() < limits_.per_source) {
    if (open_ < limits_.connections) return;
    from = std::ranges::max_element(sources_, {}, [](const auto& entry) {
      return std::pair(entry.second.size(), std::numeric_limits<uint64_t>::max() - entry.second.front().number);
    });
  }
  Connections& theirs = from->second;
  const auto close = std::exchange(theirs.front().close, [] {});
  // Closed now, gone when its own task sees it: until then it still counts, but is not chosen again before the others.
  theirs.front().number = ++next_;
  theirs.splice(theirs.end(), theirs, theirs.begin());
  close();
}

Doors::Place Doors::enter(const std::string& source, std::function<void()> close) {
  make_room(source);
  Connections& mine = sources_[source];
  mine.push_back({++next_, std::move(close)});
  ++open_;
  return {source, std::prev(mine.end())};
}

void Doors::leave(const Place& place) {
  const auto from = sources_.find(place.source);
  from->second.erase(place.at);
  if (from->second.empty()) sources_.erase(from);
  --open_;
}

void Doors::forget_buckets(double now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return entry.second.tokens + (now - entry.second.at) * limits_.failures_per_second >= limits_.failures;
  });
  if (buckets_.size() >= kMostBuckets) buckets_.clear();
}

bool Doors::failed(const std::string& source, double now) {
  if (buckets_.size() >= kMostBuckets) forget_buckets(now);
  const auto [entry, fresh] = buckets_.try_emplace(source, Bucket{static_cast<double>(limits_.failures), now});
  Bucket& bucket = entry->second;
  bucket.tokens = std::min<double>(limits_.failures, bucket.tokens + (now - bucket.at) * limits_.failures_per_second);
  bucket.at = now;
  if (bucket.tokens < 1) return true;
  bucket.tokens -= 1;
  return false;
}

}  // namespace gw::enroll
