// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/signer/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "gatewayd/base/fd.h"

namespace gw::signer {
namespace {

constexpr const char* kAsk = "ask the signer";
constexpr std::chrono::seconds kPatience{5};

Result<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, kAsk, path);
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failure(errno, kAsk, path);
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};  // of connect(2) as well
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
    return failure(errno, kAsk, path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failure(errno, kAsk, path,
                   errno == EACCES ? "only root and gatewayd may" : "is gatewayd-signer.socket running?");
  }
  return fd;
}

Result<std::string> from_hex(const std::string& text) {
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int value = std::stoi(text.substr(i, 2), nullptr, 16);
    out += static_cast<char>(value);
  }
  return out;
}

std::unexpected<Error> other_version() { return failure(EBADMSG, kAsk, {}, "the signer is of another version"); }

}  // namespace

Result<Json> ask_at(const std::string& socket, const Json& question) {
  const Deadline until = std::chrono::steady_clock::now() + kPatience;
  const auto fd = connect_to(socket);
  if (!fd) return std::unexpected(fd.error());
  if (auto sent = send_message(fd->get(), question, until); !sent) return std::unexpected(sent.error());
  const auto answer = receive_message(fd->get(), until);
  if (!answer) return std::unexpected(answer.error());
  return result_of(*answer);
}

Result<std::string> Remote::ask_for_text(const Json& question) {
  const auto answer = way_(question);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->is_string()) return other_version();
  return answer->get<std::string>();
}

Result<pki::AuthorityView> Remote::ask_for_view(const Json& question) {
  const auto answer = way_(question);
  if (!answer) return std::unexpected(answer.error());
  try {
    const pki::AuthorityCertificates certificates = certificates_from(*answer);
    if (!known_.empty() && known_.front().certificates() == certificates) return known_.front();
    auto view = pki::AuthorityView::of(certificates);
    if (view) known_.assign(1, *view);
    return view;
  } catch (const Json::exception&) {
    return other_version();
  }
}

Result<pki::Certificate> Remote::ask_for_certificate(const Json& question) {
  const auto pem = ask_for_text(question);
  if (!pem) return std::unexpected(pem.error());
  return pki::parse_certificate(*pem);
}

Result<pki::AuthorityView> Remote::view() { return ask_for_view({{"op", "view"}}); }

Result<pki::AuthorityView> Remote::init(const std::string& name, UnixSeconds now) {
  return ask_for_view({{"op", "init"}, {"name", name}, {"now", now}});
}

Result<pki::Certificate> Remote::issue(const pki::Request& request, const std::string& name,
                                       const std::string& device_uuid, UnixSeconds now, UnixSeconds not_after) {
  return ask_for_certificate({{"op", "issue"},
                              {"public_key", request.public_key_pem},
                              {"wireguard", request.wireguard.str()},
                              {"name", name},
                              {"uuid", device_uuid},
                              {"now", now},
                              {"end", not_after}});
}

Result<pki::Certificate> Remote::issue_server(const std::string& public_key_pem, const std::vector<std::string>& names,
                                              UnixSeconds now, UnixSeconds not_after) {
  return ask_for_certificate(
      {{"op", "issue_server"}, {"public_key", public_key_pem}, {"names", names}, {"now", now}, {"end", not_after}});
}

Result<std::string> Remote::make_crl(const std::vector<pki::RevokedCertificate>& revoked, uint64_t number,
                                     UnixSeconds now, UnixSeconds next_update, const std::string& issuer) {
  Json list = Json::array();
  for (const auto& one : revoked) list.push_back(Json::array({one.serial, one.at, one.reason}));
  const auto text = ask_for_text({{"op", "crl"},
                                  {"revoked", std::move(list)},
                                  {"number", number},
                                  {"now", now},
                                  {"end", next_update},
                                  {"issuer", issuer}});
  if (!text) return text;
  if (text->size() % 2 != 0 || text->find_first_not_of("0123456789abcdef") != std::string::npos) return other_version();
  return from_hex(*text);
}

Result<pki::AuthorityView> Remote::rotate(const std::string& name, pki::Rotation what, UnixSeconds now) {
  return ask_for_view({{"op", "rotate"}, {"name", name}, {"root", what == pki::Rotation::root}, {"now", now}});
}

Result<std::string> Remote::request(const std::string& name) {
  return ask_for_text({{"op", "request"}, {"name", name}});
}

Result<pki::AuthorityView> Remote::import(const std::string& pems, bool cut_off, UnixSeconds now) {
  return ask_for_view({{"op", "import"}, {"pems", pems}, {"cut_off", cut_off}, {"now", now}});
}

Result<pki::NamedFiles> Remote::export_files() {
  const auto answer = way_({{"op", "export"}});
  if (!answer) return std::unexpected(answer.error());
  try {
    return answer->get<pki::NamedFiles>();
  } catch (const Json::exception&) {
    return other_version();
  }
}

Result<void> Remote::stage(const pki::NamedFiles& files) {
  const auto answer = way_({{"op", "stage"}, {"files", files}});
  return answer ? Result<void>() : std::unexpected(answer.error());
}

Result<void> Remote::adopt() {
  const auto answer = way_({{"op", "adopt"}});
  return answer ? Result<void>() : std::unexpected(answer.error());
}

}  // namespace gw::signer
