// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/wire/json.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace gw::wire {
namespace {

int decode_one(sd_bus_message* message, char type, const char* contents, Json& out);

template <class T, class AsJson = T>
int decode_basic(sd_bus_message* message, char type, Json& out) {
  T value{};
  const int r = sd_bus_message_read_basic(message, type, &value);
  if (r > 0) out = static_cast<AsJson>(value);
  return r;
}

int decode_text(sd_bus_message* message, char type, Json& out) {
  const char* text = nullptr;
  const int r = sd_bus_message_read_basic(message, type, static_cast<void*>(&text));
  if (r > 0) out = std::string(text);
  return r;
}

/// Values up to the end of the container that is open.
int decode_rest(sd_bus_message* message, Json& out) {
  out = Json::array();
  for (;;) {
    char type = 0;
    const char* contents = nullptr;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r <= 0) return r;
    Json value;
    if (r = decode_one(message, type, contents, value); r < 0) return r;
    out.push_back(std::move(value));
  }
}

int decode_dictionary(sd_bus_message* message, Json& out) {
  out = Json::object();
  for (;;) {
    char type = 0;
    const char* contents = nullptr;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r <= 0) return r;
    if (r = sd_bus_message_enter_container(message, type, contents); r < 0) return r;
    Json pair;
    if (r = decode_rest(message, pair); r < 0) return r;
    if (r = sd_bus_message_exit_container(message); r < 0) return r;
    const Json& key = pair.at(0);
    out[key.is_string() ? key.get<std::string>() : key.dump()] = std::move(pair.at(1));
  }
}

int decode_container(sd_bus_message* message, char type, const char* contents, Json& out) {
  const std::string inner(contents);
  int r = sd_bus_message_enter_container(message, type, contents);
  if (r < 0) return r;
  if (type == SD_BUS_TYPE_ARRAY && inner.starts_with('{')) {
    r = decode_dictionary(message, out);
  } else {
    r = decode_rest(message, out);
    if (r >= 0 && type == SD_BUS_TYPE_VARIANT) out = Json(std::move(out.at(0)));
  }
  return r < 0 ? r : sd_bus_message_exit_container(message);
}

int decode_bytes(sd_bus_message* message, Json& out) {
  const void* bytes = nullptr;
  size_t size = 0;
  const int r = sd_bus_message_read_array(message, SD_BUS_TYPE_BYTE, &bytes, &size);
  const auto* first = static_cast<const uint8_t*>(bytes);
  if (r >= 0) out = Json::binary(size == 0 ? std::vector<uint8_t>{} : std::vector<uint8_t>(first, first + size));
  return r;
}

int decode_one(sd_bus_message* message, char type, const char* contents, Json& out) {
  switch (type) {
    case SD_BUS_TYPE_BYTE:
      return decode_basic<uint8_t, uint64_t>(message, type, out);
    case SD_BUS_TYPE_BOOLEAN:
      return decode_basic<int, bool>(message, type, out);
    case SD_BUS_TYPE_INT16:
      return decode_basic<int16_t, int64_t>(message, type, out);
    case SD_BUS_TYPE_UINT16:
      return decode_basic<uint16_t, uint64_t>(message, type, out);
    case SD_BUS_TYPE_INT32:
      return decode_basic<int32_t, int64_t>(message, type, out);
    case SD_BUS_TYPE_UINT32:
      return decode_basic<uint32_t, uint64_t>(message, type, out);
    case SD_BUS_TYPE_INT64:
      return decode_basic<int64_t>(message, type, out);
    case SD_BUS_TYPE_UINT64:
      return decode_basic<uint64_t>(message, type, out);
    case SD_BUS_TYPE_DOUBLE:
      return decode_basic<double>(message, type, out);
    case SD_BUS_TYPE_STRING:
    case SD_BUS_TYPE_OBJECT_PATH:
    case SD_BUS_TYPE_SIGNATURE:
      return decode_text(message, type, out);
    case SD_BUS_TYPE_ARRAY:
      if (std::string(contents) == "y") return decode_bytes(message, out);
      [[fallthrough]];
    case SD_BUS_TYPE_STRUCT:
    case SD_BUS_TYPE_VARIANT:
      return decode_container(message, type, contents, out);
    default:
      return -EBADMSG;
  }
}

bool all_text(const Json& list) {
  return std::all_of(list.begin(), list.end(), [](const Json& value) { return value.is_string(); });
}

bool is_counters(const Json& object) {
  return !object.empty() &&
         std::all_of(object.begin(), object.end(), [](const Json& value) { return value.is_number_unsigned(); });
}

