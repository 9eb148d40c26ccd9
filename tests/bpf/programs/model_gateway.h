// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "tests/bpf/programs/model_reader.h"
#include "tests/bpf/programs/world.h"

namespace gw::test::model {

/// What the rules, and who is where, make of the first packet of a flow.
struct Decision {
  uint32_t action = GW_ACTION_DENY;
  gw_reason reason = GW_REASON_DEFAULT;  ///< of what is not allowed
  bool nat = false;
  bool to_gateway = false;
  uint32_t source_link = 0;  ///< the link that the source may send from; 0: none of ours
  uint32_t destination_link = 0;
};

/// All that the model is told of the world.
struct Policy {
  std::function<Decision(const Tuple&)> decide;
  std::function<bool(const IpAddress&)> is_host;  ///< a client or the gateway itself
};

/// A device and its link, as in gw_links.
struct Link {
  uint32_t id = 0;
  bool is_public = false;
};

/// The policy of the data plane as DATAPLANE tells it, without its rate limit, sizes and ends of clients: packet in,
/// verdict out. Slow and simple; knows a flow by comparing it with all others.
class Gateway {
 public:
  Gateway(Policy policy, std::map<Device, Link> links, std::function<bool(Device, uint16_t)> vlan)
      : policy_(std::move(policy)), links_(std::move(links)), vlan_(std::move(vlan)) {}

  /// The verdict; the mark that a packet brought to egress is 0.
  Verdict see(const Bytes& bytes, const Entry& where);
  /// Another policy: what is open is judged again.
  void swap(Policy policy) {
    policy_ = std::move(policy);
    ++generation_;
  }
  /// So much time goes by.
  void wait(double seconds) { now_ += seconds; }
  /// True when some flow or datagram would be within `margin` seconds of its end after `seconds` more.
  [[nodiscard]] bool close_to_an_end(double seconds, double margin) const;
  [[nodiscard]] bool remembers_nothing() const { return flows_.empty() && pieces_.empty(); }

 private:
  enum class Direction : uint8_t { original, reply, none };
  struct Flow {
    Tuple original;
    Device entered[2] = {};
    bool seen[2] = {};  ///< entered is valid
    uint64_t generation = 0;
    double last_seen = 0;
    Decision decision;
    bool replied = false;
    bool fin[2] = {};
    bool reset = false;
    [[nodiscard]] bool ended() const { return reset || (fin[0] && fin[1]); }
    [[nodiscard]] double patience() const;
  };
  struct Piece {  ///< what the first fragment of a datagram was granted
    IpAddress source, destination;
    uint32_t id;
    uint8_t protocol;
    Device device;
    uint64_t generation;
    double time;
    uint32_t mark;
  };

  Verdict enter(const Read& read, Device device);
  Verdict leave(const Read& read, Device from);
  Verdict judge(const Read& read, Device device, std::vector<Flow>::iterator flow, Direction direction);
  std::optional<uint32_t> error_mark(const Read& read, Device device, bool leaving);
  void note(Flow& flow, const Read& read, Direction direction) const;
  void remember_first(const Read& read, Device device, uint32_t mark);
  [[nodiscard]] const Piece* first_of(const Read& read, Device device) const;

  std::vector<Flow>::iterator find(const Tuple& tuple);
  [[nodiscard]] static Direction direction_of(const Flow& flow, const Tuple& tuple);
  [[nodiscard]] Direction belongs(const Flow& flow, const Read& read) const;
  [[nodiscard]] static uint32_t mark_of(const Decision& decision);

  Policy policy_;
  std::map<Device, Link> links_;
  std::function<bool(Device, uint16_t)> vlan_;
  std::vector<Flow> flows_;
  std::vector<Piece> pieces_;
  uint64_t generation_ = 0;
  double now_ = 0;
};

}  // namespace gw::test::model
