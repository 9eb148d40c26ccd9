// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "gatewayd/base/fd.h"
#include "gatewayd/signer/client.h"
#include "gatewayd/signer/desk.h"

/// Holds the keys of the gateway's authority, apart from whoever is on the network. Its socket comes from the service
/// manager or from gatewayd (LISTEN_FDS).
namespace {

constexpr int kUsage = 2;
constexpr int kPlaces = 4;
/// How long one who does not go on keeps his; less than whoever asks waits (ask_at).
constexpr std::chrono::seconds kPatience{3};

/// What the unit does not do already, where there is no unit. What is refused is not needed.
void lock_up() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::unshare(CLONE_NEWNET);
}

/// One desk for all who have a place.
struct Counter {
  gw::signer::Desk desk;
  std::mutex busy;
};

void serve(Counter& counter, int connection) {
  const gw::signer::Deadline until = std::chrono::steady_clock::now() + kPatience;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  const auto question = gw::signer::receive_message(connection, until);
  if (!question) return;  // whoever it was is gone, or no friend
  const gw::signer::Json answer = [&] {
    const std::scoped_lock alone(counter.busy);
    return counter.desk.answer(*question, peer.uid);
  }();
  if (auto sent = gw::signer::send_message(connection, answer, until); !sent)
    std::fprintf(stderr, "gatewayd-signer: %s\n", sent.error().message().c_str());
}

/// A place: one connection after the other.
[[noreturn]] void take_turns(Counter& counter) {
  for (;;) {
    const gw::UniqueFd connection(::accept4(SD_LISTEN_FDS_START, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) {
      serve(counter, connection.get());
    } else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
      std::perror("gatewayd-signer: accept");
      std::_Exit(1);
    }
  }
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
  Counter counter{.desk = gw::signer::Desk(directory), .busy = {}};
  std::vector<std::thread> others;
  try {
    for (int i = 1; i < kPlaces; ++i) others.emplace_back(take_turns, std::ref(counter));
  } catch (const std::system_error& fewer) {
    std::fprintf(stderr, "gatewayd-signer: serves %zu at once: %s\n", others.size() + 1, fewer.what());
  }
  ::sd_notify(0, "READY=1");
  take_turns(counter);
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
