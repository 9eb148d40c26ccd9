// SPDX-License-Identifier: Apache-2.0
#include "tests/support/lab.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "gatewayd/base/file.h"

namespace gw::test {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kStartLimit{180};  // fifty thousand clients on an emulated machine

constexpr const char* kNetwork = R"(gateway:
  name: contoso
  public: {interface: eth0, endpoint: "5.5.5.1:51820"}
vpn:
  interface: wg0
  subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]
network: {address_space: [10.1.0.0/16, "fd10:1::/32"]}
subnets:
  web:  {prefixes: [10.1.1.0/24, "fd10:1:1::/64"], interface: eth1, address: [10.1.1.1, "fd10:1:1::1"]}
  data: {prefixes: [10.1.2.0/24, "fd10:1:2::/64"], interface: eth2, address: [10.1.2.1, "fd10:1:2::1"]}
)";

constexpr const char* kBus = R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=DIRECTORY/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_type="method_return"/><allow send_type="error"/><allow receive_type="method_call"/>
    <allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/>
  </policy>
</busconfig>
)";

/// The service manager's side of sd_notify(3).
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    std::filesystem::remove(path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("bind " + path);
  }

  /// True when READY=1 came, false when `process` ended or time is up.
  [[nodiscard]] bool wait_ready(const Process& process) const {
    const auto end = SteadyClock::now() + kStartLimit;
    while (SteadyClock::now() < end && process.running()) {
      pollfd wanted{fd_.get(), POLLIN, 0};
      if (poll(&wanted, 1, 100) != 1) continue;
      char buffer[4096];
      const ssize_t n = recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n > 0 && std::string_view(buffer, static_cast<size_t>(n)).find("READY=1") != std::string_view::npos)
        return true;
    }
    return false;
  }

 private:
  UniqueFd fd_;
};

std::vector<std::string> addresses(const std::string& device, const std::string& four, const std::string& six) {
  return {"address add " + four + " dev " + device, "address add " + six + " dev " + device + " nodad"};
}

void give_addresses(const Host& host, const std::string& four, const std::string& six) {
  host.ip(addresses("eth0", four, six));
}

void settle_in_subnet(const Host& host, const std::string& four, const std::string& six, const std::string& net4,
                      const std::string& net6) {
  auto commands = addresses("eth0", four, six);
  commands.push_back("route add default via " + net4);
  commands.push_back("route add default via " + net6);
  host.ip(commands);
}

}  // namespace

Lab::Lab(std::string binaries) : binaries_(std::move(binaries)) {
  std::string pattern = "/tmp/gw-lab.XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  directory_ = pattern;
  std::filesystem::create_directories(config_directory() + "/gateway.d");
  build_network();
  start_bus();
}

Lab::~Lab() {
  if (std::uncaught_exceptions() != 0) std::cerr << "gatewayd's log:\n" << log() << std::endl;
  daemon_.end(SIGKILL);
  names_.end(SIGTERM);
  enrolment_.end(SIGKILL);
  bus_.end(SIGKILL);
  clients_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Lab::build_network() {
  internet_ = std::make_unique<Host>("internet");
  gateway_ = std::make_unique<Host>("gateway");
  web_ = std::make_unique<Host>("web");
  data_ = std::make_unique<Host>("data");
  outside_ = std::make_unique<Host>("outside");
  connect(*internet_, "gw", *gateway_, "eth0");
  connect(*internet_, "outside", *outside_, "eth0");
  internet_->ip(
      {"link add br0 type bridge", "link set br0 up", "link set gw master br0", "link set outside master br0"});
  connect(*gateway_, "eth1", *web_, "eth0");
  connect(*gateway_, "eth2", *data_, "eth0");
  give_addresses(*gateway_, "5.5.5.1/24", "2a0d:5::1/64");
  give_addresses(*outside_, "5.5.5.200/24", "2a0d:5::c8/64");
  settle_in_subnet(*web_, "10.1.1.10/24", "fd10:1:1::10/64", "10.1.1.1", "fd10:1:1::1");
  settle_in_subnet(*data_, "10.1.2.10/24", "fd10:1:2::10/64", "10.1.2.1", "fd10:1:2::1");
}

void Lab::start_bus() {
  std::string text = kBus;
  text.replace(text.find("DIRECTORY"), 9, directory_);
  write_file("../bus.conf", text);
  std::filesystem::permissions(directory_, std::filesystem::perms(0755));
  bus_ = test::start({"dbus-daemon", "--nofork", "--nopidfile", "--config-file=" + directory_ + "/bus.conf"},
                     directory_ + "/bus.log");
  if (!eventually([&] { return std::filesystem::exists(directory_ + "/bus"); }))
    throw std::runtime_error("dbus-daemon did not start");
}

void Lab::write_file(const std::string& name, const std::string& text) {
  if (auto written = write_file_atomically(config_directory() + "/" + name, text, 0644); !written) {
    throw std::runtime_error(written.error().message());
  }
}

void Lab::configure(const std::string& more) { write_file("gateway.yaml", kNetwork + more); }

void Lab::reconfigure(const std::string& more) {
  configure(more);
  must_gwctl("apply");
}

Arguments Lab::daemon_command() const {
  Arguments command = {binaries_ + "/" + daemon_program_,
                       "--config",
                       config_directory(),
                       "--state",
                       state_directory(),
                       "--run",
                       directory_ + "/run",
                       "--bpffs",
                       bpffs_};
  if (trust_clock_) command.emplace_back("--trust-clock");
  return command;
}

void Lab::start() {
  const NotifySocket notify(directory_ + "/notify");
  Arguments command = daemon_command();
  if (journal_) {
    const Arguments shell = {"sh", "-c", "JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec \"$@\"", "sh"};
    command.insert(command.begin(), shell.begin(), shell.end());
  }
  daemon_ = gateway_->start(command, directory_ + "/log", [this] {
    setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_address().c_str(), 1);
    setenv("NOTIFY_SOCKET", (directory_ + "/notify").c_str(), 1);
  });
  if (!notify.wait_ready(daemon_)) throw std::runtime_error("gatewayd did not become ready:\n" + log());
}

