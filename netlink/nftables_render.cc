// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "gatewayd/base/ip.h"
#include "netlink/link.h"
#include "netlink/nftables.h"

namespace gw::nl {
namespace {

using Json = nlohmann::json;

constexpr const char* kFamily = "inet";
constexpr int kRaw = -300;  // nft's names for these are raw, filter and srcnat
constexpr int kFilter = 0;
constexpr int kSourceNat = 100;

bool contains(const auto& range, const auto& value) { return std::ranges::find(range, value) != range.end(); }

Json meta(const char* key) { return {{"meta", {{"key", key}}}}; }
Json ct(const char* key) { return {{"ct", {{"key", key}}}}; }
Json payload(const char* protocol, const char* field) {
  return {{"payload", {{"protocol", protocol}, {"field", field}}}};
}
Json match(const Json& left, const Json& right, const char* op = "==") {
  return {{"match", {{"op", op}, {"left", left}, {"right", right}}}};
}
Json one_of(const std::vector<std::string>& names) {
  if (names.size() == 1) return names.front();
  return {{"set", names}};
}
/// Every bit of `wanted` set and the rest of `mask` clear.
Json mark_is(uint32_t mask, uint32_t wanted) { return match({{"&", {meta("mark"), mask}}}, wanted); }
Json statement(const char* name) { return {{name, nullptr}}; }
Json go_to(const char* chain) { return {{"goto", {{"target", chain}}}}; }
Json jump(const char* chain) { return {{"jump", {{"target", chain}}}}; }
Json set_to(const Json& key, const Json& value) { return {{"mangle", {{"key", key}, {"value", value}}}}; }

/// Collects the document's commands.
class Document {
 public:
  explicit Document(const Frame& frame) : frame_(frame) {
    // An add before the delete, so that the delete finds a table the first time too.
    const Json table = {{"family", kFamily}, {"name", frame.table}};
    commands_.push_back({{"add", {{"table", table}}}});
    commands_.push_back({{"delete", {{"table", table}}}});
    commands_.push_back({{"add", {{"table", table}}}});
  }

  void base_chain(const char* name, const char* type, const char* hook, int priority) {
    add("chain", {{"name", name}, {"type", type}, {"hook", hook}, {"prio", priority}, {"policy", "accept"}});
  }
  void chain(const char* name) { add("chain", {{"name", name}}); }
  /// A rule of the chain; the last of `expressions` is its verdict or effect.
  void rule(const char* chain, std::vector<Json> expressions) {
    add("rule", {{"chain", chain}, {"expr", std::move(expressions)}});
  }
  /// As rule(), with a counter before the drop.
  void drop(const char* chain, std::vector<Json> expressions) {
    expressions.push_back(statement("counter"));
    expressions.push_back(statement("drop"));
    rule(chain, std::move(expressions));
  }
  [[nodiscard]] std::string text() const { return Json{{"nftables", commands_}}.dump(); }

  [[nodiscard]] const Frame& frame() const { return frame_; }

 private:
  void add(const char* kind, Json object) {
    object["family"] = kFamily;
    object["table"] = frame_.table;
    commands_.push_back({{"add", {{kind, std::move(object)}}}});
  }

