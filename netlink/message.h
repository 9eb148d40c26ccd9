// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gatewayd/base/ip.h"
#include "gatewayd/base/result.h"
#include "netlink/socket.h"

struct nl_msg;
struct nlattr;

namespace gw::nl {

/// A request under construction: netlink header, protocol header, attributes. Wiped when it ends. Not for other layers.
class Message {
 public:
  /// `flags` beside NLM_F_REQUEST; `capacity` in bytes, past which put() fails.
  Message(uint16_t type, uint16_t flags, size_t capacity = 4096);

  /// Appends the protocol's fixed header; once, first.
  template <class Header>
  Message& header(const Header& value) {
    append(&value, sizeof value);
    return *this;
  }
  /// Appends an attribute. What does not fit is remembered and fails the request with EMSGSIZE.
  Message& put(int type, std::span<const uint8_t> bytes);
  Message& put(int type, const std::string& text);  ///< with its terminating zero
  Message& put(int type, const IpAddress& address);
  Message& put_u8(int type, uint8_t value);
  Message& put_u16(int type, uint16_t value);
  Message& put_u32(int type, uint32_t value);
  [[nodiscard]] nlattr* begin(int type);  ///< opens a nest; nullptr when it does not fit
  void end(nlattr* nest);

  [[nodiscard]] size_t size() const;  ///< bytes so far, headers included
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] nl_msg* get() const { return message_.get(); }

 private:
  struct Free {
    void operator()(nl_msg* message) const;
  };
  void append(const void* data, size_t size);
  void note(int error) { overflowed_ = overflowed_ || error < 0; }

  std::unique_ptr<nl_msg, Free> message_;
  bool overflowed_ = false;
};

/// Attributes of a received message or nest, read in place. A lookup walks them: fine for the few there are.
class Attributes {
 public:
  Attributes(const nlattr* first, int length) : first_(first), length_(length) {}
  /// Those after a fixed header of `header_size` bytes; none when the message is shorter.
  Attributes(const nlmsghdr* message, size_t header_size);

  [[nodiscard]] const nlattr* find(int type) const;
  [[nodiscard]] std::optional<std::span<const uint8_t>> bytes(int type) const;
  [[nodiscard]] std::optional<uint8_t> u8(int type) const;
  [[nodiscard]] std::optional<uint16_t> u16(int type) const;
  [[nodiscard]] std::optional<uint32_t> u32(int type) const;
  [[nodiscard]] std::optional<uint64_t> u64(int type) const;
  [[nodiscard]] std::string text(int type) const;                  ///< empty when missing
  [[nodiscard]] std::optional<IpAddress> address(int type) const;  ///< by length: 4 or 16 bytes
  [[nodiscard]] Attributes nested(int type) const;                 ///< empty when missing
  void each(const std::function<void(const nlattr*)>& visit) const;
  static Attributes inside(const nlattr* nest);

 private:
  const nlattr* first_ = nullptr;
  int length_ = 0;
};

/// `operation` and `object` go into the error, with the kernel's errno and extended-ack text as they came.
struct Purpose {
  std::string operation;
  std::string object;
};

using Visit = std::function<void(const nlmsghdr*)>;

/// Sends the request with NLM_F_ACK and waits for its acknowledgement; `visit` sees messages that come before it.
Result<void> request(Socket& socket, Message& message, const Purpose& purpose, const Visit& visit = {});

/// Sends the request with NLM_F_DUMP and shows `visit` every part. When the kernel says that things changed meanwhile
/// (NLM_F_DUMP_INTR), `restart` is called and the dump begins anew; EAGAIN when that never ends.
Result<void> dump(Socket& socket, Message& message, const Purpose& purpose, const std::function<void()>& restart,
                  const Visit& visit);

/// A dump into a list; `parse` returns nullopt for what the list leaves out.
template <class T>
Result<std::vector<T>> dump_list(Socket& socket, Message& message, const Purpose& purpose,
                                 const std::function<std::optional<T>(const nlmsghdr*)>& parse) {
  std::vector<T> out;
  auto done = dump(
      socket, message, purpose, [&] { out.clear(); },
      [&](const nlmsghdr* part) {
        if (auto value = parse(part)) out.push_back(std::move(*value));
      });
  if (!done) return std::unexpected(done.error());
  return out;
}

}  // namespace gw::nl