Output Lab::start_refused() {
  Arguments command{"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus_address()};
  for (const auto& word : daemon_command()) command.push_back(word);
  return gateway_->run(command);
}

void Lab::start_names() {
  names_ = gateway_->start({binaries_ + "/gatewayd-names", "--run", directory_ + "/run"}, directory_ + "/names.log");
}

std::string Lab::names_log() const { return read_file(directory_ + "/names.log").value_or(""); }

void Lab::configure_enrolment() { write_file("gateway.d/10-enrol.yaml", "gateway: {public: {enroll_port: 443}}\n"); }

void Lab::start_enrolment() {
  const std::string state = directory_ + "/enroll";
  enrolment_ = gateway_->start(
      {binaries_ + "/gatewayd-enroll", "--state", state, "--listen", "5.5.5.1:443", "--listen", "[2a0d:5::1]:443"},
      directory_ + "/enroll.log", [this] { setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_address().c_str(), 1); });
  const auto serves = [this] {
    return outside_->run({"curl", "-fsSk", "-o", "/dev/null", "https://5.5.5.1/.well-known/gatewayd/challenge"}).ok();
  };
  if (!eventually(serves)) throw std::runtime_error("gatewayd-enroll does not serve:\n" + enrolment_log());
}

std::string Lab::enrolment_log() const { return read_file(directory_ + "/enroll.log").value_or(""); }

nlohmann::json Lab::invite(const std::string& options) {
  return nlohmann::json::parse(must_gwctl("--json token create " + options));
}

void Lab::crash() { daemon_.end(SIGKILL); }

void Lab::stop() { daemon_.end(SIGTERM); }

Output Lab::gwctl(const Arguments& argv) {
  Arguments command{"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus_address(),
                    "GATEWAYD_SIGNER=" + directory_ + "/run/gateway/signer", binaries_ + "/gwctl"};
  command.insert(command.end(), argv.begin(), argv.end());
  // The key of a backup takes 25 s on an emulated machine that has its processor to itself.
  constexpr auto kLimit = std::chrono::seconds(120);
  return gateway_->run(command, kLimit);
}

Output Lab::gwctl(const std::string& text) { return gwctl(words(text)); }

std::string Lab::must_gwctl(const std::string& text) {
  const Output output = gwctl(text);
  if (!output.ok())
    throw std::runtime_error("gwctl " + text + ": exit " + std::to_string(output.status) + "\n" + output.out +
                             output.err);
  return output.out;
}

Host& Lab::client(const std::string& name) { return *clients_.at(name); }

Host& Lab::attach(const std::string& name) {
  auto host = std::make_unique<Host>(name);
  connect(*internet_, name, *host, "eth0");
  internet_->must("ip link set " + name + " master br0");
  const std::string last = std::to_string(next_client_++);
  give_addresses(*host, "5.5.5." + last + "/24", "2a0d:5::" + last + "/64");
  return *(clients_[name] = std::move(host));
}

void Lab::up(const std::string& name) {
  client(name).must({"env", "WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go", "LOG_LEVEL=silent", "wg-quick", "up",
                     directory_ + "/" + name + ".conf"});
}

Host& Lab::enrol(const std::string& name, const std::string& groups) {
  Arguments command{"client", "add", name, "--out", directory_ + "/" + name + ".conf"};
  for (const auto& group : words(groups)) {
    command.emplace_back("--group");
    command.push_back(group);
  }
  const Output added = gwctl(command);
  if (!added.ok()) throw std::runtime_error("gwctl client add " + name + ": " + added.err);
  Host& host = attach(name);
  up(name);
  if (try_ping(host, "172.16.201.1") != Reach::open)
    throw std::runtime_error(name + " gets no answer from the gateway\n" + log());
  return host;
}

std::string Lab::address(const std::string& name, int family) {
  const auto client = nlohmann::json::parse(must_gwctl("client show " + name + " --json"));
  for (const auto& entry : client.at("addresses")) {
    const auto text = entry.get<std::string>();
    if ((text.find(':') != std::string::npos) == (family == 6)) return text;
  }
  throw std::runtime_error(name + " has no such address");
}

std::string Lab::log() const { return read_file(directory_ + "/log").value_or(""); }

bool Lab::eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = SteadyClock::now() + limit;
  while (!condition()) {
    if (SteadyClock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace gw::test
