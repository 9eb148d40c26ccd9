// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>

namespace gw::test {

/// Runs `work` in a forked child that SIGKILL ends at its n-th system call, before the call is done, for n = 1, 2, …
/// until one run comes to its end; returns how many were killed. Before each run `prepare`, after each `check`, in this
/// process. `work` must be ready to be run in a child of a fork: it opens what it needs itself. Throws
/// std::system_error when ptrace(2) is refused. `calls`: the numbers (SYS_…) of those that count; empty: all.
int kill_at_every_system_call(const std::function<void()>& prepare, const std::function<void()>& work,
                              const std::function<void()>& check, const std::set<uint64_t>& calls = {});

}  // namespace gw::test
