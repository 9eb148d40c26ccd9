// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "gatewayd/events/loop.h"

namespace gw::connect {

/// Work that blocks, each in a thread of its own, one at a time for a name; what comes of it is told inside the loop. A
/// thread that still works when the program ends is abandoned, so `work` owns what it uses.
class Jobs {
 public:
  using Work = std::function<Result<void>()>;
  using Done = std::function<void(const Result<void>&)>;
  static Result<Jobs> open(const events::Loop& loop);

  [[nodiscard]] bool is_busy(const std::string& name) const { return busy_->contains(name); }
  /// Not when the name is busy.
  void start(const std::string& name, Work work, Done done);

 private:
  struct Mailbox;
  Jobs(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<std::set<std::string>> busy, events::Source source)
      : mailbox_(std::move(mailbox)), busy_(std::move(busy)), source_(std::move(source)) {}

  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<std::set<std::string>> busy_;  // the loop's thread alone
  events::Source source_;
};

}  // namespace gw::connect
