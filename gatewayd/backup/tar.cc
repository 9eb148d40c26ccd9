// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/backup/tar.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>

namespace gw::backup {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kMostName = 99;
constexpr size_t kMostFiles = 4096;
constexpr uint64_t kMostSize = uint64_t{1} << 33U;  // eleven octal digits
constexpr const char* kRead = "read backup";

/// IEEE Std 1003.1, "pax Interchange Format", the ustar header block.
struct Header {
  std::array<char, 100> name;
  std::array<char, 8> mode, uid, gid;
  std::array<char, 12> size, mtime;
  std::array<char, 8> checksum;
  char type;
  std::array<char, 100> link;
  std::array<char, 6> magic;
  std::array<char, 2> version;
  std::array<char, 32> user, group;
  std::array<char, 8> major, minor;
  std::array<char, 155> prefix;
  std::array<char, 12> unused;
};
static_assert(sizeof(Header) == kBlock);

/// The sum of the header's bytes, those of the checksum taken for spaces.
uint32_t sum_of(Header header) {
  header.checksum.fill(' ');
  std::array<unsigned char, kBlock> bytes{};
  std::memcpy(bytes.data(), &header, kBlock);
  uint32_t sum = 0;
  for (const unsigned char byte : bytes) sum += byte;
  return sum;
}

/// Digits in all but the last `end` characters of the field.
template <size_t N>
void put_octal(std::array<char, N>& field, uint64_t value, size_t end = 1) {
  for (size_t i = N - end; i-- > 0; value /= 8) field[i] = static_cast<char>('0' + value % 8);
}

template <size_t N>
std::optional<uint64_t> octal(const std::array<char, N>& field) {
  const char* begin = std::find_if(field.data(), field.data() + N, [](char c) { return c != ' '; });
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(begin, field.data() + N, value, 8);
  if (error != std::errc() || (end != field.data() + N && *end != '\0' && *end != ' ')) return std::nullopt;
  return value;
}

std::string header_of(const File& file, UnixSeconds modified) {
  constexpr uint64_t kMode = 0600;
  Header header{};
  std::memcpy(header.name.data(), file.name.data(), file.name.size());
  put_octal(header.mode, kMode);
  put_octal(header.uid, 0);
  put_octal(header.gid, 0);
  put_octal(header.size, file.content.size());
  put_octal(header.mtime, static_cast<uint64_t>(std::max<UnixSeconds>(modified, 0)));
  header.type = '0';
  std::memcpy(header.magic.data(), "ustar", sizeof "ustar");
  header.version = {'0', '0'};
  put_octal(header.checksum, sum_of(header), 2);
  header.checksum.back() = ' ';
  std::string out(kBlock, '\0');
  std::memcpy(out.data(), &header, kBlock);
  return out;
}

size_t padded(size_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

std::unexpected<Error> damaged(size_t at, const std::string& what) {
  return failure(EINVAL, kRead, "byte " + std::to_string(at), what);
}

/// The header at `at`; its name and size are good and its content is there.
Result<std::pair<std::string, size_t>> read_header(std::string_view tar, size_t at) {
  Header header{};
  std::memcpy(&header, tar.data() + at, kBlock);
  const auto sum = octal(header.checksum);
  if (!sum || *sum != sum_of(header)) return damaged(at, "the checksum of a file's header is wrong");
  if (std::memcmp(header.magic.data(), "ustar", 5) != 0 || header.type != '0' || header.prefix[0] != '\0') {
    return damaged(at, "something else than a plain file");
  }
  const std::string name(header.name.data(), ::strnlen(header.name.data(), header.name.size()));
  if (!is_safe(name)) return damaged(at, "a file's name that no backup has");
  const auto size = octal(header.size);
  if (!size || *size > tar.size() - at - kBlock) return damaged(at, name + " is cut short");
  return std::pair(name, static_cast<size_t>(*size));
}

}  // namespace

File::~File() { ::explicit_bzero(content.data(), content.size()); }

const std::string* find(const Files& files, std::string_view name) {
  const auto found = std::ranges::find(files, name, &File::name);
  return found == files.end() ? nullptr : &found->content;
}

bool is_safe(std::string_view name) {
  if (name.empty() || name.size() > kMostName) return false;
  char before = '/';
  for (const char c : name) {
    const bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!word && c != '.' && c != '/') return false;
    if (!word && before == '/') return false;
    before = c;
  }
  return before != '/';
}

Result<std::string> write_tar(const Files& files, UnixSeconds modified) {
  size_t size = 2 * kBlock;
  for (const File& file : files) {
    if (!is_safe(file.name)) return failure(EINVAL, "back up", file.name, "use letters, digits, '.', '_' and '-'");
    if (file.content.size() >= kMostSize) return failure(EFBIG, "back up", file.name);
    size += kBlock + padded(file.content.size());
  }
  std::string out;
  out.reserve(size);  // no copy with secrets stays behind
  for (const File& file : files) {
    out += header_of(file, modified);
    out += file.content;
    out.append(padded(file.content.size()) - file.content.size(), '\0');
  }
  out.append(2 * kBlock, '\0');
  return out;
}

Result<Files> read_tar(std::string_view tar) {
  Files files;
  std::set<std::string> names;
  for (size_t at = 0;;) {
    if (tar.size() < at + kBlock) return damaged(at, "cut short");
    if (tar[at] == '\0') return files;  // the empty block at the end
    const auto header = read_header(tar, at);
    if (!header) return std::unexpected(header.error());
    const auto& [name, size] = *header;
    if (!names.insert(name).second) return damaged(at, name + " is there twice");
    if (names.size() > kMostFiles) return damaged(at, "too many files");
    files.emplace_back(name, std::string(tar.substr(at + kBlock, size)));
    at += kBlock + padded(size);
    if (at > tar.size()) return damaged(tar.size(), "cut short");
  }
}

}  // namespace gw::backup
