// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/profile.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "gatewayd/base/label.h"

namespace gw::connect {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxSize = size_t{256} << 10U;
constexpr size_t kMaxAddresses = 16;
constexpr size_t kMaxPrefixes = 4096;
constexpr size_t kMaxServers = 8;
constexpr size_t kMaxText = 253;
constexpr uint32_t kMinMtu = 1280;  // what IPv6 wants of a link (RFC 8200 §5)
constexpr uint32_t kMaxMtu = 65535;
constexpr const char* kOperation = "read the gateway's profile";

/// Reads fields one by one and remembers the first that will not do.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  std::string text(const char* name) {
    const Json* value = find(name);
    if (value == nullptr || !value->is_string()) return wrong(name), "";
    auto out = value->get<std::string>();
    const bool plain =
        out.size() <= kMaxText && std::ranges::all_of(out, [](unsigned char c) { return c > ' ' && c < 0x7f; });
    if (!plain) wrong(name);
    return plain ? out : "";
  }

  template <class T, class Parse>
  std::vector<T> list(const char* name, size_t most, Parse parse) {
    const Json* value = find(name);
    std::vector<T> out;
    if (value == nullptr || !value->is_array() || value->size() > most) return wrong(name), out;
    for (const Json& entry : *value) {
      std::optional<T> item;
      if (entry.is_string()) item = parse(entry.get_ref<const std::string&>());
      if (!item) return wrong(name), out;
      out.push_back(std::move(*item));
    }
    return out;
  }

  int64_t number(const char* name, int64_t least, int64_t most) {
    const Json* value = find(name);
    const bool whole = value != nullptr && value->is_number_integer();
    // A number above the signed ones would come out negative.
    if (!whole || (value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX)) return wrong(name), 0;
    const auto out = value->get<int64_t>();
    if (out < least || out > most) return wrong(name), 0;
    return out;
  }

  template <class T>
  T parsed(const char* name, const std::optional<T>& value) {
    if (!value) wrong(name);
    return value.value_or(T{});
  }

  void wrong(const char* name) {
    if (bad_.empty()) bad_ = name;
  }
  [[nodiscard]] const std::string& bad() const { return bad_; }

 private:
  const Json* find(const char* name) const {
    const auto at = json_.find(name);
    return at == json_.end() ? nullptr : &*at;
  }

  const Json& json_;
  std::string bad_;
};

std::optional<InterfaceAddress> parse_address(const std::string& text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(std::string_view(text).substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string::npos) return InterfaceAddress{*address, static_cast<uint8_t>(address->bits())};
  unsigned length = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, length);
  if (error != std::errc() || stop != end || length == 0 || length > static_cast<unsigned>(address->bits()))
    return std::nullopt;
  return InterfaceAddress{*address, static_cast<uint8_t>(length)};
}

bool is_domain(const std::string& text) {
  const auto as_host = parse_host_port(text, 1);
  return as_host && as_host->host == text && !IpAddress::parse(text);
}

void read_routes(Reader& reader, Profile& out) {
  out.addresses = reader.list<InterfaceAddress>("addresses", kMaxAddresses, parse_address);
  if (out.addresses.empty()) reader.wrong("addresses");
  out.allowed_ips =
      reader.list<Prefix>("allowed_ips", kMaxPrefixes, [](const std::string& text) { return Prefix::parse(text); });
  std::ranges::sort(out.allowed_ips);
  out.allowed_ips.erase(std::ranges::unique(out.allowed_ips).begin(), out.allowed_ips.end());
  if (out.allowed_ips.empty()) reader.wrong("allowed_ips");
  const std::string tunnel = reader.text("tunnel");
  if (tunnel != "full" && tunnel != "split") reader.wrong("tunnel");
  out.full = tunnel == "full";
}

void read_gateway(Reader& reader, Profile& out) {
  out.gateway_name = reader.text("gateway_name");
  out.gateway_key = reader.parsed("gateway_public_key", PublicKey::parse(reader.text("gateway_public_key")));
  if (out.gateway_key.is_low_order()) reader.wrong("gateway_public_key");
  out.endpoint = reader.parsed("endpoint", parse_host_port(reader.text("endpoint"), 0));
}

}  // namespace

std::string InterfaceAddress::str() const { return address.str() + "/" + std::to_string(length); }

Result<Profile> parse_profile(std::string_view json) {
  if (json.size() > kMaxSize) return failure(EBADMSG, kOperation, {}, "it is longer than 256 KiB");
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return failure(EBADMSG, kOperation, {}, "it is no JSON object");
  Reader reader(parsed);
  Profile out;
  out.client = reader.text("client");
  if (!is_label(out.client)) reader.wrong("client");
  read_routes(reader, out);
  out.dns = reader.list<IpAddress>("dns", kMaxServers, [](const std::string& text) { return IpAddress::parse(text); });
  out.dns_domain = reader.text("dns_domain");
  if (!out.dns_domain.empty() && !is_domain(out.dns_domain)) reader.wrong("dns_domain");
  out.mtu = static_cast<uint32_t>(reader.number("mtu", 0, kMaxMtu));
  if (out.mtu != 0 && out.mtu < kMinMtu) reader.wrong("mtu");
  read_gateway(reader, out);
  out.not_after = reader.number("not_after", 0, INT64_MAX);
  if (!reader.bad().empty())
    return failure(EBADMSG, kOperation, {}, "its field " + reader.bad() + " is missing or will not do");
  return out;
}

std::string profile_json(const Profile& profile) {
  Json addresses = Json::array();
  for (const auto& address : profile.addresses) addresses.push_back(address.str());
  Json allowed = Json::array();
  for (const auto& prefix : profile.allowed_ips) allowed.push_back(prefix.str());
  Json dns = Json::array();
  for (const auto& server : profile.dns) dns.push_back(server.str());
  const Json out = {{"client", profile.client},
                    {"addresses", addresses},
                    {"allowed_ips", allowed},
                    {"tunnel", profile.full ? "full" : "split"},
                    {"dns", dns},
                    {"dns_domain", profile.dns_domain},
                    {"mtu", profile.mtu},
                    {"gateway_name", profile.gateway_name},
                    {"gateway_public_key", profile.gateway_key.str()},
                    {"endpoint", profile.endpoint.str()},
                    {"not_after", profile.not_after}};
  return out.dump();
}

}  // namespace gw::connect
