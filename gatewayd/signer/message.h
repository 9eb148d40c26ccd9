// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>

#include "gatewayd/base/result.h"
#include "gatewayd/pki/authority.h"

/// What gatewayd and the process with the authority's keys say to each other: over a stream socket of the file system
/// one question and one answer, each four bytes of length (network order) and as much JSON.
namespace gw::signer {

using Json = nlohmann::json;

/// Where the service listens (image/systemd/gatewayd-signer.socket).
inline constexpr const char* kSocket = "/run/gatewayd-signer/socket";

/// Until when the other side is waited for, in all, however much it has said by then. Who keeps up is not cut off.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

/// ETIMEDOUT: it was not taken in time; as send(2).
Result<void> send_message(int fd, const Json& message, Deadline until = kNoDeadline);
/// EBADMSG: not JSON; EMSGSIZE: more than 64 MiB; ECONNRESET: it ended before; ETIMEDOUT: it was not there in time.
Result<Json> receive_message(int fd, Deadline until = kNoDeadline);

/// {"ok": …} or {"error": …}, as the caller of the method has it.
Json answer_of(const Result<Json>& result);
/// EBADMSG: it is no such answer.
Result<Json> result_of(const Json& answer);

Json to_json(const pki::AuthorityCertificates& certificates);
/// Throws nlohmann::json::exception where a member is missing or of another type.
pki::AuthorityCertificates certificates_from(const Json& json);

}  // namespace gw::signer
