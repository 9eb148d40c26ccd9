// SPDX-License-Identifier: Apache-2.0
// The programs on a distribution's kernel, with the rights that the service unit gives and no more.
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "bpf/loader/dataplane.h"

namespace gw {
namespace {

constexpr uid_t kNobody = 65534;

constexpr uint32_t bit(int capability) { return 1U << (static_cast<unsigned>(capability) & 31U); }

/// Becomes `nobody` with exactly CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON.
bool drop_to_service_rights() {
  if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
      setresuid(kNobody, kNobody, kNobody) != 0) {
    return false;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].permitted = data[0].effective = bit(CAP_NET_ADMIN);
  data[1].permitted = data[1].effective = bit(CAP_BPF) | bit(CAP_PERFMON);
  return syscall(SYS_capset, &header, data) == 0;
}

/// Runs `work` in a child with its own mount and network namespace and a bpffs that everyone may write, as that
/// service.
int as_service(const std::string& bpffs, int (*work)(const std::string&)) {
  const pid_t pid = fork();
  if (pid == 0) {
    const bool ready = unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
                       mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       mkdir(bpffs.c_str(), 0755) == 0 && mount("bpf", bpffs.c_str(), "bpf", 0, "mode=0777") == 0 &&
                       drop_to_service_rights();
    if (!ready) perror("cannot become the service");
    _exit(ready ? work(bpffs) : 99);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  rmdir(bpffs.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int load_all(const std::string& bpffs) {
  const auto dataplane = bpf::Dataplane::open(bpffs + "/instance/abi-" + std::to_string(GW_ABI_VERSION));
  if (!dataplane) fprintf(stderr, "%s\n", dataplane.error().message().c_str());
  return dataplane ? 0 : 1;
}

int load_without_perfmon(const std::string& bpffs) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].permitted = data[0].effective = bit(CAP_NET_ADMIN);
  if (syscall(SYS_capset, &header, data) != 0) return 98;
  const auto dataplane = bpf::Dataplane::open(bpffs + "/instance/abi-" + std::to_string(GW_ABI_VERSION));
  if (dataplane) return 0;
  return dataplane.error().message().find("CAP_BPF") == std::string::npos ? 97 : 1;
}

TEST(Programs, LoadAsAServiceWithThreeCapabilities) {
  EXPECT_EQ(as_service("/tmp/gw-load-" + std::to_string(getpid()), load_all), 0);
}

TEST(Programs, AreRefusedWithoutThemAndTheErrorNamesThem) {
  EXPECT_EQ(as_service("/tmp/gw-noload-" + std::to_string(getpid()), load_without_perfmon), 1);
}

}  // namespace
}  // namespace gw
