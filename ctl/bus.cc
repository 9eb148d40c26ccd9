// SPDX-License-Identifier: Apache-2.0
#include "ctl/bus.h"

#include <fcntl.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "gatewayd/dbus/names.h"
#include "gatewayd/wire/handles.h"
#include "gatewayd/wire/json.h"

namespace gw::ctl {
namespace {

constexpr uint64_t kTimeoutMicroseconds = 120'000'000;

using wire::BusError;
using wire::Message;

std::unexpected<Failure> unreachable(const std::string& why, const std::string& host, bool maybe_done = false) {
  const std::string where = host.empty() ? "" : " on " + host;
  const std::string look = host.empty() ? "systemctl status gatewayd" : "systemctl -H " + host + " status gatewayd";
  return std::unexpected(Failure{
      Exit::unreachable, "gatewayd" + where + " is not reachable: " + why + "; is it running? " + look, maybe_done});
}

/// What the bus daemon says when nobody has gatewayd's name.
bool nobody_there(std::string_view name) {
  return name == "org.freedesktop.DBus.Error.ServiceUnknown" || name == "org.freedesktop.DBus.Error.NameHasNoOwner" ||
         name.starts_with("org.freedesktop.DBus.Error.Spawn.");
}

/// What the bus daemon or sd-bus says when gatewayd, or the way to it, went away before it answered.
bool broke_off(std::string_view name) {
  return name == "org.freedesktop.DBus.Error.NoReply" || name == "org.freedesktop.DBus.Error.Timeout" ||
         name == "org.freedesktop.DBus.Error.Disconnected";
}

std::unexpected<Failure> failed_call(const sd_bus_error& error, int code, const std::string& host) {
  const std::string_view name = error.name != nullptr ? error.name : "";
  std::string text = error.message != nullptr ? error.message : std::strerror(code);
  const bool broke = code == ECONNRESET || code == ENOTCONN || code == ETIMEDOUT || broke_off(name);
  if (broke || nobody_there(name)) return unreachable(text, host, broke);
  // The bus daemon's own refusal does not say what would be right; gatewayd's does.
  if (name == "org.freedesktop.DBus.Error.AccessDenied") text += "; be root or in group gatewayd-admin";
  return refused(std::move(text));
}

}  // namespace

struct Bus::Close {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};

struct Bus::Impl {
  std::unique_ptr<sd_bus, Close> bus;
  std::string host;
};

Bus::Bus(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Bus::Bus(Bus&&) noexcept = default;
Bus& Bus::operator=(Bus&&) noexcept = default;
Bus::~Bus() = default;

Outcome<Bus> Bus::open(const std::string& host) {
  sd_bus* bus = nullptr;
  const int r = host.empty() ? sd_bus_open_system(&bus) : sd_bus_open_system_remote(&bus, host.c_str());
  if (r < 0) return unreachable(std::string("cannot connect to the system bus: ") + std::strerror(-r), host);
  auto impl = std::make_unique<Impl>();
  impl->bus.reset(bus);
  impl->host = host;
  sd_bus_set_method_call_timeout(bus, kTimeoutMicroseconds);
  return Bus(std::move(impl));
}

namespace {

Outcome<Message> exchange(sd_bus* bus, const std::string& host, const std::string& method, const std::string& signature,
                          const Json& arguments) {
  sd_bus_message* raw = nullptr;
  int r = sd_bus_message_new_method_call(bus, &raw, dbus::kBusName, dbus::kManagerPath, dbus::kManagerInterface,
                                         method.c_str());
  const Message request(raw);
  // ssh that fails to connect is first seen here, when the connection's greeting is answered by its end.
  if (r == -ENOTCONN || r == -ECONNRESET) return unreachable("the connection closed", host);
  // polkit may ask the person at the terminal, where one has an agent running.
  if (r >= 0) r = sd_bus_message_set_allow_interactive_authorization(request.get(), 1);
  if (r >= 0) r = wire::encode(request.get(), signature, arguments);
  if (r < 0) return refused(Error{-r, "call", method, "the arguments cannot be sent"});

  BusError error;
  sd_bus_message* answer = nullptr;
  r = sd_bus_call(bus, request.get(), 0, &error.value, &answer);
  Message reply(answer);
  if (r < 0) return failed_call(error.value, -r, host);
  return reply;
}

std::unexpected<Failure> unreadable(int code, const std::string& method) {
  return refused(Error{code, "read the answer to", method, "gwctl and gatewayd are of different versions"});
}

}  // namespace

Outcome<Json> Bus::call(const std::string& method, const std::string& signature, const Json& arguments) {
  const auto reply = exchange(impl_->bus.get(), impl_->host, method, signature, arguments);
  if (!reply) return std::unexpected(reply.error());
  Json out;
  if (const int r = wire::decode(reply->get(), out); r < 0) return unreadable(-r, method);
  return out;
}

Outcome<UniqueFd> Bus::call_for_fd(const std::string& method, const std::string& signature, const Json& arguments) {
  if (!impl_->host.empty()) {
    return usage("--host", "what this command reads does not come through the bus; run it there: ssh " + impl_->host);
  }
  const auto reply = exchange(impl_->bus.get(), impl_->host, method, signature, arguments);
  if (!reply) return std::unexpected(reply.error());
  int borrowed = -1;
  if (const int r = sd_bus_message_read_basic(reply->get(), 'h', &borrowed); r <= 0) return unreadable(EBADMSG, method);
  UniqueFd own(::fcntl(borrowed, F_DUPFD_CLOEXEC, 0));
  if (!own.valid()) return unreadable(errno, method);
  return own;
}

}  // namespace gw::ctl
