// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/decode.h"

#include <string_view>

namespace gw::dbus {
namespace {

// Takes a list of texts and turns each into a T by `parse`, which returns an optional.
template <class T, class Parse>
void get_parsed(Dict& dict, const char* key, std::vector<T>& out, Parse parse, const char* expected) {
  std::vector<std::string> words;
  dict.get(key, words);
  for (const std::string& word : words) {
    if (auto value = parse(word)) {
      out.push_back(std::move(*value));
    } else {
      dict.complain(std::string("'") + word + "' in '" + key + "' is not " + expected);
    }
  }
}

void get_selectors(Dict& dict, const char* key, std::vector<config::Selector>& out) {
  std::vector<std::string> words;
  dict.get(key, words);
  for (const std::string& word : words) {
    auto selector = config::parse_selector(word);
    if (selector) {
      out.push_back(std::move(*selector));
    } else {
      dict.complain("'" + word + "' in '" + key + "': " + selector.error().detail);
    }
  }
}

template <class Enum>
struct Word {
  std::string_view text;
  Enum value;
};

template <class Enum, size_t n>
void get_word(Dict& dict, const char* key, std::optional<Enum>& out, const Word<Enum> (&words)[n]) {
  std::optional<std::string> text;
  dict.get(key, text);
  if (!text) return;
  std::string all;
  for (const auto& word : words) {
    if (word.text == *text) {
      out = word.value;
      return;
    }
    all += (all.empty() ? "" : ", ") + std::string(word.text);
  }
  dict.complain("'" + *text + "' in '" + key + "' is not one of " + all);
}

// "db=10.1.2.10", a name several times for several addresses; whether the name is good, the configuration's reader
// says.
void get_hosts(Dict& dict, config::Subnet& out) {
  std::vector<std::string> words;
  dict.get("hosts", words);
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    const auto address = equals == std::string::npos ? std::nullopt : IpAddress::parse(word.substr(equals + 1));
    if (address) {
      out.hosts[word.substr(0, equals)].addresses.push_back(*address);
    } else {
      dict.complain("'" + word + "' in 'hosts' is not a name, '=' and an address");
    }
  }
}

constexpr Word<config::Tunnel> kTunnels[] = {{"split", config::Tunnel::split}, {"full", config::Tunnel::full}};
constexpr Word<config::Action> kActions[] = {
    {"allow", config::Action::allow}, {"deny", config::Action::deny}, {"reject", config::Action::reject}};

/// What every device brings that asks for a certificate.
template <class T>
void get_proven(Dict& dict, T& out) {
  dict.get("request", out.request);
  dict.get("proof", out.proof);
  dict.get("source", out.source);
}

template <class T>
Result<T> finished(Dict& dict, T value, const char* operation, const std::string& object) {
  if (auto done = dict.finish(operation, object); !done) return std::unexpected(done.error());
  return value;
}

}  // namespace

Result<config::Subnet> decode_subnet(Dict dict, const std::string& name) {
  config::Subnet out;
  get_parsed(dict, "prefixes", out.prefixes, Prefix::parse, "a prefix such as 10.1.1.0/24 (without host bits)");
  dict.get("interface", out.interface);
  dict.get("vlan", out.vlan);
  get_parsed(dict, "address", out.address, IpAddress::parse, "an address");
  get_parsed(dict, "via", out.via, IpAddress::parse, "an address");
  get_hosts(dict, out);
  dict.get("description", out.description);
  return finished(dict, std::move(out), "add subnet", name);
}

Result<config::Site> decode_site(Dict dict, const std::string& name) {
  config::Site out;
  std::string key;
  dict.get("public_key", key);
  if (const auto parsed = PublicKey::parse(key)) {
    out.public_key = *parsed;
  } else {
    dict.complain("'" + key + "' in 'public_key' is no WireGuard public key");
  }
  std::optional<std::string> endpoint;
  dict.get("endpoint", endpoint);
  if (endpoint) {
    auto parsed = config::parse_endpoint(*endpoint, std::nullopt);
    if (parsed) {
      out.endpoint = std::move(*parsed);
    } else {
      dict.complain(parsed.error().detail);
    }
  }
  get_parsed(dict, "prefixes", out.prefixes, Prefix::parse, "a prefix such as 192.168.50.0/24 (without host bits)");
  dict.get("keepalive", out.keepalive);
  dict.get("description", out.description);
  return finished(dict, std::move(out), "add site", name);
}

Result<config::Group> decode_group(Dict dict, const std::string& name) {
  config::Group out;
  dict.get("description", out.description);
  dict.get("interconnect", out.interconnect);
  get_word(dict, "tunnel", out.tunnel, kTunnels);
  return finished(dict, std::move(out), "add group", name);
}

