// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "bpf/loader/dataplane.h"
#include "bpf/loader/map.h"
#include "gatewayd/base/fd.h"
#include "tests/bpf/programs/image_builder.h"
#include "tests/support/packet.h"

namespace gw::test {

/// What a program did with a packet: dropped for a reason, or passed with our bits of the mark.
struct Verdict {
  bool passed = false;
  uint32_t mark = 0;
  gw_reason reason = GW_REASON_NONE;
  bool operator==(const Verdict&) const = default;
};
inline constexpr Verdict kAllowed{true, GW_MARK_ALLOW, GW_REASON_NONE};
/// Allowed, and left to connection tracking: what is masqueraded, and what is for the gateway itself.
inline constexpr Verdict kTracked{true, GW_MARK_ALLOW | GW_MARK_NAT, GW_REASON_NONE};
inline constexpr Verdict kUnmarked{true, 0, GW_REASON_NONE};
inline constexpr Verdict kRejected{true, GW_MARK_REJECT, GW_REASON_REJECTED};
constexpr Verdict dropped(gw_reason reason) { return {false, 0, reason}; }
std::ostream& operator<<(std::ostream& out, const Verdict& verdict);

/// Devices of the process's private namespace; only their indices matter to a test run.
enum class Device { vpn, web, data, uplink, stray };
uint32_t index_of(Device device);

/// Link ids and classes of the small world that most tests live in.
inline constexpr uint32_t kVpnLink = GW_LINK_ID_VPN, kWebLink = 2, kDataLink = 3, kUplinkLink = 4;
enum WorldClass : uint32_t { kAlice = 1, kBob, kWeb, kData, kGateway, kInternet, kUplinkNet };

/// Where a packet is run, and with what.
struct Entry {
  bpf::Hook hook = bpf::Hook::vpn_ingress;
  Device device = Device::vpn;
  uint32_t mark = 0;
  Device entered = Device::stray;  ///< egress: the device it came in by
  bool own = false;                ///< egress: made by the gateway itself
  uint32_t segments = 0;           ///< GSO
};

/// GoogleTest does this before all tests; another program that uses LoadedPolicy calls it.
void begin_world();

/// Programs and maps of one test, on a bpffs of the process's own; removed at the end.
class LoadedPolicy {
 public:
  LoadedPolicy();  ///< loaded, nothing installed
  LoadedPolicy(const LoadedPolicy&) = delete;
  LoadedPolicy& operator=(const LoadedPolicy&) = delete;
  ~LoadedPolicy();

  /// The small world (standard_image, standard_hosts), as new: without flows, counts or what an earlier test changed.
  /// One load serves all tests of the process.
  static LoadedPolicy* standard();
  /// The same, but alice is no client: her addresses lie behind the Ethernet device `stray`. So the bytes that another
  /// world has come out of the tunnel are judged by the other entry.
  static LoadedPolicy* wired();

  /// A gateway with these rules ("allow group:dev -> subnet:web tcp/443"), compiled by policy::compile
  /// (rules_world.cc). alice is in group dev, bob in ops; subnets web, data and far (routed, by the uplink); site
  /// parents; NAT for the VPN.
  static LoadedPolicy* with_rules(const std::vector<std::string>& rules);

  bpf::Dataplane& dataplane() {
    installed_.clear();  // the caller may change what is installed
    return *dataplane_;
  }
  [[nodiscard]] const std::string& directory() const { return directory_; }

  Verdict run(const Bytes& data, const Entry& where);
  Verdict vpn(const Packet& packet, uint32_t mark = 0);  ///< vpn_ingress
  Verdict web(const Packet& packet, uint32_t mark = 0);  ///< subnet_ingress of the web link
  Verdict data(const Packet& packet);
  Verdict uplink(const Packet& packet);
  Verdict egress(const Packet& packet, Device entered = Device::web);
  /// Only the return code and mark: cheap enough for millions.
  Verdict run_fast(const Bytes& data, const Entry& where) const;
  /// Nanoseconds a packet, as the kernel measured over `repeat` runs.
  [[nodiscard]] uint32_t measure(const Bytes& data, const Entry& where, uint32_t repeat) const;

  void install(const bpf::PolicyImage& image, const bpf::Hosts& hosts);
  /// The flow of a packet: the established one, else the new one.
  std::optional<gw_flow> flow(const Packet& packet);
  [[nodiscard]] bool established(const Packet& packet) const;
  /// Changes the flow in place, for example its age.
  void edit_flow(const Packet& packet, const std::function<void(gw_flow&)>& change);
  /// Changes every flow.
  void edit_flows(const std::function<void(gw_flow&)>& change);
  void edit_fragments(const std::function<void(gw_fragment&)>& change);
  [[nodiscard]] size_t flows() const;
  /// Changes the clock or the rate limit that the programs go by.
  void edit_state(const std::function<void(gw_state&)>& change);

  template <class Key, class Value>
  [[nodiscard]] bpf::Map<Key, Value> map(const char* name) const {
    return {map_fd(name), name};
  }

 private:
  [[nodiscard]] int map_fd(const char* name) const;
  void forget();
  void become(const std::string& world, const std::map<Device, bpf::Link>& links, const bpf::PolicyImage& image,
              const bpf::Hosts& hosts);

  std::string directory_;
  std::string installed_;  ///< the world that it is, as far as is known
  std::unique_ptr<bpf::Dataplane> dataplane_;
  std::array<UniqueFd, 5> programs_;
  mutable std::map<std::string, UniqueFd> maps_;
};

/// alice and bob are clients; web and data are subnets; the gateway has an address in each.
///   rule 1  alice -> web: tcp/22, tcp/443, udp/53, any ICMP, protocol 47
///   rule 2  alice -> data: denied, logged            rule 3  bob -> web tcp/22: rejected
///   rule 4  web -> data: tcp/5432                    rule 5  alice -> internet: anything, masqueraded
///   rule 6  alice -> gateway: ICMP echo              rule 7  bob -> gateway tcp/22: denied
///   rule 8  bob -> gateway tcp/80: rejected          rule 9  the uplink's own subnet -> web: tcp/443
inline constexpr uint32_t kWiredLink = 5;
ImageBuilder standard_rules();
bpf::PolicyImage standard_image();
bpf::Hosts standard_hosts();

inline constexpr const char* kAliceV4 = "172.16.201.5";
inline constexpr const char* kBobV4 = "172.16.201.6";
inline constexpr const char* kAliceV6 = "fd6d:706e:6c61::5";
inline constexpr const char* kWebV4 = "10.1.1.7";
inline constexpr const char* kWebV6 = "fd10:1:1::7";
inline constexpr const char* kDataV4 = "10.1.2.7";
inline constexpr const char* kGatewayV4 = "10.1.1.1";

}  // namespace gw::test
