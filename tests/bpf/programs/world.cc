// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/world.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <stdexcept>

#include "bpf/reasons.h"
#include "tests/bpf/programs/rules_world.h"
#include "tests/support/namespace.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::test {
namespace {

constexpr std::array<const char*, 5> kDevices = {"vpn0", "web0", "data0", "uplink0", "stray0"};
constexpr std::array<const char*, 3> kFlowMaps = {"gw_flows", "gw_flows_answered", "gw_flows_new"};
constexpr std::array<const char*, 5> kProgramNames = {"vpn_ingress", "vpn_egress", "subnet_ingress", "xdp_ingress",
                                                      "guard_ingress"};

void ip(Arguments arguments) {
  arguments.insert(arguments.begin(), "ip");
  const Output output = run(arguments);
  if (!output.ok()) throw std::runtime_error(output.err);
}

/// One namespace, its devices and a bpffs for the whole test program; made before any thread.
class ProcessWorld : public testing::Environment {
 public:
  void SetUp() override {
    namespace_ = std::make_unique<Namespace>();
    directory_ = std::make_unique<TempDir>();
    if (::mount("bpf", directory_->path().c_str(), "bpf", 0, "mode=0700") != 0)
      throw std::system_error(errno, std::generic_category(), "mount bpffs");
    for (const std::string device : kDevices) {
      ip({"link", "add", device, "type", "veth", "peer", "name", device + "p"});
      ip({"link", "set", device, "up"});
      ip({"link", "set", device + "p", "up"});
    }
  }
  void TearDown() override {
    shared_.reset();
    ::umount2(directory_->path().c_str(), MNT_DETACH);
    directory_.reset();
    namespace_.reset();
  }

  LoadedPolicy& shared() {
    if (!shared_) shared_ = std::make_unique<LoadedPolicy>();
    return *shared_;
  }

  std::string next_directory() { return directory_->path() + "/test" + std::to_string(++count_) + "/abi"; }

 private:
  std::unique_ptr<Namespace> namespace_;
  std::unique_ptr<TempDir> directory_;
  std::unique_ptr<LoadedPolicy> shared_;
  int count_ = 0;
};

auto* const world = static_cast<ProcessWorld*>(testing::AddGlobalTestEnvironment(new ProcessWorld));

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The reason that was counted, which is one at most, for `packets` packets.
gw_reason reason_between(const std::vector<uint64_t>& before, const std::vector<uint64_t>& after, uint64_t packets) {
  auto out = GW_REASON_NONE;
  for (size_t i = 0; i < before.size(); ++i) {
    if (after[i] == before[i]) continue;
    EXPECT_EQ(after[i] - before[i], packets) << bpf::kReasonTexts.at(i);
    EXPECT_EQ(out, GW_REASON_NONE) << "and also counted: " << bpf::kReasonTexts.at(i);
    out = static_cast<gw_reason>(i);
  }
  return out;
}

std::string hex(const Bytes& data) {
  constexpr size_t kEnough = 200;
  std::string out;
  for (const uint8_t byte : std::span(data).first(std::min(data.size(), kEnough))) {
    out += "0123456789abcdef"[byte >> 4U];
    out += "0123456789abcdef"[byte & 0xfU];
  }
  return data.size() > kEnough ? out + "... (" + std::to_string(data.size()) + " bytes)" : out;
}

/// `skb` describes the packet to the program and back; nanoseconds a run.
uint32_t test_run(int program, const Bytes& data, __sk_buff& skb, uint32_t repeat, uint32_t& verdict) {
  Bytes out(data.size() + 256);
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = data.data(), .data_out = out.data(),
              .data_size_in = static_cast<uint32_t>(data.size()), .data_size_out = static_cast<uint32_t>(out.size()),
              .ctx_in = &skb, .ctx_out = &skb, .ctx_size_in = sizeof skb, .ctx_size_out = sizeof skb,
              .repeat = static_cast<int>(repeat));
  if (bpf_prog_test_run_opts(program, &options) != 0)
    throw std::system_error(errno, std::generic_category(), "BPF_PROG_TEST_RUN of " + hex(data));
  verdict = options.retval;
  if (repeat == 1) {
    out.resize(options.data_size_out);
    if (out != data) ADD_FAILURE() << "the policy rewrites nothing\nin  " << hex(data) << "\nout " << hex(out);
  }
  return options.duration;
}