Result<config::Rule> decode_rule(Dict dict) {
  config::Rule out;
  std::optional<config::Action> action;
  dict.get("name", out.name);
  get_word(dict, "action", action, kActions);
  get_selectors(dict, "from", out.from);
  get_selectors(dict, "to", out.to);
  dict.get("services", out.service_names);
  dict.get("log", out.log);
  if (!action) dict.complain("'action' is missing: allow, deny or reject");
  out.action = action.value_or(config::Action::deny);
  const std::string name = out.name;
  return finished(dict, std::move(out), "add rule", name);
}

Result<control::NewClient> decode_new_client(Dict dict) {
  control::NewClient out;
  dict.get("name", out.name);
  dict.get("request_pem", out.request_pem);
  dict.get("groups", out.groups);
  get_word(dict, "tunnel", out.tunnel, kTunnels);
  dict.get("description", out.description);
  dict.get("days", out.days);
  const std::string name = out.name;
  return finished(dict, std::move(out), "add client", name);
}

Result<control::ClientChange> decode_client_change(Dict dict, const std::string& name) {
  control::ClientChange out;
  dict.get("groups", out.groups);
  dict.get("add_groups", out.add_groups);
  dict.get("remove_groups", out.remove_groups);
  dict.get("tunnel", out.tunnel);
  if (out.tunnel && !out.tunnel->empty() && *out.tunnel != "split" && *out.tunnel != "full") {
    dict.complain("'" + *out.tunnel +
                  "' in 'tunnel' is not one of split, full, or empty for that of the group or the gateway");
  }
  dict.get("description", out.description);
  dict.get("disabled", out.disabled);
  return finished(dict, std::move(out), "change client", name);
}

Result<FlowQuestion> decode_flow_filter(Dict dict) {
  FlowQuestion out;
  dict.get("client", out.filter.client);
  dict.get("from", out.filter.from);
  dict.get("to", out.filter.to);
  dict.get("service", out.filter.service);
  dict.get("rule", out.filter.rule);
  dict.get("all", out.all);
  return finished(dict, std::move(out), "find", "flows");
}

Result<control::WatchFilter> decode_watch_filter(Dict dict) {
  control::WatchFilter out;
  dict.get("denied", out.denied);
  dict.get("client", out.client);
  dict.get("subnet", out.subnet);
  dict.get("rule", out.rule);
  return finished(dict, std::move(out), "watch", "the verdicts");
}

Result<control::NewBlock> decode_new_block(Dict dict) {
  control::NewBlock out;
  dict.get("prefix", out.prefix);
  dict.get("ttl_seconds", out.ttl_seconds);
  dict.get("comment", out.comment);
  dict.get("force", out.force);
  const std::string prefix = out.prefix;
  return finished(dict, std::move(out), "block", prefix);
}

Result<control::NewToken> decode_new_token(Dict dict) {
  control::NewToken out;
  dict.get("name", out.name);
  dict.get("groups", out.groups);
  get_word(dict, "tunnel", out.tunnel, kTunnels);
  dict.get("description", out.description);
  dict.get("ttl_seconds", out.ttl_seconds);
  dict.get("uses", out.uses);
  dict.get("days", out.days);
  const std::string name = out.name;
  return finished(dict, std::move(out), "token", name);
}

Result<control::Enrolment> decode_enrolment(Dict dict) {
  control::Enrolment out;
  dict.get("token", out.token);
  get_proven(dict, out);
  return finished(dict, std::move(out), "enrolment", "");
}

Result<control::NewTrust> decode_new_trust(Dict dict) {
  control::NewTrust out;
  dict.get("name", out.name);
  dict.get("authorities_pem", out.authorities_pem);
  dict.get("maps", out.maps);
  dict.get("crl", out.crl);
  dict.get("replace", out.replace);
  const std::string name = out.name;
  return finished(dict, std::move(out), "trust", name);
}

Result<control::CertificateEnrolment> decode_certificate_enrolment(Dict dict) {
  control::CertificateEnrolment out;
  dict.get("certificate_pem", out.certificate_pem);
  dict.get("chain_pem", out.chain_pem);
  get_proven(dict, out);
  return finished(dict, std::move(out), "enrolment", "");
}

Result<control::Reenrolment> decode_reenrolment(Dict dict) {
  control::Reenrolment out;
  dict.get("certificate_pem", out.certificate_pem);
  dict.get("present_proof", out.present_proof);
  get_proven(dict, out);
  return finished(dict, std::move(out), "renewal", "");
}

Result<control::RestoreOptions> decode_restore_options(Dict dict) {
  control::RestoreOptions out;
  dict.get("replace", out.replace);
  dict.get("enable_clients", out.enable_clients);
  return finished(dict, out, "restore", "");
}

Result<Place> decode_place(Dict dict) {
  Place out;
  dict.get("before", out.before);
  dict.get("after", out.after);
  if (out.before && out.after) dict.complain("give 'before' or 'after', not both");
  return finished(dict, std::move(out), "add rule", "");
}

}  // namespace gw::dbus
