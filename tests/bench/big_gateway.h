// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "ctl/bus.h"
#include "ctl/issue.h"
#include "gatewayd/base/clock.h"
#include "gatewayd/pki/authority.h"
#include "gatewayd/registry/registry.h"
#include "tests/support/lab.h"
#include "tests/support/must.h"

namespace gw::test {

inline constexpr size_t kGroups = 10;
inline constexpr UnixSeconds kYear = 365 * 86400;

inline std::string group(size_t number) { return "g" + std::to_string(number % kGroups); }

inline std::string configuration() {
  std::string text = R"(gateway:
  name: contoso
  public: {interface: eth0, endpoint: "5.5.5.1:51820"}
vpn: {interface: wg0, subnets: [172.16.0.0/16, "fd6d:706e:6c61::/64"]}
network: {address_space: [10.1.0.0/16]}
subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1, address: [10.1.1.1]}}
)";
  std::string groups = "groups:\n";
  std::string rules = "rules:\n";
  for (size_t i = 0; i < kGroups; ++i) {
    groups += "  " + group(i) + ": {}\n";
    rules += "  - {name: r" + std::to_string(i) + ", action: allow, from: [group:" + group(i) +
             "], to: [subnet:web], services: [tcp/" + std::to_string(1000 + i) + "]}\n";
  }
  return text + groups + rules;
}

inline double milliseconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// A gateway with many clients, which are put into its registry directly, each with a certificate of its authority.
class BigGateway {
 public:
  /// With `count` clients; it runs.
  explicit BigGateway(size_t count) : lab_(GW_BINARY_DIR) {
    lab_.write_file("gateway.yaml", configuration());
    lab_.start();  // makes the registry and the authority
    lab_.stop();
    fill(count);
    lab_.start();
    connect();
  }

  /// With the state that another left behind (state_directory()).
  explicit BigGateway(const std::filesystem::path& state) : lab_(GW_BINARY_DIR) {
    lab_.write_file("gateway.yaml", configuration());
    std::filesystem::copy(state, lab_.state_directory(), std::filesystem::copy_options::recursive);
    lab_.start();
    connect();
  }

  Lab& lab() { return lab_; }
  void stop() { lab_.stop(); }

  /// The kernel has everything already.
  double start_again() {
    lab_.stop();
    return timed_start();
  }

  /// After a boot: nothing of ours is in the kernel.
  double start_cold() {
    lab_.stop();
    lab_.gateway().must("ip link delete wg0");
    lab_.gateway().must("nft flush ruleset");
    lab_.gateway().must("tc qdisc delete dev eth1 clsact");
    lab_.gateway().must("rm -rf /run/bpf/gateway");
    std::filesystem::remove_all(lab_.directory() + "/run");
    return timed_start();
  }

  double add(const std::vector<std::string>& groups) {
    const std::string name = "added-" + std::to_string(++added_);
    const auto keys = ctl::make_device_keys(name);
    if (!keys) throw std::runtime_error(keys.error().text);
    const ctl::Json client = {{"name", name}, {"request_pem", keys->request_pem}, {"groups", groups}, {"days", 365U}};
    there_.push_back(name);
    return milliseconds_of([&] { call("AddClient", "a{sv}", ctl::Json::array({client})); });
  }

  double remove() {
    const std::string name = there_.front();
    there_.pop_front();
    return milliseconds_of([&] { call("RemoveClient", "s", ctl::Json::array({name})); });
  }

  /// Gives a client another WireGuard key.
  double rekey(const std::string& name) {
    const auto keys = ctl::make_device_keys(name);
    if (!keys) throw std::runtime_error(keys.error().text);
    return milliseconds_of([&] { call("RekeyClient", "ssu", ctl::Json::array({name, keys->request_pem, 365U})); });
  }

  double revoke(const std::string& name) {
    return milliseconds_of([&] { call("RevokeClient", "ss", ctl::Json::array({name, "superseded"})); });
  }

  /// Adds one of a kind that is there already, and takes it away again.
  double add_like_others() {
    const double took = add({group(0)});
    remove();
    return took;
  }

  double remove_one() {
    add({group(0)});
    return remove();
  }

  /// Adds the first client of a combination of groups: the policy gets another class.
  double add_first_of_kind() {
    ++kinds_;
    const double took = add({group(kinds_ % kGroups), group(kinds_ % kGroups + 1 + kinds_ / kGroups)});
    remove();
    return took;
  }

  /// Of /proc/PID/status, in MB: "VmHWM", the most it ever held, or "VmRSS".
  [[nodiscard]] double memory(const std::string& field) const {
    std::ifstream status("/proc/" + std::to_string(lab_.daemon_pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(field + ":")) return std::stod(line.substr(field.size() + 1)) * 1024 / 1e6;
    }
    throw std::runtime_error("no " + field);
  }

 private:
  double timed_start() {
    const double took = milliseconds_of([this] { lab_.start(); });
    connect();
    return took;
  }

  void connect() {
    setenv("DBUS_SYSTEM_BUS_ADDRESS", lab_.bus_address().c_str(), 1);
    auto bus = ctl::Bus::open("");
    if (!bus) throw std::runtime_error(bus.error().text);
    bus_.emplace(std::move(*bus));
  }

  void call(const char* method, const char* signature, const ctl::Json& arguments) {
    const auto answer = bus_->call(method, signature, arguments);
    if (!answer) throw std::runtime_error(std::string(method) + ": " + answer.error().text);
  }

  void fill(size_t count) {
    auto registry = must(registry::Registry::open(lab_.state_directory() + "/registry.db"));
    const UnixSeconds now = SystemClock().now();
    const auto authority = must(pki::Authority::open(lab_.state_directory() + "/ca", "contoso", now));
    const auto key = must(pki::PrivateKey::generate());
    const auto first = must(pki::generate_wireguard_keys());
    auto request = must(pki::parse_request(must(pki::make_request(key, "client", first.public_key))));
    const std::vector<Prefix> pools = {*Prefix::parse("172.16.0.0/16"), *Prefix::parse("fd6d:706e:6c61::/64")};
    for (size_t i = 0; i < count; ++i) {
      auto client = must(registry.plan_client("client-" + std::to_string(i), pools));
      request.wireguard = must(pki::generate_wireguard_keys()).public_key;
      client.wireguard = request.wireguard;
      client.device_uuid = pki::random_uuid();
      client.groups = {group(i)};
      client.created = now;
      const auto issued = must(authority.issue(request, client.name, client.device_uuid, now, now + kYear));
      const registry::Certificate certificate = {.serial = issued.serial,
                                                 .client = client.name,
                                                 .client_number = client.number,
                                                 .wireguard = client.wireguard,
                                                 .not_before = issued.not_before,
                                                 .not_after = issued.not_after,
                                                 .revoked_at = 0,
                                                 .reason = {},
                                                 .sha256 = issued.sha256,
                                                 .pem = issued.pem};
      must(registry.add_client(client, certificate, "bench", now));
    }
  }

  Lab lab_;
  std::optional<ctl::Bus> bus_;
  std::deque<std::string> there_;
  int added_ = 0;
  size_t kinds_ = 0;
};

}  // namespace gw::test
