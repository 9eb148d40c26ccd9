// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>

#include "gatewayd/base/fd.h"
#include "gatewayd/signer/client.h"
#include "gatewayd/signer/desk.h"

/// Holds the keys of the gateway's authority, apart from whoever is on the network. Its socket comes from the service
/// manager or from gatewayd (LISTEN_FDS).
namespace {

constexpr int kUsage = 2;

/// What the unit does not do already, where there is no unit. What is refused is not needed.
void lock_up() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::unshare(CLONE_NEWNET);
}

void serve(gw::signer::Desk& desk, int connection) {
  if (!gw::signer::limit_waiting(connection)) return;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  const auto question = gw::signer::receive_message(connection);
  if (!question) return;  // whoever it was is gone, or no friend
  if (auto sent = gw::signer::send_message(connection, desk.answer(*question, peer.uid)); !sent)
    std::fprintf(stderr, "gatewayd-signer: %s\n", sent.error().message().c_str());
}

/// For `gwctl --host`: one question from another machine, which ssh brought, to the signer of this one.
int pass_on(const std::string& socket) {
  const auto question = gw::signer::receive_message(STDIN_FILENO);
  const auto sent =
      question ? gw::signer::send_message(STDOUT_FILENO, gw::signer::answer_of(gw::signer::ask_at(socket, *question)))
               : gw::Result<void>(std::unexpected(question.error()));
  if (sent) return 0;
  std::fprintf(stderr, "gatewayd-signer: %s\n", sent.error().message().c_str());
  return 1;
}

int run(const std::string& directory) {
  if (::sd_listen_fds(1) != 1 || ::sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_STREAM, 1) <= 0) {
    std::fprintf(stderr, "gatewayd-signer: no socket was handed over: start gatewayd-signer.socket, or gatewayd\n");
    return kUsage;
  }
  lock_up();
  gw::signer::Desk desk(directory);
  ::sd_notify(0, "READY=1");
  for (;;) {
    const gw::UniqueFd connection(::accept4(SD_LISTEN_FDS_START, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) {
      serve(desk, connection.get());
    } else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
      std::perror("gatewayd-signer: accept");
      return 1;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = "/var/lib/gatewayd-signer/ca";
  CLI::App app("Holds the keys of a gateway's certificate authority.", "gatewayd-signer");
  app.add_option("--directory", directory, "Where the keys are")->capture_default_str();
  std::string ask;
  app.add_option("--ask", ask, "Pass one question, from standard input, on to the signer that listens there")
      ->type_name("SOCKET");
  app.set_version_flag("--version", std::string("gatewayd-signer ") + GW_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return ask.empty() ? run(directory) : pass_on(ask);
}
