// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/dns.h"

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "gatewayd/wire/handles.h"

namespace gw::connect {
namespace {

constexpr const char* kName = "org.freedesktop.resolve1";
constexpr const char* kPath = "/org/freedesktop/resolve1";
constexpr const char* kManager = "org.freedesktop.resolve1.Manager";
constexpr const char* kLink = "org.freedesktop.resolve1.Link";
constexpr uint64_t kTimeoutMicroseconds = 5'000'000;
constexpr const char* kOperation = "give name servers to systemd-resolved";

using wire::BusError;
using wire::Message;

std::unexpected<Error> refused(const sd_bus_error& error, int code, const char* method) {
  const std::string name = error.name != nullptr ? error.name : "";
  const bool absent =
      name.ends_with(".ServiceUnknown") || name.ends_with(".NameHasNoOwner") || name.contains(".Spawn.");
  if (absent) return failure(ENOTSUP, kOperation, {}, "systemd-resolved does not run here");
  return failure(code == 0 ? EIO : code, kOperation, method, error.message != nullptr ? error.message : "");
}

/// `fill` appends the arguments; below zero is an errno.
Result<Message> call(sd_bus* bus, const char* interface, const char* method,
                     const std::function<int(sd_bus_message*)>& fill) {
  sd_bus_message* raw = nullptr;
  int r = sd_bus_message_new_method_call(bus, &raw, kName, kPath, interface, method);
  const Message request(raw);
  if (r >= 0) r = fill(request.get());
  if (r < 0) return failure(-r, kOperation, method);
  BusError error;
  sd_bus_message* answer = nullptr;
  r = sd_bus_call(bus, request.get(), kTimeoutMicroseconds, &error.value, &answer);
  if (r < 0) return refused(error.value, -r, method);
  return Message(answer);
}

int append_servers(sd_bus_message* message, const std::vector<IpAddress>& servers) {
  int r = sd_bus_message_open_container(message, 'a', "(iay)");
  for (const IpAddress& server : servers) {
    if (r >= 0) r = sd_bus_message_open_container(message, 'r', "iay");
    if (r >= 0) r = sd_bus_message_append(message, "i", server.family == Family::v4 ? AF_INET : AF_INET6);
    if (r >= 0)
      r = sd_bus_message_append_array(message, 'y', server.bytes.data(), static_cast<size_t>(server.bits()) / 8);
    if (r >= 0) r = sd_bus_message_close_container(message);
  }
  return r < 0 ? r : sd_bus_message_close_container(message);
}

/// Domains with whether they only say where to ask, and are not searched.
int append_domains(sd_bus_message* message, const std::vector<std::pair<std::string, bool>>& domains) {
  int r = sd_bus_message_open_container(message, 'a', "(sb)");
  for (const auto& [domain, routing] : domains) {
    if (r >= 0) r = sd_bus_message_append(message, "(sb)", domain.c_str(), routing ? 1 : 0);
  }
  return r < 0 ? r : sd_bus_message_close_container(message);
}

}  // namespace

void Resolved::Close::operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }

Result<sd_bus*> Resolved::bus() {
  if (bus_ && sd_bus_is_open(bus_.get()) > 0) return bus_.get();
  sd_bus* fresh = nullptr;
  if (const int r = sd_bus_open_system(&fresh); r < 0)
    return failure(ENOTSUP, kOperation, {}, std::string("there is no system bus (") + std::strerror(-r) + ")");
  bus_.reset(fresh);
  return fresh;
}

Result<void> Resolved::keep(uint32_t ifindex, const Profile& profile) {
  const auto bus = this->bus();
  if (!bus) return std::unexpected(bus.error());
  const int index = static_cast<int>(ifindex);
  const auto with_index = [index](const std::function<int(sd_bus_message*)>& more) {
    return [index, more](sd_bus_message* message) {
      const int r = sd_bus_message_append(message, "i", index);
      return r < 0 ? r : more(message);
    };
  };
  std::vector<std::pair<std::string, bool>> domains;
  const bool full = profile.full && !profile.dns.empty();
  if (!profile.dns_domain.empty() && !profile.dns.empty()) domains.emplace_back(profile.dns_domain, !full);
  if (full) domains.emplace_back(".", true);  // every name that is no other device's
  auto done = call(*bus, kManager, "SetLinkDNS",
                   with_index([&](sd_bus_message* message) { return append_servers(message, profile.dns); }));
  if (done)
    done = call(*bus, kManager, "SetLinkDomains",
                with_index([&](sd_bus_message* message) { return append_domains(message, domains); }));
  if (done)
    done = call(*bus, kManager, "SetLinkDefaultRoute",
                with_index([&](sd_bus_message* message) { return sd_bus_message_append(message, "b", full ? 1 : 0); }));
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<bool> Resolved::has_servers(uint32_t ifindex) {
  const auto bus = this->bus();
  if (!bus) return std::unexpected(bus.error());
  const auto answer = call(*bus, kManager, "GetLink", [&](sd_bus_message* message) {
    return sd_bus_message_append(message, "i", static_cast<int>(ifindex));
  });
  if (!answer) return std::unexpected(answer.error());
  const char* path = nullptr;
  if (const int r = sd_bus_message_read(answer->get(), "o", &path); r < 0) return failure(-r, kOperation, "GetLink");
  BusError error;
  sd_bus_message* raw = nullptr;
  const int r = sd_bus_get_property(*bus, kName, path, kLink, "DNS", &error.value, &raw, "a(iay)");
  const Message value(raw);
  if (r < 0) return refused(error.value, -r, "DNS");
  if (const int entered = sd_bus_message_enter_container(raw, 'a', "(iay)"); entered < 0)
    return failure(-entered, kOperation, "DNS");
  return sd_bus_message_at_end(raw, 0) == 0;
}

}  // namespace gw::connect
