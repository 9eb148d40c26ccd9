// SPDX-License-Identifier: Apache-2.0
#include "tests/vm/systemd/scene.h"

#include <cstdio>
#include <filesystem>
#include <regex>
#include <set>
#include <stdexcept>

#include "gatewayd/base/file.h"
#include "tests/support/lab.h"
#include "tests/support/machine_clock.h"

namespace gw::test {
namespace {

constexpr std::chrono::seconds kLong{120};  // dpkg, and units that start

void plug(const std::string& device, const std::string& address, const Host& host, const std::string& host_address) {
  must_on_machine("ip link add " + device + " type veth peer name eth0 netns " + std::to_string(host.pid()));
  must_on_machine("ip link set " + device + " up");
  if (!address.empty()) must_on_machine("ip address add " + address + " dev " + device);
  host.must("ip link set eth0 up");
  host.must("ip address add " + host_address + " dev eth0");
}

Process echo(const std::string& port) {
  return start({"socat", "TCP-LISTEN:" + port + ",fork,reuseaddr", "EXEC:cat"}, "/tmp/echo-" + port);
}

}  // namespace

Scene::Scene() : ssh_(echo("22")), other_(echo("8080")) {
  plug("eth0", "5.5.5.1/24", laptop_, "5.5.5.11/24");
  plug("eth1", "", web_, "10.1.1.10/24");
  web_.must("ip route add default via 10.1.1.1");
  mark_synchronised();
}

Scene& scene() {
  static Scene only;
  return only;
}

Output on_machine(const std::string& line) { return run(words(line), kLong); }

std::string must_on_machine(const std::string& line) {
  const Output output = on_machine(line);
  if (!output.ok()) {
    throw std::runtime_error(line + ": exit " + std::to_string(output.status) + "\n" + output.out + output.err +
                             journal());
  }
  return output.out;
}

std::string property(const std::string& unit, const std::string& name) {
  std::string text = must_on_machine("systemctl show --value -p " + name + " " + unit);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

bool restarted(const std::string& invocation) {
  return Lab::eventually(
      [&] {
        return property("gatewayd.service", "InvocationID") != invocation &&
               property("gatewayd.service", "ActiveState") == "active";
      },
      kLong);
}

std::string journal() { return on_machine("journalctl -b -o cat --no-pager -u gatewayd.service").out; }

Stream::Stream() {
  static int number = 0;
  log_ = "/tmp/stream-" + std::to_string(++number);
  ping_ = scene().laptop().start(words("ping -n -i 0.02 10.1.1.10"), log_);
  if (!Lab::eventually([&] { return read_file(log_).value_or("").find("icmp_seq=3") != std::string::npos; }))
    throw std::runtime_error("the web server does not answer the laptop\n" + journal());
}

// What was sent after the last answer may still be on its way: it is no loss.
Stream::Count Stream::finish() {
  ping_.end(SIGINT);
  const std::string text = read_file(log_).value_or("");
  std::set<unsigned> answered;
  const std::regex answer("icmp_seq=([0-9]+) ttl");
  for (std::sregex_iterator at(text.begin(), text.end(), answer), end; at != end; ++at)
    answered.insert(static_cast<unsigned>(std::stoul((*at)[1])));
  if (answered.empty()) throw std::runtime_error("ping got no answers:\n" + text);
  return {*answered.rbegin(), static_cast<unsigned>(answered.size())};
}

}  // namespace gw::test
