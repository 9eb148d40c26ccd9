// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/fd.h"
#include "gatewayd/base/result.h"
#include "gatewayd/config/edit.h"
#include "gatewayd/config/load.h"
#include "gatewayd/control/sight.h"
#include "gatewayd/pki/authority.h"
#include "gatewayd/pki/proof.h"
#include "gatewayd/registry/registry.h"

/// The use cases of the appliance, one method each: what the bus offers, without the bus. (docs/adr/0001)
/// It validates, writes the registry or the files, then tells the reconciler. One thread.
namespace gw::control {

/// Who asks, for the audit trail: "uid 0", "user alice".
using Who = std::string;

struct InterfaceStatus {
  std::string name;
  std::string role;   ///< "public", "vpn", "subnet web", …
  std::string state;  ///< "up", "down", "no carrier", "missing"
  std::vector<std::string> addresses;
  std::vector<std::string> programs;  ///< "policy ingress", "policy egress", "fast path"
};

struct Status {
  std::string gateway;
  std::string version;
  std::string wireguard;  ///< nl::WireGuard::implementation()
  std::string public_key;
  std::string endpoint;
  uint16_t listen_port = 0;
  std::vector<InterfaceStatus> interfaces;
  uint32_t peers_online = 0;  ///< handshake within 180 s
  uint32_t peers = 0;
  uint32_t clients = 0;
  uint64_t applied_sequence = 0;
  UnixSeconds applied_at = 0;
  bool confirmed = true;
  UnixSeconds confirm_deadline = 0;  ///< 0: none runs
  bool files_differ = false;
  std::vector<std::string> drift;  ///< differences that are there now and could not be mended, a sentence each
  uint64_t repairs = 0;            ///< since start
  std::string last_error;
  /// Why the gateway does not do its work, a line each: empty is healthy. A gateway that was never given a
  /// configuration is: it has nothing to do. Drift on a link that is unplugged is no ill health.
  std::vector<std::string> ill;
  uint64_t policy_generation = 0;
  uint32_t rules = 0;
  std::string fast_path;  ///< "eth1, eth2", and why not everywhere: "off (eth1: no XDP in its driver)"
  std::vector<registry::PoolUse> pools;
  std::map<std::string, uint64_t> drops;  ///< reason text -> packets
  std::vector<std::string> warnings;
};

/// The few facts that are cheap to ask for at any time.
struct Summary {
  std::string gateway;
  std::string version;
  uint64_t applied_sequence = 0;
  uint64_t policy_generation = 0;
  bool files_differ = false;
};

struct PlanResult {
  std::vector<std::string> operations;  ///< a line each, in order: "+ address 172.16.201.1/24 on wg0"
  std::vector<config::Diagnostic> diagnostics;
  bool files_differ = false;
};

struct ApplyResult {
  uint64_t sequence = 0;
  std::vector<std::string> operations;
  UnixSeconds confirm_deadline = 0;
};

/// What a profile is made from.
struct ProfileFacts {
  std::string client;
  std::vector<std::string> addresses;    ///< with prefix length: "172.16.201.4/32"
  std::vector<std::string> allowed_ips;  ///< by tunnel
  std::vector<std::string> dns;
  std::string dns_domain;
  uint32_t mtu = 0;
  std::string gateway_name;
  std::string gateway_public_key;
  std::string endpoint;
  std::string certificate_pem;
  std::string chain_pem;
  UnixSeconds not_after = 0;
  bool full_tunnel = false;
};

struct ClientStatus {
  registry::Client client;
  std::string dns_name;  ///< "alice.vpn.internal"; empty where no names are served, or not this one
  bool online = false;
  UnixSeconds last_handshake = 0;
  std::string endpoint;
  uint64_t rx_bytes = 0, tx_bytes = 0;          ///< WireGuard's own
  uint64_t packets = 0, bytes = 0, denied = 0;  ///< the policy program's
  uint64_t flows = 0;                           ///< opened by or towards it
  uint64_t idle_seconds = UINT64_MAX;           ///< since a packet of it passed; UINT64_MAX: never
  std::vector<std::string>
      missing_groups;  ///< it is in these, and the configuration has no such group: they grant nothing
};

struct SiteStatus {
  std::string name;
  config::Site site;
  bool online = false;
  UnixSeconds last_handshake = 0;
  std::string endpoint;  ///< where it is now; empty: not known
  uint64_t rx_bytes = 0, tx_bytes = 0;
};

struct RuleStatus {
  config::Rule rule;
  uint64_t hits = 0;  ///< flows
  uint64_t packets = 0, bytes = 0;
  uint64_t idle_seconds = UINT64_MAX;  ///< UINT64_MAX: never
};

struct NewClient {
  std::string name;
  std::string request_pem;  ///< PKCS#10 with the WireGuard key
  std::vector<std::string> groups;
  std::optional<config::Tunnel> tunnel;
  std::string description;
  uint32_t days = 365;
};

/// Absent members stay as they are.
struct ClientChange {
  std::optional<std::vector<std::string>> groups;
  std::vector<std::string> add_groups, remove_groups;
  std::optional<std::string> tunnel;  ///< "split", "full", "" for the group's or the gateway's
  std::optional<std::string> description;
  std::optional<bool> disabled;
};

struct NewToken {
  std::string name = {};  ///< of the client it makes; empty: the device chooses
  std::vector<std::string> groups = {};
  std::optional<config::Tunnel> tunnel = {};
  std::string description = {};
  uint32_t ttl_seconds = 900;
  uint32_t uses = 1;
  uint32_t days = 30;  ///< of the certificate: a connector renews it by itself
};

/// What an invitation is handed out as. `link` and `token` are secrets until they are used.
struct TokenHandout {
  int64_t id = 0;
  std::string token;  ///< 26 characters
  std::string link;   ///< "https://vpn.contoso.example/join#token=…&ca=…"
  std::string pin;    ///< of the enrolment server's key, as curl's --pinnedpubkey takes it; empty: not known yet
  UnixSeconds expires = 0;
};

/// What the enrolment server hands on of a device that wants in. All of it is from outside.
struct Enrolment {
  std::string token;
  std::string request;  ///< PKCS#10, DER, base64
  std::string proof;    ///< "NONCE MAC", base64 (pki/proof.h)
  std::string source;   ///< where it comes from, for the audit trail
};

/// The same of one that has a certificate.
struct Reenrolment {
  std::string certificate_pem;  ///< of whose key the server has seen a proof (TLS)
  std::string request, proof;
  std::string present_proof;  ///< by the present WireGuard key; needed when the request has another
  std::string source;
};

/// What the enrolment server shows everybody.
struct EnrolmentFacts {
  std::vector<std::string> names;  ///< that its certificate has to have, the link's first
  uint16_t port = 443;
  std::string endpoint;  ///< where clients reach WireGuard
  uint16_t wireguard_port = 0;
  std::string chain_pem;        ///< that its own certificate is followed by
  std::string authorities_pem;  ///< all that certificates may come from: the chain, then earlier ones
  pki::Challenge challenge;
  uint32_t challenge_seconds = 0;  ///< it is good for
};

/// An organisation's own authority, to be trusted for enrolment.
struct NewTrust {
  std::string name = {};               ///< empty: made from what its root is called
  std::string authorities_pem = {};    ///< its root or roots, and what stands below them where devices do not send it
  std::vector<std::string> maps = {};  ///< "PATTERN=GROUP,GROUP" each (control/trust_map.h), at least one
  std::string crl = {};                ///< revocation lists, PEM; empty: none
  bool replace = false;                ///< authorities and maps of the one that has this name
};

struct TrustStatus {
  registry::Trust trust;
  std::vector<pki::Certificate> roots;
  std::vector<std::string> clients;  ///< names of those that came by it
  UnixSeconds not_after = 0;         ///< the last end of a root
  UnixSeconds crl_next_update = 0;   ///< the first end of a revocation list; 0: there is none, or it does not tell
  std::string link;                  ///< "https://vpn.contoso.example/join#ca=…"; empty: no device can enrol now
};

/// What the enrolment server hands on of a device that has an organisation's certificate. All of it is from outside.
struct CertificateEnrolment {
  std::string certificate_pem;  ///< of whose key the server has seen a proof (TLS)
  std::string chain_pem;        ///< what the device sent with it
  std::string request, proof;   ///< as Enrolment
  std::string source;
};

/// One certificate of the gateway's authority.
struct AuthorityPart {
  std::string role;  ///< "root", "issuing", "cross", "earlier root", "earlier issuing"
  pki::Certificate certificate;
  /// Whose newest certificate it has issued; only of issuing ones, and only once there are several.
  uint64_t clients = 0;
};

struct AuthorityStatus {
  std::vector<AuthorityPart> parts;
  bool has_root_key = false;  ///< on this machine
  std::string request;        ///< PKCS#10 that waits for its certificate; empty: none
};

struct NewBlock {
  std::string prefix;
  uint32_t ttl_seconds = 0;  ///< 0: no end
  std::string comment;
  bool force = false;  ///< although clients that are online come from there
};

struct Explanation {
  std::string action;                        ///< "allow", "deny", "reject"
  std::string rule;                          ///< "no-data"; empty: default
  std::string written_at;                    ///< file:line:column
  std::string reason;                        ///< in words
  std::string source, destination, service;  ///< as understood
  bool nat = false;
  bool kernel_agrees = true;  ///< the loaded program said the same
};

/// A backup that is ready to be read, piece by piece.
struct BackupStart {
  uint64_t id = 0;
  uint64_t size = 0;  ///< bytes of the tar archive
};

struct RestoreOptions {
  bool replace = false;         ///< although the gateway has clients
  bool enable_clients = false;  ///< although nobody knows who was revoked since
};

struct RestoreResult {
  UnixSeconds created = 0;  ///< when the backup was made
  std::string gateway;      ///< the name of the gateway that it is of
  std::string version;      ///< gatewayd's that made it
  uint32_t clients = 0;
  std::vector<std::string> disabled;  ///< clients that were enabled in the backup and are not now
  std::vector<std::string> notes;     ///< what to know, a sentence each
};

struct FlowsEnded {
  uint32_t ended = 0;
  uint64_t next = 0;  ///< where to go on; 0: that was all
};

class Controller {
 public:
  virtual ~Controller() = default;

