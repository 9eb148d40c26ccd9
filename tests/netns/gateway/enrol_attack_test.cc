// SPDX-License-Identifier: Apache-2.0
// Attacks on the enrolment server: nothing is issued that should not be, and honest devices still enrol within two
// seconds.
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <thread>

#include "gatewayd/base/base64.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/est.h"
#include "gatewayd/pki/keys.h"
#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/proof.h"
#include "tests/netns/gateway/lab_fixture.h"
#include "tests/support/enroller.h"
#include "tests/support/tls_client.h"

namespace gw::test {
namespace {

using Json = nlohmann::json;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kFour = "5.5.5.1";
constexpr const char* kSix = "2a0d:5::1";
constexpr uint16_t kPort = 443;
constexpr const char* kEnroll = "/.well-known/est/simpleenroll";

/// An emulated processor, on which the attackers run as well, makes a tenth of the handshakes.
bool is_emulated() {
  static const bool found = read_file("/proc/cpuinfo").value_or("").find("QEMU TCG") != std::string::npos;
  return found;
}

/// What honest devices are promised.
milliseconds promise() { return is_emulated() ? milliseconds(20'000) : milliseconds(2'000); }

/// How many guesses: GW_GUESSES of the environment, or a few, so that the suite stays quick.
int guesses_wanted() {
  const char* text = std::getenv("GW_GUESSES");
  if (text != nullptr) return static_cast<int>(std::strtol(text, nullptr, 10));
  return is_emulated() ? 400 : 4000;
}

std::string guess_of(const std::string& token) {
  return http_post(
      kEnroll, "Content-Type: application/pkcs10\r\nAuthorization: Basic " + base64("token:" + token) + "\r\n", "AAAA");
}

struct Extension {
  std::string name;   ///< or its OID
  std::string value;  ///< as in openssl.cnf
};

/// What a certificate of a device has, by OpenSSL's names.
std::vector<std::string> profile() {
  return {"basicConstraints CA:FALSE", "keyUsage 128",   "extendedKeyUsage 2", "subjectKeyIdentifier",
          "authorityKeyIdentifier",    "subjectAltName", pki::kWireGuardKeyOid};
}

/// The extensions of the certificate in an answer.
std::vector<std::string> extensions_of(const std::string& answer) {
  const std::string pem = must(pki::pems_of(base64_decode(answer).value()));
  const pki::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const pki::X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  std::vector<std::string> out;
  for (int i = 0; i < X509_get_ext_count(certificate.get()); ++i) {
    const ASN1_OBJECT* kind = X509_EXTENSION_get_object(X509_get_ext(certificate.get(), i));
    char text[80];
    OBJ_obj2txt(text, sizeof text, kind, OBJ_obj2nid(kind) == NID_undef ? 1 : 0);
    const int nid = OBJ_obj2nid(kind);
    out.emplace_back(nid == NID_undef ? text : OBJ_nid2sn(nid));
    if (nid == NID_basic_constraints) out.back() += X509_check_ca(certificate.get()) == 0 ? " CA:FALSE" : " CA:TRUE";
    if (nid == NID_key_usage) out.back() += " " + std::to_string(X509_get_key_usage(certificate.get()));
    if (nid == NID_ext_key_usage) out.back() += " " + std::to_string(X509_get_extended_key_usage(certificate.get()));
  }
  return out;
}

pki::ExtensionsPtr stack_of(const std::vector<Extension>& list) {
  pki::ExtensionsPtr out(sk_X509_EXTENSION_new_null());
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  for (const Extension& one : list) {
    X509_EXTENSION* made = X509V3_EXT_nconf(nullptr, &context, one.name.c_str(), one.value.c_str());
    if (made == nullptr) throw std::runtime_error("no extension: " + one.name);
    sk_X509_EXTENSION_push(out.get(), made);
  }
  return out;
}

/// A device that makes whatever request it likes, for keys of its own.
class RawDevice {
 public:
  /// DER. `more` stands beside the WireGuard key; `hidden` in a list of its own, under Microsoft's name for it.
  [[nodiscard]] std::string request(const std::string& name, const std::vector<Extension>& more = {},
                                    const std::vector<Extension>& hidden = {}) const {
    const pki::RequestPtr out(X509_REQ_new());
    X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(out.get()), NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1,
                               0);
    std::vector<Extension> all = more;
    std::string hex = "DER:0420";
    for (const uint8_t byte : keys_.public_key.bytes) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      hex += {kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    all.push_back({pki::kWireGuardKeyOid, hex});
    X509_REQ_add_extensions(out.get(), stack_of(all).get());
    if (!hidden.empty()) X509_REQ_add_extensions_nid(out.get(), stack_of(hidden).get(), NID_ms_ext_req);
    X509_REQ_set_pubkey(out.get(), key_.get());
    X509_REQ_sign(out.get(), key_.get(), EVP_sha256());
    unsigned char* der = nullptr;
    const int size = i2d_X509_REQ(out.get(), &der);
    const pki::BufferPtr owner(der);
    return {der, der + size};
  }

