// SPDX-License-Identifier: Apache-2.0
// The arguments of every bus method, as gatewayd decodes them: fuzzed bytes become a real message of the method's own
// signature, and that goes to the method's handler. A refusal has a reason and changes nothing; whatever is answered is
// a message that sd-bus takes.
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <string_view>

#include "gatewayd/dbus/bus.h"
#include "gatewayd/dbus/errors.h"
#include "gatewayd/dbus/method.h"
#include "gatewayd/dbus/names.h"
#include "tests/unit/dbus/fake_controller.h"

namespace {

using gw::dbus::Message;
using gw::dbus::Method;

constexpr size_t kMostMembers = 12;
constexpr size_t kMostTexts = 6;
constexpr size_t kMostText = 200;
constexpr const char* kMembers[] = {"add_groups", "after",          "all",          "before",        "certificate_pem",
                                    "client",     "comment",        "days",         "denied",        "description",
                                    "disabled",   "enable_clients", "endpoint",     "force",         "from",
                                    "groups",     "hosts",          "interconnect", "interface",     "keepalive",
                                    "log",        "name",           "prefix",       "present_proof", "proof",
                                    "public_key", "remove_groups",  "replace",      "request",       "request_pem",
                                    "rule",       "service",        "services",     "source",        "subnet",
                                    "to",         "token",          "ttl_seconds",  "tunnel",        "uses",
                                    "vlan",       "action",         "reason"};
constexpr const char* kTypes[] = {"s", "as", "b", "y", "n", "q", "i", "u", "x", "t", "d", "o", "g", "ay", "a{ss}", "v"};

/// A connection that leads nowhere: sd-bus makes messages for a connection only.
sd_bus* connection() {
  static const gw::dbus::Bus made = [] {
    sd_bus* raw = nullptr;
    int ends[2] = {};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0 || sd_bus_new(&raw) < 0 ||
        sd_bus_set_fd(raw, ends[0], ends[0]) < 0 || sd_bus_start(raw) < 0)
      std::abort();
    return gw::dbus::Bus(raw);
  }();
  return made.get();
}

/// Bytes that D-Bus takes for a text: UTF-8 without NUL.
std::string text(FuzzedDataProvider& bytes) {
  std::string out = gw::dbus::valid_utf8(bytes.ConsumeRandomLengthString(kMostText));
  std::ranges::replace(out, '\0', ' ');
  return out;
}

template <class T>
int append_number(FuzzedDataProvider& bytes, sd_bus_message* to, char type) {
  const T value = bytes.ConsumeIntegral<T>();
  return sd_bus_message_append_basic(to, type, &value);
}

int append_basic(FuzzedDataProvider& bytes, sd_bus_message* to, char type) {
  switch (type) {
    case 's':
      return sd_bus_message_append_basic(to, 's', text(bytes).c_str());
    case 'o':
      return sd_bus_message_append_basic(to, 'o', "/org/gatewayd");
    case 'g':
      return sd_bus_message_append_basic(to, 'g', "a{sv}");
    case 'b': {
      const int value = bytes.ConsumeBool() ? 1 : 0;
      return sd_bus_message_append_basic(to, 'b', &value);
    }
    case 'd': {
      const auto value = bytes.ConsumeFloatingPoint<double>();
      return sd_bus_message_append_basic(to, 'd', &value);
    }
    case 'y':
      return append_number<uint8_t>(bytes, to, type);
    case 'n':
    case 'q':
      return append_number<uint16_t>(bytes, to, type);
    case 'i':
    case 'u':
      return append_number<uint32_t>(bytes, to, type);
    default:
      return append_number<uint64_t>(bytes, to, type);
  }
}

int append_texts(FuzzedDataProvider& bytes, sd_bus_message* to) {
  int rc = sd_bus_message_open_container(to, 'a', "s");
  const auto count = bytes.ConsumeIntegralInRange<size_t>(0, kMostTexts);
  for (size_t i = 0; rc >= 0 && i < count; ++i) rc = append_basic(bytes, to, 's');
  return rc < 0 ? rc : sd_bus_message_close_container(to);
}

