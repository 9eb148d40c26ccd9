// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "gatewayd/base/result.h"
#include "gatewayd/wire/json.h"

namespace gw::enroll {

using wire::Json;

/// The arguments of a call with one. (g++ 12 makes nothing of a list in braces beside co_await.)
inline Json only(Json argument) { return Json::array({std::move(argument)}); }

/// The connection to gatewayd: calls of org.gatewayd.Enrolment1 that do not block. It comes back by itself when the bus
/// or gatewayd is restarted. One thread, that of the io_context.
class Bus {
 public:
  explicit Bus(boost::asio::io_context& context);
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus();

  /// Calls `method` with `arguments` of types `signature` (wire/json.h); the first value of the answer. Errors carry
  /// gatewayd's errno as its error name tells it: EACCES, EINVAL, EEXIST, EKEYREJECTED …; EAGAIN: gatewayd is not
  /// there, or has too many questions before it (64), or went while it was asked, which is told at once: ask again in a
  /// moment.
  boost::asio::awaitable<Result<Json>> call(std::string method, std::string signature, Json arguments);

  /// Called when gatewayd came or went since: what it said before may hold no more.
  void on_restart(std::function<void()> callback) { restarted_ = std::move(callback); }

 private:
  /// A question that waits for its answer.
  struct Pending {
    Bus* bus;
    std::list<Pending>::iterator self;
    std::move_only_function<void(Result<Json>)> done;
  };
  struct Close {
    void operator()(sd_bus* bus) const;
  };

  Result<void> connect();
  void watch();
  void process();
  /// Ends the connection, and all questions with EAGAIN.
  void lose();
  void answer(const Pending& pending, Result<Json> result);
  static int on_owner_changed(sd_bus_message* message, void* self, sd_bus_error* error);
  static int on_reply(sd_bus_message* reply, void* pending, sd_bus_error* error);

  boost::asio::io_context& context_;
  std::unique_ptr<sd_bus, Close> bus_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> socket_;
  boost::asio::steady_timer timer_;
  std::function<void()> restarted_;
  bool reading_ = false, writing_ = false;  // whether an event is waited for
  std::list<Pending> pending_;
};

}  // namespace gw::enroll
