// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/decode.h"
#include "gatewayd/dbus/encode.h"
#include "gatewayd/dbus/method.h"

namespace gw::dbus {
namespace {

// The value of a use case as one dictionary, or its error.
template <class T>
Result<void> answer(Call& call, const Result<T>& value) {
  if (!value) return std::unexpected(value.error());
  put_dict(call.out, *value);
  return {};
}

template <class T>
Result<void> answer_list(Call& call, const Result<std::vector<T>>& values) {
  if (!values) return std::unexpected(values.error());
  put_dicts(call.out, *values);
  return {};
}

template <class T>
Result<void> answer_named(Call& call, const std::map<std::string, T>& values) {
  call.out.open_list();
  for (const auto& [name, value] : values) put_dict(call.out, name, value);
  call.out.close();
  return {};
}

// Reads the name in front of the other arguments, then does `handler` for that client.
template <Handler handler>
Result<void> for_client(Call& call) {
  auto name = read_text(call.in);
  if (!name) return std::unexpected(name.error());
  call.client = std::move(*name);
  return handler(call);
}

// A use case that takes nothing but a name and who asks.
template <Result<void> (control::Controller::*use_case)(const std::string&, const control::Who&)>
Result<void> by_name(Call& call) {
  const auto name = read_text(call.in);
  if (!name) return std::unexpected(name.error());
  return (call.controller.*use_case)(*name, call.who);
}

// Adds what `decode` makes of a name and a dictionary.
template <auto decode, auto use_case>
Result<void> add_named(Call& call) {
  const auto name = read_text(call.in);
  if (!name) return std::unexpected(name.error());
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto value = decode(std::move(*dict), *name);
  if (!value) return std::unexpected(value.error());
  return (call.controller.*use_case)(*name, *value, call.who);
}

Result<void> get_status(Call& call) { return answer(call, call.controller.status()); }

Result<void> get_plan(Call& call) {
  const auto plan = call.controller.plan();
  if (!plan) return std::unexpected(plan.error());
  std::vector<std::string> lines;
  for (const auto& diagnostic : plan->diagnostics) lines.push_back(diagnostic.str());
  call.out.texts(plan->operations).texts(lines).boolean(plan->files_differ);
  return {};
}

Result<void> apply(Call& call) {
  const auto seconds = read_u32(call.in);
  if (!seconds) return std::unexpected(seconds.error());
  return answer(call, call.controller.apply(*seconds, call.who));
}

Result<void> confirm(Call& call) { return call.controller.confirm(call.who); }
Result<void> rollback(Call& call) { return answer(call, call.controller.rollback(call.who)); }

Result<void> list_subnets(Call& call) { return answer_named(call, call.controller.config().subnets); }
Result<void> list_sites(Call& call) { return answer_list(call, call.controller.sites()); }
Result<void> list_groups(Call& call) { return answer_named(call, call.controller.config().groups); }
Result<void> list_rules(Call& call) { return answer_list(call, call.controller.rules()); }

Result<void> add_rule(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto rule = decode_rule(std::move(*dict));
  if (!rule) return std::unexpected(rule.error());
  auto options = Dict::read(call.in);
  if (!options) return std::unexpected(options.error());
  const auto place = decode_place(std::move(*options));
  if (!place) return std::unexpected(place.error());
  return call.controller.add_rule(*rule, place->before, place->after, call.who);
}

Result<void> list_clients(Call& call) { return answer_list(call, call.controller.clients()); }
Result<void> get_client(Call& call) { return answer(call, call.controller.client(call.client)); }
Result<void> export_client(Call& call) { return answer(call, call.controller.export_client(call.client)); }

Result<void> add_client(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto client = decode_new_client(std::move(*dict));
  if (!client) return std::unexpected(client.error());
  return answer(call, call.controller.add_client(*client, call.who));
}

Result<void> rekey_client(Call& call) {
  const auto request = read_text(call.in);
  if (!request) return std::unexpected(request.error());
  const auto days = read_u32(call.in);
  if (!days) return std::unexpected(days.error());
  return answer(call, call.controller.rekey_client(call.client, *request, *days, call.who));
}

Result<void> list_certificates(Call& call) { return answer_list(call, call.controller.certificates()); }

Result<void> get_certificate(Call& call) {
  const auto serial = read_text(call.in);
  if (!serial) return std::unexpected(serial.error());
  return answer(call, call.controller.certificate(*serial));
}

Result<void> revoke_certificate(Call& call) {
  const auto serial = read_text(call.in);
  if (!serial) return std::unexpected(serial.error());
  const auto reason = read_text(call.in);
  if (!reason) return std::unexpected(reason.error());
  return call.controller.revoke_certificate(*serial, *reason, call.who);
}

Result<void> list_blocks(Call& call) { return answer_list(call, call.controller.blocks()); }

Result<void> add_block(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto block = decode_new_block(std::move(*dict));
  if (!block) return std::unexpected(block.error());
  return call.controller.add_block(*block, call.who);
}

Result<void> explain(Call& call) {
  const auto from = read_text(call.in);
  if (!from) return std::unexpected(from.error());
  const auto to = read_text(call.in);
  if (!to) return std::unexpected(to.error());
  const auto service = read_text(call.in);
  if (!service) return std::unexpected(service.error());
  return answer(call, call.controller.explain(*from, *to, *service));
}

using C = control::Controller;

#define P(name) SD_BUS_PARAM(name)
constexpr Method kMethods[] = {
    {"GetStatus", "", "a{sv}", P(status), Access::read, get_status},
    {"GetPlan", "", "asasb", P(operations) P(diagnostics) P(files_differ), Access::read, get_plan},
    {"Apply", "u", "a{sv}", P(confirm_seconds) P(result), Access::change, apply},
    {"Confirm", "", "", "", Access::change, confirm},
    {"Rollback", "", "a{sv}", P(result), Access::change, rollback},
    {"ListSubnets", "", "aa{sv}", P(subnets), Access::read, list_subnets},
    {"AddSubnet", "sa{sv}", "", P(name) P(subnet), Access::change, add_named<decode_subnet, &C::add_subnet>},
    {"RemoveSubnet", "s", "", P(name), Access::change, by_name<&C::remove_subnet>},
    {"ListSites", "", "aa{sv}", P(sites), Access::read, list_sites},
    {"AddSite", "sa{sv}", "", P(name) P(site), Access::change, add_named<decode_site, &C::add_site>},
    {"RemoveSite", "s", "", P(name), Access::change, by_name<&C::remove_site>},
    {"ListGroups", "", "aa{sv}", P(groups), Access::read, list_groups},
    {"AddGroup", "sa{sv}", "", P(name) P(group), Access::change, add_named<decode_group, &C::add_group>},
    {"RemoveGroup", "s", "", P(name), Access::change, by_name<&C::remove_group>},
    {"ListRules", "", "aa{sv}", P(rules), Access::read, list_rules},
    {"AddRule", "a{sv}a{sv}", "", P(rule) P(options), Access::change, add_rule},
    {"RemoveRule", "s", "", P(name), Access::change, by_name<&C::remove_rule>},
    {"ListClients", "", "aa{sv}", P(clients), Access::read, list_clients},
    {"GetClient", "s", "a{sv}", P(name) P(client), Access::read, for_client<get_client>},
    {"AddClient", "a{sv}", "a{sv}", P(client) P(profile), Access::issue, add_client},
    {"SetClient", "sa{sv}", "", P(name) P(change), Access::change, for_client<set_client>},
    {"RenewClient", "su", "a{sv}", P(name) P(days) P(certificate), Access::issue, for_client<renew_client>},
    {"RekeyClient", "ssu", "a{sv}", P(name) P(request_pem) P(days) P(profile), Access::issue, for_client<rekey_client>},
    {"RevokeClient", "ss", "", P(name) P(reason), Access::issue, for_client<revoke_client>},
    {"RemoveClient", "s", "", P(name), Access::issue, for_client<remove_client>},
    {"ExportClient", "s", "a{sv}", P(name) P(profile), Access::read, for_client<export_client>},
    {"CreateToken", "a{sv}", "a{sv}", P(token) P(handout), Access::issue, create_token},
    {"ListTokens", "", "aa{sv}", P(tokens), Access::read, list_tokens},
    {"RevokeToken", "t", "", P(id), Access::issue, revoke_token},
    {"AddTrust", "a{sv}", "a{sv}", P(trust) P(status), Access::issue, add_trust},
    {"ListTrusts", "", "aa{sv}", P(trusts), Access::read, list_trusts},
    {"RemoveTrust", "sb", "as", P(name) P(revoke_clients) P(clients), Access::issue, remove_trust},
    {"SetTrustCrl", "ss", "", P(name) P(crl_pem), Access::issue, set_trust_crl},
    {"ListCertificates", "", "aa{sv}", P(certificates), Access::read, list_certificates},
    {"GetCertificate", "s", "a{sv}", P(serial) P(certificate), Access::read, get_certificate},
    {"RevokeCertificate", "ss", "", P(serial) P(reason), Access::issue, revoke_certificate},
    {"GetCrl", "", "ay", P(der), Access::read, get_crl},
    {"ListCrls", "", "as", P(pems), Access::read, list_crls},
    {"GetAuthority", "", "aa{sv}a{sv}", P(certificates) P(state), Access::read, get_authority},
    {"InitAuthority", "s", "", P(name), Access::issue, init_authority},
    {"RotateAuthority", "s", "", P(what), Access::issue, rotate_authority},
    {"RequestAuthority", "s", "s", P(name) P(request_pem), Access::issue, request_authority},
    {"ImportAuthority", "sb", "", P(pems) P(cut_off), Access::issue, import_authority},
    {"ListBlocks", "", "aa{sv}", P(blocks), Access::read, list_blocks},
    {"AddBlock", "a{sv}", "", P(block), Access::change, add_block},
    {"RemoveBlock", "s", "", P(prefix), Access::change, by_name<&C::remove_block>},
    {"Explain", "sss", "a{sv}", P(from) P(to) P(service) P(explanation), Access::read, explain},
    {"ListFlows", "a{sv}t", "aa{sv}t", P(filter) P(from) P(flows) P(next), Access::watch, list_flows},
    {"EndFlows", "a{sv}t", "ut", P(filter) P(from) P(ended) P(next), Access::change, end_flows},
    {"Watch", "a{sv}", "h", P(filter) P(verdicts), Access::watch, watch},
    {"BeginBackup", "", "tt", P(id) P(size), Access::root, begin_backup},
    {"ReadBackup", "tt", "ay", P(id) P(offset) P(piece), Access::root, read_backup},
    {"BeginRestore", "", "t", P(id), Access::root, begin_restore},
    {"WriteRestore", "tay", "", P(id) P(piece), Access::root, write_restore},
    {"Restore", "ta{sv}", "a{sv}", P(id) P(options) P(result), Access::root, restore},
    {"GetMetrics", "", "s", P(text), Access::read, get_metrics},
};
#undef P

}  // namespace

std::span<const Method> manager_methods() { return kMethods; }

}  // namespace gw::dbus
