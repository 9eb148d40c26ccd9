// SPDX-License-Identifier: Apache-2.0
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <tuple>

#include "ctl/connect/est.h"
#include "ctl/connect/membership.h"
#include "ctl/connect/plan.h"

/// Becoming a member. The keys are on disk before the gateway hears of them, and stay there until it has refused them
/// or the certificate is there: a link that is good for one use is used up by the first answer, which may be lost.
namespace gw::connect {
namespace {

/// What a join asks with.
struct Keys {
  pki::PrivateKey identity;
  pki::WireGuardKeys wireguard;
  std::string file;  ///< Network::identity
};

std::optional<Keys> kept_keys(const Store& store, const std::string& id, const std::string& link) {
  const auto attempt = store.read_attempt(id);
  if (!attempt || attempt->link != link) return std::nullopt;
  const auto secret = store.read_key(id, attempt->key);
  auto identity = store.read_identity(id, attempt->identity);
  if (!secret || !identity) return std::nullopt;
  return Keys{std::move(*identity), {*secret, attempt->key}, attempt->identity};
}

/// Those of an attempt before by this link, which the gateway may know, or new ones.
Result<Keys> keys_for(const Store& store, const std::string& id, const std::string& link) {
  if (auto kept = kept_keys(store, id, link)) return std::move(*kept);
  auto identity = pki::PrivateKey::generate();
  if (!identity) return std::unexpected(identity.error());
  auto wireguard = pki::generate_wireguard_keys();
  if (!wireguard) return std::unexpected(wireguard.error());
  if (auto written = store.write_key(id, *wireguard); !written) return std::unexpected(written.error());
  auto file = store.write_identity(id, *identity);
  if (!file) return std::unexpected(file.error());
  const Attempt attempt{.link = link, .key = wireguard->public_key, .identity = *file};
  if (auto written = store.write_attempt(id, attempt); !written) return std::unexpected(written.error());
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

/// Whether a join like this one has made the network: it was cut off late, and there is nothing more to ask for.
bool is_made_by(const Store& store, const Network& network, const JoinLink& link, const JoinOptions& options) {
  const auto proxy = store.read_proxy(network.id);
  return network.link == link.digest() && network.fail_closed == options.fail_closed &&
         network.rotate_days == options.rotate_days &&
         (options.interface.empty() || options.interface == network.interface) && proxy && *proxy == options.proxy;
}

/// Whether this machine is a member by this join already.
Result<bool> is_member(const Store& store, const JoinLink& link, const JoinOptions& options) {
  const std::string id = network_id(link.server);
  const auto all = store.load();
  if (!all) return std::unexpected(all.error());
  const auto known = store.load(id);
  if (known && is_made_by(store, *known, link, options)) return true;
  if (known || known.error().code == EUCLEAN)
    return failure(EEXIST, "join", id, "this machine has joined it already; 'gwconnect leave " + id + "' comes first");
  if (!options.interface.empty() && is_taken(options.interface, all->networks))
    return failure(EEXIST, "join", id, "there is a device " + options.interface + " already");
  return false;
}

/// What may be over in a moment: the gateway's server is started anew, or too many ask.
bool is_passing(int code) {
  return code == EAGAIN || code == ECONNRESET || code == ECONNREFUSED || code == ETIMEDOUT || code == EPROTO;
}

/// The gateway's last word on these keys.
bool is_refusal(int code) { return code == EACCES || code == EINVAL; }

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
    if (!again && !is_passing(again.error().code)) break;
    if (!again) continue;
    gateway = std::move(*again);
    pem = ask();
  }
  return pem;
}

Network network_of(const JoinLink& link, const JoinOptions& options, const Keys& keys, const Https& gateway,
                   const std::vector<Network>& others) {
  Network out;
  out.id = network_id(link.server);
  out.server = link.server;
  out.fingerprint = link.fingerprint;
  out.link = link.digest();
  out.interface = options.interface.empty() ? free_interface(others) : options.interface;
  out.slot = free_slot(others);
  out.fail_closed = options.fail_closed;
  out.rotate_days = options.rotate_days;
  out.roots_pem = gateway.authorities().roots_pem;
  out.issuing_pem = gateway.authorities().issuing_pem;
  out.identity = keys.file;
  out.key = keys.wireguard.public_key;
  if (gateway.through() || !options.proxy) out.hop = gateway.hop();
  if (options.proxy) out.proxy = options.proxy->server.str();
  return out;
}

Result<void> enrol_and_store(const Store& store, const JoinLink& link, const JoinOptions& options,
                             const HttpsOptions& https, UnixSeconds now) {
  auto gateway = Https::connect(https);
  if (!gateway) return std::unexpected(gateway.error());
  const std::string id = network_id(link.server);
  const auto keys = keys_for(store, id, link.digest());
  if (!keys) return std::unexpected(keys.error());
  const auto pem = enrol_surely(https, *gateway, link, options, *keys);
  if (!pem) {
    if (is_refusal(pem.error().code)) std::ignore = store.remove(id);
    return std::unexpected(pem.error());
  }
  if (auto own = verify_own(*pem, gateway->authorities(), keys->identity, keys->wireguard.public_key, now); !own)
    return std::unexpected(own.error());
  const auto lock = store.lock_all();  // two that join at once get different slots
  if (!lock) return std::unexpected(lock.error());
  const auto all = store.load();
  if (!all) return std::unexpected(all.error());
  Network network = network_of(link, options, *keys, *gateway, all->networks);
  network.certificate_pem = *pem;
  network.key_since = now;
  if (options.proxy) {
    if (auto kept = store.write_proxy(id, *options.proxy); !kept) return kept;
  }
  return store.save(network);
}

Result<void> become_member(const Store& store, const JoinLink& link, const JoinOptions& options, UnixSeconds now) {
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

/// After a failure: an attempt whose keys the gateway may know is kept, and said to be.
Error settle(const Store& store, const std::string& id, Error error) {
  const auto network = store.load(id);
  if (network || network.error().code != ENOENT) return error;
  if (!store.read_attempt(id))
    std::ignore = store.remove(id);
  else
    error.detail += "; its keys are kept: the same join goes on with them, 'gwconnect leave " + id + "' forgets them";
  return error;
}

}  // namespace

Result<Network> join(const Store& store, const JoinLink& link, const JoinOptions& options, UnixSeconds now) {
  const std::string id = network_id(link.server);
  if (auto made = store.prepare(); !made) return std::unexpected(made.error());
  {
    const auto lock = store.reserve(id);
    if (!lock) return std::unexpected(lock.error());
    const auto member = is_member(store, link, options);
    if (!member) return std::unexpected(settle(store, id, member.error()));
    const auto done = *member ? Result<void>() : become_member(store, link, options, now);
    if (!done) return std::unexpected(settle(store, id, done.error()));
  }
  // From here on there is a network: what fails is stored with it, and tried again by the service.
  std::ignore = refresh(store, id, now);
  return store.load(id);
}

}  // namespace gw::connect
