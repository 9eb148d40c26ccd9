// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/membership.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "ctl/connect/est.h"
#include "ctl/connect/plan.h"

namespace gw::connect {
namespace {

constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kGrace = 30 * kDay;

/// The one that was given, or else the environment's.
Result<std::optional<Proxy>> proxy_for(const Store& store, const Network& network) {
  if (!network.proxy.empty()) {
    auto given = store.read_proxy(network.id);
    if (!given || *given) return given;
  }
  return proxy_of_environment(network.server);
}

/// Its host and port; one that cannot be read is told of when it is wanted.
std::string proxy_in_environment(const Network& network) {
  const auto proxy = proxy_of_environment(network.server);
  return proxy && *proxy ? (*proxy)->server.str() : "";
}

Result<HttpsOptions> member_options(const Store& store, const Network& network, const pki::PrivateKey& identity,
                                    UnixSeconds now) {
  auto proxy = proxy_for(store, network);
  if (!proxy) return std::unexpected(proxy.error());
  return HttpsOptions{
      .server = network.server,
      .trust = {.host = network.server.host, .fingerprint = {}, .roots_pem = network.roots_pem, .now = now},
      .certificate_pem = network.certificate_pem,
      .issuing_pem = network.issuing_pem,
      .identity = &identity,
      .mark = mark_of(network),
      .proxy = std::move(*proxy),
      .known = network.hop,
      .proxy_command = "gwconnect set " + network.id + " --proxy"};
}

Result<Https> connect_as_member(const Store& store, Network& network, const pki::PrivateKey& identity,
                                UnixSeconds now) {
  const auto options = member_options(store, network, identity, now);
  if (!options) return std::unexpected(options.error());
  auto gateway = Https::connect(*options);
  if (gateway && (!options->proxy || gateway->through())) network.hop = gateway->hop();
  return gateway;
}

/// The first address that this machine prefers (RFC 6724); nothing for a name that is not found.
std::optional<IpAddress> look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &raw) != 0) return std::nullopt;
  std::optional<IpAddress> out;
  for (const addrinfo* entry = raw; entry != nullptr && !out; entry = entry->ai_next) {
    IpAddress address;
    if (entry->ai_family == AF_INET) {
      std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(entry->ai_addr)->sin_addr, 4);
    } else if (entry->ai_family == AF_INET6) {
      address.family = Family::v6;
      std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(entry->ai_addr)->sin6_addr, 16);
    } else {
      continue;
    }
    out = address;
  }
  freeaddrinfo(raw);
  return out;
}

void note_endpoint(Network& network) {
  const std::string& host = network.profile->endpoint.host;
  if (const auto address = IpAddress::parse(host) ? std::nullopt : look_up(host)) network.endpoint = address;
}

/// The profile, and whom to trust from now on, into `network`.
Result<void> learn(const Store& store, Network& network, const pki::PrivateKey& identity, UnixSeconds now) {
  auto gateway = connect_as_member(store, network, identity, now);
  if (!gateway) return std::unexpected(gateway.error());
  auto profile = fetch_profile(*gateway);
  if (!profile) return std::unexpected(profile.error());
  network.profile = std::move(*profile);
  network.profile_since = now;
  note_endpoint(network);
  return {};
}

/// Changes a network under its lock.
Result<void> change(const Store& store, const std::string& id, const std::function<void(Network&)>& work) {
  const auto lock = store.lock(id);
  if (!lock) return std::unexpected(lock.error());
  auto network = store.load(id);
  if (!network) return std::unexpected(network.error());
  const Network before = *network;
  work(*network);
  return *network == before ? Result<void>() : store.save(*network);
}

/// Works on a network under its lock; a failure is stored as its trouble, success ends that.
Result<void> work_on(const Store& store, const std::string& id, const std::function<Result<void>(Network&)>& work) {
  Result<void> done;
  auto saved = change(store, id, [&](Network& network) {
    done = work(network);
    network.trouble = done ? "" : done.error().message();
  });
  return saved ? done : saved;
}

/// The key to ask a certificate for: a new one is stored as the next before the gateway hears of it.
Result<pki::WireGuardKeys> key_to_enrol(const Store& store, Network& network, bool rotate, UnixSeconds now) {
  const bool old = network.rotate_days != 0 && now - network.key_since >= network.rotate_days * kDay;
  if (!network.next_key && (rotate || old)) {
    const auto fresh = pki::generate_wireguard_keys();
    if (!fresh) return std::unexpected(fresh.error());
    if (auto written = store.write_key(network.id, *fresh); !written) return std::unexpected(written.error());
    network.next_key = fresh->public_key;
    if (auto saved = store.save(network); !saved) return std::unexpected(saved.error());
  }
  const PublicKey key = network.next_key.value_or(network.key);
  const auto secret = store.read_key(network.id, key);
  if (!secret) return std::unexpected(secret.error());
  return pki::WireGuardKeys{*secret, key};
}

