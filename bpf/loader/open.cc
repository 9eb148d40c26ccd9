// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "bpf/loader/impl.h"
#include "bpf/loader/libbpf_log.h"
#include "bpf/loader/size.h"

namespace gw::bpf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLogLines = 12;

/// pin_directory is BPFFS/INSTANCE/abi-N: where the file system has to be mounted.
fs::path mount_point(const fs::path& pin_directory) { return pin_directory.parent_path().parent_path(); }

Result<void> make_pin_directory(const std::string& pin_directory) {
  std::error_code error;
  fs::path present = fs::absolute(pin_directory, error);
  while (!fs::exists(present, error) && present.has_relative_path()) present = present.parent_path();
  struct statfs facts{};
  if (statfs(present.c_str(), &facts) != 0) return failure(errno, "look at", present.string());
  if (facts.f_type != BPF_FS_MAGIC) {
    const std::string wanted = mount_point(pin_directory).string();
    return failure(ENOTSUP, "pin BPF maps", pin_directory,
                   "this is no BPF file system; mount one: mkdir -p " + wanted + " && mount -t bpf bpf " + wanted);
  }
  fs::create_directories(pin_directory, error);
  if (error) return failure(error.value(), "make directory", pin_directory);
  fs::permissions(pin_directory, fs::perms::owner_all, error);
  return {};
}

std::string explain_load_failure(int code, const LibbpfLog& log, const std::string& pin_directory) {
  if (log.contains("parameter mismatch") || log.contains("couldn't reuse pinned map"))
    return "a pinned map of another layout is in the way: stop what uses it and remove " + pin_directory + "; " +
           log.tail(2);
  if (code == EPERM || code == EACCES) {
    const std::string missing = missing_capabilities();
    if (!missing.empty()) return "missing capabilities: " + missing;
  }
  return log.tail(kLogLines);
}

std::array<bpf_program*, kHooks> loaded_programs(gw_policy& skeleton) {
  return {skeleton.progs.vpn_ingress, skeleton.progs.vpn_egress,    skeleton.progs.subnet_ingress,
          skeleton.progs.xdp_ingress, skeleton.progs.guard_ingress, skeleton.progs.guard_xdp};
}

/// What makes two loads the same program: its instructions and the maps it works on.
struct Identity {
  uint32_t id = 0;
  std::array<uint8_t, BPF_TAG_SIZE> tag{};
  std::vector<uint32_t> maps;  ///< sorted

  [[nodiscard]] bool same(const Identity& other) const { return tag == other.tag && maps == other.maps; }
};

Result<Identity> identify(int fd) {
  Identity out;
  out.maps.resize(64);
  bpf_prog_info info{};
  info.nr_map_ids = static_cast<uint32_t>(out.maps.size());
  info.map_ids = reinterpret_cast<uintptr_t>(out.maps.data());
  uint32_t length = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0) return failure(errno, "look at BPF program");
  out.id = info.id;
  std::copy_n(std::begin(info.tag), out.tag.size(), out.tag.begin());
  out.maps.resize(std::min<size_t>(info.nr_map_ids, out.maps.size()));
  std::sort(out.maps.begin(), out.maps.end());
  return out;
}

/// Pins `program` in place of whatever has `path`: beside it first, then by rename, so that a name is never empty.
Result<void> pin_over(int program, const std::string& path) {
  const std::string beside = path + "_new";
  (void)::unlink(beside.c_str());
  if (bpf_obj_pin(program, beside.c_str()) != 0) return failure(errno, "pin BPF program", beside);
  if (std::rename(beside.c_str(), path.c_str()) != 0) return failure(errno, "pin BPF program", path);
  return {};
}

/// The pinned program where it is this build on these maps: then what an earlier run attached is known by its id, for
/// which the kernel would ask CAP_SYS_ADMIN otherwise. Else `program` itself, pinned now.
Result<std::pair<UniqueFd, uint32_t>> settle_program(const bpf_program* program, const std::string& pin_directory) {
  const std::string path = pin_directory + "/program_" + bpf_program__name(program);
  auto loaded = identify(bpf_program__fd(program));
  if (!loaded) return std::unexpected(loaded.error());
  UniqueFd pinned(bpf_obj_get(path.c_str()));
  if (pinned.valid()) {
    auto there = identify(pinned.get());
    if (there && there->same(*loaded)) return std::pair{std::move(pinned), there->id};
  }
  if (auto done = pin_over(bpf_program__fd(program), path); !done) return std::unexpected(done.error());
  pinned.reset(bpf_obj_get(path.c_str()));
  if (!pinned.valid()) return failure(errno, "open BPF program", path);
  return std::pair{std::move(pinned), loaded->id};
}

