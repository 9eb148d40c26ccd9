// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/service.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "gatewayd/dbus/errors.h"
#include "gatewayd/dbus/names.h"

namespace gw::dbus {
namespace {

constexpr const char* kOperation = "offer objects on";
constexpr const char* kBus = "the bus";

const Method* find_method(const char* interface, const char* member) {
  const std::string_view wanted = interface == nullptr ? "" : interface;
  const auto methods = wanted == kClientInterface      ? client_methods()
                       : wanted == kEnrolmentInterface ? enrolment_methods()
                                                       : manager_methods();
  const auto found = std::ranges::find_if(methods, [&](const Method& m) { return std::strcmp(m.name, member) == 0; });
  return found == methods.end() ? nullptr : &*found;
}

// The name in /org/gatewayd/client/NAME; nullopt for another path.
std::optional<std::string> client_of(const char* path) {
  char* name = nullptr;
  const int rc = sd_bus_path_decode(path, kClientPath, &name);
  const std::unique_ptr<char, void (*)(void*)> owned(name, std::free);
  if (rc <= 0 || name == nullptr || *name == '\0') return std::nullopt;
  return name;
}

std::unique_ptr<char, void (*)(void*)> path_of(const std::string& name) {
  char* path = nullptr;
  sd_bus_path_encode(kClientPath, name.c_str(), &path);
  return {path, std::free};
}

}  // namespace

Service::Service(sd_bus* bus, control::Controller& controller, std::string admin_group)
    : bus_(bus), controller_(controller), authority_(bus, std::move(admin_group)) {}

Service::~Service() { controller_.on_change(nullptr); }

Result<std::unique_ptr<Service>> Service::attach(sd_bus* bus, control::Controller& controller,
                                                 std::string admin_group) {
  std::unique_ptr<Service> out(new Service(bus, controller, std::move(admin_group)));
  if (auto added = out->add_objects(); !added) return std::unexpected(added.error());
  if (auto watched = out->watch_changes(); !watched) return std::unexpected(watched.error());
  return out;
}

Result<void> Service::add_objects() {
  constexpr uint64_t kConst = SD_BUS_VTABLE_PROPERTY_CONST;
  constexpr uint64_t kChanges = SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION;
  const sd_bus_vtable manager[] = {
      SD_BUS_PROPERTY("Version", "s", on_manager_property, 0, kConst),
      SD_BUS_PROPERTY("Name", "s", on_manager_property, 0, kChanges),
      SD_BUS_PROPERTY("AppliedSequence", "t", on_manager_property, 0, kChanges),
      SD_BUS_PROPERTY("PolicyGeneration", "t", on_manager_property, 0, kChanges),
      SD_BUS_PROPERTY("FilesDiffer", "b", on_manager_property, 0, kChanges),
  };
  const sd_bus_vtable client[] = {
      SD_BUS_PROPERTY("Name", "s", on_client_property, 0, kConst),
      SD_BUS_PROPERTY("Groups", "as", on_client_property, 0, kChanges),
      SD_BUS_PROPERTY("Addresses", "as", on_client_property, 0, kConst),
      SD_BUS_PROPERTY("Serial", "s", on_client_property, 0, kChanges),
      SD_BUS_PROPERTY("NotAfter", "x", on_client_property, 0, kChanges),
      SD_BUS_PROPERTY("Online", "b", on_client_property, 0, 0),
  };
  manager_table_ = make_vtable(manager_methods(), manager, on_call);
  client_table_ = make_vtable(client_methods(), client, on_call);
  enrolment_table_ = make_vtable(enrolment_methods(), {}, on_call);
  const auto add = [this](auto function, auto... arguments) -> int {
    sd_bus_slot* slot = nullptr;
    const int rc = function(bus_, &slot, arguments...);
    slots_.emplace_back(slot);
    return rc;
  };
  int rc = add(sd_bus_add_object_vtable, kManagerPath, kManagerInterface, manager_table_.data(), this);
  if (rc >= 0) {
    rc = add(sd_bus_add_object_vtable, kManagerPath, kEnrolmentInterface, enrolment_table_.data(), this);
  }
  if (rc >= 0) {
    rc = add(sd_bus_add_fallback_vtable, kClientPath, kClientInterface, client_table_.data(), &Service::on_find_client,
             this);
  }
  if (rc >= 0) rc = add(sd_bus_add_node_enumerator, kClientPath, &Service::on_list_clients, this);
  if (rc < 0) return std::unexpected(bus_error(rc, kOperation, kBus));
  return {};
}

Result<void> Service::watch_changes() {
  sd_event_source* source = nullptr;
  int rc = sd_event_add_defer(sd_bus_get_event(bus_), &source, &Service::on_changed, this);
  changed_.reset(source);
  if (rc >= 0) rc = sd_event_source_set_enabled(source, SD_EVENT_OFF);
  if (rc < 0) return std::unexpected(bus_error(rc, kOperation, kBus));
  // Deferred, so that one apply with a hundred changes is one signal.
  controller_.on_change([this] { sd_event_source_set_enabled(changed_.get(), SD_EVENT_ONESHOT); });
  return {};
}

Result<void> Service::claim_name() {
  const int rc = sd_bus_request_name(bus_, kBusName, 0);
  if (rc >= 0) return {};
  Error error = bus_error(rc, "take the bus name", kBusName);
  if (rc == -EEXIST) error.detail = "another gatewayd serves this bus: stop it, or give this one a bus of its own";
  if (rc == -EPERM || rc == -EACCES) {
    error.detail = "the policy of the bus does not allow it: install org.gatewayd.conf in /usr/share/dbus-1/system.d";
  }
  return std::unexpected(std::move(error));
}

int Service::on_call(sd_bus_message* message, void* self, sd_bus_error* error) {
  auto& service = *static_cast<Service*>(self);
  const Method* method = find_method(sd_bus_message_get_interface(message), sd_bus_message_get_member(message));
  if (method == nullptr)
    return set_error(error, {ENOSYS, "call", sd_bus_message_get_member(message), "no such method"});
  service.authority_.check(message, method->access, [&service, message, method](const Result<control::Who>& who) {
    service.answer(message, *method, who);
  });
  return 1;
}

void Service::answer(sd_bus_message* message, const Method& method, const Result<control::Who>& who) {
  const auto refuse = [&](const Error& why) {
    sd_bus_reply_method_errorf(message, error_name(why.code), "%s", valid_utf8(why.message()).c_str());
  };
  if (!who) return refuse(who.error());
  sd_bus_message* raw = nullptr;
  const int rc = sd_bus_message_new_method_return(message, &raw);
  const Message reply(raw);
  if (rc < 0) return refuse(bus_error(rc, "answer", method.name));
  Writer out(raw);
  Call call{controller_, *who, message, out, client_of(sd_bus_message_get_path(message)).value_or("")};
  auto done = method.handler(call);
  if (done) done = out.done();
  if (!done) return refuse(done.error());
  // Nobody to tell when this fails: the caller has gone.
  if (sd_bus_message_get_expect_reply(message) > 0) sd_bus_send(bus_, reply.get(), nullptr);
  if (method.access != Access::read && !call.client.empty()) client_changed(call.client);
}

void Service::client_changed(const std::string& name) {
  if (const auto path = path_of(name)) {
    sd_bus_emit_properties_changed(bus_, path.get(), kClientInterface, "Groups", "Serial", "NotAfter", nullptr);
  }
}

int Service::on_changed(sd_event_source* /*source*/, void* self) {
  auto& service = *static_cast<Service*>(self);
  sd_bus_emit_properties_changed(service.bus_, kManagerPath, kManagerInterface, "Name", "AppliedSequence",
                                 "PolicyGeneration", "FilesDiffer", nullptr);
  return 0;
}

Result<Service::Reading*> Service::reading() {
  sd_bus_message* message = sd_bus_get_current_message(bus_);
  const char* sender = message == nullptr ? nullptr : sd_bus_message_get_sender(message);
  uint64_t cookie = 0;
  if (sender == nullptr || sd_bus_message_get_cookie(message, &cookie) < 0) {
    return failure(EACCES, "read a property", "", "nobody asks");
  }
  if (!reading_ || reading_->sender != sender || reading_->cookie != cookie) {
    reading_ = Reading{sender, cookie, authority_.check_now(message, Access::read), {}, {}, {}};
  }
  if (!reading_->allowed) return std::unexpected(reading_->allowed.error());
  return &*reading_;
}

int Service::on_manager_property(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/, const char* property,
                                 sd_bus_message* reply, void* self, sd_bus_error* error) {
  auto& service = *static_cast<Service*>(self);
  auto reading = service.reading();
  if (!reading) return set_error(error, reading.error());
  auto& summary = (*reading)->summary;
  if (!summary) summary = service.controller_.summary();
  if (!*summary) return set_error(error, summary->error());
  const control::Summary& facts = **summary;
  const std::string_view name = property;
  if (name == "Version") return sd_bus_message_append(reply, "s", valid_utf8(facts.version).c_str());
  if (name == "Name") return sd_bus_message_append(reply, "s", valid_utf8(facts.gateway).c_str());
  if (name == "AppliedSequence") return sd_bus_message_append(reply, "t", facts.applied_sequence);
  if (name == "PolicyGeneration") return sd_bus_message_append(reply, "t", facts.policy_generation);
  return sd_bus_message_append(reply, "b", facts.files_differ ? 1 : 0);
}

int Service::on_client_property(sd_bus* /*bus*/, const char* path, const char* /*interface*/, const char* property,
                                sd_bus_message* reply, void* self, sd_bus_error* error) {
  auto& service = *static_cast<Service*>(self);
  auto reading = service.reading();
  if (!reading) return set_error(error, reading.error());
  const std::string name = client_of(path).value_or("");
  auto& found = (*reading)->client;
  if (!found || (*reading)->client_name != name) {
    found = service.controller_.client(name);
    (*reading)->client_name = name;
  }
  if (!*found) return set_error(error, found->error());
  const control::ClientStatus& status = **found;
  const std::string_view wanted = property;
  Writer out(reply);
  if (wanted == "Name") out.text(status.client.name);
  if (wanted == "Groups") out.texts(status.client.groups);
  if (wanted == "Serial") out.text(status.client.serial);
  if (wanted == "NotAfter") out.i64(status.client.not_after);
  if (wanted == "Online") out.boolean(status.online);
  if (wanted == "Addresses") {
    std::vector<std::string> addresses(status.client.addresses.size());
    std::ranges::transform(status.client.addresses, addresses.begin(), &IpAddress::str);
    out.texts(addresses);
  }
  const auto done = out.done();
  return done ? 0 : set_error(error, done.error());
}

// Every well-formed path is an object: whether there is such a client is told by the method, and only to those who may
// know.
int Service::on_find_client(sd_bus* /*bus*/, const char* path, const char* /*interface*/, void* self, void** found,
                            sd_bus_error* /*error*/) {
  if (!client_of(path)) return 0;
  *found = self;
  return 1;
}

int Service::on_list_clients(sd_bus* /*bus*/, const char* /*prefix*/, void* self, char*** nodes, sd_bus_error* error) {
  auto& service = *static_cast<Service*>(self);
  *nodes = nullptr;
  if (!service.reading()) return 0;
  const auto clients = service.controller_.clients();
  if (!clients) return set_error(error, clients.error());
  // sd-bus frees the list and its strings.
  auto** list = static_cast<char**>(calloc(clients->size() + 1, sizeof(char*)));
  if (list == nullptr) return -ENOMEM;
  for (size_t i = 0; i < clients->size(); ++i) list[i] = path_of((*clients)[i].client.name).release();
  *nodes = list;
  return 0;
}

}  // namespace gw::dbus
