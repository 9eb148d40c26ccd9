// SPDX-License-Identifier: Apache-2.0
#include "ctl/rauc.h"

#include <systemd/sd-bus.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "ctl/fields.h"
#include "gatewayd/wire/json.h"

namespace gw::ctl {
namespace {

constexpr const char* kName = "de.pengutronix.rauc";
constexpr const char* kPath = "/";
constexpr const char* kInterface = "de.pengutronix.rauc.Installer";
constexpr uint64_t kLookAgainUs = 1'000'000;

struct Unref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;
using Slot = std::unique_ptr<sd_bus_slot, Unref>;

std::unexpected<Failure> failed(const sd_bus_error& error, int code) {
  const std::string_view name = error.name != nullptr ? error.name : "";
  const std::string text = error.message != nullptr ? error.message : std::strerror(code);
  if (name == "org.freedesktop.DBus.Error.ServiceUnknown" || name == "org.freedesktop.DBus.Error.NameHasNoOwner" ||
      name.starts_with("org.freedesktop.DBus.Error.Spawn.")) {
    return std::unexpected(
        Failure{Exit::unreachable,
                "RAUC does not answer (" + text +
                    "): this machine was not installed from an image with two systems. Update its package instead "
                    "(apt install ./gatewayd_….deb)",
                false});
  }
  if (name == "org.freedesktop.DBus.Error.AccessDenied") return refused("only root may: " + text);
  return refused(explain_rauc_error(text));
}

/// Calls a method; its answer as an array.
Outcome<Json> call(sd_bus* bus, const char* interface, const char* method, const std::string& signature,
                   const Json& arguments) {
  sd_bus_message* raw = nullptr;
  int r = sd_bus_message_new_method_call(bus, &raw, kName, kPath, interface, method);
  const Message request(raw);
  if (r >= 0) r = wire::encode(request.get(), signature, arguments);
  if (r < 0) return refused(Error{-r, "call", method, "the arguments cannot be sent"});
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* answer = nullptr;
  r = sd_bus_call(bus, request.get(), 0, &error, &answer);
  const Message reply(answer);
  Outcome<Json> out = Json();
  if (r < 0) {
    out = failed(error, -r);
  } else if (r = wire::decode(reply.get(), *out); r < 0) {
    out = refused(Error{-r, "read the answer to", method, "RAUC is of another version"});
  }
  sd_bus_error_free(&error);
  return out;
}

Outcome<Json> property(sd_bus* bus, const char* name) {
  auto answer = call(bus, "org.freedesktop.DBus.Properties", "Get", "ss", Json::array({kInterface, name}));
  if (!answer) return answer;
  return Json(answer->at(0));
}

/// What one installation has come to.
struct Installation {
  bool ended = false;
  int result = 0;
};

int on_completed(sd_bus_message* message, void* installation, sd_bus_error* /*error*/) {
  auto& ours = *static_cast<Installation*>(installation);
  ours.ended = sd_bus_message_read(message, "i", &ours.result) > 0;
  return 0;
}

}  // namespace

std::string explain_rauc_error(const std::string& error) {
  struct Meaning {
    const char* part;
    const char* says;
  };
  constexpr std::array<Meaning, 7> kMeanings = {{
      {"signature", "the bundle is not signed by a key that this gateway trusts; nothing was written"},
      {"ompatible", "the bundle is for another kind of machine; nothing was written"},
      {"loop-control", "the gateway's kernel has no loop devices, through which a bundle is mounted: modprobe loop"},
      {"No such file", "there is no such file on the gateway"},
      {"No space left", "the bundle does not fit into the slot"},
      {"nvalid bundle format", "that is no bundle of RAUC"},
      {"lready processing", "another installation is running: wait for it, see gwctl system status"},
  }};
  for (const Meaning& meaning : kMeanings) {
    if (error.find(meaning.part) != std::string::npos) return std::string(meaning.says) + " (" + error + ")";
  }
  return error.empty() ? "RAUC does not say why" : error;
}

struct Rauc::Impl {
  std::unique_ptr<sd_bus, Unref> bus;
};

Rauc::Rauc(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rauc::Rauc(Rauc&&) noexcept = default;
Rauc& Rauc::operator=(Rauc&&) noexcept = default;
Rauc::~Rauc() = default;

Outcome<Rauc> Rauc::open(const std::string& host) {
  sd_bus* bus = nullptr;
  const int r = host.empty() ? sd_bus_open_system(&bus) : sd_bus_open_system_remote(&bus, host.c_str());
  if (r < 0) {
    return std::unexpected(
        Failure{Exit::unreachable, std::string("cannot connect to the system bus: ") + std::strerror(-r), false});
  }
  auto impl = std::make_unique<Impl>();
  impl->bus.reset(bus);
  return Rauc(std::move(impl));
}

Outcome<Json> Rauc::status() {
  sd_bus* bus = impl_->bus.get();
  Json out = Json::object();
  const std::pair<const char*, const char*> properties[] = {
      {"compatible", "Compatible"}, {"boot_slot", "BootSlot"}, {"operation", "Operation"}, {"last_error", "LastError"}};
  for (const auto& [key, name] : properties) {
    auto value = property(bus, name);
    if (!value) return value;
    out[key] = std::move(*value);
  }
  const auto slots = call(bus, kInterface, "GetSlotStatus", "", Json::array());
  if (!slots) return slots;
  out["slots"] = Json::array();
  for (const Json& slot : slots->at(0)) {
    Json one = slot.at(1);
    one["name"] = slot.at(0);
    out["slots"].push_back(std::move(one));
  }
  // Without a boot loader that tells there is none: no reason to show nothing else.
  const auto primary = call(bus, kInterface, "GetPrimary", "", Json::array());
  out["primary"] = primary ? primary->at(0) : Json("");
  return out;
}

Outcome<void> Rauc::install(const std::string& bundle, const Progress& progress) {
  sd_bus* bus = impl_->bus.get();
  Installation installation;
  sd_bus_slot* raw = nullptr;
  const int matched =
      sd_bus_match_signal(bus, &raw, kName, kPath, kInterface, "Completed", on_completed, &installation);
  const Slot slot(raw);
  if (matched < 0) return refused(Error{-matched, "listen to", "RAUC", ""});
  const auto started = call(bus, kInterface, "InstallBundle", "sa{sv}", Json::array({bundle, Json::object()}));
  if (!started) return std::unexpected(started.error());
  while (!installation.ended) {
    const auto now = property(bus, "Progress");
    if (!now) return std::unexpected(now.error());
    if (now->is_array() && now->size() == 3) progress(now->at(0).get<int>(), now->at(1).get<std::string>());
    const int handled = sd_bus_process(bus, nullptr);
    if (handled < 0) return refused(Error{-handled, "wait for", "RAUC", ""});
    if (handled == 0 && !installation.ended) sd_bus_wait(bus, kLookAgainUs);
    // A service that was started anew knows of no installation, and tells no end.
    const auto operation = property(bus, "Operation");
    if (!operation) return std::unexpected(operation.error());
    if (*operation == "idle") {
      while (sd_bus_process(bus, nullptr) > 0) {
      }
      if (!installation.ended) return refused("RAUC ended before it was done; the booted system is as it was");
    }
  }
  if (installation.result == 0) return {};
  const auto why = property(bus, "LastError");
  if (!why) return std::unexpected(why.error());
  return refused(explain_rauc_error(why->get<std::string>()));
}

Outcome<std::string> Rauc::activate_other() {
  const auto marked = call(impl_->bus.get(), kInterface, "Mark", "ss", Json::array({"active", "other"}));
  if (!marked) return std::unexpected(marked.error());
  return marked->at(0).get<std::string>();
}

}  // namespace gw::ctl
