// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/errors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace gw::dbus {
namespace {

struct Name {
  int code;
  const char* name;
};

constexpr const char* kFailed = "org.gatewayd.Error.Failed";
constexpr const char* kNotFound = "org.gatewayd.Error.NotFound";
constexpr const char* kInvalidArgument = "org.gatewayd.Error.InvalidArgument";
constexpr const char* kInvalidCertificate = "org.gatewayd.Error.InvalidCertificate";
constexpr const char* kExhausted = "org.gatewayd.Error.Exhausted";
constexpr const char* kNotSupported = "org.gatewayd.Error.NotSupported";

// The one table from errno to D-Bus error names.
constexpr std::array kNames = {
    Name{EACCES, "org.gatewayd.Error.AccessDenied"},
    Name{EPERM, "org.gatewayd.Error.NotAllowed"},
    Name{ENOENT, kNotFound},
    Name{ENODEV, kNotFound},
    Name{EEXIST, "org.gatewayd.Error.AlreadyExists"},
    Name{EINVAL, kInvalidArgument},
    Name{EBADMSG, kInvalidArgument},
    Name{ENOSPC, kExhausted},
    Name{E2BIG, kExhausted},
    Name{EBUSY, "org.gatewayd.Error.Busy"},
    Name{EAGAIN, "org.gatewayd.Error.Busy"},
    Name{EKEYREJECTED, kInvalidCertificate},
    Name{EKEYEXPIRED, kInvalidCertificate},
    Name{EKEYREVOKED, kInvalidCertificate},
    Name{ENOTSUP, kNotSupported},
    Name{ENOSYS, kNotSupported},
    Name{EUCLEAN, "org.gatewayd.Error.Corrupt"},
    Name{ETIMEDOUT, "org.gatewayd.Error.TimedOut"},
};

}  // namespace

const char* error_name(int code) {
  const auto* found = std::ranges::find(kNames, code, &Name::code);
  return found == kNames.end() ? kFailed : found->name;
}

int set_error(sd_bus_error* out, const Error& error) {
  sd_bus_error_set(out, error_name(error.code), error.message().c_str());
  return -std::abs(error.code);
}

Error bus_error(int rc, const char* operation, const char* object, const sd_bus_error* from_peer) {
  std::string detail;
  if (from_peer != nullptr && from_peer->message != nullptr) detail = from_peer->message;
  return {std::abs(rc), operation, object, std::move(detail)};
}

}  // namespace gw::dbus
