// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/model_gateway.h"

#include <algorithm>
#include <utility>

namespace gw::test::model {
namespace {

constexpr uint8_t kTcp = 6;
constexpr double kMinute = 60;
constexpr double kDay = 86400;

/// An address that nobody sends from.
bool silent(const IpAddress& address) {
  const auto& b = address.bytes;
  if (address.family == Family::v4)
    return b[0] == 0 || b[0] == 127 || b[0] >> 4U == 14 ||
           std::all_of(b.begin(), b.begin() + 4, [](uint8_t x) { return x == 0xff; });
  return b[0] == 0xff || (std::all_of(b.begin(), b.begin() + 15, [](uint8_t x) { return x == 0; }) && b[15] < 2);
}

Tuple reversed(const Tuple& tuple) {
  Tuple out = tuple;
  std::swap(out.source, out.destination);
  if (!tuple.icmp()) std::swap(out.sport, out.dport);
  return out;
}

/// Whether two packets of these tuples are of one conversation, in one direction.
bool same_way(const Tuple& a, const Tuple& b) {
  if (!a.icmp()) return a == b;
  if (a.source != b.source || a.destination != b.destination || a.protocol != b.protocol || a.sport != b.sport)
    return false;
  const Query of_a = query_of(a.protocol, static_cast<uint8_t>(a.dport >> 8U));
  const Query of_b = query_of(b.protocol, static_cast<uint8_t>(b.dport >> 8U));
  if (of_a.role == Role::asks) return of_b.role == Role::asks && of_a.type == of_b.type;
  return a.dport == b.dport;
}

/// Whether `answer` is the way back of what `asked` began.
bool answers(const Tuple& answer, const Tuple& asked) {
  if (!asked.icmp()) return reversed(answer) == asked;
  if (answer.source != asked.destination || answer.destination != asked.source || answer.protocol != asked.protocol)
    return false;
  const Query question = query_of(asked.protocol, static_cast<uint8_t>(asked.dport >> 8U));
  const Query reply = query_of(answer.protocol, static_cast<uint8_t>(answer.dport >> 8U));
  return question.role == Role::asks && reply.role == Role::answers && question.type == reply.type &&
         answer.sport == asked.sport;
}

Verdict refused(const Decision& decision) {
  return decision.action == GW_ACTION_REJECT ? kRejected : dropped(decision.reason);
}

Verdict marked(uint32_t mark) { return {true, mark, GW_REASON_NONE}; }

}  // namespace

double Gateway::Flow::patience() const {
  if (ended()) return kMinute;
  return original.protocol == kTcp && replied ? 5 * kDay : 3 * kMinute;
}

Gateway::Direction Gateway::direction_of(const Flow& flow, const Tuple& tuple) {
  if (same_way(tuple, flow.original)) return Direction::original;
  return answers(tuple, flow.original) ? Direction::reply : Direction::none;
}

/// An answer belongs to its question before it belongs to others of its kind that nobody asked for.
std::vector<Gateway::Flow>::iterator Gateway::find(const Tuple& tuple) {
  const auto asked = std::ranges::find_if(flows_, [&](const Flow& flow) { return answers(tuple, flow.original); });
  if (asked != flows_.end()) return asked;
  return std::ranges::find_if(flows_, [&](const Flow& flow) { return same_way(tuple, flow.original); });
}

Gateway::Direction Gateway::belongs(const Flow& flow, const Read& read) const {
  const Direction direction = direction_of(flow, read.tuple);
  if (now_ - flow.last_seen > flow.patience()) return Direction::none;
  const bool begins = (read.tcp_flags & (kSyn | kAck)) == kSyn;
  if (begins && (direction == Direction::reply || flow.ended())) return Direction::none;
  return direction;
}

uint32_t Gateway::mark_of(const Decision& decision) {
  return decision.nat || decision.to_gateway ? GW_MARK_ALLOW | GW_MARK_NAT : GW_MARK_ALLOW;
}

void Gateway::note(Flow& flow, const Read& read, Direction direction) const {
  const auto way = static_cast<size_t>(direction);
  flow.last_seen = now_;
  if ((read.tcp_flags & kRst) != 0) {
    flow.reset = true;
    return;
  }
  if (direction == Direction::reply) flow.replied = true;
  if ((read.tcp_flags & kFin) != 0) flow.fin[way] = true;
}

void Gateway::remember_first(const Read& read, Device device, uint32_t mark) {
  if (read.place != Place::first) return;
  std::erase_if(pieces_, [&](const Piece& piece) {
    return piece.source == read.tuple.source && piece.destination == read.tuple.destination && piece.id == read.id &&
           piece.protocol == read.fragment_protocol;
  });
  pieces_.push_back(
      {read.tuple.source, read.tuple.destination, read.id, read.fragment_protocol, device, generation_, now_, mark});
}

const Gateway::Piece* Gateway::first_of(const Read& read, Device device) const {
  const auto found = std::ranges::find_if(pieces_, [&](const Piece& piece) {
    return piece.source == read.tuple.source && piece.destination == read.tuple.destination && piece.id == read.id &&
           piece.protocol == read.fragment_protocol;
  });
  if (found == pieces_.end() || found->device != device || found->generation != generation_ ||
      now_ - found->time > kMinute)
    return nullptr;
  return &*found;
}

/// The mark of an ICMP error that is carried by the flow it tells of.
std::optional<uint32_t> Gateway::error_mark(const Read& read, Device device, bool leaving) {
  if (!read.error || !read.quoted || read.quoted->source != read.tuple.destination) return std::nullopt;
  const IpAddress& sender = read.tuple.source;
  if (sender != read.quoted->destination &&
      (sender == read.quoted->source || silent(sender) || policy_.is_host(sender))) {
    return std::nullopt;
  }
  const auto flow = find(*read.quoted);
  if (flow == flows_.end() || now_ - flow->last_seen > flow->patience()) return std::nullopt;
  const size_t back = direction_of(*flow, *read.quoted) == Direction::reply ? 0 : 1;
  if (!leaving && flow->seen[back] && flow->entered[back] != device) return std::nullopt;
  if (flow->generation == generation_) return mark_of(flow->decision);
  const Decision decision = policy_.decide(flow->original);
  if (decision.action != GW_ACTION_ALLOW) return std::nullopt;
  return mark_of(decision);
}

Verdict Gateway::judge(const Read& read, Device device, std::vector<Flow>::iterator flow, Direction direction) {
  const auto link = links_.find(device);
  if (link == links_.end()) return dropped(GW_REASON_NO_LINK);
  if (read.tuple.source == read.tuple.destination) return dropped(GW_REASON_LAND);
  const Decision decision = policy_.decide(direction == Direction::none ? read.tuple : flow->original);
  const uint32_t sends_from = direction == Direction::reply ? decision.destination_link : decision.source_link;
  if (sends_from != link->second.id) {
    const bool outsider =
        link->second.is_public && sends_from == 0 && decision.to_gateway && !silent(read.tuple.source);
    if (!outsider) return dropped(GW_REASON_SOURCE);
    remember_first(read, device, 0);
    return kUnmarked;
  }
  if (decision.action != GW_ACTION_ALLOW) {
    if (direction != Direction::none) flows_.erase(flow);
    if (!decision.to_gateway || decision.reason != GW_REASON_DEFAULT) return refused(decision);
    remember_first(read, device, 0);
    return kUnmarked;
  }
  if (direction == Direction::none) {
    if (flow != flows_.end()) flows_.erase(flow);
    flows_.emplace_back();
    flow = flows_.end() - 1;
    flow->original = read.tuple;
    direction = Direction::original;
  }
  flow->decision = decision;
  flow->generation = generation_;
  flow->entered[static_cast<size_t>(direction)] = device;
  flow->seen[static_cast<size_t>(direction)] = true;
  note(*flow, read, direction);
  remember_first(read, device, mark_of(decision));
  return marked(mark_of(decision));
}

Verdict Gateway::enter(const Read& read, Device device) {
  if (const auto mark = error_mark(read, device, false)) {
    remember_first(read, device, *mark);
    return marked(*mark);
  }
  if (read.place == Place::later) {
    const Piece* first = first_of(read, device);
    return first != nullptr ? marked(first->mark) : dropped(GW_REASON_FRAGMENT);
  }
  const auto flow = find(read.tuple);
  const Direction direction = flow == flows_.end() ? Direction::none : belongs(*flow, read);
  const auto way = static_cast<size_t>(direction);
  if (direction == Direction::none || flow->generation != generation_ || !flow->seen[way] ||
      flow->entered[way] != device)
    return judge(read, device, flow, direction);
  note(*flow, read, direction);
  remember_first(read, device, mark_of(flow->decision));
  return marked(mark_of(flow->decision));
}

Verdict Gateway::leave(const Read& read, Device from) {
  if (const auto mark = error_mark(read, from, true)) {
    remember_first(read, from, *mark);
  } else {
    if (read.place == Place::later) return first_of(read, from) != nullptr ? kUnmarked : dropped(GW_REASON_FRAGMENT);
    const auto flow = find(read.tuple);
    const Direction direction = flow == flows_.end() ? Direction::none : belongs(*flow, read);
    if (direction == Direction::none) return dropped(GW_REASON_NO_FLOW);
    if (flow->generation != generation_) {
      const Decision decision = policy_.decide(flow->original);
      if (decision.action != GW_ACTION_ALLOW) {
        flows_.erase(flow);
        return dropped(decision.reason);
      }
      flow->decision = decision;
      flow->generation = generation_;
    }
    note(*flow, read, direction);
  }
  if (first_of(read, from) == nullptr) remember_first(read, from, 0);
  return kUnmarked;
}

Verdict Gateway::see(const Bytes& bytes, const Entry& where) {
  const bool leaving = where.hook == bpf::Hook::vpn_egress;
  const auto vlan = [&](uint16_t vid) { return vlan_(where.device, vid); };
  const Reading reading = where.hook == bpf::Hook::subnet_ingress ? read_frame(bytes, vlan) : read_layer3(bytes);
  if (const auto* reason = std::get_if<gw_reason>(&reading)) return dropped(*reason);
  if (std::holds_alternative<OnLink>(reading)) return leaving ? dropped(GW_REASON_NEVER_FORWARDED) : kUnmarked;
  const auto& read = std::get<Read>(reading);
  return leaving ? leave(read, where.entered) : enter(read, where.device);
}

bool Gateway::close_to_an_end(double seconds, double margin) const {
  const auto close = [&](double since, double patience) {
    return std::abs(now_ + seconds - since - patience) < margin;
  };
  return std::ranges::any_of(flows_, [&](const Flow& flow) { return close(flow.last_seen, flow.patience()); }) ||
         std::ranges::any_of(pieces_, [&](const Piece& piece) { return close(piece.time, kMinute); });
}

}  // namespace gw::test::model
