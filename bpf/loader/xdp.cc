// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include <cerrno>

#include "bpf/loader/impl.h"
#include "bpf/loader/libbpf_log.h"

namespace gw::bpf {
namespace {

// A pinned link is what keeps the program attached, and what nobody else can detach by mistake.
std::string link_path(const std::string& directory, uint32_t ifindex) {
  return directory + "/xdp_" + std::to_string(ifindex);
}

std::string object_of(uint32_t ifindex) { return "interface " + std::to_string(ifindex); }

/// The pinned link of `ifindex`. Invalid: there is none, or its device has gone and the number is another's now.
Result<UniqueFd> open_link(const std::string& directory, uint32_t ifindex, uint32_t& program) {
  const std::string path = link_path(directory, ifindex);
  UniqueFd link(bpf_obj_get(path.c_str()));
  if (!link.valid()) return errno == ENOENT ? Result<UniqueFd>(UniqueFd()) : failure(errno, "open BPF link", path);
  bpf_link_info info{};
  uint32_t length = sizeof info;
  if (bpf_obj_get_info_by_fd(link.get(), &info, &length) != 0) return failure(errno, "look at BPF link", path);
  if (info.type != BPF_LINK_TYPE_XDP || info.xdp.ifindex != ifindex) return UniqueFd();
  program = info.prog_id;
  return link;
}

/// Sees to it that what the fast path loses is counted: without that it may not run.
Result<void> watch_errors(Dataplane::Impl& impl) {
  if (!impl.watches.empty()) return {};
  decltype(impl.watches) watches;
  const LibbpfLog log;
  for (const auto& [program, point] : {std::pair{impl.skeleton->progs.redirect_error, "xdp_redirect_err"},
                                       std::pair{impl.skeleton->progs.transmit_error, "xdp_devmap_xmit"}}) {
    watches.emplace_back(bpf_program__attach_raw_tracepoint(program, point));
    if (!watches.back()) return failure(errno, "watch trace point", point, log.tail(2));
  }
  impl.watches = std::move(watches);
  return {};
}

}  // namespace

Result<bool> Dataplane::Impl::xdp_attached(const Attachment& attachment) const {
  uint32_t program = 0;
  const auto link = open_link(link_directory, attachment.ifindex, program);
  if (!link) return std::unexpected(link.error());
  // Without the watch it is not what was asked for: attach() begins it anew.
  return link->valid() && program == program_ids.at(static_cast<size_t>(attachment.hook)) && !watches.empty();
}

Result<void> Dataplane::Impl::attach_xdp(const Attachment& attachment) {
  const uint32_t ifindex = attachment.ifindex;
  if (auto watched = watch_errors(*this); !watched) return watched;
  uint32_t attached = 0;
  const auto there = open_link(link_directory, ifindex, attached);
  if (!there) return std::unexpected(there.error());
  const int program = programs.at(static_cast<size_t>(attachment.hook)).get();
  if (there->valid()) {
    if (bpf_link_update(there->get(), program, nullptr) == 0) return {};
    return failure(errno, "replace XDP program", object_of(ifindex));
  }
  const std::string path = link_path(link_directory, ifindex);
  (void)::unlink(path.c_str());
  const LibbpfLog log;
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
  const UniqueFd link(bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options));
  if (!link.valid()) return failure(errno, "attach XDP program", object_of(ifindex), log.tail(2));
  if (bpf_obj_pin(link.get(), path.c_str()) != 0) return failure(errno, "pin BPF link", path);
  return {};
}

Result<void> Dataplane::Impl::detach_xdp(const Attachment& attachment) {
  uint32_t program = 0;
  const auto link = open_link(link_directory, attachment.ifindex, program);
  if (!link) return std::unexpected(link.error());
  // Another program of ours may have taken its place: a card has room for one.
  if (link->valid() && program != program_ids.at(static_cast<size_t>(attachment.hook))) return {};
  const std::string path = link_path(link_directory, attachment.ifindex);
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return failure(errno, "remove BPF link", path);
}

}  // namespace gw::bpf
