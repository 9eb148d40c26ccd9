// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/authority.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "gatewayd/dbus/errors.h"

namespace gw::dbus {
namespace {

constexpr uint64_t kBusTimeoutUs = 5'000'000;
constexpr uint64_t kPolkitTimeoutUs = 120'000'000;  // a person types a password meanwhile
constexpr size_t kMostPending = 64;
constexpr size_t kNameBuffer = 16384;

constexpr std::array<const char*, 4> kActions = {"org.gatewayd.read", "org.gatewayd.change", "org.gatewayd.issue",
                                                 "org.gatewayd.watch"};
constexpr std::array<const char*, 4> kWords = {"see the state of the gateway", "change the gateway",
                                               "give access to a client", "watch the traffic"};

std::optional<gid_t> group_id(const std::string& name) {
  std::array<char, kNameBuffer> buffer{};
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return found->gr_gid;
}

std::optional<uid_t> user_id(const char* name) {
  std::array<char, kNameBuffer> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  return found->pw_uid;
}

// Reads UnixUserID and UnixGroupIDs out of the answer to GetConnectionCredentials; a bus that tells no groups leaves
// them empty.
int read_credentials(sd_bus_message* reply, Caller& out, bool& has_uid) {
  int rc = sd_bus_message_enter_container(reply, 'a', "{sv}");
  while (rc >= 0 && (rc = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
    const char* key = nullptr;
    rc = next_text(reply, &key);
    if (rc >= 0 && std::string_view(key) == "UnixUserID") {
      rc = sd_bus_message_read(reply, "v", "u", &out.uid);
      has_uid = rc > 0;
    } else if (rc >= 0 && std::string_view(key) == "UnixGroupIDs") {
      const void* groups = nullptr;
      size_t size = 0;
      rc = sd_bus_message_enter_container(reply, 'v', "au");
      if (rc >= 0) rc = sd_bus_message_read_array(reply, 'u', &groups, &size);
      if (rc >= 0)
        out.groups.assign(static_cast<const gid_t*>(groups), static_cast<const gid_t*>(groups) + size / sizeof(gid_t));
      if (rc >= 0) rc = sd_bus_message_exit_container(reply);
    } else if (rc >= 0) {
      rc = sd_bus_message_skip(reply, "v");
    }
    if (rc >= 0) rc = sd_bus_message_exit_container(reply);
  }
  return rc;
}

std::unexpected<Error> refused(Access access, const std::string& admin_group, const std::string& more) {
  if (access == Access::root) return failure(EACCES, "handle the gateway's secrets", "", "only root may");
  if (access == Access::enroll) return failure(EACCES, "enrol devices", "", "only the enrolment server may");
  const auto index = static_cast<size_t>(access);
  return failure(EACCES, kWords[index], "", "only root and members of the group " + admin_group + " may" + more);
}

}  // namespace

bool may(const Caller& caller, const Special& special, Access access) {
  if (access == Access::root) return caller.uid == 0;
  if (access == Access::enroll) return caller.uid == 0 || caller.uid == special.enrolment;
  return is_administrator(caller, special.admin);
}

bool is_administrator(const Caller& caller, std::optional<gid_t> admin) {
  return caller.uid == 0 || (admin && std::ranges::find(caller.groups, *admin) != caller.groups.end());
}

control::Who who_is(const Caller& caller) {
  std::array<char, kNameBuffer> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int rc = getpwuid_r(caller.uid, &entry, buffer.data(), buffer.size(), &found);
  if (caller.uid == 0 || rc != 0 || found == nullptr) return "uid " + std::to_string(caller.uid);
  return std::string("user ") + found->pw_name;
}

Result<Caller> Authority::caller_of(sd_bus_message* call) const {
  sd_bus_message* raw = nullptr;
  int rc = sd_bus_message_new_method_call(bus_, &raw, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                          "org.freedesktop.DBus", "GetConnectionCredentials");
  const Message question(raw);
  const char* sender = sd_bus_message_get_sender(call);
  if (sender == nullptr) return failure(EACCES, "find out who calls", "", "the call has no sender");
  if (rc >= 0) rc = sd_bus_message_append(question.get(), "s", sender);
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* answer = nullptr;
  if (rc >= 0) rc = sd_bus_call(bus_, question.get(), kBusTimeoutUs, &error, &answer);
  const Message reply(answer);
  Caller caller;
  bool has_uid = false;
  if (rc >= 0) rc = read_credentials(reply.get(), caller, has_uid);
  const Error why = bus_error(rc, "find out who calls", sender, &error);
  sd_bus_error_free(&error);
  if (rc < 0 || !has_uid) return failure(EACCES, why.operation, why.object, why.detail);
  return caller;
}

Special Authority::special() const { return {group_id(admin_group_), user_id(kEnrolmentUser)}; }

Result<control::Who> Authority::check_now(sd_bus_message* call, Access access) {
  const auto caller = caller_of(call);
  if (!caller) return std::unexpected(caller.error());
  if (may(*caller, special(), access)) return who_is(*caller);
  return refused(access, admin_group_, "");
}

void Authority::check(sd_bus_message* call, Access access, Then then) {
  const auto caller = caller_of(call);
  if (!caller) return then(std::unexpected(caller.error()));
  if (may(*caller, special(), access)) return then(who_is(*caller));
  if (access == Access::root || access == Access::enroll) return then(refused(access, admin_group_, ""));
  ask_polkit(call, *caller, access, std::move(then));
}

void Authority::ask_polkit(sd_bus_message* call, const Caller& caller, Access access, Then then) {
  if (pending_.size() >= kMostPending) {
    return then(failure(EBUSY, "ask polkit", "", "too many callers wait for an answer; try again"));
  }
  sd_bus_message* raw = nullptr;
  int rc =
      sd_bus_message_new_method_call(bus_, &raw, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                                     "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
  const Message question(raw);
  const uint32_t flags = sd_bus_message_get_allow_interactive_authorization(call) > 0 ? 1 : 0;
  if (rc >= 0) {
    rc = sd_bus_message_append(question.get(), "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                               sd_bus_message_get_sender(call), kActions[static_cast<size_t>(access)], 0, flags, "");
  }
  pending_.push_back({this, Message(sd_bus_message_ref(call)), caller, access, std::move(then), nullptr});
  sd_bus_slot* slot = nullptr;
  if (rc >= 0)
    rc = sd_bus_call_async(bus_, &slot, question.get(), &Authority::on_polkit, &pending_.back(), kPolkitTimeoutUs);
  if (rc < 0) {
    Then failed = std::move(pending_.back().then);
    pending_.pop_back();
    return failed(std::unexpected(bus_error(rc, "ask", "polkit")));
  }
  pending_.back().slot.reset(slot);
}

int Authority::on_polkit(sd_bus_message* reply, void* pending, sd_bus_error* /*error*/) {
  auto* mine = static_cast<Pending*>(pending);
  Authority& self = *mine->authority;
  std::list<Pending> done;
  done.splice(done.begin(), self.pending_,
              std::ranges::find_if(self.pending_, [&](const Pending& p) { return &p == mine; }));
  int authorised = 0;
  int challenge = 0;
  const bool answered = sd_bus_message_is_method_error(reply, nullptr) == 0 &&
                        sd_bus_message_enter_container(reply, 'r', "bba{ss}") > 0 &&
                        sd_bus_message_read(reply, "bb", &authorised, &challenge) > 0;
  if (answered && authorised != 0) {
    mine->then(who_is(mine->caller));
  } else {
    const char* more = answered && challenge != 0 ? "; polkit would ask for a password: allow it to (busctl "
                                                    "--allow-interactive-authorization=yes), or use sudo"
                                                  : "";
    mine->then(refused(mine->access, self.admin_group_, more));
  }
  return 0;
}

}  // namespace gw::dbus
