// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "gatewayd/base/label.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/invitation.h"
#include "gatewayd/control/message_id.h"
#include "gatewayd/control/trust_map.h"

/// Organisations whose certificates let their holders enrol: what an operator says of them.
namespace gw::control {
namespace {

constexpr const char* kTrust = "trust";
constexpr size_t kMostTrusts = 16;
constexpr size_t kMostMaps = 64;

Result<std::vector<registry::TrustMap>> parse_maps(const std::vector<std::string>& texts) {
  if (texts.empty()) {
    return failure(EINVAL, kTrust, {},
                   "give at least one map, such as --map 'dns:*.lab.example=developers': nobody is let in without");
  }
  if (texts.size() > kMostMaps) return failure(EINVAL, kTrust, {}, fmt::format("give at most {} maps", kMostMaps));
  std::vector<registry::TrustMap> out;
  for (const std::string& text : texts) {
    auto map = parse_map(text);
    if (!map) return std::unexpected(map.error());
    if (std::ranges::find(out, map->pattern, &registry::TrustMap::pattern) != out.end())
      return failure(EINVAL, "map", text, "the pattern is there twice; give all its groups at once");
    out.push_back(std::move(*map));
  }
  return out;
}

/// "contoso-root" of "CN=Contoso Root,O=Contoso"; empty: nothing comes of it.
std::string label_of(const std::string& subject) {
  pki::Holder root;
  const size_t at = subject.find("CN=");
  if (at == std::string::npos) return {};
  root.claims.push_back({pki::Claim::Kind::common_name, subject.substr(at + 3, subject.find(',', at) - at - 3)});
  const auto named = name_for(root);
  return named ? named->name : std::string();
}

bool shares_a_root(const pki::Anchors& one, const pki::Anchors& other) {
  return std::ranges::any_of(one.roots, [&](const pki::Certificate& root) {
    return std::ranges::find(other.roots, root.sha256, &pki::Certificate::sha256) != other.roots.end();
  });
}

}  // namespace

// Everything but whether the name is free.
Result<registry::Trust> GatewayController::check_trust(const NewTrust& wanted, const Who& who) {
  const auto anchors = pki::parse_anchors(wanted.authorities_pem);
  if (!anchors) return std::unexpected(anchors.error());
  registry::Trust out;
  out.name = wanted.name.empty() ? label_of(anchors->roots.front().subject) : wanted.name;
  out.authorities_pem = anchors->pem();
  out.who = who;
  if (!is_label(out.name))
    return failure(EINVAL, kTrust, out.name, "that will not do as its name: give one of a-z, 0-9 and '-'");
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  for (const pki::Certificate& root : anchors->roots) {
    if (root.sha256 == authority->root().sha256)
      return failure(EINVAL, kTrust, root.subject,
                     "it is this gateway's own authority: its clients renew by themselves");
    if (root.not_after < now()) return failure(EINVAL, kTrust, root.subject, "it has ended");
  }
  auto maps = parse_maps(wanted.maps);
  if (!maps) return std::unexpected(maps.error());
  for (const registry::TrustMap& map : *maps) {
    if (auto known = check_groups(map.groups, {}); !known) return std::unexpected(known.error());
  }
  out.maps = std::move(*maps);
  const auto others = parts_.registry.trusts();
  if (!others) return std::unexpected(others.error());
  if (others->size() >= kMostTrusts && !wanted.replace)
    return failure(ENOSPC, kTrust, out.name, fmt::format("there are {} already", kMostTrusts));
  for (const registry::Trust& other : *others) {
    const auto theirs = pki::parse_anchors(other.authorities_pem);
    if (theirs && other.name != out.name && shares_a_root(*anchors, *theirs))
      return failure(EEXIST, kTrust, out.name, "trust " + other.name + " has the same root");
  }
  if (wanted.crl.empty()) return out;
  auto lists = pki::parse_crls(wanted.crl, *anchors);
  if (!lists) return std::unexpected(lists.error());
  out.crl_pem = std::move(lists->pem);
  return out;
}

Result<TrustStatus> GatewayController::trust_status(const registry::Trust& trust) {
  auto anchors = pki::parse_anchors(trust.authorities_pem);
  if (!anchors) return std::unexpected(anchors.error());
  auto clients = parts_.registry.trust_clients(trust.id);
  if (!clients) return std::unexpected(clients.error());
  TrustStatus out{.trust = trust, .roots = {}, .clients = std::move(*clients), .not_after = 0, .link = {}};
  for (const pki::Certificate& root : anchors->roots) out.not_after = std::max(out.not_after, root.not_after);
  if (!trust.crl_pem.empty()) {
    const auto lists = pki::parse_crls(trust.crl_pem, *anchors);
    if (lists) out.crl_next_update = lists->next_update;
  }
  out.roots = std::move(anchors->roots);
  const auto place = enrolment_place("enrol");
  auto authority = open_authority();
  if (place && authority) out.link = join_link(place->names.front(), place->port, {}, authority->root().sha256);
  return out;
}

Result<TrustStatus> GatewayController::add_trust(const NewTrust& wanted, const Who& who) {
  if (auto place = enrolment_place(kTrust); !place) return std::unexpected(place.error());
  const auto trust = check_trust(wanted, who);
  if (!trust) return std::unexpected(trust.error());
  if (auto put = parts_.registry.put_trust(*trust, wanted.replace, now()); !put) return std::unexpected(put.error());
  tell(fmt::format("certificates of {} let devices enrol: {} by {}", trust->name,
                   wanted.replace ? "changed" : "trusted", who));
  const auto all = parts_.registry.trusts();
  if (!all) return std::unexpected(all.error());
  const auto stored = std::ranges::find(*all, trust->name, &registry::Trust::name);
  return trust_status(*stored);
}

Result<std::vector<TrustStatus>> GatewayController::trusts() {
  const auto all = parts_.registry.trusts();
  if (!all) return std::unexpected(all.error());
  std::vector<TrustStatus> out;
  for (const registry::Trust& trust : *all) {
    auto status = trust_status(trust);
    if (!status) return std::unexpected(status.error());
    out.push_back(std::move(*status));
  }
  return out;
}

// The clients first: when one cannot be revoked, the trust is there to try again with.
Result<std::vector<std::string>> GatewayController::remove_trust(const std::string& name, bool revoke, const Who& who) {
  const auto all = parts_.registry.trusts();
  if (!all) return std::unexpected(all.error());
  const auto trust = std::ranges::find(*all, name, &registry::Trust::name);
  auto clients = trust == all->end() ? std::vector<std::string>() : parts_.registry.trust_clients(trust->id);
  if (!clients) return clients;
  if (revoke) {
    for (const std::string& client : *clients) {
      if (auto revoked = revoke_client(client, "privilegeWithdrawn", who); !revoked)
        return std::unexpected(revoked.error());
    }
  }
  if (auto removed = parts_.registry.remove_trust(name, who, now()); !removed) return std::unexpected(removed.error());
  tell(fmt::format("certificates of {} let nobody enrol any more: removed by {}", name, who));
  return clients;
}

Result<void> GatewayController::set_trust_crl(const std::string& name, const std::string& crl, const Who& who) {
  const auto all = parts_.registry.trusts();
  if (!all) return std::unexpected(all.error());
  const auto trust = std::ranges::find(*all, name, &registry::Trust::name);
  if (trust == all->end()) return parts_.registry.set_trust_crl(name, {}, who, now());  // ENOENT
  const auto anchors = pki::parse_anchors(trust->authorities_pem);
  if (!anchors) return std::unexpected(anchors.error());
  const auto lists = pki::parse_crls(crl, *anchors);
  if (!lists) return std::unexpected(lists.error());
  if (auto set = parts_.registry.set_trust_crl(name, lists->pem, who, now()); !set) return set;
  tell(fmt::format("revocation list of {} replaced by {}", name, who));
  return {};
}

std::vector<Ending> GatewayController::trust_endings() const {
  std::vector<Ending> out;
  const auto all = parts_.registry.trusts();
  if (!all) tell(all.error().message());
  for (const registry::Trust& trust : all.value_or(std::vector<registry::Trust>())) {
    const auto anchors = pki::parse_anchors(trust.authorities_pem);
    if (!anchors) continue;  // `ca trust list` tells
    for (const pki::Certificate& root : anchors->roots) {
      out.push_back({fmt::format("the root {} of trust {}", root.subject, trust.name), root.not_after + 1,
                     root.not_after + 1 - root.not_before,
                     "gwctl ca trust add NEWROOT --replace --name " + trust.name});
    }
  }
  return out;
}

void GatewayController::add_trust_warnings(Status& out) {
  const auto all = parts_.registry.trusts();
  for (const registry::Trust& trust : all.value_or(std::vector<registry::Trust>())) {
    if (trust.maps.empty()) {
      out.warnings.push_back(fmt::format(
          "trust {0} came out of a backup and lets nobody enrol: gwctl ca trust add FILE --replace --name {0} --map …, "
          "or gwctl ca trust remove {0}",
          trust.name));
    }
    if (trust.crl_pem.empty()) continue;
    const auto status = trust_status(trust);
    if (!status || status->crl_next_update == 0 || now() <= status->crl_next_update) continue;
    out.warnings.push_back(
        fmt::format("the revocation list of trust {} was good until {:%Y-%m-%d %H:%M} UTC and is used "
                    "all the same: gwctl ca trust crl {} FILE",
                    trust.name, fmt::gmtime(status->crl_next_update), trust.name));
  }
}

}  // namespace gw::control