  virtual Result<Status> status() = 0;
  virtual Result<Summary> summary() = 0;
  virtual Result<PlanResult> plan() = 0;
  /// confirm_seconds 0: confirmed at once. EINVAL: the files do not load (detail: all diagnostics); EBUSY: an
  /// unconfirmed apply runs.
  virtual Result<ApplyResult> apply(uint32_t confirm_seconds, const Who& who) = 0;
  virtual Result<void> confirm(const Who& who) = 0;
  virtual Result<ApplyResult> rollback(
      const Who& who) = 0;  ///< to the confirmed intent before the applied one; ENOENT when there is none

  virtual config::Config config() = 0;  ///< of the *files* when they load, else of the applied intent
  /// Edits of the drop-in. They do not apply.
  virtual Result<void> add_subnet(const std::string& name, const config::Subnet&, const Who& who) = 0;
  virtual Result<void> add_group(const std::string& name, const config::Group&, const Who& who) = 0;
  virtual Result<void> add_rule(const config::Rule&, const std::optional<std::string>& before,
                                const std::optional<std::string>& after, const Who& who) = 0;
  virtual Result<void> add_site(const std::string& name, const config::Site&, const Who& who) = 0;
  virtual Result<void> remove_site(const std::string& name, const Who& who) = 0;
  virtual Result<std::vector<SiteStatus>> sites() = 0;
  virtual Result<void> remove_subnet(const std::string& name, const Who& who) = 0;
  virtual Result<void> remove_group(const std::string& name, const Who& who) = 0;  ///< EBUSY with the members
  virtual Result<void> remove_rule(const std::string& name, const Who& who) = 0;
  virtual Result<std::vector<RuleStatus>> rules() = 0;

