// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ctl/outcome.h"

namespace gw::ctl {

/// RAUC's service on the gateway's system bus (de.pengutronix.rauc.Installer, RAUC 1.8): it owns the slots of an image
/// and changes them. One thread; calls block.
class Rauc {
 public:
  /// As Bus::open. Exit::unreachable when there is no bus.
  static Outcome<Rauc> open(const std::string& host);

  /// "compatible", "boot_slot", "operation", "last_error", "primary", and "slots": of each its "name" and what RAUC
  /// knows of it under RAUC's names ("state", "boot-status", "bundle.version", …).
  Outcome<Json> status();

  /// What the service does, as it goes on: percent done, and in words.
  using Progress = std::function<void(int percent, const std::string& what)>;
  /// Installs the bundle, a path on the gateway, into the slot that is not booted, and makes that the next to boot.
  /// Returns when the service has done it, or with its reason why not; the booted system is not touched.
  Outcome<void> install(const std::string& bundle, const Progress& progress);

  /// The slot that is not booted is the next to boot. Its name.
  Outcome<std::string> activate_other();

  struct Impl;
  Rauc(Rauc&&) noexcept;
  Rauc& operator=(Rauc&&) noexcept;
  ~Rauc();

 private:
  explicit Rauc(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The service's last error as what it means and what to do; its own words are behind.
std::string explain_rauc_error(const std::string& error);

}  // namespace gw::ctl
