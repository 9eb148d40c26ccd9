// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gatewayd/apply/intent_store.h"
#include "gatewayd/apply/reconciler.h"
#include "gatewayd/backup/tar.h"
#include "gatewayd/control/challenges.h"
#include "gatewayd/control/controller.h"
#include "gatewayd/control/endings.h"
#include "gatewayd/control/time_keeper.h"
#include "gatewayd/control/watchers.h"
#include "gatewayd/names/directory.h"
#include "gatewayd/pki/signer.h"

namespace gw::policy {
struct Packet;
}

namespace gw::control {

/// Applies and rollbacks since the start, the refused ones among them.
struct ApplyCounts {
  uint64_t count = 0, failed = 0;
  double seconds = 0;  ///< all together
};

/// Where the enrolment server is, as far as the configuration says.
struct EnrolmentPlace {
  std::vector<std::string> names;  ///< host names and addresses, at least one
  uint16_t port = 0;
};

/// A request whose WireGuard key has been proven.
struct ProvenRequest {
  pki::Request request;
  std::string der;
};

/// Whether a certificate is for both keys of a request.
bool is_for(const registry::Certificate& certificate, const pki::Request& request);

/// Days of a certificate that its device renews by itself.
inline constexpr uint32_t kConnectorDays = 30;

/// Whoever has shown an organisation's certificate, and what that makes of him.
struct Introduced {
  registry::Trust trust;
  std::string name, identity;       ///< of the client (trust_map.h)
  std::vector<std::string> groups;  ///< by the maps; sorted
};

/// The lists as they were signed last.
struct RevocationLists {
  std::vector<std::string> ders;
  UnixSeconds made = 0;
  std::string state;  ///< of the registry's revocations and of the authority
};

/// Attempts that anybody can make, as with tokens that nobody made: told now and then, not one by one.
struct Guesses {
  uint64_t count = 0;
  UnixSeconds told = 0;
};

struct Party;
struct World;

/// A backup on its way over the bus; zeroed at the end.
struct Transfer {
  uint64_t id = 0;
  std::string content;

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { forget(); }
  void forget();
};

/// The Controller of a running gateway: the registry and the files are written first, then the reconciler is told.
/// Split by concern: gateway.cc (start, time, the current intent), configuration.cc, clients.cc, certificates.cc,
/// authority.cc, blocks.cc, tokens.cc, enrolment.cc, trusts.cc, trust_enrolment.cc, backup.cc, restore.cc, status.cc,
/// watching.cc, explain.cc, profile.cc, names.cc. One thread.
class GatewayController final : public Controller {
 public:
  /// What it works with; all outlive it.
  struct Parts {
    registry::Registry& registry;
    apply::Reconciler& reconciler;
    apply::IntentStore& intents;
    apply::Kernel& kernel;
    const Clock& clock;
    pki::Signer& signer;
  };
  struct Options {
    std::string config_directory;
    std::string version;
    PublicKey public_key;  ///< the gateway's own
    std::function<bool()> clock_is_synchronised = [] { return true; };
    bool trust_clock = false;                        ///< TimeKeeper::Sources
    std::function<UnixSeconds()> running = nullptr;  ///< TimeKeeper::Sources
    std::string run_directory = {};                  ///< keeps what time it is over a restart; empty: nothing does
    std::string state_directory = {};                ///< STATE: what backup and restore are about
    /// names::ask: whether names are served, for `status`; empty: it does not tell.
    std::function<Result<void>(const IpAddress&, const std::string&)> ask_for_name = nullptr;
  };
  /// What the daemon hears of; each may be empty.
  struct Listener {
    std::function<void(const apply::Report&)> converged;  ///< after every converge
    std::function<void(const apply::Report&)> adjusted;   ///< after one client was put or removed
    /// A line for the log (access that ended, an apply that went back), and its message_id, nullptr for those without.
    std::function<void(const std::string&, const char*)> happened;
    /// A restored state waits for the next start (backup/switch.h).
    std::function<void()> start_anew = {};
  };

  GatewayController(const Parts& parts, Options options, Listener listener);

  /// Sets the intent to start with: the last confirmed one, never files that were edited and not applied; an apply that
  /// was not confirmed goes back. With none stored (first start) the files are applied when they load. Without either
  /// the gateway runs with no intent and status() tells why. Does not converge. EUCLEAN: the certificate authority is
  /// damaged.
  Result<void> start();
  /// Makes the kernel equal to the intent and tells the listener.
  apply::Report converge();

