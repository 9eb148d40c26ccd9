// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>

#include <cerrno>

#include "bpf/loader/impl.h"
#include "bpf/loader/libbpf_log.h"

namespace gw::bpf {
namespace {

// Places of our own among the filters of the hook, before what has no priority of its own (49152): the guard's in front
// of the policy's.
constexpr uint32_t kGuardPriority = 6;
constexpr uint32_t kPriority = 7;
constexpr uint32_t kHandle = 0x67770001;

constexpr std::array kTcHooks = {Hook::vpn_ingress, Hook::vpn_egress, Hook::subnet_ingress, Hook::guard_ingress};

bpf_tc_attach_point attach_point(Hook hook) { return hook == Hook::vpn_egress ? BPF_TC_EGRESS : BPF_TC_INGRESS; }
uint32_t priority_of(Hook hook) { return hook == Hook::guard_ingress ? kGuardPriority : kPriority; }

bool is_xdp(Hook hook) { return hook == Hook::xdp || hook == Hook::guard_xdp; }

std::string object_of(uint32_t ifindex) { return "interface " + std::to_string(ifindex); }

/// Id of the program in the place of `where`, 0 when there is none.
Result<uint32_t> filter_program(uint32_t ifindex, Hook where) {
  const LibbpfLog log;
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex), .attach_point = attach_point(where));
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kHandle, .priority = priority_of(where));
  const int status = bpf_tc_query(&hook, &options);
  if (status == 0) return options.prog_id;
  // ENOENT: no such filter. EINVAL: no clsact queueing discipline, so no filter either.
  if (status == -ENOENT || status == -EINVAL) return 0;
  return failure(-status, "look for BPF filters", object_of(ifindex), log.tail(2));
}

}  // namespace

Result<std::vector<Attachment>> Dataplane::attachments(uint32_t ifindex) const {
  std::vector<Attachment> out;
  for (const Hook hook : kTcHooks) {
    const auto id = filter_program(ifindex, hook);
    if (!id) return std::unexpected(id.error());
    if (*id != 0 && *id == impl_->program_ids.at(static_cast<size_t>(hook))) out.push_back({ifindex, hook});
  }
  for (const Hook hook : {Hook::xdp, Hook::guard_xdp}) {
    const auto xdp = impl_->xdp_attached({ifindex, hook});
    if (!xdp) return std::unexpected(xdp.error());
    if (*xdp) out.push_back({ifindex, hook});
  }
  return out;
}

Result<void> Dataplane::attach(const Attachment& attachment) {
  if (is_xdp(attachment.hook)) return impl_->attach_xdp(attachment);
  const LibbpfLog log;
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(attachment.ifindex),
              .attach_point = attach_point(attachment.hook));
  // The queueing discipline is for both directions; it may be there already, with filters of others.
  if (const int status = bpf_tc_hook_create(&hook); status != 0 && status != -EEXIST)
    return failure(-status, "add clsact", object_of(attachment.ifindex), log.tail(2));
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = impl_->programs.at(static_cast<size_t>(attachment.hook)).get(),
              .flags = BPF_TC_F_REPLACE, .handle = kHandle, .priority = priority_of(attachment.hook));
  if (const int status = bpf_tc_attach(&hook, &options); status != 0)
    return failure(-status, "attach BPF program", object_of(attachment.ifindex), log.tail(2));
  return {};
}

Result<void> Dataplane::detach(const Attachment& attachment) {
  if (is_xdp(attachment.hook)) return impl_->detach_xdp(attachment);
  const LibbpfLog log;
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(attachment.ifindex),
              .attach_point = attach_point(attachment.hook));
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kHandle, .priority = priority_of(attachment.hook));
  const int status = bpf_tc_detach(&hook, &options);
  if (status == 0 || status == -ENOENT || status == -EINVAL || status == -ENODEV) return {};
  return failure(-status, "detach BPF program", object_of(attachment.ifindex), log.tail(2));
}

}  // namespace gw::bpf
