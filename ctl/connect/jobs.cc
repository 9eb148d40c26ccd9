// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/jobs.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "gatewayd/base/fd.h"

namespace gw::connect {

struct Jobs::Mailbox {
  struct Letter {
    std::string name;
    Result<void> result;
    Done done;
  };
  UniqueFd bell;
  std::mutex mutex;
  std::vector<Letter> letters;

  void put(Letter letter) {
    const std::scoped_lock lock(mutex);
    letters.push_back(std::move(letter));
    eventfd_write(bell.get(), 1);
  }
  std::vector<Letter> take() {
    const std::scoped_lock lock(mutex);
    eventfd_t rings = 0;
    eventfd_read(bell.get(), &rings);
    return std::exchange(letters, {});
  }
};

Result<Jobs> Jobs::open(const events::Loop& loop) {
  auto mailbox = std::make_shared<Mailbox>();
  mailbox->bell.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!mailbox->bell.valid()) return failure(errno, "make", "an eventfd");
  auto busy = std::make_shared<std::set<std::string>>();
  auto source = events::Source::readable(loop, mailbox->bell.get(), [box = mailbox.get(), busy] {
    for (const auto& letter : box->take()) {
      busy->erase(letter.name);
      letter.done(letter.result);
    }
  });
  if (!source) return std::unexpected(source.error());
  return Jobs(std::move(mailbox), std::move(busy), std::move(*source));
}

void Jobs::start(const std::string& name, Work work, Done done) {
  if (!busy_->insert(name).second) return;
  // Signals belong to the loop's thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([box = mailbox_, name, work = std::move(work), done = std::move(done)]() mutable {
    auto result = work();
    box->put({name, std::move(result), std::move(done)});
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace gw::connect