  virtual Result<std::vector<ClientStatus>> clients() = 0;
  virtual Result<ClientStatus> client(const std::string& name) = 0;
  virtual Result<ProfileFacts> add_client(const NewClient&, const Who& who) = 0;
  virtual Result<void> set_client(const std::string& name, const ClientChange&, const Who& who) = 0;
  virtual Result<registry::Certificate> renew_client(const std::string& name, uint32_t days, const Who& who) = 0;
  virtual Result<ProfileFacts> rekey_client(const std::string& name, const std::string& request_pem, uint32_t days,
                                            const Who& who) = 0;
  /// Returns when the kernel no longer passes a packet of the client.
  virtual Result<void> revoke_client(const std::string& name, const std::string& reason, const Who& who) = 0;
  virtual Result<void> remove_client(const std::string& name, const Who& who) = 0;
  virtual Result<ProfileFacts> export_client(const std::string& name) = 0;

  /// EINVAL: gateway.public.enroll_port is not in force, or no name; ENOENT: a group.
  virtual Result<TokenHandout> create_token(const NewToken& token, const Who& who) = 0;
  virtual Result<std::vector<registry::Token>> tokens() = 0;  ///< newest first
  virtual Result<void> revoke_token(int64_t id, const Who& who) = 0;

  /// A certificate for a device that has a token: PEM. EACCES: the token does not hold, and an outsider learns no more;
  /// the journal does. EINVAL: request or proof; EEXIST: the name. Asked again with the same keys it answers the same.
  virtual Result<std::string> enroll(const Enrolment& enrolment) = 0;
  /// Certificates of this organisation let their holders enrol from now on. EINVAL: authorities, maps or name; EEXIST:
  /// the name, or one of the roots, is another trust's; ENOENT: a group; ENOSPC: there are too many.
  virtual Result<TrustStatus> add_trust(const NewTrust& trust, const Who& who) = 0;
  virtual Result<std::vector<TrustStatus>> trusts() = 0;  ///< oldest first
  /// Nobody enrols by it any more. Names of the clients that came by it: they stay, unless `revoke`d. ENOENT.
  virtual Result<std::vector<std::string>> remove_trust(const std::string& name, bool revoke, const Who& who) = 0;
  /// In place of the revocation lists before; `crl` in PEM. ENOENT; EINVAL, EKEYREJECTED: the lists.
  virtual Result<void> set_trust_crl(const std::string& name, const std::string& crl, const Who& who) = 0;
  /// A certificate for who has one of a trusted organisation: PEM. EKEYREJECTED: that gives no access, and an outsider
  /// learns no more; the journal does. EINVAL: request or proof. Who comes again as the same is the same client.
  virtual Result<std::string> enroll_by_certificate(const CertificateEnrolment& enrolment) = 0;