std::string variant_type(const Json& value) {
  if (value.is_string()) return "s";
  if (value.is_boolean()) return "b";
  if (value.is_number_unsigned()) return value.get<uint64_t>() <= UINT32_MAX ? "u" : "t";
  if (value.is_number_integer()) return "x";
  if (value.is_array()) return all_text(value) ? "as" : "aa{sv}";
  if (value.is_object()) return is_counters(value) ? "a{st}" : "a{sv}";
  return "";
}

int encode_one(sd_bus_message* message, const std::string& type, const Json& value);

int encode_variant(sd_bus_message* message, const Json& value) {
  const std::string type = variant_type(value);
  if (type.empty()) return -EINVAL;
  int r = sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, type.c_str());
  if (r >= 0) r = encode_one(message, type, value);
  return r < 0 ? r : sd_bus_message_close_container(message);
}

/// `entry` is "{sv}" or "{st}".
int encode_dictionary(sd_bus_message* message, const std::string& entry, const Json& object) {
  if (!object.is_object()) return -EINVAL;
  int r = sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, entry.c_str());
  const std::string pair = entry.substr(1, entry.size() - 2);
  for (auto item = object.begin(); item != object.end() && r >= 0; ++item) {
    if (r = sd_bus_message_open_container(message, SD_BUS_TYPE_DICT_ENTRY, pair.c_str()); r < 0) return r;
    if (r = encode_one(message, "s", Json(item.key())); r < 0) return r;
    if (r = encode_one(message, pair.substr(1), item.value()); r < 0) return r;
    r = sd_bus_message_close_container(message);
  }
  return r < 0 ? r : sd_bus_message_close_container(message);
}

int encode_list(sd_bus_message* message, const std::string& element, const Json& list) {
  if (!list.is_array()) return -EINVAL;
  int r = sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, element.c_str());
  for (const Json& value : list) {
    if (r < 0) return r;
    r = encode_one(message, element, value);
  }
  return r < 0 ? r : sd_bus_message_close_container(message);
}

template <class T>
int encode_number(sd_bus_message* message, char type, const Json& value) {
  if (!value.is_number_integer()) return -EINVAL;
  if (value.is_number_unsigned() ? !std::in_range<T>(value.get<uint64_t>()) : !std::in_range<T>(value.get<int64_t>())) {
    return -EINVAL;
  }
  const T number = value.get<T>();
  return sd_bus_message_append_basic(message, type, &number);
}

int encode_basic(sd_bus_message* message, char type, const Json& value) {
  switch (type) {
    case SD_BUS_TYPE_STRING:
      return value.is_string() ? sd_bus_message_append_basic(message, type, value.get_ref<const std::string&>().c_str())
                               : -EINVAL;
    case SD_BUS_TYPE_BOOLEAN: {
      const int truth = value.is_boolean() && value.get<bool>() ? 1 : 0;
      return value.is_boolean() ? sd_bus_message_append_basic(message, type, &truth) : -EINVAL;
    }
    case SD_BUS_TYPE_UINT16:
      return encode_number<uint16_t>(message, type, value);
    case SD_BUS_TYPE_UINT32:
      return encode_number<uint32_t>(message, type, value);
    case SD_BUS_TYPE_UINT64:
      return encode_number<uint64_t>(message, type, value);
    case SD_BUS_TYPE_INT64:
      return encode_number<int64_t>(message, type, value);
    case SD_BUS_TYPE_VARIANT:
      return encode_variant(message, value);
    default:
      return -EINVAL;
  }
}

int encode_one(sd_bus_message* message, const std::string& type, const Json& value) {
  if (type == "ay") {
    if (!value.is_binary()) return -EINVAL;
    const auto& bytes = value.get_binary();
    return sd_bus_message_append_array(message, SD_BUS_TYPE_BYTE, bytes.data(), bytes.size());
  }
  if (type.starts_with("a{")) return encode_dictionary(message, type.substr(1), value);
  if (type.starts_with('a')) return encode_list(message, type.substr(1), value);
  return encode_basic(message, type.front(), value);
}

/// The first complete type of `signature`.
std::string first_type(const std::string& signature) {
  if (signature.starts_with("a{")) return signature.substr(0, signature.find('}') + 1);
  if (signature.starts_with('a')) return "a" + first_type(signature.substr(1));
  return signature.substr(0, 1);
}

}  // namespace

int decode(sd_bus_message* message, Json& out) { return decode_rest(message, out); }

int encode(sd_bus_message* message, const std::string& signature, const Json& arguments) {
  std::string rest = signature;
  for (const Json& argument : arguments) {
    if (rest.empty()) return -EINVAL;
    const std::string type = first_type(rest);
    if (const int r = encode_one(message, type, argument); r < 0) return r;
    rest.erase(0, type.size());
  }
  return rest.empty() ? 0 : -EINVAL;
}

}  // namespace gw::wire
