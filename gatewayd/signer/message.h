// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "gatewayd/base/result.h"
#include "gatewayd/pki/authority.h"

/// What gatewayd and the process with the authority's keys say to each other: over a stream socket of the file system
/// one question and one answer, each four bytes of length (network order) and as much JSON.
namespace gw::signer {

using Json = nlohmann::json;

/// Where the service listens (image/systemd/gatewayd-signer.socket).
inline constexpr const char* kSocket = "/run/gatewayd-signer/socket";

/// Waits at most five seconds for the other side to take it; sets that on the socket.
Result<void> limit_waiting(int fd);
Result<void> send_message(int fd, const Json& message);
/// EBADMSG: not JSON; EMSGSIZE: more than 64 MiB; ECONNRESET: it ended before; ETIMEDOUT: nothing for five seconds.
Result<Json> receive_message(int fd);

/// {"ok": …} or {"error": …}, as the caller of the method has it.
Json answer_of(const Result<Json>& result);
/// EBADMSG: it is no such answer.
Result<Json> result_of(const Json& answer);

Json to_json(const pki::AuthorityCertificates& certificates);
/// Throws nlohmann::json::exception where a member is missing or of another type.
pki::AuthorityCertificates certificates_from(const Json& json);

}  // namespace gw::signer
