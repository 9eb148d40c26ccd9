// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/encode.h"

#include "gatewayd/base/base64.h"
#include "gatewayd/control/trust_map.h"

namespace gw::dbus {
namespace {

template <class T>
std::vector<std::string> texts(const std::vector<T>& values) {
  std::vector<std::string> out;
  out.reserve(values.size());
  for (const T& value : values) out.push_back(value.str());
  return out;
}

const char* word(config::Tunnel tunnel) { return tunnel == config::Tunnel::full ? "full" : "split"; }

const char* word(config::Action action) {
  switch (action) {
    case config::Action::allow:
      return "allow";
    case config::Action::reject:
      return "reject";
    case config::Action::deny:
      break;
  }
  return "deny";
}

void put_origin(Writer& out, const config::Origin& origin) {
  if (origin.line != 0) out.put("origin", origin.str());
}

void put_interfaces(Writer& out, const std::vector<control::InterfaceStatus>& interfaces) {
  out.open_member("interfaces");
  for (const auto& interface : interfaces) {
    out.open_dict()
        .put("name", interface.name)
        .put("role", interface.role)
        .put("state", interface.state)
        .put("addresses", interface.addresses)
        .put("programs", interface.programs)
        .close();
  }
  out.close_member();
}

void put_pools(Writer& out, const std::vector<registry::PoolUse>& pools) {
  out.open_member("pools");
  for (const auto& pool : pools) {
    out.open_dict().put("prefix", pool.prefix.str()).put("size", pool.size).put("allocated", pool.allocated).close();
  }
  out.close_member();
}

/// How the packets of a client come, by its endpoint: through TLS the enrolment server hands them on from this machine
/// (RFC 9298). Empty where there is none.
std::string transport_of(const std::string& endpoint) {
  if (endpoint.empty()) return "";
  return endpoint.starts_with("127.0.0.1:") ? "tls" : "udp";
}

}  // namespace

std::vector<std::string> addresses_as_text(const std::vector<IpAddress>& addresses) { return texts(addresses); }

void put(Writer& out, const control::Status& status) {
  out.put("gateway", status.gateway)
      .put("version", status.version)
      .put("wireguard", status.wireguard)
      .put("public_key", status.public_key)
      .put("endpoint", status.endpoint)
      .put("listen_port", status.listen_port);
  put_interfaces(out, status.interfaces);
  out.put("peers_online", status.peers_online)
      .put("peers", status.peers)
      .put("clients", status.clients)
      .put("applied_sequence", status.applied_sequence)
      .put("applied_at", status.applied_at)
      .put("confirmed", status.confirmed)
      .put("confirm_deadline", status.confirm_deadline)
      .put("files_differ", status.files_differ)
      .put("drift", status.drift)
      .put("repairs", status.repairs)
      .put("last_error", status.last_error)
      .put("healthy", status.ill.empty())
      .put("ill", status.ill)
      .put("policy_generation", status.policy_generation)
      .put("rules", status.rules)
      .put("fast_path", status.fast_path);
  put_pools(out, status.pools);
  out.put("drops", status.drops).put("warnings", status.warnings);
}

void put(Writer& out, const registry::Block& block) {
  out.put("prefix", block.prefix.str())
      .put("until", block.until)
      .put("comment", block.comment)
      .put("who", block.who)
      .put("created", block.created);
}

void put(Writer& out, const registry::Token& token) {
  out.put("id", static_cast<uint64_t>(token.id)).put("name", token.name).put("groups", token.groups);
  if (token.tunnel) out.put("tunnel", word(*token.tunnel));
  out.put("description", token.description)
      .put("days", token.days)
      .put("uses", token.uses)
      .put("used", token.used)
      .put("expires", token.expires)
      .put("revoked_at", token.revoked_at)
      .put("created", token.created)
      .put("who", token.who)
      .put("clients", token.clients);
}

void put(Writer& out, const control::TokenHandout& handout) {
  out.put("id", static_cast<uint64_t>(handout.id))
      .put("token", handout.token)
      .put("link", handout.link)
      .put("pin", handout.pin)
      .put("expires", handout.expires);
}

void put(Writer& out, const control::TrustStatus& status) {
  const registry::Trust& trust = status.trust;
  std::vector<std::string> maps;
  maps.reserve(trust.maps.size());
  for (const registry::TrustMap& map : trust.maps) maps.push_back(control::map_text(map));
  out.put("name", trust.name).put("maps", maps);
  out.open_member("roots");
  for (const pki::Certificate& root : status.roots) {
    out.open_dict().put("subject", root.subject).put("not_after", root.not_after).put("sha256", root.sha256).close();
  }
  out.close_member();
  out.put("authorities_pem", trust.authorities_pem)
      .put("not_after", status.not_after)
      .put("clients", status.clients)
      .put("has_crl", !trust.crl_pem.empty())
      .put("crl_next_update", status.crl_next_update)
      .put("link", status.link)
      .put("created", trust.created)
      .put("who", trust.who);
}

void put(Writer& out, const control::EnrolmentFacts& facts) {
  const auto& [key, nonce] = facts.challenge;
  out.put("names", facts.names)
      .put("port", facts.port)
      .put("endpoint", facts.endpoint)
      .put("wireguard_port", facts.wireguard_port)
      .put("chain_pem", facts.chain_pem)
      .put("authorities_pem", facts.authorities_pem)
      .put("challenge_key", key.str())
      .put("challenge_nonce", base64(nonce))
      .put("challenge_seconds", facts.challenge_seconds);
}

void put(Writer& out, const control::RestoreResult& result) {
  out.put("created", result.created)
      .put("gateway", result.gateway)
      .put("version", result.version)
      .put("clients", result.clients)
      .put("disabled", result.disabled)
      .put("notes", result.notes);
}

void put(Writer& out, const control::ApplyResult& result) {
  out.put("sequence", result.sequence)
      .put("operations", result.operations)
      .put("confirm_deadline", result.confirm_deadline);
}

void put(Writer& out, const control::ProfileFacts& facts) {
  out.put("client", facts.client)
      .put("addresses", facts.addresses)
      .put("allowed_ips", facts.allowed_ips)
      .put("dns", facts.dns)
      .put("dns_domain", facts.dns_domain)
      .put("mtu", facts.mtu)
      .put("gateway_name", facts.gateway_name)
      .put("gateway_public_key", facts.gateway_public_key)
      .put("endpoint", facts.endpoint)
      .put("certificate_pem", facts.certificate_pem)
      .put("chain_pem", facts.chain_pem)
      .put("not_after", facts.not_after)
      .put("tunnel", facts.full_tunnel ? "full" : "split");
}

void put(Writer& out, const control::ClientStatus& status) {
  const registry::Client& client = status.client;
  out.put("number", client.number)
      .put("name", client.name)
      .put("device_uuid", client.device_uuid)
      .put("wireguard", client.wireguard.str())
      .put("groups", client.groups)
      .put("addresses", texts(client.addresses))
      .put("dns_name", status.dns_name);
  if (client.tunnel) out.put("tunnel", word(*client.tunnel));
  out.put("description", client.description)
      .put("disabled", client.disabled)
      .put("created", client.created)
      .put("serial", client.serial)
      .put("not_after", client.not_after)
      .put("revoked_at", client.revoked_at)
      .put("profile_outdated", client.profile_outdated)
      .put("online", status.online)
      .put("last_handshake", status.last_handshake)
      .put("endpoint", status.endpoint)
      .put("transport", transport_of(status.endpoint))
      .put("rx_bytes", status.rx_bytes)
      .put("tx_bytes", status.tx_bytes)
      .put("packets", status.packets)
      .put("bytes", status.bytes)
      .put("denied", status.denied)
      .put("flows", status.flows)
      .put("missing_groups", status.missing_groups);
  if (status.idle_seconds != UINT64_MAX) out.put("idle_seconds", status.idle_seconds);
}

void put(Writer& out, const control::RuleStatus& status) {
  const config::Rule& rule = status.rule;
  out.put("name", rule.name)
      .put("action", word(rule.action))
      .put("from", texts(rule.from))
      .put("to", texts(rule.to))
      .put("services", texts(rule.services))
      .put("service_names", rule.service_names)
      .put("log", rule.log)
      .put("built_in", rule.built_in);
  put_origin(out, rule.origin);
  out.put("hits", status.hits).put("packets", status.packets).put("bytes", status.bytes);
  if (status.idle_seconds != UINT64_MAX) out.put("idle_seconds", status.idle_seconds);
}

void put(Writer& out, const control::Explanation& explanation) {
  out.put("action", explanation.action)
      .put("rule", explanation.rule)
      .put("written_at", explanation.written_at)
      .put("reason", explanation.reason)
      .put("source", explanation.source)
      .put("destination", explanation.destination)
      .put("service", explanation.service)
      .put("nat", explanation.nat)
      .put("kernel_agrees", explanation.kernel_agrees);
}

void put(Writer& out, const control::FlowStatus& flow) {
  const auto put_text = [&](const char* key, const std::string& text) {
    if (!text.empty()) out.put(key, text);
  };
  out.put("protocol", flow.protocol).put("source", flow.source).put("destination", flow.destination);
  if (flow.source_port != 0) out.put("source_port", flow.source_port);
  if (flow.destination_port != 0) out.put("destination_port", flow.destination_port);
  put_text("icmp", flow.icmp);
  put_text("client", flow.client);
  put_text("to_client", flow.to_client);
  out.put("rule", flow.rule).put("state", flow.state).put("idle_seconds", flow.idle_seconds);
  if (flow.access_ends != 0) out.put("access_ends", flow.access_ends);
  out.put("nat", flow.nat).put("current", flow.current);
}

void put(Writer& out, const std::string& name, const config::Subnet& subnet) {
  out.put("name", name).put("prefixes", texts(subnet.prefixes)).put("interface", subnet.interface);
  if (subnet.vlan) out.put("vlan", *subnet.vlan);
  out.put("address", texts(subnet.address)).put("via", texts(subnet.via)).put("description", subnet.description);
  std::vector<std::string> hosts;
  for (const auto& [host, named] : subnet.hosts) {
    for (const IpAddress& address : named.addresses) hosts.push_back(host + "=" + address.str());
  }
  out.put("hosts", hosts);
  put_origin(out, subnet.origin);
}

void put(Writer& out, const control::SiteStatus& status) {
  const config::Site& site = status.site;
  out.put("name", status.name).put("public_key", site.public_key.str());
  if (site.endpoint) out.put("endpoint", site.endpoint->str());
  out.put("prefixes", texts(site.prefixes)).put("keepalive", site.keepalive).put("description", site.description);
  out.put("online", status.online).put("last_handshake", status.last_handshake);
  if (!status.endpoint.empty()) out.put("endpoint_now", status.endpoint);
  out.put("rx_bytes", status.rx_bytes).put("tx_bytes", status.tx_bytes);
  put_origin(out, site.origin);
}

void put(Writer& out, const std::string& name, const config::Group& group) {
  out.put("name", name).put("description", group.description).put("interconnect", group.interconnect);
  if (group.tunnel) out.put("tunnel", word(*group.tunnel));
  put_origin(out, group.origin);
}

void put(Writer& out, const registry::Certificate& certificate) {
  out.put("serial", certificate.serial)
      .put("client", certificate.client)
      .put("client_number", certificate.client_number)
      .put("wireguard", certificate.wireguard.str())
      .put("not_before", certificate.not_before)
      .put("not_after", certificate.not_after)
      .put("revoked_at", certificate.revoked_at)
      .put("reason", certificate.reason)
      .put("sha256", certificate.sha256)
      .put("pem", certificate.pem);
}

void put(Writer& out, const pki::Certificate& certificate) {
  out.put("pem", certificate.pem)
      .put("serial", certificate.serial)
      .put("subject", certificate.subject)
      .put("name", certificate.name)
      .put("issuer", certificate.issuer)
      .put("device_uuid", certificate.device_uuid);
  if (certificate.wireguard) out.put("wireguard", certificate.wireguard->str());
  out.put("not_before", certificate.not_before)
      .put("not_after", certificate.not_after)
      .put("sha256", certificate.sha256)
      .put("is_ca", certificate.is_ca);
}

void put(Writer& out, const control::AuthorityPart& part) {
  put(out, part.certificate);
  out.put("role", part.role).put("clients", part.clients);
}

}  // namespace gw::dbus
