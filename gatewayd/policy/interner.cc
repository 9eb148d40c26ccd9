// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/interner.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "bpf/abi.h"

namespace gw::policy {
namespace {

constexpr int kFormat = 1;
constexpr uint32_t kFirst = 1;
constexpr uint32_t kFirstLink = GW_LINK_ID_VPN + 1;

}  // namespace

uint32_t Interner::Numbers::number(const std::string& name) {
  const auto [at, added] = numbers_.try_emplace(name, static_cast<uint32_t>(names_.size()));
  if (added) names_.push_back(name);
  return at->second;
}

std::optional<Interner::Numbers> Interner::Numbers::of(const std::vector<std::string>& names) {
  Numbers out;
  for (const std::string& name : names) {
    if (out.number(name) + size_t{1} != out.names_.size()) return std::nullopt;
  }
  if (out.names_.size() != names.size()) return std::nullopt;
  return out;
}

uint32_t Interner::rule(const std::string& name) { return kFirst + rules_.number(name); }
uint32_t Interner::signature(const std::string& signature) { return kFirst + signatures_.number(signature); }
uint32_t Interner::link(const std::string& device) { return kFirstLink + links_.number(device); }

std::optional<std::string> Interner::rule_name(uint32_t id) const {
  if (id < kFirst || id - kFirst >= rules_.names().size()) return std::nullopt;
  return rules_.names()[id - kFirst];
}

std::string Interner::serialise() const {
  const nlohmann::json document = {
      {"format", kFormat}, {"rules", rules_.names()}, {"signatures", signatures_.names()}, {"links", links_.names()}};
  return document.dump();
}

Result<Interner> Interner::parse(const std::string& text) {
  const auto refuse = [](std::string why) {
    return failure(EINVAL, "read the names of the policy", {}, std::move(why));
  };
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) return refuse("the text is not JSON");
  try {
    if (document.at("format").get<int>() != kFormat) return refuse("the format is of another version");
    const auto rules = Numbers::of(document.at("rules").get<std::vector<std::string>>());
    const auto signatures = Numbers::of(document.at("signatures").get<std::vector<std::string>>());
    const auto links = Numbers::of(document.at("links").get<std::vector<std::string>>());
    if (!rules || !signatures || !links) return refuse("a name is there twice");
    Interner out;
    out.rules_ = *rules;
    out.signatures_ = *signatures;
    out.links_ = *links;
    return out;
  } catch (const nlohmann::json::exception& error) {
    return refuse(error.what());
  }
}

}  // namespace gw::policy