__sk_buff context(const Entry& where) {
  __sk_buff skb{};
  skb.mark = where.mark;
  skb.ifindex = index_of(where.device);
  if (where.hook == bpf::Hook::vpn_egress) skb.ingress_ifindex = where.own ? 0 : index_of(where.entered);
  if (where.hook != bpf::Hook::vpn_egress) skb.ingress_ifindex = skb.ifindex;
  if (where.segments != 0) {
    skb.gso_segs = where.segments;
    skb.gso_size = 1400;
  }
  return skb;
}

}  // namespace

void begin_world() { world->SetUp(); }

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  if (verdict.passed && verdict.mark == 0) return out << "passed unmarked";
  if (verdict.passed)
    return out << "passed, mark" << ((verdict.mark & GW_MARK_ALLOW) != 0 ? " allow" : "")
               << ((verdict.mark & GW_MARK_NAT) != 0 ? " nat" : "")
               << ((verdict.mark & GW_MARK_REJECT) != 0 ? " reject" : "") << " ("
               << bpf::kReasonTexts.at(verdict.reason) << ")";
  return out << "dropped: " << bpf::kReasonTexts.at(verdict.reason);
}

uint32_t index_of(Device device) { return if_nametoindex(kDevices.at(static_cast<size_t>(device))); }

LoadedPolicy::LoadedPolicy() : directory_(world->next_directory()) {
  dataplane_ = std::make_unique<bpf::Dataplane>(must(bpf::Dataplane::open(directory_)));
  for (size_t i = 0; i < programs_.size(); ++i) {
    programs_.at(i).reset(bpf_obj_get((directory_ + "/program_" + kProgramNames.at(i)).c_str()));
    if (!programs_.at(i).valid()) throw std::system_error(errno, std::generic_category(), kProgramNames.at(i));
  }
}

LoadedPolicy::~LoadedPolicy() {
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(directory_).parent_path(), ignored);
}

namespace {

std::map<Device, bpf::Link> standard_links() {
  return {{Device::vpn, {kVpnLink, GW_LINK_VPN, {}}},
          {Device::web, {kWebLink, GW_LINK_PARENT, {20, 30}}},
          {Device::data, {kDataLink, 0, {}}},
          {Device::uplink, {kUplinkLink, GW_LINK_PUBLIC, {}}}};
}

}  // namespace

LoadedPolicy* LoadedPolicy::standard() {
  LoadedPolicy& out = world->shared();
  out.become("standard", standard_links(), standard_image(), standard_hosts());
  return &out;
}

LoadedPolicy* LoadedPolicy::wired() {
  LoadedPolicy& out = world->shared();
  ImageBuilder rules = standard_rules();
  bpf::Hosts hosts = standard_hosts();
  for (const char* address : {kAliceV4, kAliceV6}) {
    const IpAddress alice = IpAddress::parse(address).value();
    rules.prefix(alice.str() + "/" + std::to_string(alice.bits()), kAlice, kWiredLink);
    hosts.erase(alice);
  }
  auto links = standard_links();
  links[Device::stray] = {kWiredLink, GW_LINK_PARENT, {20, 30}};
  out.become("wired", links, rules.build("wired"), hosts);
  return &out;
}

LoadedPolicy* LoadedPolicy::with_rules(const std::vector<std::string>& rules) {
  LoadedPolicy& out = world->shared();
  std::string name;
  for (const std::string& rule : rules) name += rule + "\n";
  const CompiledRules compiled = compile_rules(rules);
  out.become(name, compiled.links, compiled.image, compiled.hosts);
  return &out;
}

void LoadedPolicy::become(const std::string& world, const std::map<Device, bpf::Link>& links,
                          const bpf::PolicyImage& image, const bpf::Hosts& hosts) {
  forget();
  if (installed_ == world) return;
  for (size_t i = 0; i < kDevices.size(); ++i) {
    const auto device = static_cast<Device>(i);
    if (links.contains(device))
      must(dataplane_->put_link(index_of(device), links.at(device)));
    else
      must(dataplane_->erase_link(index_of(device)));
  }
  install(image, hosts);
  installed_ = world;
}

namespace {

template <class Key, class Value>
void clear(const bpf::Map<Key, Value>& map) {
  for (const auto& [key, value] : must(map.all())) must(map.erase(key));
}

}  // namespace

