// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>

namespace gw::enroll {

/// Who is let in. An attacker who holds connections open, or guesses, gets in his own way and in nobody else's: sources
/// are counted one by one (IPv4 address, IPv6 /64), and where there is no room the oldest connection of whoever holds
/// most goes, never the new one: among sources that hold equally many, the oldest of all, so that he who has thousands
/// of sources displaces himself too. Nobody is locked out: behind one address there may be a whole office. One thread.
class Doors {
 public:
  struct Limits {
    size_t connections = 1024;
    size_t per_source = 64;
    uint32_t failures = 10;            ///< at once; beyond it their answers come late
    double failures_per_second = 0.2;  ///< that are forgiven
  };
  struct Connection {
    uint64_t number = 0;  ///< ascending; a connection that was asked to close counts as the newest
    std::function<void()> close;
  };
  using Connections = std::list<Connection>;
  struct Place {
    std::string source;
    Connections::iterator at;
  };

  explicit Doors(Limits limits) : limits_(limits) {}

  /// `close` ends the connection; it is called at most once, and never after `leave`.
  Place enter(const std::string& source, std::function<void()> close);
  void leave(const Place& place);
  [[nodiscard]] size_t open() const { return open_; }
  [[nodiscard]] size_t remembered() const { return buckets_.size(); }  ///< sources with failures; bounded

  /// A refusal for `source` at `now` (seconds of a clock that never goes back); true: answer it late.
  bool failed(const std::string& source, double now);

 private:
  struct Bucket {
    double tokens = 0;
    double at = 0;
  };
  void make_room(const std::string& source);
  void forget_buckets(double now);

  Limits limits_;
  std::unordered_map<std::string, Connections> sources_;
  std::unordered_map<std::string, Bucket> buckets_;
  size_t open_ = 0;
  uint64_t next_ = 0;
};

/// A place among the connections, given back in whatever way its holder ends.
class Seat {
 public:
  Seat(Doors& doors, const std::string& source, std::function<void()> close)
      : doors_(doors), place_(doors.enter(source, std::move(close))) {}
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { doors_.leave(place_); }

 private:
  Doors& doors_;
  Doors::Place place_;
};

/// What an address counts as.
std::string source_of(const std::string& address);

}  // namespace gw::enroll
