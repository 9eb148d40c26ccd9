// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gatewayd/base/ip.h"
#include "gatewayd/events/loop.h"

namespace gw::events {

/// Looks host names up without holding up the loop: getaddrinfo(3) blocks, so each question runs in a thread that
/// shares nothing with the daemon but the mailbox for its answer. `found` is called inside the loop, once for each name
/// that has an address; names without one are left to the next question. A thread that still waits when the daemon ends
/// is abandoned.
class Resolver {
 public:
  using Found = std::function<void(const std::string& name, const IpAddress& address)>;
  static Result<Resolver> open(const Loop& loop, Found found);

  void ask(const std::string& name);

 private:
  struct Mailbox;
  Resolver(std::shared_ptr<Mailbox> mailbox, Source source)
      : mailbox_(std::move(mailbox)), source_(std::move(source)) {}

  std::shared_ptr<Mailbox> mailbox_;
  Source source_;
};

}  // namespace gw::events