int append_value(FuzzedDataProvider& bytes, sd_bus_message* to) {
  const std::string_view type = bytes.PickValueInArray(kTypes);
  int rc = sd_bus_message_open_container(to, 'v', type.data());
  if (rc < 0) return rc;
  if (type == "as") {
    rc = append_texts(bytes, to);
  } else if (type == "ay") {
    const auto raw = bytes.ConsumeBytes<uint8_t>(bytes.ConsumeIntegralInRange<size_t>(0, kMostText));
    rc = sd_bus_message_append_array(to, 'y', raw.data(), raw.size());
  } else if (type == "a{ss}") {
    rc = sd_bus_message_append(to, "a{ss}", 1, "key", "value");
  } else if (type == "v") {
    rc = sd_bus_message_append(to, "v", "s", "inner");
  } else {
    rc = append_basic(bytes, to, type.front());
  }
  return rc < 0 ? rc : sd_bus_message_close_container(to);
}

int append_dict(FuzzedDataProvider& bytes, sd_bus_message* to) {
  int rc = sd_bus_message_open_container(to, 'a', "{sv}");
  const auto count = bytes.ConsumeIntegralInRange<size_t>(0, kMostMembers);
  for (size_t i = 0; rc >= 0 && i < count; ++i) {
    rc = sd_bus_message_open_container(to, 'e', "sv");
    const std::string key = bytes.ConsumeProbability<float>() < 0.9F ? bytes.PickValueInArray(kMembers) : text(bytes);
    if (rc >= 0) rc = sd_bus_message_append_basic(to, 's', key.c_str());
    if (rc >= 0) rc = append_value(bytes, to);
    if (rc >= 0) rc = sd_bus_message_close_container(to);
  }
  return rc < 0 ? rc : sd_bus_message_close_container(to);
}

/// What `signature` asks for. Aborts when sd-bus does not take it: then this file is wrong.
void append(FuzzedDataProvider& bytes, sd_bus_message* to, std::string_view signature) {
  while (!signature.empty()) {
    int rc = 0;
    size_t length = 1;
    if (signature.starts_with("a{sv}")) {
      length = 5;
      rc = append_dict(bytes, to);
    } else if (signature.starts_with("ay")) {
      length = 2;
      const auto raw = bytes.ConsumeBytes<uint8_t>(bytes.ConsumeIntegralInRange<size_t>(0, kMostText));
      rc = sd_bus_message_append_array(to, 'y', raw.data(), raw.size());
    } else {
      rc = append_basic(bytes, to, signature.front());
    }
    if (rc < 0) std::abort();
    signature.remove_prefix(length);
  }
}

Message message(const char* member) {
  sd_bus_message* raw = nullptr;
  if (sd_bus_message_new_method_call(connection(), &raw, gw::dbus::kBusName, gw::dbus::kManagerPath,
                                     gw::dbus::kManagerInterface, member) < 0)
    std::abort();
  return Message(raw);
}

void call(const Method& method, FuzzedDataProvider& bytes) {
  const Message in = message(method.name);
  append(bytes, in.get(), method.in);
  if (sd_bus_message_seal(in.get(), 1, 0) < 0 || sd_bus_message_rewind(in.get(), 1) < 0) std::abort();
  const Message reply = message("Reply");
  gw::dbus::Writer out(reply.get());
  gw::test::FakeController controller;
  gw::dbus::Call made{controller, "uid 0", in.get(), out, "alice"};
  const auto done = method.handler(made);
  if (!done) {
    if (done.error().code <= 0 || done.error().detail.empty()) std::abort();
    // FakeController itself refuses to find a client only.
    if (!controller.asked.empty() && done.error().code != ENOENT) std::abort();
    return;
  }
  if (!out.done() || sd_bus_message_seal(reply.get(), 2, 0) < 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider bytes(data, size);
  const std::span<const Method> tables[] = {gw::dbus::enrolment_methods(), gw::dbus::manager_methods(),
                                            gw::dbus::client_methods()};
  const auto table = bytes.PickValueInArray(tables);
  call(table[bytes.ConsumeIntegralInRange<size_t>(0, table.size() - 1)], bytes);
  return 0;
}
