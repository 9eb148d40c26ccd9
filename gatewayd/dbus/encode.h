// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gatewayd/control/controller.h"
#include "gatewayd/dbus/message.h"

/// Structs as members of an open dictionary, in the shapes that org.gatewayd.Manager1.xml tells.
namespace gw::dbus {

void put(Writer& out, const control::Status& status);
void put(Writer& out, const control::RestoreResult& result);
void put(Writer& out, const control::ApplyResult& result);
void put(Writer& out, const control::ProfileFacts& facts);
void put(Writer& out, const control::ClientStatus& client);
void put(Writer& out, const control::RuleStatus& rule);
void put(Writer& out, const control::Explanation& explanation);
void put(Writer& out, const control::FlowStatus& flow);
void put(Writer& out, const registry::Block& block);
void put(Writer& out, const registry::Token& token);
void put(Writer& out, const control::TokenHandout& handout);
void put(Writer& out, const control::TrustStatus& status);
void put(Writer& out, const control::EnrolmentFacts& facts);
void put(Writer& out, const std::string& name, const config::Subnet& subnet);
void put(Writer& out, const control::SiteStatus& site);
void put(Writer& out, const std::string& name, const config::Group& group);
void put(Writer& out, const registry::Certificate& certificate);
void put(Writer& out, const pki::Certificate& certificate);
void put(Writer& out, const control::AuthorityPart& part);

/// The same as one dictionary argument.
template <class... Value>
void put_dict(Writer& out, const Value&... value) {
  out.open_dict();
  put(out, value...);
  out.close();
}

/// A list of dictionaries argument.
template <class Range>
void put_dicts(Writer& out, const Range& values) {
  out.open_list();
  for (const auto& value : values) put_dict(out, value);
  out.close();
}

}  // namespace gw::dbus
