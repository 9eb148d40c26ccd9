// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "gatewayd/base/base64.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/est.h"
#include "gatewayd/pki/pki.h"
#include "gatewayd/pki/proof.h"
#include "tests/support/lab.h"
#include "tests/support/must.h"

namespace gw::test {

/// The lab's enrolment server, by its address.
inline constexpr const char* kEnrolmentBase = "https://5.5.5.1";

/// A device with keys of its own that speaks EST through curl.
class Device {
 public:
  Device(Lab& lab, std::string name) : lab_(lab), name_(std::move(name)), host_(lab.attach(name_)) {
    write("client.key", key_.reveal_pem());
  }

  [[nodiscard]] std::string path(const std::string& file) const { return lab_.directory() + "/" + name_ + "." + file; }
  void write(const std::string& file, const std::string& text) const {
    must(write_file_atomically(path(file), text, 0600));
  }
  [[nodiscard]] std::string read(const std::string& file) const { return must(read_file(path(file))); }

  /// The status of the answer; its body is in the file `answer`.
  std::string curl(const std::string& resource, const Arguments& more = {}) const {
    Arguments command = {
        "curl", "-sSk", "--max-time", "20", "-o", path("answer"), "-w", "%{http_code}", kEnrolmentBase + resource};
    command.insert(command.end(), more.begin(), more.end());
    return host_.run(command).out;
  }
  [[nodiscard]] std::string answer() const { return read("answer"); }

  [[nodiscard]] pki::Challenge challenge() const {
    EXPECT_EQ(curl("/.well-known/gatewayd/challenge"), "200");
    const auto shown = nlohmann::json::parse(answer());
    pki::Challenge out;
    out.public_key = PublicKey::parse(shown.at("public_key").get<std::string>()).value();
    std::ranges::copy(base64_decode(shown.at("nonce").get<std::string>()).value(), out.nonce.begin());
    return out;
  }
  [[nodiscard]] std::string request() const {
    return must(pki::request_der(must(pki::make_request(key_, name_, keys_.public_key))));
  }
  [[nodiscard]] std::string proof(const std::string& der) const {
    const auto asked = challenge();
    return base64(asked.nonce) + " " + base64(must(pki::prove(keys_.secret, asked, der)));
  }
  std::string enrol(const std::string& token) const { return post("simpleenroll", {"-u", "token:" + token}); }
  /// With an organisation's certificate in place of a token; paths.
  std::string enrol(const std::string& certificate, const std::string& key) const {
    return post("simpleenroll", {"--cert", certificate, "--key", key});
  }
  std::string renew() const {
    return post("simplereenroll", {"--cert", path("client.crt"), "--key", path("client.key")});
  }
  /// Keeps the certificate in the answer.
  void keep() const { write("client.crt", must(pki::pems_of(base64_decode(answer()).value()))); }

  [[nodiscard]] Host& host() const { return host_; }
  pki::WireGuardKeys keys_ = must(pki::generate_wireguard_keys());

 private:
  std::string post(const std::string& resource, Arguments more) const {
    const std::string der = request();
    write("request", base64(der));
    for (const std::string& word :
         {std::string("-H"), std::string("Content-Type: application/pkcs10"), std::string("-H"),
          "WireGuard-Proof: " + proof(der), std::string("--data-binary"), "@" + path("request")}) {
      more.push_back(word);
    }
    return curl("/.well-known/est/" + resource, more);
  }

  Lab& lab_;
  std::string name_;
  Host& host_;
  pki::PrivateKey key_ = must(pki::PrivateKey::generate());
};

}  // namespace gw::test