Result<void> load_skeleton(Dataplane::Impl& impl, const std::string& pin_directory) {
  const LibbpfLog log;
  impl.skeleton.reset(gw_policy::open());
  if (!impl.skeleton) return failure(errno, "open BPF object", {}, log.tail(kLogLines));
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, impl.skeleton->obj) {
    const std::string path = pin_directory + "/" + bpf_map__name(map);
    if (const int status = bpf_map__set_pin_path(map, path.c_str()); status != 0)
      return failure(-status, "pin BPF map", path);
  }
  if (auto sized = size_tables(*impl.skeleton, pin_directory); !sized) return sized;
  if (const int status = gw_policy::load(impl.skeleton.get()); status != 0)
    return failure(-status, "load BPF programs", pin_directory, explain_load_failure(-status, log, pin_directory));
  return {};
}

Result<void> settle_state(Dataplane::Impl& impl, const std::string& pin_directory) {
  auto state = StatePage::map(bpf_map__fd(impl.skeleton->maps.gw_state));
  if (!state) return std::unexpected(state.error());
  impl.state = std::move(*state);
  if (impl.state.abi() == 0) impl.state.set_flow_rate(GW_DEFAULT_FLOW_RATE);
  if (impl.state.abi() != 0 && impl.state.abi() != GW_ABI_VERSION)
    return failure(EEXIST, "open BPF maps", pin_directory,
                   "they have layout " + std::to_string(impl.state.abi()) + ", this build has " +
                       std::to_string(GW_ABI_VERSION) + ": remove the directory");
  return {};
}

int hand_over(void* context, void* data, size_t size) {
  const auto* impl = static_cast<const Dataplane::Impl*>(context);
  if (size < sizeof(gw_event) || impl->handler == nullptr) return 0;
  (*impl->handler)(*static_cast<const gw_event*>(data));
  return 0;
}

}  // namespace

StatePage& StatePage::operator=(StatePage&& other) noexcept {
  std::swap(page_, other.page_);
  return *this;
}

StatePage::~StatePage() {
  if (page_ != nullptr) ::munmap(page_, sizeof *page_);
}

Result<StatePage> StatePage::map(int fd) {
  void* page = ::mmap(nullptr, sizeof(gw_state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return failure(errno, "map BPF map", "gw_state");
  return StatePage(static_cast<gw_state*>(page));
}

Result<Dataplane> Dataplane::open(const std::string& pin_directory) {
  if (auto made = make_pin_directory(pin_directory); !made) return std::unexpected(made.error());
  auto impl = std::make_unique<Impl>();
  if (auto loaded = load_skeleton(*impl, pin_directory); !loaded) return std::unexpected(loaded.error());
  impl->link_directory = fs::path(pin_directory).parent_path();
  if (auto settled = settle_state(*impl, pin_directory); !settled) return std::unexpected(settled.error());
  const auto programs = loaded_programs(*impl->skeleton);
  for (size_t hook = 0; hook < kHooks; ++hook) {
    auto settled = settle_program(programs.at(hook), pin_directory);
    if (!settled) return std::unexpected(settled.error());
    impl->programs.at(hook) = std::move(settled->first);
    impl->program_ids.at(hook) = settled->second;
  }
  const LibbpfLog log;
  impl->ring.reset(ring_buffer__new(bpf_map__fd(impl->skeleton->maps.gw_events), hand_over, impl.get(), nullptr));
  if (!impl->ring) return failure(errno, "read BPF events", pin_directory, log.tail(kLogLines));
  Dataplane out(std::move(impl));
  if (out.impl_->state.abi() == 0) {
    if (auto synced = out.sync_clock(); !synced) return std::unexpected(synced.error());
    out.impl_->state.set_abi(GW_ABI_VERSION);  // last: now the page is whole
  }
  return out;
}

}  // namespace gw::bpf
