// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "gatewayd/base/nearest.h"
#include "gatewayd/config/names.h"
#include "gatewayd/control/checks.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/kernel_client.h"
#include "gatewayd/control/message_id.h"

/// Clients: who has access. The registry first, then the kernel.
namespace gw::control {
namespace {

constexpr UnixSeconds kDay = 86400;
constexpr uint32_t kMostDays = 3650;

registry::Certificate to_registry(const pki::Certificate& issued, const registry::Client& client) {
  return {.serial = issued.serial,
          .client = client.name,
          .client_number = client.number,
          .wireguard = issued.wireguard.value_or(PublicKey{}),
          .not_before = issued.not_before,
          .not_after = issued.not_after,
          .revoked_at = 0,
          .reason = {},
          .sha256 = issued.sha256,
          .pem = issued.pem};
}

std::vector<std::string> sorted_unique(std::vector<std::string> names) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

Result<pki::Request> read_request(const std::string& pem, const std::string& name, const char* operation) {
  auto request = pki::parse_request(pem);
  if (!request) return request;
  if (request->name != name) {
    return failure(EINVAL, operation, name,
                   fmt::format("the signing request is for '{}'; make one for this name", request->name));
  }
  return request;
}

void change_groups(const ClientChange& change, std::vector<std::string>& groups) {
  if (change.groups) groups = *change.groups;
  groups.insert(groups.end(), change.add_groups.begin(), change.add_groups.end());
  std::erase_if(groups, [&](const std::string& group) {
    return std::ranges::find(change.remove_groups, group) != change.remove_groups.end();
  });
  groups = sorted_unique(std::move(groups));
}

std::optional<config::Tunnel> tunnel_of(const std::string& word) {
  if (word.empty()) return std::nullopt;
  return word == "full" ? config::Tunnel::full : config::Tunnel::split;
}

}  // namespace

Result<void> GatewayController::check_groups(const std::vector<std::string>& groups, const std::string& client) {
  const auto in_force = applied_or_error("put into groups", client);
  if (!in_force) return std::unexpected(in_force.error());
  const std::vector<std::string> known = names_of((*in_force)->groups);
  for (const std::string& group : groups) {
    if ((*in_force)->groups.contains(group)) continue;
    if (config().groups.contains(group)) {
      return failure(ENOENT, "find group", group, "it is in the files but not applied yet: run gwctl apply first");
    }
    return failure(ENOENT, "find group", group, "no group has this name" + did_you_mean(group, known));
  }
  return {};
}

// What the registry cannot know: keys that belong to no client.
Result<void> GatewayController::check_key(const PublicKey& key, const std::string& client) const {
  if (key == options_.public_key) {
    return failure(EEXIST, "take the WireGuard key of", client, "it is the key of the gateway itself; make a new one");
  }
  for (const auto& [name, site] : applied()->sites) {
    if (site.public_key == key) {
      return failure(EEXIST, "take the WireGuard key of", client, "site " + name + " has it; make a new one");
    }
  }
  return {};
}

Result<registry::Certificate> GatewayController::issue(const pki::Request& request, const registry::Client& client,
                                                       uint32_t days) {
  if (days == 0 || days > kMostDays) {
    return failure(EINVAL, "issue a certificate for", client.name,
                   fmt::format("days has to be from 1 to {}", kMostDays));
  }
  if (auto may = time_.check_may_date("issue a certificate"); !may) return std::unexpected(may.error());
  if (auto authority = open_authority(); !authority) return std::unexpected(authority.error());
  const UnixSeconds at = now();
  const auto issued = parts_.signer.issue(request, client.name, client.device_uuid, at, at + days * kDay);
  if (!issued) return std::unexpected(issued.error());
  time_.vouch();
  return to_registry(*issued, client);
}

// A client that nothing speaks against, and its certificate; not in the registry yet.
Result<GatewayController::Admission> GatewayController::prepare_client(const pki::Request& request,
                                                                       const NewClient& wanted) {
  const auto in_force = applied_or_error("add client", wanted.name);
  if (!in_force) return std::unexpected(in_force.error());
  if (const auto taken = config::why_taken(**in_force, wanted.name))
    return failure(EEXIST, "add client", wanted.name, *taken + "; take another name");
  if (auto known = check_groups(wanted.groups, wanted.name); !known) return std::unexpected(known.error());
  if (auto free = check_key(request.wireguard, wanted.name); !free) return std::unexpected(free.error());
  if (auto reachable = endpoint(**in_force); !reachable) return std::unexpected(reachable.error());
  auto client = parts_.registry.plan_client(wanted.name, (*in_force)->vpn.subnets);
  if (!client) return std::unexpected(client.error());
  client->device_uuid = pki::random_uuid();
  client->wireguard = request.wireguard;
  client->groups = sorted_unique(wanted.groups);
  client->tunnel = wanted.tunnel;
  client->description = wanted.description;
  client->created = now();
  auto certificate = issue(request, *client, wanted.days);
  if (!certificate) return std::unexpected(certificate.error());
  client->serial = certificate->serial;
  client->not_after = certificate->not_after;
  return Admission{std::move(*client), std::move(*certificate)};
}

// It is in the registry: into the kernel.
void GatewayController::admit(const registry::Client& client, const Who& who) {
  // The number may have been another client's: its counts are not this one's.
  if (auto cleared = parts_.kernel.clear_client_counter(client.number); !cleared) tell(cleared.error().message());
  tell(fmt::format("client {} added by {}", client.name, who), message_id::kClientAdded);
  refresh_client(client);
}

Result<ProfileFacts> GatewayController::add_client(const NewClient& wanted, const Who& who) {
  const auto request = read_request(wanted.request_pem, wanted.name, "add client");
  if (!request) return std::unexpected(request.error());
  const auto admission = prepare_client(*request, wanted);
  if (!admission) return std::unexpected(admission.error());
  const auto& [client, certificate] = *admission;
  if (auto added = parts_.registry.add_client(client, certificate, who, now()); !added) {
    return std::unexpected(added.error());
  }
  admit(client, who);
  return profile(client, certificate.pem);
}

// The kernel as the registry says. What fails is left to the next converge, and told.
void GatewayController::refresh_client(const registry::Client& client) {
  forget_end(client.number);
  if (client.has_access(now())) {
    const plan::Client known = kernel_client(client);
    ends_.emplace(access_ends_at(known), client.number);
    adjusted(parts_.reconciler.put_client(known));
  } else {
    adjusted(parts_.reconciler.remove_client(client.number));
  }
  announce();
}

Result<void> GatewayController::set_client(const std::string& name, const ClientChange& change, const Who& who) {
  auto client = parts_.registry.client(name);
  if (!client) return std::unexpected(client.error());
  const std::vector<std::string> before = client->groups;
  change_groups(change, client->groups);
  std::vector<std::string> joined;
  std::ranges::set_difference(client->groups, before, std::back_inserter(joined));
  if (auto known = check_groups(joined, name); !known) return known;
  if (change.tunnel) client->tunnel = tunnel_of(*change.tunnel);
  if (change.description) client->description = *change.description;
  const bool loses_access = change.disabled.value_or(client->disabled) && !client->disabled;
  if (change.disabled) client->disabled = *change.disabled;
  if (auto updated = parts_.registry.update_client(*client, who, now()); !updated) return updated;
  tell(fmt::format("client {} changed by {}", name, who), message_id::kClientChanged);
  if (loses_access) return take_access(*client, "disable client");
  refresh_client(*client);
  return {};
}

Result<registry::Certificate> GatewayController::renew_client(const std::string& name, uint32_t days, const Who& who) {
  auto client = parts_.registry.client(name);
  if (!client) return std::unexpected(client.error());
  if (client->revoked_at != 0) {
    return failure(EKEYREVOKED, "renew client", name,
                   "its key was revoked; give it a new one: gwctl client rekey " + name);
  }
  const auto current = parts_.registry.certificate(client->serial);
  if (!current) return std::unexpected(current.error());
  const auto request = pki::renewal_request(current->pem);
  if (!request) return std::unexpected(request.error());
  auto certificate = issue(*request, *client, days);
  if (!certificate) return certificate;
  if (auto added = parts_.registry.add_certificate(*certificate, who, now()); !added) {
    return std::unexpected(added.error());
  }
  tell(fmt::format("client {} renewed by {}", name, who), message_id::kClientChanged);
  if (auto fresh = parts_.registry.client(name)) refresh_client(*fresh);
  return certificate;
}

Result<ProfileFacts> GatewayController::rekey_client(const std::string& name, const std::string& request_pem,
                                                     uint32_t days, const Who& who) {
  constexpr const char* kRekey = "rekey client";
  if (auto in_force = applied_or_error(kRekey, name); !in_force) return std::unexpected(in_force.error());
  auto client = parts_.registry.client(name);
  if (!client) return std::unexpected(client.error());
  const auto request = read_request(request_pem, name, kRekey);
  if (!request) return std::unexpected(request.error());
  if (auto free = check_key(request->wireguard, name); !free) return std::unexpected(free.error());
  const auto certificate = issue(*request, *client, days);
  if (!certificate) return std::unexpected(certificate.error());
  if (auto rekeyed = parts_.registry.rekey_client(name, *certificate, who, now()); !rekeyed) {
    return std::unexpected(rekeyed.error());
  }
  tell(fmt::format("client {} has a new key, by {}", name, who), message_id::kClientChanged);
  const auto fresh = parts_.registry.client(name);
  if (!fresh) return std::unexpected(fresh.error());
  refresh_client(*fresh);
  return profile(*fresh, certificate->pem);
}

// Out of the kernel, now. The registry has it already, so the next converge tries again whatever happens here.
Result<void> GatewayController::take_access(const registry::Client& client, const char* operation) {
  if (applied() == nullptr) {
    return failure(EAGAIN, operation, client.name,
                   "it is done in the registry, but no configuration is in force, so what the kernel still holds of an "
                   "earlier run is not known: repair the configuration and run gwctl apply");
  }
  forget_end(client.number);
  const apply::Report report = parts_.reconciler.remove_client(client.number);
  adjusted(report);
  announce();
  if (report.errors.empty()) return {};
  return failure(report.errors.front().code, operation, client.name,
                 "it is done in the registry, but the kernel did not follow and is tried again: " +
                     report.errors.front().message());
}

Result<void> GatewayController::revoke_client(const std::string& name, const std::string& reason, const Who& who) {
  const auto client = parts_.registry.client(name);
  if (!client) return std::unexpected(client.error());
  if (auto revoked = parts_.registry.revoke_client(name, reason, who, now()); !revoked) return revoked;
  tell(fmt::format("client {} revoked by {}: {}", name, who, reason), message_id::kAccessEnded);
  return take_access(*client, "revoke client");
}

Result<void> GatewayController::remove_client(const std::string& name, const Who& who) {
  const auto client = parts_.registry.client(name);
  if (!client) return std::unexpected(client.error());
  if (auto removed = parts_.registry.remove_client(name, who, now()); !removed) return removed;
  tell(fmt::format("client {} removed by {}", name, who), message_id::kAccessEnded);
  return take_access(*client, "remove client");
}

}  // namespace gw::control
