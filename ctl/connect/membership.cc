// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/membership.h"

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>
#include <tuple>

#include "ctl/connect/est.h"
#include "ctl/connect/plan.h"

namespace gw::connect {
namespace {

constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kGrace = 30 * kDay;

/// What a join makes before the gateway is asked.
struct Keys {
  pki::PrivateKey identity;
  pki::WireGuardKeys wireguard;
  std::string file;  ///< Network::identity
};

Result<Keys> make_keys(const Store& store, const std::string& id) {
  auto identity = pki::PrivateKey::generate();
  if (!identity) return std::unexpected(identity.error());
  auto wireguard = pki::generate_wireguard_keys();
  if (!wireguard) return std::unexpected(wireguard.error());
  if (auto written = store.write_key(id, *wireguard); !written) return std::unexpected(written.error());
  auto file = store.write_identity(id, *identity);
  if (!file) return std::unexpected(file.error());
  return Keys{std::move(*identity), std::move(*wireguard), std::move(*file)};
}

bool is_taken(const std::string& interface, const std::vector<Network>& networks) {
  return if_nametoindex(interface.c_str()) != 0 ||
         std::ranges::any_of(networks, [&](const Network& network) { return network.interface == interface; });
}

std::string free_interface(const std::vector<Network>& networks) {
  for (uint32_t number = 0;; ++number) {
    std::string name = "gw" + std::to_string(number);
    if (!is_taken(name, networks)) return name;
  }
}

Result<void> check_new(const Store& store, const std::string& id, const JoinOptions& options) {
  const auto all = store.load();
  if (!all) return std::unexpected(all.error());
  const auto known = store.load(id);
  if (known || known.error().code == EUCLEAN)
    return failure(EEXIST, "join", id, "this machine has joined it already; 'gwconnect leave " + id + "' comes first");
  if (!options.interface.empty() && is_taken(options.interface, all->networks))
    return failure(EEXIST, "join", id, "there is a device " + options.interface + " already");
  return {};
}

/// The one that was given, or else the environment's.
Result<std::optional<Proxy>> proxy_for(const Store& store, const Network& network) {
  auto given = store.read_proxy(network.id);
  return given && !*given ? proxy_of_environment(network.server) : given;
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
      .known = network.hop};
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

/// Works on a network under its lock; a failure is stored as its trouble, success ends that.
Result<void> work_on(const Store& store, const std::string& id, const std::function<Result<void>(Network&)>& work) {
  const auto lock = store.lock(id);
  if (!lock) return std::unexpected(lock.error());
  auto network = store.load(id);
  if (!network) return std::unexpected(network.error());
  const Network before = *network;
  auto done = work(*network);
  network->trouble = done ? "" : done.error().message();
  if (*network != before) {
    if (auto saved = store.save(*network); !saved) return saved;
  }
  return done;
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
  const auto identity = store.read_identity(network);
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

/// What may be over in a moment: the gateway's server is started anew, or too many ask.
bool is_passing(int code) {
  return code == EAGAIN || code == ECONNRESET || code == ECONNREFUSED || code == ETIMEDOUT || code == EPROTO;
}

/// Enrols, and asks again with the same keys when the answer does not come: the token may be spent by then, and the
/// gateway gives to the same keys what it gave them before. The first failure counts.
Result<std::string> enrol_surely(const HttpsOptions& https, Https& gateway, const JoinLink& link,
                                 const JoinOptions& options, const Keys& keys) {
  const auto ask = [&] {
    return options.introduction != nullptr
               ? enrol_by_certificate(gateway, options.name, keys.identity, keys.wireguard)
               : enrol(gateway, link.token.text, options.name, keys.identity, keys.wireguard);
  };
  auto pem = ask();
  std::chrono::milliseconds pause{250};
  for (int left = 4; !pem && is_passing(pem.error().code) && left > 0; --left, pause *= 2) {
    std::this_thread::sleep_for(pause);
    auto again = Https::connect(https);
    if (!again && !is_passing(again.error().code)) return std::unexpected(again.error());
    if (!again) continue;
    gateway = std::move(*again);
    pem = ask();
  }
  return pem;
}

Result<Network> enrol_and_store(const Store& store, const JoinLink& link, const JoinOptions& options,
                                const HttpsOptions& https, UnixSeconds now) {
  auto gateway = Https::connect(https);
  if (!gateway) return std::unexpected(gateway.error());
  const std::string id = network_id(link.server);
  auto keys = make_keys(store, id);
  if (!keys) return std::unexpected(keys.error());
  const auto pem = enrol_surely(https, *gateway, link, options, *keys);
  if (!pem) return std::unexpected(pem.error());
  const Authorities& authorities = gateway->authorities();
  if (auto own = verify_own(*pem, authorities, keys->identity, keys->wireguard.public_key, now); !own)
    return std::unexpected(own.error());
  const auto lock = store.lock_all();  // two that join at once get different slots
  if (!lock) return std::unexpected(lock.error());
  const auto all = store.load();
  if (!all) return std::unexpected(all.error());
  Network network;
  network.id = id;
  network.server = link.server;
  network.fingerprint = link.fingerprint;
  network.interface = options.interface.empty() ? free_interface(all->networks) : options.interface;
  network.slot = free_slot(all->networks);
  network.fail_closed = options.fail_closed;
  network.rotate_days = options.rotate_days;
  network.roots_pem = authorities.roots_pem;
  network.issuing_pem = authorities.issuing_pem;
  network.certificate_pem = *pem;
  network.identity = keys->file;
  network.key = keys->wireguard.public_key;
  network.key_since = now;
  if (gateway->through() || !options.proxy) network.hop = gateway->hop();
  if (options.proxy) {
    network.proxy = options.proxy->server.str();
    if (auto kept = store.write_proxy(id, *options.proxy); !kept) return std::unexpected(kept.error());
  }
  if (auto saved = store.save(network); !saved) return std::unexpected(saved.error());
  return network;
}

}  // namespace

namespace {

/// All of a join that may leave nothing behind when it fails.
Result<Network> join_locked(const Store& store, const JoinLink& link, const JoinOptions& options, UnixSeconds now) {
  HttpsOptions https{.server = link.server,
                     .trust = {.host = link.server.host, .fingerprint = link.fingerprint, .roots_pem = {}, .now = now}};
  if (options.introduction != nullptr) {
    https.certificate_pem = options.introduction->certificate_pem;
    https.issuing_pem = options.introduction->chain_pem;
    https.foreign_key = options.introduction->key.get();
  }
  https.proxy = options.proxy;
  return enrol_and_store(store, link, options, https, now);
}

}  // namespace

Result<Network> join(const Store& store, const JoinLink& link, const JoinOptions& options, UnixSeconds now) {
  const std::string id = network_id(link.server);
  if (auto made = store.prepare(); !made) return std::unexpected(made.error());
  {
    const auto lock = store.reserve(id);
    if (!lock) return std::unexpected(lock.error());
    if (auto fresh = check_new(store, id, options); !fresh) return std::unexpected(fresh.error());
    auto network = join_locked(store, link, options, now);
    if (!network) {
      std::ignore = store.remove(id);
      return network;
    }
  }
  // From here on there is a network: what fails is stored with it, and tried again by the service.
  std::ignore = refresh(store, id, now);
  return store.load(id);
}

Result<void> renew(const Store& store, const std::string& id, Renewal renewal, UnixSeconds now) {
  return work_on(store, id, [&](Network& network) -> Result<void> {
    if (renewal == Renewal::when_due && !is_due(network, now)) return {};
    return renew_locked(store, network, renewal == Renewal::with_new_key, now);
  });
}

Result<void> refresh(const Store& store, const std::string& id, UnixSeconds now) {
  return work_on(store, id, [&](Network& network) -> Result<void> {
    const auto identity = store.read_identity(network);
    if (!identity) return std::unexpected(identity.error());
    return learn(store, network, *identity, now);
  });
}

Result<void> find_endpoint(const Store& store, const std::string& id) {
  const auto lock = store.lock(id);
  if (!lock) return std::unexpected(lock.error());
  auto network = store.load(id);
  if (!network) return std::unexpected(network.error());
  if (!network->profile) return {};
  const auto before = network->endpoint;
  note_endpoint(*network);
  return network->endpoint == before ? Result<void>() : store.save(*network);
}

Result<std::shared_ptr<DatagramStream>> open_stream(const Store& store, const Network& network, UnixSeconds now) {
  constexpr const char* kOpen = "open the way through TLS";
  const auto target = network.profile ? relay::parse_target(network.profile->endpoint.str()) : std::nullopt;
  if (!target) return failure(EINVAL, kOpen, network.id, "the gateway has told no profile yet");
  const auto identity = store.read_identity(network);
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
