// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include "gatewayd/base/label.h"
#include "gatewayd/config/load.h"
#include "gatewayd/names/render.h"

// Whatever a configuration and a registry hold, what dnsmasq is given has lines of known forms alone: in the hosts file
// an address and names of the domain, each name for one machine; in the other no line that the text brought along.
// Bytes are a configuration; lines after a NUL are names of clients.
namespace {

using gw::IpAddress;

void demand(bool holds) {
  if (!holds) std::abort();
}

void check_hosts(const std::string& text, const std::string& domain) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string word;
    words >> word;
    demand(IpAddress::parse(word).has_value());
    size_t names = 0;
    while (words >> word) {
      ++names;
      demand(word.size() <= 253 && word.ends_with("." + domain));
      demand(gw::is_label(word.substr(0, word.size() - domain.size() - 1)));
    }
    demand(names == 1 || names == 2);
  }
}

void check_server(const std::string& text) {
  static const std::set<std::string> kKeys = {
      "port",     "bind-dynamic", "listen-address", "no-hosts",    "hostsdir",  "local",           "domain-needed",
      "server",   "bogus-priv",   "bogus-nxdomain", "resolv-file", "no-resolv", "dns-loop-detect", "cache-size",
      "pid-file", "log-facility", "edns-packet-max"};
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with('#')) continue;
    demand(kKeys.contains(line.substr(0, line.find('='))));
    demand(line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.:/=#") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  gw::config::Config config = gw::config::load({{"gateway.yaml", input.substr(0, end)}}).config;
  std::vector<gw::names::Entry> clients;
  std::istringstream names(end == std::string::npos ? "" : input.substr(end + 1));
  for (std::string name; std::getline(names, name);) {
    clients.push_back({name, {IpAddress{}}});
    if (!config.vpn.dns) config.vpn.dns = gw::config::Dns{name, {}};  // nothing has looked at this one
  }
  const std::string server = gw::names::server_file(config, "/hosts.d");
  const std::string hosts = gw::names::hosts_file(config, clients);
  demand(server.empty() == hosts.empty());
  if (hosts.empty()) return 0;
  check_server(server);
  std::string domain = gw::names::full_name(config, "a");
  check_hosts(hosts, domain.substr(2));
  return 0;
}
