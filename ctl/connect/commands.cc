// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/commands.h"

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <functional>
#include <iostream>
#include <optional>
#include <thread>

#include "ctl/connect/membership.h"
#include "ctl/connect/service.h"
#include "ctl/connect/status.h"
#include "gatewayd/base/label.h"
#include "netlink/link.h"

namespace gw::connect {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::chrono::seconds kHandshakePatience{10};

struct Options {
  std::string state = "/var/lib/gwconnect";
  std::string link;     ///< of join
  std::string network;  ///< of leave, renew, set
  JoinOptions join;
  std::string certificate, key, passphrase;  ///< files, of join
  std::string proxy;                         ///< of join, set
  uint32_t udp_retry = 300;
  bool rotate = false;
  bool json = false;
};

/// Returns the exit code.
using Action = std::function<Result<int>(const Options&, const Clock&)>;

std::string host_label() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "";
  std::string label(name, std::string_view(name).find('.') == std::string_view::npos
                              ? std::string_view(name).size()
                              : std::string_view(name).find('.'));
  std::ranges::transform(label, label.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return is_label(label) ? label : "";
}

/// The report of one network, once it is up or the gateway has had its time. Nothing tells of a handshake but a look.
Result<std::vector<Report>> wait_for_handshake(Keeper& keeper, const std::string& id, const Clock& clock) {
  const auto end = std::chrono::steady_clock::now() + kHandshakePatience;
  for (;;) {
    auto reports = keeper.look(clock.now());
    if (!reports) return reports;
    std::erase_if(*reports, [&](const Report& report) { return report.network.id != id; });
    const bool waits = !reports->empty() && !reports->front().is_up(clock.now());
    if (!waits || std::chrono::steady_clock::now() >= end) return reports;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

/// The environment of the service is another one: what join goes through is kept.
Result<std::optional<Proxy>> proxy_for_join(const std::string& given, const HostPort& server) {
  if (given.empty()) return proxy_of_environment(server);
  auto proxy = parse_proxy(given);
  if (!proxy) return std::unexpected(proxy.error());
  return std::move(*proxy);
}

Result<int> join_network(const Options& options, const Clock& clock) {
  ctl::Secret text(options.link);
  if (text.text == "-" && !std::getline(std::cin, text.text))
    return failure(EINVAL, "read the join link", "from stdin");
  const auto link = parse_join_link(text.text);
  if (!link) return std::unexpected(link.error());
  JoinOptions join = options.join;
  std::optional<Introduction> introduction;
  if (!options.certificate.empty()) {
    auto read = read_introduction(options.certificate, options.key, options.passphrase);
    if (!read) return std::unexpected(read.error());
    join.introduction = &introduction.emplace(std::move(*read));
  } else if (link->token.text.empty()) {
    return failure(EINVAL, "join", link->server.str(),
                   "the link has no token: give the certificate of your organisation, --certificate FILE --key FILE");
  }
  if (join.name.empty()) join.name = host_label();
  if (join.name.empty())
    return failure(EINVAL, "join", link->server.str(), "this machine's host name will not do as a name: give --name");
  if (auto proxy = proxy_for_join(options.proxy, link->server))
    join.proxy = std::move(*proxy);
  else
    return std::unexpected(proxy.error());
  const Store store(options.state);
  // What it takes to make a tunnel is known before the token is spent.
  auto keeper = Keeper::open(store);
  if (!keeper) return std::unexpected(keeper.error());
  const auto network = connect::join(store, *link, join, clock.now());
  if (!network) return std::unexpected(network.error());
  if (auto passed = keeper->pass(clock.now()); !passed) return std::unexpected(passed.error());
  const auto reports = wait_for_handshake(*keeper, network->id, clock);
  if (!reports) return std::unexpected(reports.error());
  fmt::print("Joined {} as {}.\n{}", network->name(), network->profile ? network->profile->client : join.name,
             status_text(*reports, clock.now(), ctl::Style::of(STDOUT_FILENO)));
  const bool good = !reports->empty() && reports->front().is_up(clock.now()) && reports->front().problems.empty();
  return good ? 0 : kFailed;
}

Result<int> show_status(const Options& options, const Clock& clock) {
  const Store store(options.state);
  auto keeper = Keeper::open(store);
  if (!keeper) return std::unexpected(keeper.error());
  const auto reports = keeper->look(clock.now());
  if (!reports) return std::unexpected(reports.error());
  fmt::print("{}", options.json ? status_json(*reports, clock.now())
                                : status_text(*reports, clock.now(), ctl::Style::of(STDOUT_FILENO)));
  const auto all = store.load();
  if (!all) return std::unexpected(all.error());
  for (const Error& damaged : all->damaged) fmt::print(stderr, "gwconnect: {}\n", damaged.message());
  for (const std::string& id : all->attempts)
    fmt::print(stderr, "gwconnect: the join of {} has not come to its end: join by the same link again, or leave it.\n",
               id);
  const bool up = std::ranges::all_of(*reports, [&](const Report& report) { return report.is_up(clock.now()); });
  return up && !reports->empty() && all->damaged.empty() ? 0 : kFailed;
}

/// What a join that was cut off has left: of the one gateway that is meant, where nothing was joined.
std::optional<std::string> attempt_to_leave(const Store& store, const std::string& word) {
  const auto all = store.load();
  if (!all) return std::nullopt;
  for (const std::string& id : all->attempts) {
    if (id == word || (word.empty() && all->attempts.size() == 1 && all->networks.empty())) return id;
  }
  return std::nullopt;
}

Result<int> forget_attempt(const Store& store, const std::string& id) {
  const auto lock = store.lock(id);
  if (!lock) return std::unexpected(lock.error());
  if (store.load(id)) return failure(EAGAIN, "leave", id, "its join has come to its end just now; leave it again");
  if (auto removed = store.remove(id); !removed) return std::unexpected(removed.error());
  fmt::print("Forgot the join of {}. Where its gateway has made a client, that stays until an operator removes it.\n",
             id);
  return 0;
}

Result<int> leave_network(const Options& options, const Clock& clock) {
  const Store store(options.state);
  if (const auto attempt = attempt_to_leave(store, options.network)) return forget_attempt(store, *attempt);
  auto network = store.find(options.network);
  // One that is damaged can be left by the name of its directory.
  if (!network && network.error().code != EUCLEAN) return std::unexpected(network.error());
  const std::string id = network ? network->id : options.network;
  const std::string name = network ? network->name() : id;
  if (id.empty() || id.contains('/')) return std::unexpected(network.error());
  auto keeper = Keeper::open(store);
  if (!keeper) return std::unexpected(keeper.error());
  {
    const auto lock = store.lock(id);
    if (!lock) return std::unexpected(lock.error());
    if (auto removed = store.remove(id); !removed) return std::unexpected(removed.error());
  }
  if (auto passed = keeper->pass(clock.now()); !passed) return std::unexpected(passed.error());
  fmt::print("Left {}. Its gateway keeps the client until an operator removes it.\n", name);
  return 0;
}

Result<int> renew_network(const Options& options, const Clock& clock) {
  const Store store(options.state);
  const auto network = store.find(options.network);
  if (!network) return std::unexpected(network.error());
  auto keeper = Keeper::open(store);
  if (!keeper) return std::unexpected(keeper.error());
  if (auto done = renew(store, network->id, options.rotate ? Renewal::with_new_key : Renewal::at_once, clock.now());
      !done)
    return std::unexpected(done.error());
  // A new key is put in place before anything else is asked.
  if (auto passed = keeper->pass(clock.now()); !passed) return std::unexpected(passed.error());
  if (auto done = refresh(store, network->id, clock.now()); !done) return std::unexpected(done.error());
  if (auto passed = keeper->pass(clock.now()); !passed) return std::unexpected(passed.error());
  fmt::print("The certificate of {} was renewed{}.\n", network->name(),
             options.rotate ? ", with a new WireGuard key" : "");
  return 0;
}

/// "none", "-" for a line of the standard input, where nobody else on the machine sees it, or the proxy itself.
Result<std::optional<Proxy>> proxy_to_set(const std::string& given) {
  if (given == "none") return std::nullopt;
  ctl::Secret text(given);
  if (given == "-" && !std::getline(std::cin, text.text)) return failure(EINVAL, "read the proxy", "from stdin");
  auto proxy = parse_proxy(text.text);
  if (!proxy) return std::unexpected(proxy.error());
  return std::move(*proxy);
}

Result<int> set_network(const Options& options, const Clock& clock) {
  const Store store(options.state);
  const auto network = store.find(options.network);
  if (!network) return std::unexpected(network.error());
  const auto proxy = proxy_to_set(options.proxy);
  if (!proxy) return std::unexpected(proxy.error());
  auto keeper = Keeper::open(store);
  if (!keeper) return std::unexpected(keeper.error());
  if (auto done = set_proxy(store, network->id, *proxy); !done) return std::unexpected(done.error());
  fmt::print("The proxy of {} is {} from now on.\n", network->name(),
             *proxy ? (*proxy)->server.str() : "what the service's environment says");
  std::fflush(stdout);
  // With the routes that leave the proxy outside of the tunnel, and tried at once: who gave it is still there.
  if (auto passed = keeper->pass(clock.now()); !passed) return std::unexpected(passed.error());
  if (auto done = refresh(store, network->id, clock.now()); !done) return std::unexpected(done.error());
  if (auto passed = keeper->pass(clock.now()); !passed) return std::unexpected(passed.error());
  return 0;
}

Result<int> take_down(const Options& options, const Clock& /*clock*/) {
  const Store store(options.state);
  auto keeper = Keeper::open(store);
  if (!keeper) return std::unexpected(keeper.error());
  if (auto done = keeper->take_down(); !done) return std::unexpected(done.error());
  return 0;
}

Result<int> serve(const Options& options, const Clock& clock) {
  const Store store(options.state);
  return Service(store, clock, std::chrono::seconds(options.udp_retry)).run();
}

CLI::Validator label() {
  return {[](const std::string& text) {
            return is_label(text) ? std::string() : "'" + text + "' is no host name (a-z, 0-9, -)";
          },
          ""};
}

CLI::Validator device() {
  return {[](const std::string& text) {
            return nl::is_link_name(text) ? std::string() : "'" + text + "' is no name for a network device";
          },
          ""};
}

void declare(CLI::App& app, Options& options, Action& action) {
  app.fallthrough();
  app.require_subcommand(1);
  app.add_option("--state", options.state, "Where networks and keys are kept")->type_name("DIR");
  CLI::App* join = app.add_subcommand("join", "Join a network by a link from its operator");
  join->add_option("LINK", options.link, "The link, in quotes; - reads it from the standard input")->required();
  join->add_option("--name", options.join.name, "Name of this machine there; its host name unless given")
      ->check(label());
  join->add_option("--interface", options.join.interface, "The device to make; the first free of gw0, gw1, …")
      ->check(device());
  join->add_option("--rotate-days", options.join.rotate_days, "Age at which the WireGuard key is changed; 0: never")
      ->type_name("DAYS");
  auto* certificate = join->add_option("--certificate", options.certificate,
                                       "Join with this certificate of your organisation, and not with a token");
  auto* key = join->add_option("--key", options.key, "Its private key")->type_name("FILE")->needs(certificate);
  certificate->type_name("FILE")->needs(key);
  join->add_option("--passphrase-file", options.passphrase, "Opens that key, by its first line; else it is asked for")
      ->type_name("FILE")
      ->needs(key);
  join->add_flag("--fail-closed", options.join.fail_closed, "Let nothing past a full tunnel, though it be down");
  join->add_option("--proxy", options.proxy, "HTTP proxy to the gateway: http://[NAME:PASSWORD@]HOST[:PORT]")
      ->type_name("URL");
  join->callback([&action] { action = join_network; });
  CLI::App* status = app.add_subcommand("status", "What this machine has joined, and whether it is up");
  status->add_flag("--json", options.json, "Print it as JSON");
  status->callback([&action] { action = show_status; });
  CLI::App* leave = app.add_subcommand("leave", "Leave a network: tunnel, routes, name servers and keys go");
  leave->add_option("NETWORK", options.network, "Its name, gateway or device; may be missing where there is one only");
  leave->callback([&action] { action = leave_network; });
  CLI::App* renew = app.add_subcommand("renew", "Renew the certificate now, and fetch the profile");
  renew->add_option("NETWORK", options.network, "As for leave");
  renew->add_flag("--rotate", options.rotate, "With a new WireGuard key");
  renew->callback([&action] { action = renew_network; });
  CLI::App* set = app.add_subcommand("set", "Change how a network is reached; the service takes it over");
  set->add_option("NETWORK", options.network, "As for leave");
  set->add_option("--proxy", options.proxy, "HTTP proxy to the gateway, as for join; none; - reads it from stdin")
      ->type_name("URL")
      ->required();
  set->callback([&action] { action = set_network; });
  CLI::App* down = app.add_subcommand("down", "Take all tunnels away and stay a member; the service brings them back");
  down->callback([&action] { action = take_down; });
  CLI::App* run = app.add_subcommand("run", "Keep all networks up, until SIGTERM: what the service does");
  run->add_option("--udp-retry", options.udp_retry,
                  "Through TLS: seconds until UDP is tried again; grows up to six-fold")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400));
  run->callback([&action] { action = serve; });
}

}  // namespace

int run(int argc, const char* const* argv, const Clock& clock, const std::string& version) {
  std::setlocale(LC_CTYPE, "");
  CLI::App app("gwconnect: this machine as a member of private networks", "gwconnect");
  app.set_version_flag("--version", "gwconnect " + version);
  Options options;
  Action action;
  declare(app, options, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    fmt::print(stderr, "gwconnect: {}\nRun gwconnect --help, or the command with --help.\n", error.what());
    return kUsage;
  }
  const auto code = action(options, clock);
  pki::wipe(options.link);
  pki::wipe(options.proxy);
  if (code) return *code;
  fmt::print(stderr, "gwconnect: {}\n", code.error().message());
  return kFailed;
}

}  // namespace gw::connect
