// SPDX-License-Identifier: Apache-2.0
#include "netlink/message.h"

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <cstring>
#include <new>

namespace gw::nl {
namespace {

template <class T>
std::optional<T> number(const nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) != static_cast<int>(sizeof(T))) return std::nullopt;
  T value{};
  std::memcpy(&value, nla_data(attribute), sizeof value);
  return value;
}

}  // namespace

void Message::Free::operator()(nl_msg* message) const {
  nlmsghdr* header = nlmsg_hdr(message);
  explicit_bzero(header, header->nlmsg_len);
  nlmsg_free(message);
}

Message::Message(uint16_t type, uint16_t flags, size_t capacity) : message_(nlmsg_alloc_size(capacity)) {
  if (!message_) throw std::bad_alloc();
  nlmsghdr* header = nlmsg_hdr(message_.get());
  header->nlmsg_type = type;
  header->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
}

void Message::append(const void* data, size_t size) {
  // nlmsg_append takes no const although it only copies.
  note(nlmsg_append(message_.get(), const_cast<void*>(data), size, NLMSG_ALIGNTO));
}

Message& Message::put(int type, std::span<const uint8_t> bytes) {
  note(nla_put(message_.get(), type, static_cast<int>(bytes.size()), bytes.data()));
  return *this;
}

Message& Message::put(int type, const std::string& text) {
  note(nla_put_string(message_.get(), type, text.c_str()));
  return *this;
}

Message& Message::put(int type, const IpAddress& address) {
  return put(type, std::span(address.bytes).first(static_cast<size_t>(address.bits()) / 8));
}

Message& Message::put_u8(int type, uint8_t value) {
  note(nla_put_u8(message_.get(), type, value));
  return *this;
}

Message& Message::put_u16(int type, uint16_t value) {
  note(nla_put_u16(message_.get(), type, value));
  return *this;
}

Message& Message::put_u32(int type, uint32_t value) {
  note(nla_put_u32(message_.get(), type, value));
  return *this;
}

nlattr* Message::begin(int type) {
  nlattr* nest = nla_nest_start(message_.get(), type);
  if (nest == nullptr) {
    overflowed_ = true;
    return nullptr;
  }
  nest->nla_type |= NLA_F_NESTED;  // strict parsers of the kernel ask for it, libnl leaves it out
  return nest;
}

void Message::end(nlattr* nest) {
  // nla_nest_end() would delete an empty nest, and an empty list is not the same as no list.
  if (nest != nullptr) note(nla_nest_end_keep_empty(message_.get(), nest));
}

size_t Message::size() const { return nlmsg_hdr(message_.get())->nlmsg_len; }

Attributes::Attributes(const nlmsghdr* message, size_t header_size) {
  const int size = static_cast<int>(header_size);
  if (nlmsg_datalen(message) < size) return;
  first_ = nlmsg_attrdata(message, size);
  length_ = nlmsg_attrlen(message, size);
}

const nlattr* Attributes::find(int type) const { return length_ > 0 ? nla_find(first_, length_, type) : nullptr; }

std::optional<std::span<const uint8_t>> Attributes::bytes(int type) const {
  const nlattr* attribute = find(type);
  if (attribute == nullptr) return std::nullopt;
  return std::span(static_cast<const uint8_t*>(nla_data(attribute)), static_cast<size_t>(nla_len(attribute)));
}

std::optional<uint8_t> Attributes::u8(int type) const { return number<uint8_t>(find(type)); }
std::optional<uint16_t> Attributes::u16(int type) const { return number<uint16_t>(find(type)); }
std::optional<uint32_t> Attributes::u32(int type) const { return number<uint32_t>(find(type)); }
std::optional<uint64_t> Attributes::u64(int type) const { return number<uint64_t>(find(type)); }

std::string Attributes::text(int type) const {
  const auto raw = bytes(type);
  if (!raw) return {};
  const auto* characters = reinterpret_cast<const char*>(raw->data());
  return {characters, strnlen(characters, raw->size())};
}

std::optional<IpAddress> Attributes::address(int type) const {
  const auto raw = bytes(type);
  if (!raw || (raw->size() != 4 && raw->size() != 16)) return std::nullopt;
  IpAddress out;
  out.family = raw->size() == 4 ? Family::v4 : Family::v6;
  std::memcpy(out.bytes.data(), raw->data(), raw->size());
  return out;
}

Attributes Attributes::inside(const nlattr* nest) {
  return {static_cast<const nlattr*>(nla_data(nest)), nla_len(nest)};
}

Attributes Attributes::nested(int type) const {
  const nlattr* nest = find(type);
  return nest != nullptr ? inside(nest) : Attributes(nullptr, 0);
}

void Attributes::each(const std::function<void(const nlattr*)>& visit) const {
  int left = length_;
  for (const nlattr* at = first_; at != nullptr && nla_ok(at, left); at = nla_next(at, &left)) visit(at);
}

}  // namespace gw::nl
