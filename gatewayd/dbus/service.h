// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/control/controller.h"
#include "gatewayd/dbus/authority.h"
#include "gatewayd/dbus/message.h"
#include "gatewayd/dbus/method.h"

namespace gw::dbus {

inline constexpr const char* kClientPath = "/org/gatewayd/client";
inline constexpr const char* kClientInterface = "org.gatewayd.Client1";
inline constexpr const char* kEnrolmentInterface = "org.gatewayd.Enrolment1";

/// The objects of gatewayd on a bus: /org/gatewayd and /org/gatewayd/client/NAME. Thin: each call is judged by
/// Authority and handed to the Controller. Borrows bus and controller, which have to outlive it. One thread, that of
/// the bus's event loop.
class Service {
 public:
  /// `bus` is attached to an event loop. Takes the controller's on_change.
  static Result<std::unique_ptr<Service>> attach(sd_bus* bus, control::Controller& controller, std::string admin_group);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  /// Takes the name org.gatewayd: from now on there are callers. EEXIST: another daemon has it. EPERM: the bus's policy
  /// does not let this user have it.
  Result<void> claim_name();

 private:
  /// What the properties of one message are read from: judged and looked up once a message, not once a property.
  struct Reading {
    std::string sender;
    uint64_t cookie = 0;
    Result<control::Who> allowed;
    std::optional<Result<control::Summary>> summary;
    std::string client_name;
    std::optional<Result<control::ClientStatus>> client;
  };
  struct EventUnref {
    void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
  };

  Service(sd_bus* bus, control::Controller& controller, std::string admin_group);
  Result<void> add_objects();
  Result<void> watch_changes();

  static int on_call(sd_bus_message* message, void* self, sd_bus_error* error);
  static int on_manager_property(sd_bus* bus, const char* path, const char* interface, const char* property,
                                 sd_bus_message* reply, void* self, sd_bus_error* error);
  static int on_client_property(sd_bus* bus, const char* path, const char* interface, const char* property,
                                sd_bus_message* reply, void* self, sd_bus_error* error);
  static int on_find_client(sd_bus* bus, const char* path, const char* interface, void* self, void** found,
                            sd_bus_error* error);
  static int on_list_clients(sd_bus* bus, const char* prefix, void* self, char*** nodes, sd_bus_error* error);
  static int on_changed(sd_event_source* source, void* self);

  void answer(sd_bus_message* message, const Method& method, const Result<control::Who>& who);
  void client_changed(const std::string& name);
  Result<Reading*> reading();

  sd_bus* bus_;
  control::Controller& controller_;
  Authority authority_;
  std::vector<sd_bus_vtable> manager_table_;
  std::vector<sd_bus_vtable> client_table_;
  std::vector<sd_bus_vtable> enrolment_table_;
  std::optional<Reading> reading_;
  std::unique_ptr<sd_event_source, EventUnref> changed_;
  std::vector<Slot> slots_;  // last: objects leave the bus before what they use goes
};

}  // namespace gw::dbus