  /// Somebody has flushed the frame: loads it at once, and tells the listener as after a converge of one client.
  void restore_frame() { adjusted(parts_.reconciler.restore_frame()); }

  /// The next second, as the wall clock will show it, at which `tick` has something to do; nullopt: none is known.
  [[nodiscard]] std::optional<UnixSeconds> next_tick();
  /// What is due now: access that has ended leaves the kernel, an unconfirmed apply goes back.
  void tick();
  /// The wall clock was set: who has access is decided anew, and the kernel told.
  void clock_was_set();
  /// Names of sites' endpoints that have to be looked up; the daemon does, and tells what it found.
  [[nodiscard]] std::vector<std::string> names_to_resolve() const;
  /// The address of one of them: the peer follows when it is another than before.
  void name_resolved(const std::string& name, const IpAddress& address);
  /// A record of the programs: shown to whoever watches; returned in words for the journal, nullopt without an intent.
  /// `wall_offset_ns`: wall clock minus monotonic.
  std::optional<Sighting> sight(const gw_event& event, int64_t wall_offset_ns);
  /// How many events the programs kept to themselves since the last call; whoever watches is told.
  uint64_t tell_untold();
  /// False when somebody who watches has not been told yet what he lost: ask again.
  bool settle_watchers() { return watchers_.settle(); }

  Result<Status> status() override;
  Result<Summary> summary() override;
  Result<PlanResult> plan() override;
  Result<ApplyResult> apply(uint32_t confirm_seconds, const Who& who) override;
  Result<void> confirm(const Who& who) override;
  Result<ApplyResult> rollback(const Who& who) override;
  config::Config config() override;
  Result<void> add_subnet(const std::string& name, const config::Subnet& subnet, const Who& who) override;
  Result<void> add_group(const std::string& name, const config::Group& group, const Who& who) override;
  Result<void> add_rule(const config::Rule& rule, const std::optional<std::string>& before,
                        const std::optional<std::string>& after, const Who& who) override;
  Result<void> add_site(const std::string& name, const config::Site& site, const Who& who) override;
  Result<void> remove_site(const std::string& name, const Who& who) override;
  Result<std::vector<SiteStatus>> sites() override;
  Result<void> remove_subnet(const std::string& name, const Who& who) override;
  Result<void> remove_group(const std::string& name, const Who& who) override;
  Result<void> remove_rule(const std::string& name, const Who& who) override;
  Result<std::vector<RuleStatus>> rules() override;
  Result<std::vector<ClientStatus>> clients() override;
  Result<ClientStatus> client(const std::string& name) override;
  Result<ProfileFacts> add_client(const NewClient& client, const Who& who) override;
  Result<void> set_client(const std::string& name, const ClientChange& change, const Who& who) override;
  Result<registry::Certificate> renew_client(const std::string& name, uint32_t days, const Who& who) override;
  Result<ProfileFacts> rekey_client(const std::string& name, const std::string& request_pem, uint32_t days,
                                    const Who& who) override;
  Result<void> revoke_client(const std::string& name, const std::string& reason, const Who& who) override;
  Result<void> remove_client(const std::string& name, const Who& who) override;
  Result<ProfileFacts> export_client(const std::string& name) override;
  Result<TokenHandout> create_token(const NewToken& token, const Who& who) override;
  Result<std::vector<registry::Token>> tokens() override;
  Result<void> revoke_token(int64_t id, const Who& who) override;
  Result<std::string> enroll(const Enrolment& enrolment) override;
  Result<TrustStatus> add_trust(const NewTrust& trust, const Who& who) override;
  Result<std::vector<TrustStatus>> trusts() override;
  Result<std::vector<std::string>> remove_trust(const std::string& name, bool revoke, const Who& who) override;
  Result<void> set_trust_crl(const std::string& name, const std::string& crl, const Who& who) override;
  Result<std::string> enroll_by_certificate(const CertificateEnrolment& enrolment) override;
  Result<std::string> reenroll(const Reenrolment& reenrolment) override;
  Result<ProfileFacts> enrolled_profile(const std::string& certificate_pem) override;
  Result<std::string> certificate_holder(const std::string& certificate_pem) override;
  Result<EnrolmentFacts> enrolment_facts() override;
  Result<std::string> certify_front(const std::string& request_pem) override;
  Result<std::vector<registry::Certificate>> certificates() override;
  Result<registry::Certificate> certificate(const std::string& serial) override;
  Result<void> revoke_certificate(const std::string& serial, const std::string& reason, const Who& who) override;
  Result<std::vector<std::string>> crls_der() override;
  Result<AuthorityStatus> authority() override;
  Result<AuthorityStatus> init_authority(const std::string& name, const Who& who) override;
  Result<AuthorityStatus> rotate_authority(const std::string& what, const Who& who) override;
  Result<std::string> request_authority(const std::string& name, const Who& who) override;
  Result<AuthorityStatus> import_authority(const std::string& pems, bool cut_off, const Who& who) override;
  Result<std::vector<registry::Block>> blocks() override;
  Result<void> add_block(const NewBlock& block, const Who& who) override;
  Result<void> remove_block(const std::string& prefix, const Who& who) override;
  Result<Explanation> explain(const std::string& from, const std::string& to, const std::string& service) override;
  Result<FlowList> flows(const FlowFilter& filter, uint64_t from) override;
  Result<FlowsEnded> end_flows(const FlowFilter& filter, bool all, uint64_t from, const Who& who) override;
  Result<UniqueFd> watch(const WatchFilter& filter) override;
  Result<std::string> metrics() override;
  Result<BackupStart> begin_backup(const Who& who) override;
  Result<std::string> read_backup(uint64_t id, uint64_t offset) override;
  Result<uint64_t> begin_restore(const Who& who) override;
  Result<void> write_restore(uint64_t id, const std::string& piece) override;
  Result<RestoreResult> restore(uint64_t id, const RestoreOptions& options, const Who& who) override;
  /// Says what ends within 30, 7 or 1 days, once each; to be called every hour or so.
  void tell_endings();
  /// Writes the names of what is applied, and of who has access, to where they are served from (names/directory.h);
  /// what has not changed is not written. To be called soon after each converge and change of a client.
  Result<void> write_names();
  /// Where the applied configuration wants the metrics written.
  [[nodiscard]] std::optional<config::Metrics> metrics_file() const;
  void on_change(std::function<void()> callback) override { changed_ = std::move(callback); }

