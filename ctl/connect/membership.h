// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/connect/introduction.h"
#include "ctl/connect/join_link.h"
#include "ctl/connect/store.h"
#include "ctl/connect/stream.h"

/// Becoming a member of a network and staying one: what is said to the gateway, and what is stored of it. Each blocks
/// for as long as the gateway takes to answer (a minute and a half at most), holds the network's lock meanwhile, and
/// does not touch the kernel. Any thread; one at a time for a network.
namespace gw::connect {

struct JoinOptions {
  std::string name;       ///< wanted; the gateway may prescribe another
  std::string interface;  ///< empty: the first free of gw0, gw1, …
  bool fail_closed = false;
  uint32_t rotate_days = 30;
  /// To join with in place of a token; it has to live as long as the call.
  const Introduction* introduction = nullptr;
  std::optional<Proxy> proxy = {};  ///< of this network, from now on
};

/// Verifies the gateway, enrols, and stores the network; what is missing then comes later, and Network::trouble says
/// what went wrong. A failure before the gateway was asked, and a refusal, leave nothing. Where the answer was lost, or
/// the process ended, the keys stay, and the next join by the same link goes on with them, also where only the profile
/// is missing. EEXIST: joined already, otherwise. Errors of Https::connect and enrol.
Result<Network> join(const Store& store, const JoinLink& link, const JoinOptions& options, UnixSeconds now);

enum class Renewal : uint8_t {
  when_due,  ///< and else nothing: somebody else may have been quicker
  at_once,
  with_new_key,
};

/// A new certificate, and with `with_new_key`, or when the key is old enough, or a rotation was cut off, a new
/// WireGuard key. Until the gateway has answered both keys are kept. What fails is stored as the network's trouble.
Result<void> renew(const Store& store, const std::string& id, Renewal renewal, UnixSeconds now);

/// Fetches the profile and the authorities anew, and looks the endpoint up. What fails is stored as trouble.
Result<void> refresh(const Store& store, const std::string& id, UnixSeconds now);

/// Looks the name of the endpoint up and stores what was found; a name that is not found is no news.
Result<void> find_endpoint(const Store& store, const std::string& id);

/// Keeps another proxy for a network, with its password, or none. The service takes it over by itself.
Result<void> set_proxy(const Store& store, const std::string& id, const std::optional<Proxy>& proxy);

/// Whether the environment of this process names another proxy than is stored as Network::service_proxy, and storing
/// that: for the service, whose environment counts where no proxy was given. Every process that plans has to know that
/// there is one.
bool is_environment_new(const Network& network);
Result<void> note_environment(const Store& store, const std::string& id);

/// Opens the way through TLS for a member's WireGuard. Errors of DatagramStream::open.
Result<std::shared_ptr<DatagramStream>> open_stream(const Store& store, const Network& network, UnixSeconds now);

/// When the certificate is to be renewed: at two thirds of its life, plus up to a twenty-fourth of it, by the
/// certificate, so that not all come at once. 0 for a damaged one.
UnixSeconds renewal_due(const std::string& certificate_pem);

/// Whether that time has come, or a key is waiting that the gateway may have taken already.
bool is_due(const Network& network, UnixSeconds now);

/// False when the certificate ended so long ago (30 days) that the gateway does not renew it any more.
bool is_renewable(const std::string& certificate_pem, UnixSeconds now);

}  // namespace gw::connect
