// SPDX-License-Identifier: Apache-2.0
#include "ctl/bus.h"

#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "ctl/wire.h"
#include "gatewayd/dbus/names.h"

namespace gw::ctl {
namespace {

constexpr uint64_t kTimeoutMicroseconds = 120'000'000;

struct UnrefMessage {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, UnrefMessage>;

struct BusError {
  sd_bus_error value = SD_BUS_ERROR_NULL;
  BusError() = default;
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  ~BusError() { sd_bus_error_free(&value); }
};

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

Outcome<Json> Bus::call(const std::string& method, const std::string& signature, const Json& arguments) {
  sd_bus_message* raw = nullptr;
  int r = sd_bus_message_new_method_call(impl_->bus.get(), &raw, dbus::kBusName, dbus::kManagerPath,
                                         dbus::kManagerInterface, method.c_str());
  const Message request(raw);
  // ssh that fails to connect is first seen here, when the connection's greeting is answered by its end.
  if (r == -ENOTCONN || r == -ECONNRESET) return unreachable("the connection closed", impl_->host);
  // polkit may ask the person at the terminal, where one has an agent running.
  if (r >= 0) r = sd_bus_message_set_allow_interactive_authorization(request.get(), 1);
  if (r >= 0) r = encode(request.get(), signature, arguments);
  if (r < 0) return refused(Error{-r, "call", method, "the arguments cannot be sent"});

  BusError error;
  sd_bus_message* answer = nullptr;
  r = sd_bus_call(impl_->bus.get(), request.get(), 0, &error.value, &answer);
  const Message reply(answer);
  if (r < 0) return failed_call(error.value, -r, impl_->host);
  Json out;
  if (r = decode(reply.get(), out); r < 0)
    return refused(Error{-r, "read the answer to", method, "gwctl and gatewayd are of different versions"});
  return out;
}

}  // namespace gw::ctl
