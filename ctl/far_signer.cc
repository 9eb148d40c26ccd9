// SPDX-License-Identifier: Apache-2.0
#include "ctl/far_signer.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "gatewayd/base/fd.h"

namespace gw::ctl {
namespace {

constexpr const char* kAsk = "ask the signer of";
constexpr const char* kProgram = "/usr/libexec/gatewayd/gatewayd-signer";
constexpr int kNotThere = 127;  // sh(1): no such command

/// `text` as one word of the shell over there.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// What comes after "ssh", as sd_bus_open_system_remote(3) reads such a name.
std::vector<std::string> arguments(const std::string& host, const std::string& socket) {
  std::vector<std::string> out{"ssh", "-xT"};
  std::string name = host;
  const size_t colon = host.rfind(':');
  const bool port = colon != std::string::npos && host.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  if (port && (host.find(':') == colon || host[colon - 1] == ']')) {
    out.insert(out.end(), {"-p", host.substr(colon + 1)});
    name.resize(colon);
  }
  std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
  out.insert(out.end(), {"--", name, std::string(kProgram) + " --ask " + quoted(socket)});
  return out;
}

/// Starts ssh with one end of a socket; the other end is `ours`.
Result<pid_t> start(const std::string& host, const std::string& socket, UniqueFd& ours) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return failure(errno, kAsk, host);
  ours = UniqueFd(ends[0]);
  const UniqueFd theirs(ends[1]);
  auto words = arguments(host, socket);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, "ssh", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return failure(error, kAsk, host, "ssh(1) does not start");
  return pid;
}

Result<signer::Json> ask(const std::string& host, const std::string& socket, const signer::Json& question) {
  UniqueFd way;
  const auto pid = start(host, socket, way);
  if (!pid) return std::unexpected(pid.error());
  const auto sent = signer::send_message(way.get(), question);
  const auto answer = sent ? signer::receive_message(way.get()) : std::unexpected(sent.error());
  way = UniqueFd();
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (answer) return signer::result_of(*answer);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return failure(ESRCH, kAsk, host,
                 code == kNotThere ? std::string(kProgram) + " is not there: the gateway is of an older version"
                                   : "ssh ended with " + std::to_string(code) + "; try: ssh " + host + " true");
}

}  // namespace

signer::Way through_ssh(const std::string& host, const std::string& socket) {
  return [host, socket](const signer::Json& question) { return ask(host, socket, question); };
}

}  // namespace gw::ctl