void LoadedPolicy::forget() {
  for (const char* name : kFlowMaps) clear(map<gw_flow_key, gw_flow>(name));
  clear(map<gw_fragment_key, gw_fragment>("gw_fragments"));
  clear(map<gw_addr, gw_source>("gw_sources"));
  const std::vector<gw_counter> zeros(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (uint32_t rule = 0; rule < 16; ++rule) bpf_map_update_elem(map_fd("gw_rule_count"), &rule, zeros.data(), BPF_ANY);
  for (uint32_t client = 0; client < 16; ++client) must(dataplane_->clear_client_counter(client));
  edit_state([](gw_state& state) { state.flow_rate = GW_DEFAULT_FLOW_RATE; });
  must(dataplane_->sync_clock());
}

void LoadedPolicy::edit_state(const std::function<void(gw_state&)>& change) {
  const auto states = map<uint32_t, gw_state>("gw_state");
  gw_state state = must(states.find(0)).value();
  change(state);
  must(states.put(0, state));
}

void LoadedPolicy::install(const bpf::PolicyImage& image, const bpf::Hosts& hosts) {
  installed_.clear();
  must(dataplane_->install(image, hosts));
}

Verdict LoadedPolicy::run_fast(const Bytes& data, const Entry& where) const {
  __sk_buff skb = context(where);
  uint32_t verdict = 0;
  test_run(programs_.at(static_cast<size_t>(where.hook)).get(), data, skb, 1, verdict);
  if (verdict != 0) return {false, 0, GW_REASON_NONE};
  EXPECT_EQ(skb.mark & ~GW_MARK_MASK, where.mark & ~GW_MARK_MASK) << "bits of others are not ours to change";
  return {true, skb.mark & GW_MARK_MASK, GW_REASON_NONE};
}

Verdict LoadedPolicy::run(const Bytes& data, const Entry& where) {
  const auto before = must(dataplane_->reasons());
  Verdict out = run_fast(data, where);
  out.reason = reason_between(before, must(dataplane_->reasons()), std::max(1U, where.segments));
  return out;
}

uint32_t LoadedPolicy::measure(const Bytes& data, const Entry& where, uint32_t repeat) const {
  __sk_buff skb = context(where);
  uint32_t verdict = 0;
  return test_run(programs_.at(static_cast<size_t>(where.hook)).get(), data, skb, repeat, verdict);
}

Verdict LoadedPolicy::vpn(const Packet& packet, uint32_t mark) {
  return run(packet.layer3(), {.hook = bpf::Hook::vpn_ingress, .device = Device::vpn, .mark = mark});
}
Verdict LoadedPolicy::web(const Packet& packet, uint32_t mark) {
  return run(packet.ethernet(), {.hook = bpf::Hook::subnet_ingress, .device = Device::web, .mark = mark});
}
Verdict LoadedPolicy::data(const Packet& packet) {
  return run(packet.ethernet(), {.hook = bpf::Hook::subnet_ingress, .device = Device::data});
}
Verdict LoadedPolicy::uplink(const Packet& packet) {
  return run(packet.ethernet(), {.hook = bpf::Hook::subnet_ingress, .device = Device::uplink});
}
Verdict LoadedPolicy::egress(const Packet& packet, Device entered) {
  return run(packet.layer3(), {.hook = bpf::Hook::vpn_egress, .device = Device::vpn, .entered = entered});
}

int LoadedPolicy::map_fd(const char* name) const {
  UniqueFd& fd = maps_[name];
  if (!fd.valid()) fd.reset(bpf_obj_get((directory_ + "/" + name).c_str()));
  if (!fd.valid()) throw std::system_error(errno, std::generic_category(), name);
  return fd.get();
}

namespace {

/// True when `flow` is the flow that `packet` opened.
bool opened_by(const gw_flow& flow, const Packet& packet) {
  return bpf::from_addr(flow.orig.src) == packet.ip.source && bpf::from_addr(flow.orig.dst) == packet.ip.destination &&
         flow.orig.sport == htons(packet.transport.sport) && flow.orig.dport == htons(packet.transport.dport);
}

using FlowMap = bpf::Map<gw_flow_key, gw_flow>;

std::optional<std::pair<gw_flow_key, gw_flow>> find_flow(const FlowMap& map, const Packet& packet) {
  for (const auto& entry : must(map.all())) {
    if (opened_by(entry.second, packet)) return entry;
  }
  return std::nullopt;
}

}  // namespace

std::optional<gw_flow> LoadedPolicy::flow(const Packet& packet) {
  for (const char* name : kFlowMaps) {
    if (const auto found = find_flow(map<gw_flow_key, gw_flow>(name), packet)) return found->second;
  }
  return std::nullopt;
}

bool LoadedPolicy::established(const Packet& packet) const {
  return find_flow(map<gw_flow_key, gw_flow>("gw_flows"), packet).has_value() ||
         find_flow(map<gw_flow_key, gw_flow>("gw_flows_answered"), packet).has_value();
}

void LoadedPolicy::edit_flow(const Packet& packet, const std::function<void(gw_flow&)>& change) {
  for (const char* name : kFlowMaps) {
    const auto flows = map<gw_flow_key, gw_flow>(name);
    auto found = find_flow(flows, packet);
    if (!found) continue;
    change(found->second);
    must(flows.put(found->first, found->second));
    return;
  }
  throw std::runtime_error("no such flow");
}

void LoadedPolicy::edit_flows(const std::function<void(gw_flow&)>& change) {
  for (const char* name : kFlowMaps) {
    const auto flows = map<gw_flow_key, gw_flow>(name);
    for (auto& [key, flow] : must(flows.all())) {
      gw_flow changed = flow;
      change(changed);
      must(flows.put(key, changed));
    }
  }
}

void LoadedPolicy::edit_fragments(const std::function<void(gw_fragment&)>& change) {
  const auto fragments = map<gw_fragment_key, gw_fragment>("gw_fragments");
  for (auto& [key, fragment] : must(fragments.all())) {
    gw_fragment changed = fragment;
    change(changed);
    must(fragments.put(key, changed));
  }
}

size_t LoadedPolicy::flows() const {
  size_t out = 0;
  for (const char* name : kFlowMaps) out += must(map<gw_flow_key, gw_flow>(name).all()).size();
  return out;
}

ImageBuilder standard_rules() {
  ImageBuilder out;
  out.prefix("172.16.201.0/24", GW_CLASS_NONE, kVpnLink, GW_PREFIX_VPN)
      .prefix("fd6d:706e:6c61::/64", GW_CLASS_NONE, kVpnLink, GW_PREFIX_VPN)
      .prefix("10.1.1.0/24", kWeb, kWebLink)
      .prefix("fd10:1:1::/64", kWeb, kWebLink)
      .prefix("10.1.2.0/24", kData, kDataLink)
      .prefix("203.0.113.0/28", kUplinkNet, kUplinkLink)
      .prefix("169.254.0.0/16", GW_CLASS_NONE, 0)
      .prefix("0.0.0.0/0", kInternet, 0, GW_PREFIX_OUTSIDE)
      .prefix("::/0", kInternet, 0, GW_PREFIX_OUTSIDE);
  out.rule(kAlice, kWeb, GW_KIND_TCP, 22, allow(1)).rule(kAlice, kWeb, GW_KIND_TCP, 443, allow(1));
  out.rule(kAlice, kWeb, GW_KIND_UDP, 53, allow(1)).rule(kAlice, kWeb, GW_KIND_ICMP, allow(1));
  out.rule(kAlice, kWeb, GW_KIND_OTHER, 47, allow(1));
  for (const gw_kind kind : {GW_KIND_TCP, GW_KIND_UDP, GW_KIND_ICMP, GW_KIND_OTHER}) {
    out.rule(kAlice, kData, kind, leaf(GW_ACTION_DENY, 2, true));
    out.rule(kAlice, kInternet, kind, allow(5));
  }
  out.rule(kBob, kWeb, GW_KIND_TCP, 22, reject(3));
  out.rule(kWeb, kData, GW_KIND_TCP, 5432, allow(4));
  out.rule(kAlice, kGateway, GW_KIND_ICMP, 8U << 8U, allow(6));
  out.rule(kAlice, kGateway, GW_KIND_ICMP, 128U << 8U, allow(6));
  out.rule(kBob, kGateway, GW_KIND_TCP, 22, deny(7)).rule(kBob, kGateway, GW_KIND_TCP, 80, reject(8));
  out.rule(kUplinkNet, kWeb, GW_KIND_TCP, 443, allow(9));
  out.masquerade(kAlice);
  return out;
}

bpf::PolicyImage standard_image() { return standard_rules().build("standard"); }

bpf::Hosts standard_hosts() {
  const auto address = [](const char* text) { return IpAddress::parse(text).value(); };
  return {{address(kAliceV4), {kAlice, 1, GW_HOST_CLIENT}},
          {address(kAliceV6), {kAlice, 1, GW_HOST_CLIENT}},
          {address(kBobV4), {kBob, 2, GW_HOST_CLIENT}},
          {address(kGatewayV4), {kGateway, 0, GW_HOST_GATEWAY}},
          {address("172.16.201.1"), {kGateway, 0, GW_HOST_GATEWAY}},
          {address("203.0.113.1"), {kGateway, 0, GW_HOST_GATEWAY}},
          {address("fd6d:706e:6c61::1"), {kGateway, 0, GW_HOST_GATEWAY}}};
}

}  // namespace gw::test
