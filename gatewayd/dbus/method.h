// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <span>
#include <string>
#include <vector>

#include "gatewayd/control/controller.h"
#include "gatewayd/dbus/authority.h"
#include "gatewayd/dbus/message.h"

/// A bus method as one row of a table: what it is called, what it takes, who may call it, and what it does.
namespace gw::dbus {

/// One call whose caller may make it.
struct Call {
  control::Controller& controller;
  const control::Who& who;
  sd_bus_message* in;
  Writer& out;
  std::string client;  ///< the client the call is about: set by the path of a Client1 object, or by the handler
};

using Handler = Result<void> (*)(Call&);

struct Method {
  const char* name;
  const char* in;     ///< D-Bus signature
  const char* out;    ///< D-Bus signature
  const char* names;  ///< of the arguments, in then out, each ended by NUL (sd-bus-vtable.h)
  Access access;
  Handler handler;
};

/// The whole interfaces. Authority comes from the tables and from nowhere else.
std::span<const Method> manager_methods();
std::span<const Method> client_methods();
std::span<const Method> enrolment_methods();

/// A vtable for sd-bus in which every method leads to `entry`. `properties` are put in between as they are.
std::vector<sd_bus_vtable> make_vtable(std::span<const Method> methods, std::span<const sd_bus_vtable> properties,
                                       sd_bus_message_handler_t entry);

/// Of Manager1, about what passes at this moment (watching.cc).
Result<void> list_flows(Call& call);
Result<void> end_flows(Call& call);
Result<void> watch(Call& call);
Result<void> get_metrics(Call& call);

/// Of Manager1, backup and restore (backup.cc).
Result<void> begin_backup(Call& call);
Result<void> read_backup(Call& call);
Result<void> begin_restore(Call& call);
Result<void> write_restore(Call& call);
Result<void> restore(Call& call);

/// Of Manager1, the certificate authority (ca.cc).
Result<void> get_crl(Call& call);
Result<void> list_crls(Call& call);
Result<void> get_authority(Call& call);
Result<void> init_authority(Call& call);
Result<void> rotate_authority(Call& call);
Result<void> request_authority(Call& call);
Result<void> import_authority(Call& call);

/// Of Manager1, invitations (enrolment.cc).
Result<void> create_token(Call& call);
Result<void> list_tokens(Call& call);
Result<void> revoke_token(Call& call);
/// And organisations whose certificates let their holders enrol.
Result<void> add_trust(Call& call);
Result<void> list_trusts(Call& call);
Result<void> remove_trust(Call& call);
Result<void> set_trust_crl(Call& call);

/// What Manager1 and Client1 have in common, for the client in `call.client`.
Result<void> set_client(Call& call);
Result<void> renew_client(Call& call);
Result<void> revoke_client(Call& call);
Result<void> remove_client(Call& call);

}  // namespace gw::dbus
