// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/executor.h"

#include <cerrno>
#include <set>

namespace gw::apply {
namespace {

template <class... Kinds>
bool is(const plan::Operation& operation) {
  return (std::holds_alternative<Kinds>(operation) || ...);
}

bool turns_forwarding_on(const plan::Operation& operation) {
  const auto* sysctl = std::get_if<plan::SetSysctl>(&operation);
  return sysctl != nullptr && plan::is_forwarding(sysctl->name);
}

bool brings_up(const plan::Operation& operation) {
  const auto* set_up = std::get_if<plan::SetUp>(&operation);
  return set_up != nullptr && set_up->up;
}

/// What the failures so far forbid.
class Consequences {
 public:
  [[nodiscard]] bool forbid(const plan::Operation& operation) const {
    const std::string device = plan::device_of(operation);
    if (missing_.contains(device)) return true;
    if (turns_forwarding_on(operation)) return !guarded_;
    if (brings_up(operation)) return !guarded_ || unguarded_.contains(device);
    return is<plan::AddRoute>(operation) && down_.contains(device);
  }

  void left_out(const plan::Operation& operation) {
    if (brings_up(operation)) down_.insert(plan::device_of(operation));
  }

  void failed(const plan::Operation& operation, const Error& error) {
    const std::string device = plan::device_of(operation);
    const bool made = is<plan::CreateVpnLink, plan::CreateVlanLink>(operation);
    if (!device.empty() && (made || error.code == ENODEV)) missing_.insert(device);
    if (is<plan::LoadFirewall, plan::InstallPolicy>(operation)) guarded_ = false;
    if (is<plan::Attach, plan::PutLinkEntry>(operation)) unguarded_.insert(device);
    left_out(operation);
  }

 private:
  bool guarded_ = true;
  std::set<std::string> missing_;
  std::set<std::string> unguarded_;
  std::set<std::string> down_;
};

}  // namespace

Execution execute(Kernel& kernel, const plan::Plan& plan, const plan::Desired& desired, const SecretKey& key) {
  Execution execution;
  Consequences consequences;
  for (const plan::Operation& operation : plan) {
    std::string line = plan::describe(operation);
    if (consequences.forbid(operation)) {
      consequences.left_out(operation);
      execution.not_done.push_back(std::move(line));
      continue;
    }
    if (auto done = kernel.execute(operation, desired, key)) {
      execution.done.push_back(std::move(line));
    } else {
      consequences.failed(operation, done.error());
      execution.errors.push_back(done.error());
      execution.not_done.push_back(std::move(line));
    }
  }
  return execution;
}

}  // namespace gw::apply