  [[nodiscard]] std::string post(const std::string& token, const std::string& der,
                                 const pki::Challenge& challenge) const {
    const std::string mac = must(pki::prove(keys_.secret, challenge, der));
    return http_post(kEnroll,
                     "Content-Type: application/pkcs10\r\nAuthorization: Basic " + base64("token:" + token) +
                         "\r\nWireGuard-Proof: " + base64(challenge.nonce) + " " + base64(mac) + "\r\n",
                     base64(der));
  }

 private:
  pki::KeyPtr key_{EVP_EC_gen("P-256")};
  pki::WireGuardKeys keys_ = must(pki::generate_wireguard_keys());
};

/// An address of an IPv6 customer of the attacker's.
std::string subscriber(int number) {
  char text[64];
  std::snprintf(text, sizeof text, "2a0d:6:%x:%x::1", static_cast<unsigned>(number) >> 16U,
                static_cast<unsigned>(number) & 0xffffU);
  return text;
}

class EnrolAttack : public testing::Test {
 protected:
  void SetUp() override {
    rlimit files{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    lab_.configure(kGroups);
    lab_.configure_enrolment();
    lab_.start();
    lab_.start_enrolment();
    // The attacker has networks of his own behind his address.
    lab_.outside().ip({"route add local 5.5.6.0/24 dev lo", "route add local 2a0d:6::/32 dev lo"});
    lab_.gateway().ip({"route add 5.5.6.0/24 via 5.5.5.200", "route add 2a0d:6::/32 via 2a0d:5::c8"});
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << lab_.log() << lab_.enrolment_log() << '\n';
  }

  Enroller device(const std::string& name) {
    return {honest_, lab_.invite("--group developers").at("link").get<std::string>(), name};
  }

  /// Enrols one device after the other until `done`, at least three; the longest that one took.
  milliseconds honest_devices(const std::atomic<bool>& done) {
    constexpr size_t kRoom = 200;  // of the addresses that the lab has for clients
    milliseconds longest{0};
    for (int i = 0; i < 3 || !done; ++i) {
      Enroller one = device("honest" + std::to_string(i));
      const auto before = SteadyClock::now();
      const auto enrolled = one.enrol_patiently(promise());
      EXPECT_TRUE(enrolled) << enrolled.error().message();
      longest = std::max(longest, std::chrono::duration_cast<milliseconds>(SteadyClock::now() - before));
      ++honest_count_;
      if (honest_count_ <= kRoom) continue;
      lab_.must_gwctl("client remove " + one.name());
      --honest_count_;
    }
    return longest;
  }

  [[nodiscard]] pki::Challenge ask_challenge() {
    TlsClient client(honest_, kFour, kPort);
    (void)client.send("GET /.well-known/gatewayd/challenge HTTP/1.1\r\nHost: gateway\r\n\r\n");
    const Json shown = Json::parse(client.receive().body);
    pki::Challenge out;
    out.public_key = PublicKey::parse(shown.at("public_key").get<std::string>()).value();
    std::ranges::copy(base64_decode(shown.at("nonce").get<std::string>()).value(), out.nonce.begin());
    return out;
  }

  size_t clients() { return Json::parse(lab_.must_gwctl("--json client list")).size(); }

  Lab lab_{GW_BINARY_DIR};
  Host& honest_ = lab_.attach("honest");
  size_t honest_count_ = 0;
};

/// Guesses from ever other subscribers, ten from each, so that no answer comes late.
class Guesser {
 public:
  Guesser(const Host& host, std::atomic<int>& next, int count) : host_(host), next_(next), count_(count) {}

  void run() {
    constexpr int kEach = 10;
    for (int number = 0; (number = next_.fetch_add(kEach)) < count_;) {
      while (!guess(number, kEach)) ++broken_;
    }
  }
  /// The same without an end, through whatever becomes of the server.
  void run_until(const std::atomic<bool>& done) {
    while (!done) guess(next_.fetch_add(1), 1);
  }
  [[nodiscard]] int refused() const { return refused_; }
  [[nodiscard]] int busy() const { return busy_; }
  [[nodiscard]] int other() const { return other_; }
  [[nodiscard]] int broken() const { return broken_; }

