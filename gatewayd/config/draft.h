// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/config/reader.h"

/// A configuration on its way from the tree to a Config: values, and the places that checks over several of them name.
namespace gw::config {

/// An address block and who claims it: "subnet 'web'".
struct Claim {
  Prefix prefix;
  Mark mark;
  std::string owner;
};

/// A device and what it is for: "the public interface".
struct DeviceUse {
  std::string device;
  Mark mark;
  std::string use;
};

/// A name that the gateway shall serve, and the subnet that it was written for.
struct DraftHost {
  std::string name;
  std::string subnet;
  Mark mark;
};

struct DraftRule {
  Rule rule;
  Mark mark;
  std::optional<Text> before;
  std::optional<Text> after;
};

struct Draft {
  Config config;
  std::vector<Claim> claims;       ///< VPN, subnets and sites: disjoint
  std::vector<DeviceUse> devices;  ///< the VPN device is first, when there is one
  std::vector<PlacedPrefix> address_space;
  std::map<PublicKey, Mark> site_keys;
  std::map<std::string, Mark>
      groups;  ///< also those whose contents are wrong, so that a rule that names one is not wrong as well
  std::map<std::string, Mark> subnets;
  std::map<std::string, Mark> sites;
  std::vector<DraftHost> hosts;        ///< as written
  std::optional<Text> domain;          ///< of vpn.dns
  std::vector<PlacedAddress> forward;  ///< of vpn.dns
  std::vector<DraftRule> rules;
};

/// Each reads one section of the merged tree; `node` is nullptr when the section is missing.
/// `services` comes first: others use its names.
void read_services(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_gateway(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_vpn(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_dataplane(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_network(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_subnets(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_groups(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_sites(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
/// Selectors may name what the sections above have given.
void read_rules(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_metrics(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_nat(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);
void read_guard(Diagnostics& diagnostics, const YamlNode* node, Draft& draft);

/// Puts `draft.rules` into their final order: as written, but those with `before:` or `after:` beside the rule they
/// name.
void order_rules(Diagnostics& diagnostics, Draft& draft);

/// Checks over several sections. The VPN pool is large enough; nothing overlaps; subnets lie in the address space; no
/// device has two uses.
void check_addresses(Diagnostics& diagnostics, const Draft& draft);
void check_devices(Diagnostics& diagnostics, const Draft& draft);

/// Names: those of hosts need a domain and are unlike each other's and the gateway's own; nobody is asked who would ask
/// back.
void check_names(Diagnostics& diagnostics, const Draft& draft);

/// Refuses each rule that can never match because one earlier rule matches all that it does. Reports only what is
/// certain.
void check_shadows(Diagnostics& diagnostics, const Draft& draft);

}  // namespace gw::config
