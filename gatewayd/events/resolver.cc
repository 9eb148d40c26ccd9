// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/events/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "gatewayd/base/fd.h"

namespace gw::events {
namespace {

struct AddressesFree {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

std::optional<IpAddress> address_of(const addrinfo& entry) {
  IpAddress out;
  if (entry.ai_family == AF_INET) {
    const auto* socket = reinterpret_cast<const sockaddr_in*>(entry.ai_addr);
    std::memcpy(out.bytes.data(), &socket->sin_addr, sizeof socket->sin_addr);
    return out;
  }
  if (entry.ai_family != AF_INET6) return std::nullopt;
  out.family = Family::v6;
  const auto* socket = reinterpret_cast<const sockaddr_in6*>(entry.ai_addr);
  std::memcpy(out.bytes.data(), &socket->sin6_addr, sizeof socket->sin6_addr);
  return out;
}

// The first of what the host prefers (RFC 6724).
std::optional<IpAddress> look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &raw) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, AddressesFree> list(raw);
  for (const addrinfo* entry = raw; entry != nullptr; entry = entry->ai_next) {
    if (auto address = address_of(*entry)) return address;
  }
  return std::nullopt;
}

}  // namespace

struct Resolver::Mailbox {
  UniqueFd bell;
  std::mutex mutex;
  std::vector<std::pair<std::string, IpAddress>> answers;
  std::set<std::string> asked;  // so that a name server that is slow does not gather threads

  void put(const std::string& name, const std::optional<IpAddress>& address) {
    const std::scoped_lock lock(mutex);
    asked.erase(name);
    if (!address) return;
    answers.emplace_back(name, *address);
    eventfd_write(bell.get(), 1);
  }
  std::vector<std::pair<std::string, IpAddress>> take() {
    const std::scoped_lock lock(mutex);
    eventfd_t rings = 0;
    eventfd_read(bell.get(), &rings);
    return std::exchange(answers, {});
  }
};

Result<Resolver> Resolver::open(const Loop& loop, Found found) {
  auto mailbox = std::make_shared<Mailbox>();
  mailbox->bell.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!mailbox->bell.valid()) return failure(errno, "make", "an eventfd");
  auto source = Source::readable(loop, mailbox->bell.get(), [box = mailbox.get(), found = std::move(found)] {
    for (const auto& [name, address] : box->take()) found(name, address);
  });
  if (!source) return std::unexpected(source.error());
  return Resolver(std::move(mailbox), std::move(*source));
}

void Resolver::ask(const std::string& name) {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    if (!mailbox_->asked.insert(name).second) return;
  }
  // Signals belong to the loop's thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([box = mailbox_, name] { box->put(name, look_up(name)); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace gw::events