  /// A certificate in place of one that is valid, or ended at most 30 days ago: PEM. EKEYREJECTED, EKEYREVOKED,
  /// EKEYEXPIRED: the certificate; EINVAL: request or proof.
  virtual Result<std::string> reenroll(const Reenrolment& reenrolment) = 0;
  /// For the client of that certificate.
  virtual Result<ProfileFacts> enrolled_profile(const std::string& certificate_pem) = 0;
  /// The name of the client whose certificate that is, when it has access now. Errors as above.
  virtual Result<std::string> certificate_holder(const std::string& certificate_pem) = 0;
  virtual Result<EnrolmentFacts> enrolment_facts() = 0;
  /// The enrolment server's certificate for the key in `request_pem`, its chain behind it: PEM.
  virtual Result<std::string> certify_front(const std::string& request_pem) = 0;

  virtual Result<std::vector<registry::Certificate>> certificates() = 0;
  virtual Result<registry::Certificate> certificate(const std::string& serial) = 0;
  virtual Result<void> revoke_certificate(const std::string& serial, const std::string& reason, const Who& who) = 0;
  /// The lists of revoked certificates, DER, one an issuer: the present one's first.
  virtual Result<std::vector<std::string>> crls_der() = 0;
  virtual Result<AuthorityStatus> authority() = 0;
  /// Makes it before the first configuration does. EEXIST: there is one.
  virtual Result<AuthorityStatus> init_authority(const std::string& name, const Who& who) = 0;
  /// `what`: "issuing" or "root". What was issued stays good. ENOKEY: the root's key is kept elsewhere.
  virtual Result<AuthorityStatus> rotate_authority(const std::string& what, const Who& who) = 0;
  /// PKCS#10 for the next issuing certificate, PEM: for a root that is kept elsewhere.
  virtual Result<std::string> request_authority(const std::string& name, const Who& who) = 0;
  /// Puts what came back for the request in force (pki::Authority::import).
  virtual Result<AuthorityStatus> import_authority(const std::string& pems, bool cut_off, const Who& who) = 0;

