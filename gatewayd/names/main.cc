// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstring>
#include <string>

#include "gatewayd/names/directory.h"
#include "gatewayd/names/server.h"

namespace {

constexpr const char* kUsage = R"(usage: gatewayd-names [--run DIR] [--instance NAME] [--dnsmasq PROGRAM]

Serves the names of a gateway: runs dnsmasq on the files that gatewayd writes to DIR/NAME/names, and follows them.

  --run DIR          what gatewayd has for --run (/run/gatewayd)
  --instance NAME    what gatewayd has for --instance (gateway)
  --dnsmasq PROGRAM  dnsmasq, searched in PATH
  --version          the version
)";

constexpr int kWrongUsage = 2;

}  // namespace

int main(int argc, char** argv) {
  std::string run = "/run/gatewayd";
  std::string instance = "gateway";
  std::string program = "dnsmasq";
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::string* value = word == "--run"        ? &run
                         : word == "--instance" ? &instance
                         : word == "--dnsmasq"  ? &program
                                                : nullptr;
    if (word == "--version") return std::printf("gatewayd-names %s\n", GW_VERSION) > 0 ? 0 : 1;
    if (word == "--help") return std::fputs(kUsage, stdout) >= 0 ? 0 : 1;
    if (value == nullptr || i + 1 == argc) {
      std::fprintf(stderr, "gatewayd-names: '%s' is not understood\n%s", word.c_str(), kUsage);
      return kWrongUsage;
    }
    *value = argv[++i];
  }
  auto server = gw::names::Server::open(run + "/" + instance + gw::names::kDirectory, program);
  auto done = server ? server->run() : std::unexpected(server.error());
  if (done) return 0;
  std::fprintf(stderr, "gatewayd-names: %s\n", done.error().message().c_str());
  return 1;
}