 private:
  using Ends = std::set<std::pair<UnixSeconds, uint32_t>>;  // first second without access, client number

  // gateway.cc
  UnixSeconds now();
  void sync_clock();
  Result<void> use(const config::Files& files);
  Result<void> first_start();
  Result<plan::Intent> make_intent(const config::Config& config);
  [[nodiscard]] const config::Config* applied() const;
  Result<const config::Config*> applied_or_error(const char* operation, const std::string& object) const;
  void remember_profile_facts();
  void adjusted(const apply::Report& report);
  void tell(const std::string& line, const char* message = nullptr) const;
  void announce() const;
  void end_access(UnixSeconds at);
  [[nodiscard]] std::vector<Ending> endings(UnixSeconds at) const;
  void forget_end(uint32_t number);

  // configuration.cc
  Result<void> check_fits(const config::Config& wanted);
  Result<ApplyResult> counted(const std::function<Result<ApplyResult>()>& work);
  Result<ApplyResult> apply_files(uint32_t confirm_seconds, const Who& who);
  Result<ApplyResult> put_in_force(const config::Files& files, UnixSeconds deadline, const Who& who);
  void undo(const Error& why);
  Result<ApplyResult> go_back();
  Result<void> edit(const char* what, const std::string& name, const Who& who,
                    const std::function<Result<config::Files>(const config::Files&)>& change);

  // clients.cc
  struct Admission {
    registry::Client client;
    registry::Certificate certificate;
  };
  Result<Admission> prepare_client(const pki::Request& request, const NewClient& wanted);
  void admit(const registry::Client& client, const Who& who);
  Result<registry::Certificate> issue(const pki::Request& request, const registry::Client& client, uint32_t days);
  Result<void> check_groups(const std::vector<std::string>& groups, const std::string& client);
  Result<void> check_key(const PublicKey& key, const std::string& client) const;
  void refresh_client(const registry::Client& client);
  Result<void> take_access(const registry::Client& client, const char* operation);

