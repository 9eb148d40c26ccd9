// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/host.h"
#include "tests/support/process.h"

/// The machine under test is the virtual machine itself, with systemd as PID 1; clients and servers are namespaces of
/// it.
namespace gw::test {

/// laptop 5.5.5.11 --- eth0 5.5.5.1 | the machine | eth1 10.1.1.1 --- 10.1.1.10 web. The machine listens on tcp/22 and
/// tcp/8080, where it sends back what it gets.
class Scene {
 public:
  Scene();
  Host& laptop() { return laptop_; }
  Host& web() { return web_; }

 private:
  Host laptop_{"laptop"};
  Host web_{"web"};
  Process ssh_;
  Process other_;
};

/// The scene of this program; built at first use.
Scene& scene();

/// Runs a program on the machine; `must` throws with its output when it fails.
Output on_machine(const std::string& line);
std::string must_on_machine(const std::string& line);
/// One property of a unit, by systemctl show.
std::string property(const std::string& unit, const std::string& name);
/// Waits until gatewayd.service has told that it is ready after start number `invocation` (its InvocationID) ended.
bool restarted(const std::string& invocation);
/// What gatewayd.service has logged since boot.
std::string journal();

/// Pings the web server from the laptop, fifty times a second, while it lives.
class Stream {
 public:
  Stream();
  /// Ends it: how many were sent up to the last that was answered, and how many of them were.
  struct Count {
    unsigned sent = 0, received = 0;
  };
  Count finish();

 private:
  std::string log_;
  Process ping_;
};

}  // namespace gw::test
