// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/bus.h"

#include <poll.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string_view>
#include <utility>

#include "gatewayd/wire/handles.h"

namespace gw::enroll {
namespace {

namespace asio = boost::asio;

constexpr const char* kName = "org.gatewayd";
constexpr const char* kPath = "/org/gatewayd";
constexpr const char* kInterface = "org.gatewayd.Enrolment1";
constexpr const char* kAsk = "ask gatewayd";
constexpr uint64_t kTimeoutUs = 20'000'000;
constexpr size_t kMostPending = 64;

using wire::Message;

// Of the names that gatewayd gives (gatewayd/dbus/errors.cc), those that devices can bring about.
int code_of(const sd_bus_error* error) {
  constexpr std::pair<std::string_view, int> kCodes[] = {{"org.gatewayd.Error.AccessDenied", EACCES},
                                                         {"org.gatewayd.Error.AlreadyExists", EEXIST},
                                                         {"org.gatewayd.Error.InvalidArgument", EINVAL},
                                                         {"org.gatewayd.Error.InvalidCertificate", EKEYREJECTED},
                                                         {"org.gatewayd.Error.Exhausted", ENOSPC},
                                                         {"org.gatewayd.Error.NotFound", ENOENT},
                                                         {"org.gatewayd.Error.Busy", EAGAIN},
                                                         {"org.freedesktop.DBus.Error.ServiceUnknown", EAGAIN},
                                                         {"org.freedesktop.DBus.Error.NameHasNoOwner", EAGAIN},
                                                         {"org.freedesktop.DBus.Error.NoReply", EAGAIN},
                                                         {"org.freedesktop.DBus.Error.Timeout", EAGAIN},
                                                         {"org.freedesktop.DBus.Error.Disconnected", EAGAIN}};
  const std::string_view name = error->name == nullptr ? "" : error->name;
  for (const auto& [known, code] : kCodes)
    if (known == name) return code;
  return EIO;
}

Result<Json> answer_of(sd_bus_message* reply) {
  if (const sd_bus_error* error = sd_bus_message_get_error(reply)) {
    return failure(code_of(error), kAsk, {}, error->message == nullptr ? "" : error->message);
  }
  Json values;
  if (const int rc = wire::decode(reply, values); rc < 0) return failure(-rc, kAsk, {}, "its answer cannot be read");
  return values.empty() ? Json() : std::move(values.front());
}

}  // namespace

void Bus::Close::operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }

Bus::Bus(asio::io_context& context) : context_(context), timer_(context) {}

Bus::~Bus() { lose(); }

// The descriptor is sd-bus's, which closes it, and forgets who waited for an answer.
void Bus::lose() {
  if (restarted_) restarted_();
  if (socket_) socket_->release();
  socket_.reset();
  bus_.reset();
  reading_ = false;
  writing_ = false;
  while (!pending_.empty()) {
    answer(pending_.front(), failure(EAGAIN, kAsk, {}, "the connection to the bus broke"));
  }
}

// Who waits goes on in a turn of his own: he may ask again, or find the connection gone, while this one is at work.
void Bus::answer(const Pending& pending, Result<Json> result) {
  const auto at = pending.self;
  asio::post(context_, [done = std::move(at->done), result = std::move(result)]() mutable { done(std::move(result)); });
  pending_.erase(at);
}

Result<void> Bus::connect() {
  sd_bus* raw = nullptr;
  int rc = sd_bus_open_system(&raw);
  bus_.reset(raw);
  if (rc >= 0) {
    rc = sd_bus_add_match_async(raw, nullptr,
                                "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                                "arg0='org.gatewayd'",
                                &Bus::on_owner_changed, nullptr, this);
  }
  if (rc < 0) {
    lose();
    return failure(EAGAIN, "connect to", "the system bus", "it is not there");
  }
  socket_ = std::make_unique<asio::posix::stream_descriptor>(context_, sd_bus_get_fd(bus_.get()));
  return {};
}

int Bus::on_owner_changed(sd_bus_message* /*message*/, void* self, sd_bus_error* /*error*/) {
  const auto& bus = *static_cast<Bus*>(self);
  if (bus.restarted_) bus.restarted_();
  return 0;
}

int Bus::on_reply(sd_bus_message* reply, void* pending, sd_bus_error* /*error*/) {
  const auto& mine = *static_cast<const Pending*>(pending);
  mine.bus->answer(mine, answer_of(reply));
  return 0;
}

// sd-bus tells what it waits for; whatever comes first, all of it is looked at again.
void Bus::watch() {
  const auto wait = [this](bool& waiting, asio::posix::stream_descriptor::wait_type what) {
    if (waiting) return;
    waiting = true;
    socket_->async_wait(what, [this, &waiting](const boost::system::error_code& error) {
      if (error == asio::error::operation_aborted) return;  // of a connection that is gone
      waiting = false;
      process();
    });
  };
  wait(reading_, asio::posix::stream_descriptor::wait_read);
  if ((sd_bus_get_events(bus_.get()) & POLLOUT) != 0) wait(writing_, asio::posix::stream_descriptor::wait_write);
}

void Bus::process() {
  int rc = 0;
  while (bus_ && (rc = sd_bus_process(bus_.get(), nullptr)) > 0) {
  }
  if (rc < 0) lose();
  if (!bus_) return;
  watch();
  uint64_t until = UINT64_MAX;
  if (pending_.empty() || sd_bus_get_timeout(bus_.get(), &until) <= 0 || until == UINT64_MAX) return;
  // CLOCK_MONOTONIC, as steady_clock.
  timer_.expires_at(asio::steady_timer::time_point(std::chrono::microseconds(until)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) process();
  });
}

asio::awaitable<Result<Json>> Bus::call(std::string method, std::string signature, Json arguments) {
  if (pending_.size() >= kMostPending) co_return failure(EAGAIN, kAsk, {}, "too many questions wait");
  if (!bus_) {
    if (auto connected = connect(); !connected) co_return std::unexpected(connected.error());
  }
  sd_bus_message* raw = nullptr;
  int rc = sd_bus_message_new_method_call(bus_.get(), &raw, kName, kPath, kInterface, method.c_str());
  const Message question(raw);
  if (rc >= 0) rc = wire::encode(raw, signature, arguments);
  if (rc < 0) co_return failure(-rc, kAsk, method);
  const auto start = [this, raw](auto handler) {
    const auto mine =
        pending_.insert(pending_.end(), {this, {}, [handler = std::move(handler)](Result<Json> answer) mutable {
                                           std::move(handler)(std::move(answer));
                                         }});
    mine->self = mine;
    if (sd_bus_call_async(bus_.get(), nullptr, raw, &Bus::on_reply, &*mine, kTimeoutUs) < 0) {
      lose();
    } else {
      asio::post(context_, [this] { process(); });
    }
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<Json>)>(start,
                                                                                             asio::use_awaitable);
}

}  // namespace gw::enroll