  // tokens.cc, enrolment.cc
  Result<EnrolmentPlace> enrolment_place(const char* operation);
  Result<ProvenRequest> proven_request(const std::string& request, const std::string& proof);
  std::unexpected<Error> refuse_token(const registry::Token& token, const std::string& why, const std::string& source);
  void tell_seldom(Guesses& seen, const std::string& what);
  Result<std::string> enroll_with(const registry::Token& token, const ProvenRequest& proven, const std::string& source);
  Result<std::pair<registry::Certificate, registry::Client>> holder_of(const std::string& certificate_pem);
  Result<std::string> renew_by_itself(const registry::Client& client, const ProvenRequest& proven, const Who& who);
  Result<std::string> rotate(const registry::Client& client, const ProvenRequest& proven, const Who& who);

  // trusts.cc, trust_enrolment.cc
  Result<registry::Trust> check_trust(const NewTrust& wanted, const Who& who);
  Result<TrustStatus> trust_status(const registry::Trust& trust);
  Result<Introduced> introduce(const CertificateEnrolment& wanted);
  Result<std::string> admit_introduced(const Introduced& who, const ProvenRequest& proven, const std::string& source);
  Result<std::string> welcome_back(const Introduced& who, const registry::TrustedClient& came,
                                   const ProvenRequest& proven, const std::string& source);
  std::unexpected<Error> refuse_introduced(const Introduced& who, const std::string& why, const std::string& source);
  [[nodiscard]] std::vector<Ending> trust_endings() const;
  void add_trust_warnings(Status& out);

  // authority.cc
  Result<pki::AuthorityView> open_authority();
  Result<void> prepare_authority();
  Result<AuthorityStatus> describe(const pki::AuthorityView& view) const;
  Result<void> count_clients(AuthorityStatus& status) const;
  Result<AuthorityStatus> changed_authority(const Result<pki::AuthorityView>& view, const std::string& what);
  [[nodiscard]] std::string authority_name(const std::string& given) const;
  Result<std::vector<std::string>> make_crls(const pki::AuthorityView& authority);

  // blocks.cc
  [[nodiscard]] std::map<Prefix, uint64_t> blocks_in_force(UnixSeconds at) const;
  [[nodiscard]] std::optional<UnixSeconds> next_block_end() const;
  Result<void> check_block(const Prefix& prefix, bool force) const;
  Result<void> refresh_blocks(const std::string& changed);
  void end_blocks(UnixSeconds at);

  // backup.cc, restore.cc
  Result<backup::Files> collect_backup();
  Result<RestoreResult> make_ready(const backup::Files& files, const RestoreOptions& options, const Who& who);
  Result<void> ready_registry(const backup::Files& files, const RestoreOptions& options, const Who& who,
                              RestoreResult& result);

  // explain.cc
  Explanation judge(const World& world, const policy::Packet& packet, const config::Service& service,
                    const Party& source, const Party& destination);
  void ask_kernel(const policy::Packet& packet, const config::Service& service, const std::string& device,
                  Explanation& out);

  // watching.cc
  [[nodiscard]] Words words(const plan::Intent& intent) const;
  Result<void> check_watch(const WatchFilter& filter) const;

  // status.cc
  void add_kernel_facts(Status& out);
  void add_warnings(Status& out);
  std::optional<apply::Counter> rule_counter(const std::string& name);

  // names.cc
  void add_name_warnings(Status& out);

  // profile.cc
  Result<ProfileFacts> profile(const registry::Client& client, const std::string& certificate_pem);
  Result<std::string> endpoint(const config::Config& config);
  Result<std::vector<IpAddress>> public_addresses(const config::Config& config);

  Parts parts_;
  Options options_;
  Listener listener_;
  TimeKeeper time_;
  std::function<void()> changed_;
  std::optional<pki::AuthorityView> authority_;  ///< as it was last seen
  std::vector<config::Diagnostic> warnings_;     // of the applied files
  std::optional<Error> start_error_;             // why there is no intent
  Ends ends_;
  EndingWatch ending_watch_;
  Watchers watchers_;
  ApplyCounts applies_;
  Transfer backup_, restore_;
  names::Directory names_;
  Challenges challenges_;
  Guesses guesses_, strangers_;
  std::optional<RevocationLists> crl_;
  std::optional<uint64_t> untold_;  // as last read; nullopt: never
};

}  // namespace gw::control
