// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gatewayd/control/controller.h"
#include "gatewayd/dbus/dict.h"

/// Dictionaries from outside as structs. All fail with EINVAL and everything that is wrong in one sentence; whether
/// names exist and values make sense together is for the controller and `config` to judge.
namespace gw::dbus {

Result<config::Subnet> decode_subnet(Dict dict, const std::string& name);
Result<config::Site> decode_site(Dict dict, const std::string& name);
Result<config::Group> decode_group(Dict dict, const std::string& name);
Result<config::Rule> decode_rule(Dict dict);  ///< `services` go into service_names, as written
Result<control::NewClient> decode_new_client(Dict dict);
Result<control::ClientChange> decode_client_change(Dict dict, const std::string& name);

/// The members of control::FlowFilter, and "all" for EndFlows.
struct FlowQuestion {
  control::FlowFilter filter;
  bool all = false;
};
Result<FlowQuestion> decode_flow_filter(Dict dict);
Result<control::WatchFilter> decode_watch_filter(Dict dict);
Result<control::NewBlock> decode_new_block(Dict dict);
Result<control::NewToken> decode_new_token(Dict dict);
Result<control::Enrolment> decode_enrolment(Dict dict);
Result<control::NewTrust> decode_new_trust(Dict dict);
Result<control::CertificateEnrolment> decode_certificate_enrolment(Dict dict);
Result<control::Reenrolment> decode_reenrolment(Dict dict);
Result<control::RestoreOptions> decode_restore_options(Dict dict);

/// Where a new rule goes: the options of AddRule.
struct Place {
  std::optional<std::string> before, after;
};
Result<Place> decode_place(Dict dict);

}  // namespace gw::dbus
