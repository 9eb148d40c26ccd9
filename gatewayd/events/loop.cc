// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/events/loop.h"

#include <sys/epoll.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace gw::events {
namespace {

std::unexpected<Error> cannot(int rc, const char* operation, std::string object = {}) {
  return failure(std::abs(rc), operation, std::move(object));
}

void call(void* callback) { (*static_cast<Source::Callback*>(callback))(); }

int on_io(sd_event_source* /*source*/, int /*fd*/, uint32_t /*events*/, void* callback) {
  call(callback);
  return 0;
}

int on_signal(sd_event_source* /*source*/, const signalfd_siginfo* /*info*/, void* callback) {
  call(callback);
  return 0;
}

int on_time(sd_event_source* /*source*/, uint64_t /*when*/, void* callback) {
  call(callback);
  return 0;
}

}  // namespace

Result<Loop> Loop::open() {
  sd_event* event = nullptr;
  if (const int rc = sd_event_new(&event); rc < 0) return cannot(rc, "make an event loop");
  return Loop(event);
}

Result<int> Loop::run() {
  const int rc = sd_event_loop(event_.get());
  if (rc < 0) return cannot(rc, "wait for events");
  return rc;
}

void Loop::exit(int code) { sd_event_exit(event_.get(), code); }

Result<void> Loop::serve_watchdog() {
  if (const int rc = sd_event_set_watchdog(event_.get(), 1); rc < 0) return cannot(rc, "serve the watchdog");
  return {};
}

Result<Source> Source::readable(const Loop& loop, int fd, Callback callback) {
  auto kept = std::make_unique<Callback>(std::move(callback));
  sd_event_source* source = nullptr;
  const int rc = sd_event_add_io(loop.get(), &source, fd, EPOLLIN, on_io, kept.get());
  if (rc < 0) return cannot(rc, "wait for", "file descriptor " + std::to_string(fd));
  return Source(source, std::move(kept));
}

Result<Source> Source::signal(const Loop& loop, int number, Callback callback) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  if (const int rc = pthread_sigmask(SIG_BLOCK, &set, nullptr); rc != 0)
    return cannot(rc, "block", "signal " + std::to_string(number));
  auto kept = std::make_unique<Callback>(std::move(callback));
  sd_event_source* source = nullptr;
  const int rc = sd_event_add_signal(loop.get(), &source, number, on_signal, kept.get());
  if (rc < 0) return cannot(rc, "wait for signal", std::to_string(number));
  return Source(source, std::move(kept));
}

Result<Source> Source::timer(const Loop& loop, clockid_t clock, Callback callback) {
  auto kept = std::make_unique<Callback>(std::move(callback));
  sd_event_source* source = nullptr;
  int rc = sd_event_add_time(loop.get(), &source, clock, 0, 1, on_time, kept.get());
  Source out(source, std::move(kept));
  if (rc >= 0) rc = sd_event_source_set_enabled(source, SD_EVENT_OFF);
  if (rc < 0) return cannot(rc, "make a timer");
  return out;
}

Result<void> Source::set_at(uint64_t microseconds) {
  int rc = sd_event_source_set_time(source_.get(), microseconds);
  if (rc >= 0) rc = sd_event_source_set_enabled(source_.get(), SD_EVENT_ONESHOT);
  if (rc < 0) return cannot(rc, "set a timer");
  return {};
}

Result<void> Source::set_after(uint64_t microseconds) {
  clockid_t clock = CLOCK_MONOTONIC;
  int rc = sd_event_source_get_time_clock(source_.get(), &clock);
  timespec now{};
  if (rc >= 0 && clock_gettime(clock, &now) != 0) rc = -errno;
  if (rc < 0) return cannot(rc, "set a timer");
  constexpr uint64_t kUsPerSecond = 1'000'000;
  constexpr uint64_t kNsPerUs = 1000;
  return set_at(static_cast<uint64_t>(now.tv_sec) * kUsPerSecond + static_cast<uint64_t>(now.tv_nsec) / kNsPerUs +
                microseconds);
}

void Source::stop() {
  if (source_) sd_event_source_set_enabled(source_.get(), SD_EVENT_OFF);
}

}  // namespace gw::events
