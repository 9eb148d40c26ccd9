// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/network.h"

#include <cerrno>
#include <nlohmann/json.hpp>

namespace gw::connect {
namespace {

using Json = nlohmann::json;
constexpr uint16_t kHttps = 443;

template <class T>
Json text_or_null(const std::optional<T>& value) {
  return value ? Json(value->str()) : Json();
}

/// Throws std::invalid_argument for a field that does not parse; nlohmann's own exceptions tell the others.
template <class T>
T required(const std::optional<T>& value, const char* field) {
  if (!value) throw std::invalid_argument(field);
  return *value;
}

template <class T>
std::optional<T> optional_text(const Json& json, const char* field) {
  if (json.at(field).is_null()) return std::nullopt;
  return required(T::parse(json.at(field).get<std::string>()), field);
}

Network read(const Json& json) {
  Network out;
  out.server = required(parse_host_port(json.at("server").get<std::string>(), 0), "server");
  json.at("fingerprint").get_to(out.fingerprint);
  json.at("interface").get_to(out.interface);
  json.at("slot").get_to(out.slot);
  json.at("fail_closed").get_to(out.fail_closed);
  json.at("rotate_days").get_to(out.rotate_days);
  json.at("roots").get_to(out.roots_pem);
  json.at("issuing").get_to(out.issuing_pem);
  json.at("certificate").get_to(out.certificate_pem);
  json.at("identity").get_to(out.identity);
  out.key = required(PublicKey::parse(json.at("key").get<std::string>()), "key");
  json.at("key_since").get_to(out.key_since);
  out.next_key = optional_text<PublicKey>(json, "next_key");
  json.at("profile_since").get_to(out.profile_since);
  out.endpoint = optional_text<IpAddress>(json, "endpoint");
  json.at("trouble").get_to(out.trouble);
  // Of versions before these were known.
  out.link = json.value("link", "");
  out.proxy = json.value("proxy", "");
  out.proxy_changes = json.value("proxy_changes", uint32_t{0});
  out.service_proxy = json.value("service_proxy", "");
  if (json.contains("hop")) out.hop = optional_text<IpAddress>(json, "hop");
  if (!json.at("profile").is_null()) {
    auto profile = parse_profile(json.at("profile").dump());
    if (!profile) throw std::invalid_argument(profile.error().detail);
    out.profile = std::move(*profile);
  }
  return out;
}

}  // namespace

std::string network_id(const HostPort& server) { return server.port == kHttps ? server.host : server.str(); }

std::string network_json(const Network& network) {
  const Json out = {{"server", network.server.str()},
                    {"fingerprint", network.fingerprint},
                    {"link", network.link},
                    {"interface", network.interface},
                    {"slot", network.slot},
                    {"fail_closed", network.fail_closed},
                    {"rotate_days", network.rotate_days},
                    {"roots", network.roots_pem},
                    {"issuing", network.issuing_pem},
                    {"certificate", network.certificate_pem},
                    {"identity", network.identity},
                    {"key", network.key.str()},
                    {"key_since", network.key_since},
                    {"next_key", text_or_null(network.next_key)},
                    {"profile", network.profile ? Json::parse(profile_json(*network.profile)) : Json()},
                    {"profile_since", network.profile_since},
                    {"endpoint", text_or_null(network.endpoint)},
                    {"trouble", network.trouble},
                    {"proxy", network.proxy},
                    {"proxy_changes", network.proxy_changes},
                    {"service_proxy", network.service_proxy},
                    {"hop", text_or_null(network.hop)}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string relay_json(const Relay& relay) {
  return Json{{"port", relay.port}, {"through", relay.through}, {"since", relay.since}, {"trouble", relay.trouble}}
             .dump() +
         "\n";
}

std::optional<Relay> parse_relay(std::string_view json) {
  const Json parsed = Json::parse(json, nullptr, false);
  try {
    return Relay{.port = parsed.at("port").get<uint16_t>(),
                 .through = parsed.at("through").get<std::string>(),
                 .since = parsed.at("since").get<UnixSeconds>(),
                 .trouble = parsed.at("trouble").get<std::string>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Result<Network> parse_network(const std::string& id, std::string_view json) {
  try {
    Network out = read(Json::parse(json));
    out.id = id;
    return out;
  } catch (const std::exception& error) {
    return failure(EUCLEAN, "read the state of network", id, error.what());
  }
}

}  // namespace gw::connect
