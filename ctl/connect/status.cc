// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/status.h"

#include <nlohmann/json.hpp>

#include "ctl/facts.h"
#include "ctl/format.h"
#include "gatewayd/pki/pki.h"

namespace gw::connect {
namespace {

using Json = nlohmann::json;

template <class T>
std::string joined(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) out += (out.empty() ? "" : ", ") + value.str();
  return out;
}

UnixSeconds end_of(const Network& network) {
  const auto certificate = pki::parse_certificate(network.certificate_pem);
  return certificate ? certificate->not_after : 0;
}

/// The way that packets take to the gateway.
std::string transport_text(const Network& network, UnixSeconds now) {
  const auto& relay = network.relay;
  if (!relay) return "UDP";
  return "TLS " + std::to_string(network.server.port) +
         (relay->through.empty() ? "" : " through proxy " + relay->through) + ", since " + ctl::ago(now, relay->since);
}

/// The proxy that connections to the gateway go through where there is a way to it.
std::string proxy_text(const Network& network) {
  if (!network.proxy.empty() || network.service_proxy.empty()) return network.proxy;
  return network.service_proxy + ", of the service's environment";
}

void add_network(const Report& report, UnixSeconds now, ctl::Facts& facts) {
  using ctl::Tone;
  const Network& network = report.network;
  const bool up = report.is_up(now);
  facts.add("network", network.name() + " (" + network.id + ")", Tone::heading);
  facts.add("state", up ? "up" : "not up", up ? Tone::good : Tone::bad);
  if (network.profile) {
    facts.add("name", network.profile->client);
    facts.add("addresses", joined(network.profile->addresses));
    facts.add("routes", network.profile->full ? "everything" : joined(network.profile->allowed_ips));
    facts.add("gateway", network.profile->endpoint.str());
  }
  facts.add("device", network.interface);
  facts.add("transport", transport_text(network, now));
  if (network.has_proxy()) facts.add("proxy", proxy_text(network));
  if (report.state) {
    facts.add("handshake", ctl::ago(now, report.state->peer.last_handshake));
    facts.add("received", ctl::bytes(report.state->peer.rx_bytes));
    facts.add("sent", ctl::bytes(report.state->peer.tx_bytes));
  }
  facts.add("certificate", ctl::until(now, end_of(network)) + ", " + ctl::date(end_of(network)));
  facts.add("dns", report.dns);
  if (network.fail_closed) facts.add("fail closed", "yes: nothing leaves past a full tunnel");
  for (const std::string& problem : report.problems) facts.add("problem", problem, Tone::warn);
}

template <class T>
Json texts(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(value.str());
  return out;
}

Json network_facts(const Report& report, UnixSeconds now) {
  const Network& network = report.network;
  Json out = {{"id", network.id},
              {"network", network.name()},
              {"up", report.is_up(now)},
              {"interface", network.interface},
              {"transport", network.relay ? "tls" : "udp"},
              {"key", network.key.str()},
              {"certificate_not_after", end_of(network)},
              {"fail_closed", network.fail_closed},
              {"configured_proxy", network.proxy.empty() ? network.service_proxy : network.proxy},
              {"dns", report.dns},
              {"problems", report.problems}};
  if (network.relay) {
    out["transport_since"] = network.relay->since;
    out["proxy"] = network.relay->through;
  }
  if (network.profile) {
    out["name"] = network.profile->client;
    out["addresses"] = texts(network.profile->addresses);
    out["allowed_ips"] = texts(network.profile->allowed_ips);
    out["tunnel"] = network.profile->full ? "full" : "split";
    out["gateway"] = network.profile->endpoint.str();
  }
  if (report.state) {
    out["last_handshake"] = report.state->peer.last_handshake;
    out["rx_bytes"] = report.state->peer.rx_bytes;
    out["tx_bytes"] = report.state->peer.tx_bytes;
  }
  return out;
}

}  // namespace

std::string status_text(const std::vector<Report>& reports, UnixSeconds now, const ctl::Style& style) {
  std::string out;
  for (const Report& report : reports) {
    ctl::Facts facts;
    add_network(report, now, facts);
    out += (out.empty() ? "" : "\n") + facts.render(style);
  }
  return out.empty() ? "This machine has joined no network: gwconnect join LINK.\n" : out;
}

std::string status_json(const std::vector<Report>& reports, UnixSeconds now) {
  Json out = Json::array();
  for (const Report& report : reports) out.push_back(network_facts(report, now));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gw::connect
