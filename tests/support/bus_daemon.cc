// SPDX-License-Identifier: Apache-2.0
#include "tests/support/bus_daemon.h"

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is not in <csignal>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace gw::test {
namespace {

std::string configuration(const std::string& directory, const std::string& include) {
  std::string out =
      "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\" "
      "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>system</type>";
  out += "<listen>unix:path=" + directory + "/bus</listen><auth>EXTERNAL</auth>";
  out +=
      "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/><allow send_type=\"*\"/><allow "
      "receive_type=\"*\"/>";
  out += "</policy>";
  // Own names again only by the policy that is included, as on a real system bus.
  if (!include.empty()) {
    out += "<policy context=\"default\"><deny own=\"*\"/><deny send_type=\"method_call\"/>";
    out += "<allow send_destination=\"org.freedesktop.DBus\"/></policy>";
    out += "<include>" + include + "</include>";
  }
  return out + "</busconfig>";
}

// The first line that comes out of `fd`, without its end.
std::string read_line(int fd) {
  std::string line;
  char c = 0;
  while (::read(fd, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

}  // namespace

BusDaemon::BusDaemon(const std::string& include) {
  std::string name = std::filesystem::temp_directory_path() / "gatewayd-bus-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  directory_ = name;
  ::chmod(directory_.c_str(), 0755);
  const std::string file = directory_ + "/bus.conf";
  std::ofstream(file) << configuration(directory_, include);

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  // It complains about limits that a test does not need: shown only when it does not start.
  const std::string log = directory_ + "/log";
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const std::string option = "--config-file=" + file;
  std::array<const char*, 5> arguments = {"dbus-daemon", option.c_str(), "--nofork", "--print-address", nullptr};
  const int rc = ::posix_spawnp(&pid_, "dbus-daemon", &actions, nullptr, const_cast<char**>(arguments.data()), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  // It prints the address once it listens.
  if (rc == 0) address_ = read_line(ends[0]);
  ::close(ends[0]);
  if (address_.empty()) {
    if (rc != 0) pid_ = -1;
    stop();
    std::stringstream said;
    said << std::ifstream(log).rdbuf();
    std::filesystem::remove_all(directory_);
    throw std::runtime_error("cannot start dbus-daemon (is the package dbus installed?): " + said.str());
  }
}

void BusDaemon::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

BusDaemon::~BusDaemon() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace gw::test