  /// The deny list of the guard, by prefix: what has not ended.
  virtual Result<std::vector<registry::Block>> blocks() = 0;
  /// Returns when the kernel drops what comes from there. EINVAL: no prefix, or one with an address of the gateway in
  /// it; EBUSY, unless forced: the clients that it would cut off; ENOSPC: the list is full.
  virtual Result<void> add_block(const NewBlock& block, const Who& who) = 0;
  virtual Result<void> remove_block(const std::string& prefix, const Who& who) = 0;  ///< ENOENT

  /// `from`, `to`: a zone selector, a client's name or address, or an address; `service`: as in a rule.
  virtual Result<Explanation> explain(const std::string& from, const std::string& to, const std::string& service) = 0;

  /// One page of the tracked flows, from the `next` of the page before (0: the first). Each page is a short piece of
  /// work, however many flows there are.
  virtual Result<FlowList> flows(const FlowFilter& filter, uint64_t from) = 0;
  /// Ends what `filter` means, a page at a time. The next packet of such a flow is judged as a first packet: where a
  /// rule still allows it, it goes on. EINVAL: an empty filter without `all`.
  virtual Result<FlowsEnded> end_flows(const FlowFilter& filter, bool all, uint64_t from, const Who& who) = 0;
  /// A socket on which verdicts come as lines of JSON (json_of), one a message; a reader that is too slow loses some
  /// and is told how many: {"lost": N}. {"untold": N}: packets that the programs themselves did not tell. It ends when
  /// the reader closes it or gatewayd goes. EBUSY: too many watch already.
  virtual Result<UniqueFd> watch(const WatchFilter& filter) = 0;

  /// What the gateway counts, in Prometheus' text format.
  virtual Result<std::string> metrics() = 0;

  /// Collects a consistent copy of everything that makes this gateway this one, secrets among it; what an earlier call
  /// collected is forgotten. EINVAL: no configuration is in force.
  virtual Result<BackupStart> begin_backup(const Who& who) = 0;
  /// At most 1 MiB from `offset`. After the last byte the copy is forgotten. ENOENT: there is none of this id.
  virtual Result<std::string> read_backup(uint64_t id, uint64_t offset) = 0;
  /// The other way: an id, then pieces in order, then what to do with them.
  virtual Result<uint64_t> begin_restore(const Who& who) = 0;
  virtual Result<void> write_restore(uint64_t id, const std::string& piece) = 0;
  /// Checks everything, makes the new state ready beside the present one, and has gatewayd start anew with it. Nothing
  /// has changed when it fails. EEXIST: the gateway has clients; EINVAL: it is no backup; ENOTSUP: of a newer gatewayd.
  virtual Result<RestoreResult> restore(uint64_t id, const RestoreOptions& options, const Who& who) = 0;

  /// Called after anything above or in the kernel changed, for property-change signals.
  virtual void on_change(std::function<void()> callback) = 0;
};

}  // namespace gw::control