Result<void> renew_locked(const Store& store, Network& network, bool rotate, UnixSeconds now) {
  const auto identity = store.read_identity(network.id, network.identity);
  if (!identity) return std::unexpected(identity.error());
  const auto present = store.read_key(network.id, network.key);
  if (!present) return std::unexpected(present.error());
  const auto certificate = pki::parse_certificate(network.certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  const auto keys = key_to_enrol(store, network, rotate, now);
  if (!keys) return std::unexpected(keys.error());
  auto gateway = connect_as_member(store, network, *identity, now);
  if (!gateway) return std::unexpected(gateway.error());
  // Before the certificate, which may be of an authority that is new.
  const auto authorities = fetch_authorities(*gateway);
  if (!authorities) return std::unexpected(authorities.error());
  const auto pem = reenrol(*gateway, certificate->name, *identity, *keys, *present);
  if (!pem) return std::unexpected(pem.error());
  if (auto own = verify_own(*pem, *authorities, *identity, keys->public_key, now); !own)
    return std::unexpected(own.error());
  network.roots_pem = authorities->roots_pem;
  network.issuing_pem = authorities->issuing_pem;
  network.certificate_pem = *pem;
  if (network.key != keys->public_key) network.key_since = now;
  network.key = keys->public_key;
  network.next_key.reset();
  return {};
}

}  // namespace

Result<void> renew(const Store& store, const std::string& id, Renewal renewal, UnixSeconds now) {
  return work_on(store, id, [&](Network& network) -> Result<void> {
    if (renewal == Renewal::when_due && !is_due(network, now)) return {};
    return renew_locked(store, network, renewal == Renewal::with_new_key, now);
  });
}

Result<void> refresh(const Store& store, const std::string& id, UnixSeconds now) {
  return work_on(store, id, [&](Network& network) -> Result<void> {
    const auto identity = store.read_identity(network.id, network.identity);
    if (!identity) return std::unexpected(identity.error());
    return learn(store, network, *identity, now);
  });
}

Result<void> find_endpoint(const Store& store, const std::string& id) {
  return change(store, id, [](Network& network) {
    if (network.profile) note_endpoint(network);
  });
}

Result<void> set_proxy(const Store& store, const std::string& id, const std::optional<Proxy>& proxy) {
  Result<void> written;
  auto saved = change(store, id, [&](Network& network) {
    if (proxy) written = store.write_proxy(id, *proxy);
    if (!written) return;
    network.proxy = proxy ? proxy->server.str() : "";
    ++network.proxy_changes;
    network.hop.reset();
  });
  return written ? saved : written;
}

bool is_environment_new(const Network& network) { return network.service_proxy != proxy_in_environment(network); }

Result<void> note_environment(const Store& store, const std::string& id) {
  return change(store, id, [](Network& network) { network.service_proxy = proxy_in_environment(network); });
}

Result<std::shared_ptr<DatagramStream>> open_stream(const Store& store, const Network& network, UnixSeconds now) {
  constexpr const char* kOpen = "open the way through TLS";
  const auto target = network.profile ? relay::parse_target(network.profile->endpoint.str()) : std::nullopt;
  if (!target) return failure(EINVAL, kOpen, network.id, "the gateway has told no profile yet");
  const auto identity = store.read_identity(network.id, network.identity);
  if (!identity) return std::unexpected(identity.error());
  const auto options = member_options(store, network, *identity, now);
  if (!options) return std::unexpected(options.error());
  return DatagramStream::open(*options, *target);
}

UnixSeconds renewal_due(const std::string& certificate_pem) {
  const auto certificate = pki::parse_certificate(certificate_pem);
  if (!certificate) return 0;
  const UnixSeconds life = certificate->not_after - certificate->not_before;
  const auto spread = static_cast<UnixSeconds>(std::hash<std::string>{}(certificate->serial) % 1000);
  return certificate->not_before + life * 2 / 3 + life / 24 * spread / 1000;
}

bool is_due(const Network& network, UnixSeconds now) {
  return network.next_key || now >= renewal_due(network.certificate_pem);
}

bool is_renewable(const std::string& certificate_pem, UnixSeconds now) {
  const auto certificate = pki::parse_certificate(certificate_pem);
  return certificate && now <= certificate->not_after + kGrace;
}

}  // namespace gw::connect
