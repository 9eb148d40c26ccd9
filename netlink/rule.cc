// SPDX-License-Identifier: Apache-2.0
#include "netlink/rule.h"

#include <linux/fib_rules.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "netlink/message.h"

namespace gw::nl {
namespace {

constexpr uint32_t kNotSuppressed = 0xffffffff;  // what the kernel tells for a rule without suppress_prefixlength
constexpr uint32_t kWholeMark = 0xffffffff;

std::optional<Rule> parse(const nlmsghdr* message, uint8_t protocol) {
  if (message->nlmsg_type != RTM_NEWRULE || nlmsg_datalen(message) < static_cast<int>(sizeof(fib_rule_hdr)))
    return std::nullopt;
  fib_rule_hdr header{};
  std::memcpy(&header, nlmsg_data(message), sizeof header);
  const Attributes attributes(message, sizeof header);
  if (header.action != FR_ACT_TO_TBL || attributes.u8(FRA_PROTOCOL).value_or(0) != protocol) return std::nullopt;
  if (header.family != AF_INET && header.family != AF_INET6) return std::nullopt;
  Rule rule;
  rule.family = header.family == AF_INET ? Family::v4 : Family::v6;
  rule.priority = attributes.u32(FRA_PRIORITY).value_or(0);
  rule.mark = attributes.u32(FRA_FWMARK);
  rule.invert = (header.flags & FIB_RULE_INVERT) != 0;
  rule.table = attributes.u32(FRA_TABLE).value_or(header.table);
  const auto suppressed = attributes.u32(FRA_SUPPRESS_PREFIXLEN);
  if (suppressed && *suppressed != kNotSuppressed) rule.suppress_prefix_length = suppressed;
  rule.protocol = protocol;
  return rule;
}

Message message_for(uint16_t type, uint16_t flags, const Rule& rule) {
  fib_rule_hdr header{};
  header.family = rule.family == Family::v4 ? AF_INET : AF_INET6;
  header.action = FR_ACT_TO_TBL;
  header.flags = rule.invert ? FIB_RULE_INVERT : 0;
  Message message(type, flags);
  message.header(header).put_u32(FRA_TABLE, rule.table).put_u32(FRA_PRIORITY, rule.priority);
  if (rule.mark) message.put_u32(FRA_FWMARK, *rule.mark).put_u32(FRA_FWMASK, kWholeMark);
  if (rule.suppress_prefix_length) message.put_u32(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
  message.put_u8(FRA_PROTOCOL, rule.protocol);
  return message;
}

Purpose purpose(const char* operation, const Rule& rule) {
  return {operation, (rule.family == Family::v4 ? "IPv4 rule " : "IPv6 rule ") + std::to_string(rule.priority) +
                         " for table " + std::to_string(rule.table)};
}

}  // namespace

Result<std::vector<Rule>> list_rules(Socket& socket, uint8_t protocol) {
  std::vector<Rule> out;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    fib_rule_hdr header{};
    header.family = family;
    Message message(RTM_GETRULE, 0);
    message.header(header);
    auto part = dump_list<Rule>(socket, message, {"list routing rules", ""},
                                [&](const nlmsghdr* entry) { return parse(entry, protocol); });
    if (!part) return part;
    out.insert(out.end(), part->begin(), part->end());
  }
  return out;
}

Result<void> add_rule(Socket& socket, const Rule& rule) {
  Message message = message_for(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
  return request(socket, message, purpose("add", rule));
}

Result<void> delete_rule(Socket& socket, const Rule& rule) {
  const Purpose why = purpose("delete", rule);
  if (rule.protocol == 0) return failure(EINVAL, why.operation, why.object, "protocol 0 would match a rule of anyone");
  Message message = message_for(RTM_DELRULE, 0, rule);
  return request(socket, message, why);
}

}  // namespace gw::nl
