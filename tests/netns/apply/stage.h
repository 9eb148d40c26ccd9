// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "gatewayd/apply/linux_kernel.h"
#include "gatewayd/apply/reconciler.h"
#include "tests/support/contract_scene.h"
#include "tests/support/namespace.h"
#include "tests/support/temp_dir.h"

namespace gw::test {

/// The running kernel in a fresh network namespace, with a bpffs and a run directory of its own, as a stage of the
/// contract. Edits by hand are made with ip, tc, wg and nft, as an operator makes them.
class LinuxStage {
 public:
  LinuxStage();
  ~LinuxStage();
  LinuxStage(const LinuxStage&) = delete;
  LinuxStage& operator=(const LinuxStage&) = delete;

  apply::LinuxKernel& kernel() { return *kernel_; }
  void restart();
  [[nodiscard]] std::string run_directory() const { return directory_ / "run"; }
  [[nodiscard]] std::string bpffs() const { return directory_ / "bpf"; }
  void by_hand(const Edit& edit);
  void add_foreign();
  std::string foreign();

 private:
  Namespace namespace_;
  TempDir directory_;
  SystemClock clock_;
  std::unique_ptr<apply::LinuxKernel> kernel_;
};

}  // namespace gw::test
