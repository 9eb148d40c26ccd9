// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/result.h"
#include "gatewayd/control/controller.h"
#include "gatewayd/dbus/message.h"

namespace gw::dbus {

/// What a method does, which decides who may call it: see state, change what is allowed, give access to a device, or
/// watch who speaks to whom. Also the last part of the polkit action: "org.gatewayd.change". `root` is what hands out
/// or replaces the gateway's own secrets: for root alone, no group and no polkit gives it. `enroll` is what the
/// enrolment server does: for root and its own user, who may do nothing else.
enum class Access : uint8_t { read, change, issue, watch, root, enroll };

inline constexpr const char* kEnrolmentUser = "gatewayd-enroll";

/// The other end of a connection, as the bus saw it connect: it cannot be changed afterwards, and no process id is in
/// it that could have been given to another since.
struct Caller {
  uid_t uid = 0;
  std::vector<gid_t> groups;  ///< primary and supplementary
};

/// True for root and for members of `admin`; nullopt: no such group on this host.
bool is_administrator(const Caller& caller, std::optional<gid_t> admin);

/// Who is more than an ordinary caller on this host; nullopt: there is none.
struct Special {
  std::optional<gid_t> admin;      ///< group
  std::optional<uid_t> enrolment;  ///< user
};

/// Without polkit.
bool may(const Caller& caller, const Special& special, Access access);

/// "uid 0" or "user alice", for the audit trail.
control::Who who_is(const Caller& caller);

/// Decides who may do what: the only place that does. Root and the admin group may do everything; for others polkit is
/// asked where it is on the bus, by bus name (CheckAuthorization, system-bus-name), with a question to the person only
/// when the call allows one. No polkit, or no answer from it: refused. One thread, that of the bus.
class Authority {
 public:
  Authority(sd_bus* bus, std::string admin_group) : bus_(bus), admin_group_(std::move(admin_group)) {}

  using Then = std::function<void(Result<control::Who>)>;
  /// Calls `then` once: before it returns when no question to polkit is needed. EACCES with who may, EBUSY when too
  /// many callers wait for polkit. `call` is kept while polkit is asked.
  void check(sd_bus_message* call, Access access, Then then);

  /// The same without polkit, for what cannot wait: properties and lists of objects.
  Result<control::Who> check_now(sd_bus_message* call, Access access);

 private:
  struct Pending {
    Authority* authority;
    Message call;
    Caller caller;
    Access access;
    Then then;
    Slot slot;
  };
  void ask_polkit(sd_bus_message* call, const Caller& caller, Access access, Then then);
  static int on_polkit(sd_bus_message* reply, void* pending, sd_bus_error* error);
  [[nodiscard]] Result<Caller> caller_of(sd_bus_message* call) const;
  [[nodiscard]] Special special() const;

  sd_bus* bus_;
  std::string admin_group_;
  std::list<Pending> pending_;
};

}  // namespace gw::dbus
