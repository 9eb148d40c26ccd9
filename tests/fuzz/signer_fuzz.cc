// SPDX-License-Identifier: Apache-2.0
// The signer's messages, as a gatewayd that was taken over could send them: nothing crashes, no key leaves, and
// whatever is issued keeps to the profile. The first byte says what the rest is: a message as it comes over the socket,
// a question as JSON, or what members a question is to have.
#include <fuzzer/FuzzedDataProvider.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gatewayd/signer/client.h"
#include "gatewayd/signer/desk.h"

namespace {

using gw::UnixSeconds;
using gw::signer::Json;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 86400;
constexpr uid_t kGatewayd = 950;
constexpr const char* kOps[] = {"view",    "issue",  "issue_server", "crl",    "init",  "rotate",
                                "request", "import", "adopt",        "export", "stage", "nosuch"};

void demand(bool holds) {
  if (!holds) std::abort();
}

template <class T>
T must(gw::Result<T> result) {
  demand(result.has_value());
  return std::move(*result);
}

/// An authority in memory, made anew whenever a question has changed it: thousands of rotations would make a long list.
class Place {
 public:
  Place() {
    std::string name = "/dev/shm/fuzz-signer-XXXXXX";
    demand(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    begin();
    files_ = must(gw::pki::export_authority(directory_ + "/ca"));
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { std::filesystem::remove_all(directory_); }

  gw::signer::Desk& desk() { return *desk_; }
  void restore() {
    if (must(gw::pki::export_authority(directory_ + "/ca")) == files_) return;
    begin();
    files_ = must(gw::pki::export_authority(directory_ + "/ca"));
  }

 private:
  void begin() {
    std::filesystem::remove_all(directory_ + "/ca");
    desk_.emplace(directory_ + "/ca");
    demand(desk_->answer({{"op", "init"}, {"name", "contoso"}, {"now", kNow}}, kGatewayd).contains("ok"));
  }
  std::string directory_;
  gw::pki::NamedFiles files_;
  std::optional<gw::signer::Desk> desk_;
};

struct Wanted {
  const char* usage;
  UnixSeconds longest;
};

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

X509Ptr read(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                          BIO_free_all);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

UnixSeconds seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  demand(ASN1_TIME_to_tm(time, &parts) == 1);
  return timegm(&parts);
}

/// Not by the code that made it.
void check_profile(const std::string& pem, const Wanted& wanted) {
  const auto certificate = read(pem);
  demand(certificate != nullptr && X509_check_ca(certificate.get()) == 0);
  demand(X509_get_key_usage(certificate.get()) == KU_DIGITAL_SIGNATURE);
  demand(X509_get_extended_key_usage(certificate.get()) ==
         (std::string(wanted.usage) == "client" ? XKU_SSL_CLIENT : XKU_SSL_SERVER));
  demand(seconds_of(X509_get0_notAfter(certificate.get())) - seconds_of(X509_get0_notBefore(certificate.get())) <=
         wanted.longest + 300);
  const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  demand(key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 256);
  demand(X509_get_ext_by_NID(certificate.get(), NID_basic_constraints, -1) >= 0);
  demand(X509_get_ext_count(certificate.get()) <= 7);
}

void check_list(const std::string& hex) {
  std::string der;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) der += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> list(
      d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())), X509_CRL_free);
  demand(list != nullptr);
  demand(seconds_of(X509_CRL_get0_nextUpdate(list.get())) - seconds_of(X509_CRL_get0_lastUpdate(list.get())) <=
         30 * kDay + 300);
}

void ask(const Json& question) {
  static Place place;
  const Json answer = place.desk().answer(question, kGatewayd);
  demand(answer.is_object() && answer.size() == 1 && (answer.contains("ok") || answer.contains("error")));
  demand(answer.dump(-1, ' ', false, Json::error_handler_t::replace).find("PRIVATE KEY") == std::string::npos);
  const auto result = gw::signer::result_of(answer);
  if (!result) {
    demand(result.error().code > 0);
    return;
  }
  const std::string op = question.at("op");
  demand(op != "export" && op != "stage" && op != "nosuch");
  if (op == "issue") check_profile(result->get<std::string>(), {.usage = "client", .longest = 3650 * kDay});
  if (op == "issue_server") check_profile(result->get<std::string>(), {.usage = "server", .longest = 398 * kDay});
  if (op == "crl") check_list(result->get<std::string>());
  if (op == "init" || op == "rotate" || op == "import" || op == "request") place.restore();
}

// --- questions ---

