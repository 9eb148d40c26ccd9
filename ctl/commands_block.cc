// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "ctl/arguments.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "gatewayd/base/ip.h"

namespace gw::ctl {
namespace {

struct BlockOptions {
  std::string prefix, ttl, comment;
  bool force = false;
};

void declare_prefix(CLI::App& command, BlockOptions& options) {
  command.add_option("PREFIX", options.prefix, "An address, or an address block such as 198.51.100.0/24")
      ->required()
      ->check(prefix());
}

void declare(CLI::App& command, BlockOptions& options) {
  declare_prefix(command, options);
  command.add_option("--ttl", options.ttl, "How long, such as 30m, 1h or 7d (no end unless given)")->check(time_span());
  command.add_option("--comment", options.comment, "Why, for people")->type_name("TEXT");
  command.add_flag("--force", options.force, "Even when it cuts off clients, or this very session");
}

/// Where sshd(8) says that this session comes from.
std::optional<IpAddress> session_address() {
  const char* connection = std::getenv("SSH_CONNECTION");
  if (connection == nullptr) return std::nullopt;
  const std::string_view text(connection);
  return IpAddress::parse(text.substr(0, text.find(' ')));
}

Outcome<std::string> add(Context& context, const BlockOptions& options) {
  const auto prefix = Prefix::parse(options.prefix);
  const auto session = session_address();
  if (!options.force && context.host.empty() && prefix && session && prefix->contains(*session))
    return refused("your own connection comes from " + session->str() + ", which is in " + prefix->str() +
                   ": --force blocks it all the same");
  const Json block = {{"prefix", options.prefix},
                      {"ttl_seconds", seconds_of(options.ttl).value_or(0)},
                      {"comment", options.comment},
                      {"force", options.force}};
  if (const auto done = context.ask("AddBlock", "a{sv}", Json::array({block})); !done)
    return std::unexpected(done.error());
  if (context.json) return json_text({{"blocked", options.prefix}});
  return options.prefix + " blocked" + (options.ttl.empty() ? "" : " for " + options.ttl) + ".\n";
}

Outcome<std::string> remove(Context& context, const BlockOptions& options) {
  if (const auto done = context.ask("RemoveBlock", "s", Json::array({options.prefix})); !done)
    return std::unexpected(done.error());
  if (context.json) return json_text({{"removed", options.prefix}});
  return options.prefix + " is no longer blocked.\n";
}

Outcome<std::string> show(Context& context) {
  const auto blocks = context.ask("ListBlocks");
  if (!blocks) return std::unexpected(blocks.error());
  if (context.json) return json_text(*blocks);
  if (blocks->empty()) return "Nothing is blocked. 'gwctl block add PREFIX' blocks.\n";
  Table table({{"PREFIX"}, {"ENDS"}, {"SINCE"}, {"BY"}, {"COMMENT", false, true}});
  for (const Json& block : *blocks) {
    table.add({text(block, "prefix"), until(context.now(), time_of(block, "until")),
               ago(context.now(), time_of(block, "created")), text(block, "who"), or_dash(text(block, "comment"))});
  }
  return table.render(context.style);
}

}  // namespace

void add_block_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "block", "Prefixes from which nothing reaches the gateway's public side");
  add_command(*folder, "list", "What is blocked, and until when", action, show);
  add_command<BlockOptions>(*folder, "add", "Block a prefix, at once", action, declare, add);
  add_command<BlockOptions>(*folder, "remove", "Let a prefix in again, at once", action, declare_prefix, remove);
}

}  // namespace gw::ctl
