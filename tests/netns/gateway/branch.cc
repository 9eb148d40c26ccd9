// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/gateway/branch.h"

#include <fmt/core.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "gatewayd/base/file.h"

namespace gw::test {
namespace {

std::string program(const std::string& name) { return std::string(GW_BINARY_DIR) + "/" + name; }

}  // namespace

Branch::Branch(Lab& middle, std::string name, std::string net, std::string address, const std::string& more)
    : middle_(middle),
      name_(std::move(name)),
      net_(std::move(net)),
      address_(std::move(address)),
      gateway_(name_),
      host_(name_ + "-host") {
  connect(middle_.internet(), name_, gateway_, "eth0");
  middle_.internet().ip({"link set " + name_ + " master br0"});
  gateway_.ip({"address add " + address_ + "/24 dev eth0"});
  connect(gateway_, "eth1", host_, "eth0");
  host_.ip({"address add " + host() + "/24 dev eth0", "route add default via " + net_ + ".1"});
  std::filesystem::create_directories(directory() + "/etc");
  configure(more);
  start();
}

Branch::~Branch() {
  enrolment_.end(SIGKILL);
  daemon_.end(SIGKILL);
}

std::string Branch::public_key() const {
  return nlohmann::json::parse(gwctl("--json status")).at("public_key").get<std::string>();
}

void Branch::configure(const std::string& more) {
  const std::string text =
      fmt::format(R"(gateway: {{name: {0}, public: {{interface: eth0, endpoint: "{1}:51820", enroll_port: 443}}}}
vpn: {{interface: wg0, subnets: [172.16.{2}.0/24]}}
network: {{address_space: ["{3}.0/24"]}}
subnets: {{lan: {{prefixes: ["{3}.0/24"], interface: eth1, address: ["{3}.1"]}}}}
{4})",
                  name_, address_, address_.substr(address_.rfind('.') + 1), net_, more);
  if (auto written = write_file_atomically(directory() + "/etc/gateway.yaml", text, 0644); !written)
    throw std::runtime_error(written.error().message());
}

std::string Branch::gwctl(const std::string& line) const {
  Arguments command = {"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus_.address(), program("gwctl")};
  for (const auto& word : words(line)) command.push_back(word);
  return gateway_.must(command);
}

Process Branch::start_program(const Arguments& command, const std::string& log) const {
  return gateway_.start(command, log, [this] { setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_.address().c_str(), 1); });
}

void Branch::start() {
  daemon_ = start_program({program("gatewayd"), "--trust-clock", "--config", directory() + "/etc", "--state",
                           directory() + "/state", "--run", directory() + "/run", "--bpffs", "/run/bpf"},
                          directory() + "/log");
  if (!Lab::eventually([this] {
        return read_file(directory() + "/log").value_or("").find("serving, version") != std::string::npos;
      }))
    throw std::runtime_error(read_file(directory() + "/log").value_or("no log"));
}

void Branch::start_enrolment() {
  const std::string log = directory() + "/enroll.log";
  enrolment_ = start_program(
      {program("gatewayd-enroll"), "--state", directory() + "/enroll", "--listen", address_ + ":443"}, log);
  const auto serves = [this] {
    return gateway_.run({"curl", "-fsSk", "-o", "/dev/null", "https://" + address_ + "/.well-known/gatewayd/challenge"})
        .ok();
  };
  if (!Lab::eventually(serves)) throw std::runtime_error(read_file(log).value_or("no log"));
}

}  // namespace gw::test