 private:
  bool guess(int number, int count) {
    TlsClient client(host_, kSix, kPort, subscriber(number));
    std::string all;
    for (int i = 0; i < count; ++i) {
      std::string token = std::to_string(number + i);
      token.insert(0, 26 - token.size(), 'a');
      std::ranges::transform(token, token.begin(),
                             [](char c) { return c < 'a' ? static_cast<char>(c - '0' + 'b') : c; });
      all += guess_of(token);
    }
    if (!client.send(all)) return false;
    for (int i = 0; i < count; ++i) {
      const int status = client.receive(milliseconds(30'000)).status;
      if (status == 0) return false;
      ++(status == 401 ? refused_ : status == 503 ? busy_ : other_);
    }
    return true;
  }

  const Host& host_;
  std::atomic<int>& next_;
  int count_;
  int refused_ = 0, busy_ = 0, other_ = 0, broken_ = 0;
};

TEST_F(EnrolAttack, GuessesOfTokensGetNothingAndHoldNobodyUp) {
  const int wanted = guesses_wanted();
  std::atomic<int> next = 0;
  std::atomic<bool> done = false;
  std::vector<Guesser> guessers(8, Guesser(lab_.outside(), next, wanted));
  const auto before = SteadyClock::now();
  std::jthread attack([&] {
    {
      std::vector<std::jthread> threads;
      threads.reserve(guessers.size());
      for (Guesser& one : guessers) threads.emplace_back([&one] { one.run(); });
    }
    done = true;
  });
  const auto longest = honest_devices(done);
  attack.join();
  const auto took = std::chrono::duration_cast<milliseconds>(SteadyClock::now() - before);
  int refused = 0, busy = 0, broken = 0;
  for (const Guesser& one : guessers) {
    refused += one.refused();
    busy += one.busy();
    broken += one.broken();
    EXPECT_EQ(one.other(), 0) << "neither refused nor told to come later";
  }
  std::cerr << refused << " guesses refused, " << busy << " told to come later, " << broken << " connections cut in "
            << took.count() << " ms; of " << honest_count_ << " honest devices the slowest took " << longest.count()
            << " ms\n";
  EXPECT_LT(longest, promise());
  EXPECT_GE(refused + busy, wanted);
  EXPECT_EQ(clients(), honest_count_) << "nobody else";
}

TEST_F(EnrolAttack, WhoeverGuessesOftenIsAnsweredLateAndNobodyElse) {
  const auto guess = [](TlsClient& client) {
    const auto before = SteadyClock::now();
    EXPECT_TRUE(client.send(guess_of("aaaaaaaaaaaaaaaaaaaaaaaaaa")));
    EXPECT_EQ(client.receive(milliseconds(30'000)).status, 401);
    return SteadyClock::now() - before;
  };
  TlsClient attacker(lab_.outside(), kFour, kPort);
  for (int i = 0; i < 10; ++i) guess(attacker);
  // Some are forgiven on a slow machine.
  EXPECT_TRUE(Lab::eventually([&] { return guess(attacker) >= milliseconds(2'000); }));
  TlsClient other(honest_, kFour, kPort);
  EXPECT_LT(guess(other), promise());
}

/// What holds a place without ever finishing: the beginning of a head, or a head and the beginning of a body.
std::string beginning(int number) {
  return number % 2 == 0
             ? std::string("POST ") + kEnroll + " HTTP/1.1\r\nHost: gateway\r\nX-"
             : http_post(kEnroll, "Content-Type: application/pkcs10\r\n", std::string(5000, 'A')).substr(0, 200);
}

TEST_F(EnrolAttack, SlowHeadsAndBodiesOnAThousandConnectionsHoldNobodyUp) {
  const int connections = is_emulated() ? 200 : 1000;
  std::vector<TlsClient> slow;
  slow.reserve(static_cast<size_t>(connections));
  for (int i = 0; i < connections; ++i) {
    // Fifty from each of twenty addresses.
    slow.emplace_back(lab_.outside(), kFour, kPort, "5.5.6." + std::to_string(1 + i % 20));
    ASSERT_TRUE(slow.back().send(beginning(i))) << i;
  }
  const std::atomic<bool> done = true;
  EXPECT_LT(honest_devices(done), promise());
  // Ever one byte more does not help them: the whole request has its deadline.
  const auto all_closed = [&] {
    std::erase_if(slow, [](TlsClient& one) { return !one.send("a") || one.closed(); });
    return slow.empty();
  };
  EXPECT_TRUE(Lab::eventually(all_closed)) << slow.size() << " are still open";
}

TEST_F(EnrolAttack, AConnectionEachFromManySubscribersHoldsNobodyUp) {
  // More than there is room for, and ever new ones: whoever came first goes first.
  constexpr int kMost = 1100;
  const auto arrive = [this](int number) {
    return connect_tcp(lab_.outside(), kSix, kPort, kPatience, nullptr, subscriber(number));
  };
  std::vector<Socket> crowd;
  crowd.reserve(kMost);
  for (int i = 0; i < kMost; ++i) crowd.push_back(arrive(i));
  std::atomic<bool> done = false;
  std::jthread more([&](const std::stop_token& stop) {
    for (int i = kMost; !stop.stop_requested(); ++i) {
      crowd[static_cast<size_t>(i % kMost)] = arrive(i);
      if (i == kMost + 200) done = true;
    }
  });
  EXPECT_LT(honest_devices(done), promise());
}

TEST_F(EnrolAttack, AThousandGuessesAtTheSameMomentHoldNobodyUp) {
  const int most = is_emulated() ? 100 : 1000;
  std::vector<TlsClient> crowd;
  crowd.reserve(static_cast<size_t>(most));
  for (int i = 0; i < most; ++i) crowd.emplace_back(lab_.outside(), kSix, kPort, subscriber(i));
  const std::string guess = guess_of("aaaaaaaaaaaaaaaaaaaaaaaaaa");
  std::atomic<bool> done = false;
  std::jthread attack([&] {
    for (int round = 0; round < 5; ++round) {
      for (TlsClient& one : crowd) (void)one.send(guess);
      for (TlsClient& one : crowd) (void)one.receive(milliseconds(10'000));
    }
    done = true;
  });
  EXPECT_LT(honest_devices(done), promise());
  EXPECT_EQ(clients(), honest_count_);
}

TEST_F(EnrolAttack, OfFiftyThatUseATokenAtTheSameMomentOneGetsACertificate) {
  constexpr size_t kDevices = 50;
  const std::string token = lab_.invite("--group developers").at("token");
  const pki::Challenge challenge = ask_challenge();
  std::vector<RawDevice> devices(kDevices);
  std::vector<TlsClient> connections;
  std::vector<std::string> posts;
  for (size_t i = 0; i < kDevices; ++i) {
    connections.emplace_back(lab_.outside(), kFour, kPort);
    posts.push_back(devices[i].post(token, devices[i].request("device" + std::to_string(i)), challenge));
  }
  for (size_t i = 0; i < kDevices; ++i) EXPECT_TRUE(connections[i].send(posts[i]));
  std::vector<size_t> winners;
  for (size_t i = 0; i < kDevices; ++i) {
    const auto answer = connections[i].receive(milliseconds(20'000));
    EXPECT_TRUE(answer.status == 200 || answer.status == 401) << answer.status << answer.body;
    if (answer.status == 200) winners.push_back(i);
  }
  ASSERT_EQ(winners.size(), 1U);
  EXPECT_EQ(clients(), 1U);
  EXPECT_EQ(Json::parse(lab_.must_gwctl("--json cert list")).size(), 1U);
  // And one after the other: only its own keys get it again.
  for (size_t i = 0; i < kDevices; i += 10) {
    TlsClient again(honest_, kFour, kPort);
    EXPECT_TRUE(again.send(posts[i]));
    EXPECT_EQ(again.receive().status, i == winners[0] ? 200 : 401);
  }
  TlsClient same(honest_, kFour, kPort);
  EXPECT_TRUE(same.send(posts[winners[0]]));
  EXPECT_EQ(same.receive().status, 200) << "the answer may have been lost on its way";
  EXPECT_EQ(Json::parse(lab_.must_gwctl("--json cert list")).size(), 1U);
}

TEST_F(EnrolAttack, NoRequestPutsAnExtensionIntoACertificate) {
  const std::string token = lab_.invite("--group developers").at("token");
  std::vector<Extension> thousand;
  thousand.reserve(1000);
  for (int i = 0; i < 1000; ++i) thousand.push_back({"1.3.9." + std::to_string(1000 + i), "DER:0500"});
  const std::vector<std::vector<Extension>> wishes = {
      {{"basicConstraints", "critical,CA:TRUE"}},
      {{"basicConstraints", "critical,CA:TRUE,pathlen:0"}, {"keyUsage", "critical,keyCertSign,cRLSign"}},
      {{"keyUsage", "digitalSignature,keyEncipherment"}},
      {{"extendedKeyUsage", "serverAuth,clientAuth"}},
      {{"subjectAltName", "DNS:vpn.contoso.example,IP:5.5.5.1"}},
      {{"subjectAltName", "URI:urn:uuid:00000000-0000-4000-8000-000000000000"}},
      {{"nameConstraints", "permitted;DNS:contoso.example"}},
      {{"authorityInfoAccess", "OCSP;URI:http://5.5.5.200/"}},
      {{"1.2.3.4", "critical,DER:0500"}},
      {{"1.2.3.4", "ASN1:UTF8String:" + std::string(12'000, 'a')}},
      {{"1.2.3.4", "ASN1:UTF8String:" + std::string(40'000, 'a')}},
      thousand};
  const RawDevice device;
  for (const auto& wish : wishes) {
    TlsClient client(lab_.outside(), kFour, kPort);
    (void)client.send(device.post(token, device.request("laptop", wish), ask_challenge()));
    const int status = client.receive().status;
    EXPECT_TRUE(status == 400 || status == 413) << wish.front().name << ": " << status;
  }
  EXPECT_EQ(clients(), 0U);
  // Where nobody looks for them they do no harm: a second list of extensions, which older software uses.
  TlsClient client(lab_.outside(), kFour, kPort);
  const std::string hidden =
      device.request("laptop", {}, {{"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "keyCertSign"}});
  EXPECT_TRUE(client.send(device.post(token, hidden, ask_challenge())));
  const auto answer = client.receive();
  ASSERT_EQ(answer.status, 200) << answer.body << ": the token was not spent by what was refused";
  EXPECT_EQ(extensions_of(answer.body), profile());
}

TEST_F(EnrolAttack, NoTokenIsLostWhenTheServerIsKilledAgainAndAgain) {
  constexpr size_t kDevices = 12;
  std::vector<Enroller> devices;
  devices.reserve(kDevices);
  for (size_t i = 0; i < kDevices; ++i) devices.push_back(device("laptop" + std::to_string(i)));
  std::atomic<bool> done = false;
  std::atomic<int> next = 0;
  std::atomic<size_t> enrolled = 0;
  constexpr size_t kGuessers = 2;
  constexpr size_t kQueues = 3;
  std::vector<std::jthread> threads;
  threads.reserve(kGuessers + kQueues);
  for (size_t i = 0; i < kGuessers; ++i) {
    threads.emplace_back([&] {
      Guesser guesser(lab_.outside(), next, std::numeric_limits<int>::max());
      guesser.run_until(done);
    });
  }
  // Ever a few at a time, so that each kill meets some in the middle.
  for (size_t i = 0; i < kQueues; ++i) {
    threads.emplace_back([&, i] {
      for (size_t at = i; at < kDevices; at += kQueues) {
        const auto got = devices[at].enrol_patiently(milliseconds(60'000));
        EXPECT_TRUE(got) << devices[at].name() << ": " << got.error().message();
        ++enrolled;
      }
    });
  }
  milliseconds longest{0};
  for (int kill = 0; kill < 3; ++kill) {
    const size_t before = enrolled;
    EXPECT_TRUE(Lab::eventually([&] { return enrolled > before || enrolled == kDevices; }));
    lab_.crash_enrolment();
    lab_.start_enrolment();
    Enroller late = device("late" + std::to_string(kill));
    const auto since = SteadyClock::now();
    const auto got = late.enrol_patiently(promise());
    EXPECT_TRUE(got) << got.error().message();
    longest = std::max(longest, std::chrono::duration_cast<milliseconds>(SteadyClock::now() - since));
  }
  EXPECT_TRUE(Lab::eventually([&] { return enrolled == kDevices; }, std::chrono::seconds(90)));
  done = true;
  threads.clear();
  std::cerr << "after a kill the slowest honest device took " << longest.count() << " ms\n";
  EXPECT_LT(longest, promise());
  const Json tokens = Json::parse(lab_.must_gwctl("--json token list"));
  for (const Json& token : tokens) {
    EXPECT_EQ(token.at("used"), 1) << token;
    EXPECT_EQ(token.at("clients").size(), 1U) << token;
  }
  EXPECT_EQ(tokens.size(), kDevices + 3);
  EXPECT_EQ(clients(), kDevices + 3);
  EXPECT_EQ(Json::parse(lab_.must_gwctl("--json cert list")).size(), kDevices + 3) << "one each";
}

}  // namespace
}  // namespace gw::test
