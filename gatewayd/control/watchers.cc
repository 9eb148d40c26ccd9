// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/watchers.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace gw::control {

bool Watchers::send(Watcher& watcher, const std::string& record) {
  if (::send(watcher.fd.get(), record.data(), record.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
  watcher.gone = errno != EAGAIN && errno != ENOBUFS && errno != EINTR;
  return false;
}

// True when nothing is owed to the reader any more.
bool Watchers::tell_owed(Watcher& watcher) {
  const auto tell = [&](const char* what, uint64_t& count) {
    if (count != 0 && send(watcher, fmt::format("{{\"{}\":{}}}\n", what, count))) count = 0;
    return count == 0;
  };
  return tell("lost", watcher.lost) && tell("untold", watcher.untold);
}

void Watchers::forget_gone() {
  for (Watcher& watcher : watchers_) {
    pollfd end{watcher.fd.get(), 0, 0};
    if (::poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)) != 0) watcher.gone = true;
  }
  watchers_.remove_if([](const Watcher& watcher) { return watcher.gone; });
}

Result<UniqueFd> Watchers::add(WatchFilter filter) {
  forget_gone();
  if (watchers_.size() >= kMost) {
    return failure(EBUSY, "watch", "the verdicts", fmt::format("{} watch already; end one of them", kMost));
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return failure(errno, "make a socket for", "the verdicts");
  }
  UniqueFd reader(ends[0]);
  watchers_.push_back({UniqueFd(ends[1]), std::move(filter), 0, 0, false});
  return reader;
}

void Watchers::show(const Sighting& sighting) {
  std::string record;
  for (Watcher& watcher : watchers_) {
    if (!watcher.filter.admits(sighting)) continue;
    if (record.empty()) record = json_of(sighting);
    if (!tell_owed(watcher) || !send(watcher, record)) ++watcher.lost;
  }
  watchers_.remove_if([](const Watcher& watcher) { return watcher.gone; });
}

void Watchers::untold(uint64_t packets) {
  for (Watcher& watcher : watchers_) watcher.untold += packets;
  settle();
}

bool Watchers::settle() {
  bool settled = true;
  forget_gone();
  for (Watcher& watcher : watchers_) settled = tell_owed(watcher) && settled;
  return settled;
}

}  // namespace gw::control
