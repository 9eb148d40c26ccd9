// SPDX-License-Identifier: Apache-2.0
#include "tests/support/host.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "gatewayd/base/fd.h"

namespace gw::test {
namespace {

std::string namespace_path(pid_t pid, const char* kind) { return "/proc/" + std::to_string(pid) + "/ns/" + kind; }

/// "net:[4026532328]"; empty when the process is gone.
std::string namespace_of(pid_t pid) {
  std::error_code gone;
  return std::filesystem::read_symlink(namespace_path(pid, "net"), gone);
}

void enter_namespace(pid_t pid, const char* kind, int type) {
  const UniqueFd fd(open(namespace_path(pid, kind).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || setns(fd.get(), type) != 0) throw std::runtime_error("setns into " + namespace_path(pid, kind));
}

bool build_namespaces() {
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return false;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  // /sys shows the devices of the namespace it was mounted in.
  umount2("/sys", MNT_DETACH);
  if (mount("sysfs", "/sys", "sysfs", 0, nullptr) != 0) return false;
  for (const char* directory : {"/run/wireguard", "/run/bpf"}) mkdir(directory, 0755);
  return mount("tmpfs", "/run/wireguard", "tmpfs", 0, "mode=0755") == 0 &&
         mount("bpf", "/run/bpf", "bpf", 0, "mode=0700") == 0;
}

/// Like fork(2), but the child is the first process of a process namespace.
pid_t fork_init() {
  return static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

/// A child that holds the namespaces and ends with its parent. It is the first process of its process namespace, so
/// that daemons left behind here (a wireguard-go keeps its network namespace alive) end with it, however it ends.
Process hold() {
  std::array<int, 2> ready{};
  if (pipe2(ready.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  const pid_t pid = fork_init();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    close(ready[0]);
    const bool good = build_namespaces();
    const char byte = good ? 'y' : 'n';
    // Refused when the parent has ended already.
    if (write(ready[1], &byte, 1) != 1 || !good) _exit(1);
    for (;;) pause();
  }
  const UniqueFd read_end(ready[0]);
  close(ready[1]);
  Process holder(pid);
  char byte = 'n';
  if (read(read_end.get(), &byte, 1) != 1 || byte != 'y')
    throw std::runtime_error("cannot make namespaces: run as root");
  return holder;
}

}  // namespace

Arguments words(const std::string& text) {
  std::istringstream stream(text);
  Arguments out;
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

Host::Host(std::string name) : name_(std::move(name)), holder_(hold()) { must("ip link set lo up"); }

/// wireguard-go makes itself a daemon, so it is nobody's child any more; it keeps the namespaces and an inotify
/// instance.
Host::~Host() {
  const std::string ours = namespace_of(holder_.pid());
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (pid != holder_.pid() && pid != getpid() && !ours.empty() && namespace_of(pid) == ours) kill(pid, SIGKILL);
  }
}

Prepare Host::enter(const Prepare& more, bool threads) const {
  return [pid = holder_.pid(), more, threads] {
    const UniqueFd root(open(("/proc/" + std::to_string(pid) + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    // What the program starts belongs to the host; itself it stays a child of the test.
    if (!threads) enter_namespace(pid, "pid", CLONE_NEWPID);
    enter_namespace(pid, "net", CLONE_NEWNET);
    enter_namespace(pid, "mnt", CLONE_NEWNS);
    // That leads to the root of the mount namespace, which is not ours where we were started in a chroot.
    if (fchdir(root.get()) != 0 || chroot(".") != 0)
      throw std::runtime_error("chroot into " + namespace_path(pid, "mnt"));
    if (more) more();
  };
}

Output Host::run(const Arguments& argv, std::chrono::milliseconds limit) const {
  return test::run(argv, limit, enter());
}

std::string Host::must(const Arguments& argv) const {
  const Output output = run(argv);
  if (output.ok()) return output.out;
  std::string line = name_ + ":";
  for (const auto& word : argv) line += " " + word;
  throw std::runtime_error(line + ": exit " + std::to_string(output.status) + "\n" + output.out + output.err);
}

std::string Host::must(const std::string& text) const { return must(words(text)); }

void Host::ip(const std::vector<std::string>& commands) const {
  std::string batch;
  for (const std::string& command : commands) batch += command + "\n";
  const Output output = test::run({"ip", "-batch", "-"}, std::chrono::seconds(30), enter(), batch);
  if (!output.ok()) throw std::runtime_error(name_ + ": ip -batch\n" + batch + output.out + output.err);
}

Process Host::start(const Arguments& argv, const std::string& log, const Prepare& more) const {
  return test::start(argv, log, enter(more));
}

Process Host::start_threaded(const Arguments& argv, const std::string& log) const {
  return test::start(argv, log, enter({}, true));
}

void Host::in(const std::function<void()>& work) const {
  std::exception_ptr thrown;
  std::thread thread([&] {
    try {
      enter_namespace(holder_.pid(), "net", CLONE_NEWNET);
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

void connect(const Host& a, const std::string& device_a, const Host& b, const std::string& device_b) {
  a.ip({"link add " + device_a + " type veth peer name " + device_b + " netns " + std::to_string(b.pid()),
        "link set " + device_a + " up"});
  b.ip({"link set " + device_b + " up"});
}

}  // namespace gw::test