  const Frame& frame_;
  Json commands_ = Json::array();
};

/// Devices that are wholly ours: the VPN and the subnets', without the public one.
std::vector<std::string> own_interfaces(const Frame& frame) {
  std::vector<std::string> out{frame.vpn_interface};
  for (const auto& name : frame.inner_interfaces) {
    if (name != frame.public_interface && name != frame.vpn_interface) out.push_back(name);
  }
  return out;
}

bool is_one_card(const Frame& frame) { return contains(frame.inner_interfaces, frame.public_interface); }

Json icmp_errors(Family family) {
  if (family == Family::v4) {
    return match(payload("icmp", "type"), {{"set", {"destination-unreachable", "time-exceeded", "parameter-problem"}}});
  }
  return match(payload("icmpv6", "type"),
               {{"set", {"destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"}}});
}

void render_reject(Document& out) {
  const Json reset = {{"reject", {{"type", "tcp reset"}}}};
  const Json prohibited = {{"reject", {{"type", "icmpx"}, {"expr", "admin-prohibited"}}}};
  out.chain("rejected");
  out.rule("rejected", {match(meta("l4proto"), "tcp"), reset});
  out.rule("rejected", {prohibited});
}

// WireGuard's own datagrams and plain allowed flows stay out of connection tracking. What most packets match comes
// first.
void render_raw(Document& out) {
  const Frame& frame = out.frame();
  const uint32_t tracked = frame.mark_allow | frame.mark_nat;
  out.base_chain("prerouting", "filter", "prerouting", kRaw);
  out.rule("prerouting", {mark_is(tracked, frame.mark_allow), statement("notrack")});
  out.rule("prerouting", {match(meta("iifname"), frame.public_interface),
                          match(payload("udp", "dport"), frame.wireguard_port), statement("notrack")});
  out.base_chain("output", "filter", "output", kRaw);
  out.rule("output", {match(meta("oifname"), frame.public_interface),
                      match(payload("udp", "sport"), frame.wireguard_port), statement("notrack")});
}

void render_allowed(Document& out) {
  const Frame& frame = out.frame();
  const uint32_t tracked = frame.mark_allow | frame.mark_nat;
  const Json syn_and_rst = {{"|", {"syn", "rst"}}};
  const Json segment_size = {{"tcp option", {{"name", "maxseg"}, {"field", "size"}}}};
  const Json path_mtu = {{"rt", {{"key", "mtu"}}}};
  const Json allowed = {{"|", {ct("mark"), frame.mark_allow}}};
  out.chain("allowed");
  // A SYN in either direction; the kernel only ever lowers the size.
  out.rule("allowed", {match({{"&", {payload("tcp", "flags"), syn_and_rst}}}, "syn"), set_to(segment_size, path_mtu)});
  // Replies come without a mark, for policy sees them before the addresses are put back: the connection remembers.
  out.rule("allowed", {mark_is(tracked, tracked), set_to(ct("mark"), allowed)});
  out.rule("allowed", {statement("accept")});
}

void render_forward(Document& out) {
  const Frame& frame = out.frame();
  out.base_chain("forward", "filter", "forward", kFilter);
  out.rule("forward", {mark_is(frame.mark_allow, frame.mark_allow), go_to("allowed")});
  out.rule("forward", {mark_is(frame.mark_reject, frame.mark_reject), go_to("rejected")});
  out.rule("forward", {match(ct("direction"), "reply"), match(ct("status"), "snat", "in"),
                       match({{"&", {ct("mark"), frame.mark_allow}}}, frame.mark_allow), go_to("allowed")});
  if (frame.drop_foreign_forward) return out.drop("forward", {});
  const Json own = one_of(own_interfaces(frame));
  out.drop("forward", {match(meta("iifname"), own)});
  out.drop("forward", {match(meta("oifname"), own)});
  if (is_one_card(frame)) {
    out.drop("forward",
             {match(meta("iifname"), frame.public_interface), match(meta("oifname"), frame.public_interface)});
  }
}

void render_neighbours(Document& out) {
  out.chain("neighbours");
  out.rule("neighbours",
           {match(payload("icmpv6", "type"), {{"set",
                                               {"nd-router-solicit", "nd-router-advert", "nd-neighbor-solicit",
                                                "nd-neighbor-advert", "nd-redirect", "mld-listener-query",
                                                "mld-listener-report", "mld-listener-done", "mld2-listener-report"}}}),
            statement("accept")});
  // Answers of a DHCP server to ourselves.
  out.rule("neighbours", {match(payload("udp", "sport"), 67), match(payload("udp", "dport"), 68), statement("accept")});
  out.rule("neighbours", {match(payload("ip6", "saddr"), {{"prefix", {{"addr", "fe80::"}, {"len", 10}}}}),
                          match(payload("udp", "dport"), 546), statement("accept")});
}

void render_open_service(Document& out, const OpenService& service) {
  if (service.protocol == "icmp") {
    out.rule("outside", {match(payload("icmp", "type"), "echo-request"), statement("accept")});
    out.rule("outside", {match(payload("icmpv6", "type"), "echo-request"), statement("accept")});
    return;
  }
  if (service.protocol == "any") {
    out.rule("outside", {statement("accept")});
    return;
  }
  if (service.first == 0 && service.last == UINT16_MAX) {
    out.rule("outside", {match(meta("l4proto"), service.protocol), statement("accept")});
    return;
  }
  Json numbers = service.first;
  if (service.last > service.first) numbers = {{"range", {service.first, service.last}}};
  const Json what = service.protocol == "proto" ? meta("l4proto") : payload(service.protocol.c_str(), "dport");
  out.rule("outside", {match(what, numbers), statement("accept")});
}

// Established counts for replies to what the gateway began, and for nothing else: in the other direction each packet
// has to be allowed anew, so that a rule taken away ends its flows.
void render_input(Document& out) {
  const Frame& frame = out.frame();
  const Json own = one_of(own_interfaces(frame));
  std::vector<std::string> all = own_interfaces(frame);
  all.push_back(frame.public_interface);
  out.chain("outside");
  for (const Family family : {Family::v4, Family::v6}) out.rule("outside", {icmp_errors(family), statement("accept")});
  out.rule("outside", {match(payload("udp", "dport"), frame.wireguard_port), statement("accept")});
  for (const auto& service : frame.open) render_open_service(out, service);
  out.drop("outside", {});

  out.base_chain("input", "filter", "input", kFilter);
  out.rule("input", {match(meta("iifname"), one_of(all), "!="), statement("accept")});
  out.rule("input", {mark_is(frame.mark_reject, frame.mark_reject), go_to("rejected")});
  std::vector<std::string> judged = own_interfaces(frame);
  if (is_one_card(frame)) judged.push_back(frame.public_interface);
  out.rule("input",
           {match(meta("iifname"), one_of(judged)), mark_is(frame.mark_allow, frame.mark_allow), statement("accept")});
  out.rule("input", {match(ct("direction"), "reply"), match(ct("state"), Json::array({"established", "related"}), "in"),
                     statement("accept")});
  for (const char* protocol : {"icmp", "ipv6-icmp"}) {
    out.rule("input", {match(ct("state"), "related", "in"), match(meta("l4proto"), protocol), statement("accept")});
  }
  out.rule("input", {jump("neighbours")});
  out.rule("input", {match(meta("iifname"), frame.public_interface), go_to("outside")});
  out.drop("input", {});
}

void render_nat(Document& out) {
  const Frame& frame = out.frame();
  if (!frame.masquerade || frame.masquerade_out.empty()) return;
  const uint32_t wanted = frame.mark_allow | frame.mark_nat;
  out.base_chain("postrouting", "nat", "postrouting", kSourceNat);
  out.rule("postrouting",
           {match(meta("oifname"), one_of(frame.masquerade_out)), mark_is(wanted, wanted), statement("masquerade")});
}

std::unexpected<Error> invalid(const std::string& why) { return failure(EINVAL, "render the nftables frame", "", why); }

// What is not quoted to a shell can still mean something to nft: a trailing '*' is a wildcard, '$' a variable.
bool is_plain(const std::string& name) {
  return is_link_name(name) && name.find_first_of("*\"\\$@{}[];,'") == std::string::npos;
}

}  // namespace

Result<void> validate(const Frame& frame) {
  std::vector<std::string> names{frame.public_interface, frame.vpn_interface};
  names.insert(names.end(), frame.inner_interfaces.begin(), frame.inner_interfaces.end());
  names.insert(names.end(), frame.masquerade_out.begin(), frame.masquerade_out.end());
  for (const auto& name : names) {
    if (!is_plain(name)) return invalid("'" + name + "' is no name for a network device");
  }
  if (frame.public_interface == frame.vpn_interface) return invalid("the public interface cannot be the VPN's too");
  const bool named = !frame.table.empty() && std::ranges::all_of(frame.table, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  if (!named) return invalid("'" + frame.table + "' is no name for a table");
  const std::array marks{frame.mark_allow, frame.mark_nat, frame.mark_reject};
  const bool shared = (marks[0] & marks[1]) != 0 || (marks[0] & marks[2]) != 0 || (marks[1] & marks[2]) != 0;
  if (contains(marks, 0U) || shared) return invalid("the marks must be three different bits");
  if (frame.wireguard_port == 0) return invalid("the WireGuard port is missing");
  for (const auto& service : frame.open) {
    const bool ports = service.protocol == "tcp" || service.protocol == "udp";
    if (!ports && service.protocol != "icmp" && service.protocol != "proto" && service.protocol != "any")
      return invalid("a service is tcp, udp, icmp, proto or any, not '" + service.protocol + "'");
    if (service.protocol == "proto" && (service.last > UINT8_MAX || service.last < service.first))
      return invalid("an open service has no valid IP protocol");
    if (ports && (service.last == 0 || service.last < service.first))
      return invalid("an open service has no valid ports");
  }
  return {};
}

std::string render(const Frame& frame) {
  Document out(frame);
  render_raw(out);
  render_reject(out);
  render_allowed(out);
  render_forward(out);
  render_neighbours(out);
  render_input(out);
  render_nat(out);
  return out.text();
}

}  // namespace gw::nl
