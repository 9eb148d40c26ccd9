// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "ctl/arguments.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/place.h"

namespace gw::ctl {
namespace {

constexpr size_t kMostRecord = 4096;

struct MonitorOptions {
  bool denied = false;
  std::string client, subnet, rule;
};

void declare(CLI::App& command, MonitorOptions& options) {
  command.add_flag("--denied", options.denied, "Only what is denied or rejected");
  command.add_option("--client", options.client, "From or to this client")->type_name("CLIENT");
  command.add_option("--subnet", options.subnet, "From or to this subnet")->type_name("SUBNET");
  command.add_option("--rule", options.rule, "Decided by this rule")->type_name("RULE");
}

Json filter_of(const MonitorOptions& options) {
  Json out = Json::object();
  if (options.denied) out["denied"] = true;
  if (!options.client.empty()) out["client"] = options.client;
  if (!options.subnet.empty()) out["subnet"] = options.subnet;
  if (!options.rule.empty()) out["rule"] = options.rule;
  return out;
}

// Columns of a table whose rows are not known when the first is printed.
constexpr const char* kColumns = "{:<12}  {:<6}  {:<24}  {:<12}  {:<10}  {:<23}  {:<23}  {:<10}";

std::string row(const std::array<std::string, 8>& cells) {
  std::string out = fmt::format(fmt::runtime(kColumns), cells[0], cells[1], cells[2], cells[3], cells[4], cells[5],
                                cells[6], cells[7]);
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string clock_time(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", parts.tm_hour, parts.tm_min, parts.tm_sec, ms % 1000);
}

std::string zone_or_client(const Json& verdict, const char* client, const char* zone) {
  const std::string name = text(verdict, client);
  return or_dash(name.empty() ? text(verdict, zone) : name);
}

std::string line_of(const Json& verdict, const Style& style) {
  if (verdict.contains("lost")) {
    return style.paint(Tone::warn,
                       fmt::format("… {} verdicts lost: this reader was too slow", number(verdict, "lost")));
  }
  if (verdict.contains("untold")) {
    return style.paint(Tone::warn,
                       fmt::format("… {} more packets were not told one by one", number(verdict, "untold")));
  }
  const std::string action = text(verdict, "action");
  const std::string rule = text(verdict, "rule");
  const std::string line =
      row({clock_time(time_of(verdict, "time_ms")), action, rule.empty() ? "(" + text(verdict, "reason") + ")" : rule,
           zone_or_client(verdict, "client", "from_zone") + " > " + zone_or_client(verdict, "to_client", "to_zone"),
           protocol_of(verdict), source_of(verdict), destination_of(verdict), text(verdict, "interface")});
  return style.paint(action == "allow" ? Tone::good : Tone::bad, printable(line));
}

/// SIGINT and SIGTERM as something to wait for, and no death by a closed pipe.
UniqueFd signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  return UniqueFd(signalfd(-1, &wanted, SFD_CLOEXEC));
}

/// False when nobody reads any more.
bool put(const std::string& line) {
  return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fflush(stdout) == 0;
}

/// One record, empty when gatewayd has gone.
Outcome<std::string> receive(int fd) {
  std::array<char, kMostRecord> record{};
  const ssize_t size = ::recv(fd, record.data(), record.size(), 0);
  if (size < 0) return refused(Error{errno, "read", "the verdicts", ""});
  return std::string(record.data(), static_cast<size_t>(size));
}

Outcome<void> follow(const Context& context, int verdicts, int signal) {
  std::array<pollfd, 3> fds{pollfd{verdicts, POLLIN, 0}, pollfd{signal, POLLIN, 0}, pollfd{STDOUT_FILENO, 0, 0}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return refused(Error{errno, "wait for", "verdicts", ""});
    }
    if (fds[1].revents != 0 || fds[2].revents != 0) return {};
    const auto record = receive(verdicts);
    if (!record) return std::unexpected(record.error());
    if (record->empty()) return std::unexpected(Failure{Exit::unreachable, "gatewayd has gone", false});
    if (context.json) {
      if (!put(*record)) return {};
      continue;
    }
    const Json verdict = Json::parse(*record, nullptr, false);
    if (!verdict.is_object()) return refused("gwctl and gatewayd are of different versions");
    if (!put(line_of(verdict, context.style) + "\n")) return {};
  }
}

Outcome<std::string> monitor(Context& context, const MonitorOptions& options) {
  const UniqueFd signal = signals();
  const auto verdicts = context.ask_for_fd("Watch", "a{sv}", Json::array({filter_of(options)}));
  if (!verdicts) return std::unexpected(verdicts.error());
  if (!context.json) {
    const std::string heading = row({"TIME", "ACTION", "RULE (REASON)", "BETWEEN", "PROTO", "FROM", "TO", "INTERFACE"});
    if (!put(context.style.paint(Tone::heading, heading) + "\n")) return "";
  }
  if (auto done = follow(context, verdicts->get(), signal.get()); !done) return std::unexpected(done.error());
  return "";
}

}  // namespace

void add_monitor_command(CLI::App& app, Action& action) {
  add_command<MonitorOptions>(app, "monitor", "What is denied or logged, as it happens", action, declare, monitor);
}

}  // namespace gw::ctl
