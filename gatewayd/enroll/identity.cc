// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/identity.h"

#include <boost/asio/ssl/context.hpp>
#include <cerrno>

#include "gatewayd/base/file.h"
#include "gatewayd/pki/pki.h"

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

constexpr mode_t kSecret = 0600;
constexpr mode_t kPublic = 0644;
constexpr long kMostChain = long{64} << 10U;  // bytes of what a client shows

std::string joined(const Json& names) {
  std::string out;
  for (const Json& name : names) out += name.get<std::string>() + "\n";
  return out;
}

/// The first certificate of a chain.
std::string leaf_of(const std::string& chain) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
  const size_t end = chain.find(kEnd);
  return end == std::string::npos ? std::string() : chain.substr(0, end + kEnd.size());
}

/// A certificate that a client shows is judged by gatewayd; TLS only proves that the client has its key.
int take_any(int /*verified*/, X509_STORE_CTX* /*context*/) { return 1; }

}  // namespace

Identity::Identity(std::string directory, std::string key_pem)
    : directory_(std::move(directory)), key_pem_(std::move(key_pem)) {}

Result<Identity> Identity::open(const std::string& directory) {
  if (auto made = make_directories(directory, 0700); !made) return std::unexpected(made.error());
  const std::string path = directory + "/tls.key";
  auto pem = read_file(path);
  if (!pem && pem.error().code == ENOENT) {
    const auto key = pki::PrivateKey::generate();
    if (!key) return std::unexpected(key.error());
    pem = key->reveal_pem();
    if (auto written = write_file_atomically(path, *pem, kSecret); !written) return std::unexpected(written.error());
  }
  if (!pem) return std::unexpected(pem.error());
  if (auto key = pki::PrivateKey::parse(*pem); !key)
    return failure(EUCLEAN, "read", path, key.error().detail + "; remove it, and a new one is made");
  Identity out(directory, std::move(*pem));
  const auto chain = read_file(directory + "/tls.crt");
  const auto names = read_file(directory + "/names");
  if (chain && names && out.use(*chain)) out.names_ = *names;
  return out;
}

bool Identity::fits(const Json& facts, UnixSeconds now) const {
  if (!context_ || names_ != joined(facts.at("names"))) return false;
  if (!chain_pem_.ends_with(facts.at("chain_pem").get<std::string>())) return false;
  const auto leaf = pki::parse_certificate(leaf_of(chain_pem_));
  return leaf && leaf->not_after - now > (leaf->not_after - leaf->not_before) / 3;
}

Result<void> Identity::use(const std::string& chain_pem) {
  constexpr const char* kUse = "use the certificate for TLS";
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  // Nothing to resume: what a client may do is decided anew each time.
  SSL_CTX_set_num_tickets(context->native_handle(), 0);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context->native_handle(), kMostChain);
  SSL_CTX_set_verify(context->native_handle(), SSL_VERIFY_PEER, take_any);
  context->use_certificate_chain(asio::buffer(chain_pem), error);
  if (!error) context->use_private_key(asio::buffer(key_pem_), ssl::context::pem, error);
  if (!error && SSL_CTX_check_private_key(context->native_handle()) != 1)
    return failure(EINVAL, kUse, {}, "it is for another key");
  if (error) return failure(EINVAL, kUse, {}, error.message());
  context_ = std::move(context);
  chain_pem_ = chain_pem;
  return {};
}

asio::awaitable<Result<bool>> Identity::refresh(Bus& bus, const Json& facts, UnixSeconds now) {
  if (fits(facts, now)) co_return false;
  const auto key = pki::PrivateKey::parse(key_pem_);
  if (!key) co_return std::unexpected(key.error());
  const auto request = pki::make_server_request(*key);
  if (!request) co_return std::unexpected(request.error());
  const auto chain = co_await bus.call("CertifyFront", "s", only(*request));
  if (!chain) co_return std::unexpected(chain.error());
  const std::string pem = chain->get<std::string>();
  if (auto used = use(pem); !used) co_return std::unexpected(used.error());
  names_ = joined(facts.at("names"));
  if (auto kept = write_file_atomically(directory_ + "/tls.crt", pem, kPublic); !kept)
    co_return std::unexpected(kept.error());
  if (auto kept = write_file_atomically(directory_ + "/names", names_, kPublic); !kept)
    co_return std::unexpected(kept.error());
  co_return true;
}

}  // namespace gw::enroll