std::string public_key() {
  static const std::string made = [] {
    const auto key = must(gw::pki::PrivateKey::generate());
    return must(gw::pki::parse_server_request(must(gw::pki::make_server_request(key))));
  }();
  return made;
}

UnixSeconds time_of(FuzzedDataProvider& bytes) {
  constexpr UnixSeconds kTimes[] = {kNow, kNow + kDay, kNow + 398 * kDay, kNow + 3650 * kDay, kNow + 3651 * kDay,
                                    0,    INT64_MIN,   INT64_MAX,         253402300799,       kNow + 30 * kDay};
  return bytes.ConsumeBool() ? bytes.PickValueInArray(kTimes) : kNow + bytes.ConsumeIntegral<int32_t>();
}

/// Of any type.
Json anything(FuzzedDataProvider& bytes) {
  switch (bytes.ConsumeIntegralInRange(0, 8)) {
    case 0:
      return bytes.ConsumeIntegral<int64_t>();
    case 1:
      return bytes.ConsumeIntegral<uint64_t>();
    case 2:
      return bytes.ConsumeFloatingPoint<double>();
    case 3:
      return bytes.ConsumeBool();
    case 4:
      return nullptr;
    case 5:
      return Json::array({bytes.ConsumeRandomLengthString(40), bytes.ConsumeIntegral<int>()});
    case 6:
      return Json::object({{"root.crt", bytes.ConsumeRandomLengthString(40)}});
    case 7:
      return public_key();
    default:
      return bytes.ConsumeRandomLengthString(300);
  }
}

Json revoked(FuzzedDataProvider& bytes) {
  Json out = Json::array();
  while (out.size() < 4 && bytes.ConsumeBool())
    out.push_back({bytes.ConsumeRandomLengthString(40), time_of(bytes), bytes.ConsumeRandomLengthString(24)});
  return out;
}

/// One that could be asked, but for a member or two.
Json question(FuzzedDataProvider& bytes) {
  Json out = {
      {"op", bytes.PickValueInArray(kOps)},
      {"public_key", public_key()},
      {"wireguard", "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="},
      {"name", bytes.ConsumeBool() ? "alice" : bytes.ConsumeRandomLengthString(80)},
      {"uuid", bytes.ConsumeBool() ? "5cda404d-68ad-4d7f-88a3-e2642a04d2fa" : bytes.ConsumeRandomLengthString(40)},
      {"now", time_of(bytes)},
      {"end", time_of(bytes)},
      {"names", Json::array({bytes.ConsumeBool() ? "vpn.contoso.example" : bytes.ConsumeRandomLengthString(80)})},
      {"revoked", revoked(bytes)},
      {"number", bytes.ConsumeIntegralInRange(0, 9)},
      {"issuer", bytes.ConsumeBool() ? "" : bytes.ConsumeRandomLengthString(80)},
      {"root", bytes.ConsumeBool()},
      {"pems", bytes.ConsumeRandomLengthString(200)},
      {"cut_off", bytes.ConsumeBool()}};
  constexpr const char* kMembers[] = {"op",    "public_key", "wireguard", "name",   "uuid", "now",  "end",
                                      "names", "revoked",    "number",    "issuer", "root", "pems", "cut_off"};
  while (bytes.remaining_bytes() > 0 && bytes.ConsumeIntegralInRange(0, 3) == 0) {
    const char* member = bytes.PickValueInArray(kMembers);
    if (bytes.ConsumeBool()) {
      out[member] = anything(bytes);
    } else {
      out.erase(member);
    }
  }
  return out;
}

void receive(const std::string& bytes) {
  int ends[2] = {};
  demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  demand(::send(ends[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  ::close(ends[0]);
  const auto message = gw::signer::receive_message(ends[1], std::chrono::steady_clock::now());
  ::close(ends[1]);
  if (!message) {
    demand(message.error().code > 0);
    return;
  }
  std::ignore = gw::signer::result_of(*message);
  gw::signer::Remote remote([&message](const Json& /*question*/) { return gw::signer::result_of(*message); });
  std::ignore = remote.view();
  std::ignore = remote.request("x");
  std::ignore = remote.make_crl({}, 1, kNow, kNow + kDay, "");
  std::ignore = remote.export_files();
  ask(*message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string rest(data + 1, data + size);
  if (data[0] == 'm') {
    receive(rest);
  } else if (data[0] == 'j') {
    if (const Json parsed = Json::parse(rest, nullptr, false); !parsed.is_discarded()) ask(parsed);
  } else {
    FuzzedDataProvider bytes(data, size);
    ask(question(bytes));
  }
  return 0;
}
