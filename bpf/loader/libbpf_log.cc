// SPDX-License-Identifier: Apache-2.0
#include "bpf/loader/libbpf_log.h"

#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <utility>

namespace gw::bpf {
namespace {

thread_local std::string* current_text = nullptr;

// libbpf's verifier logs reach megabytes; only the end is ever shown.
constexpr size_t kKeep = size_t{1} << 16U;

int collect(libbpf_print_level level, const char* format, va_list arguments) {
  if (current_text == nullptr || level == LIBBPF_DEBUG) return 0;
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return 0;
  std::string line(static_cast<size_t>(length) + 1, '\0');
  std::vsnprintf(line.data(), line.size(), format, arguments);
  line.pop_back();
  current_text->append(line);
  if (current_text->size() > 2 * kKeep) current_text->erase(0, current_text->size() - kKeep);
  return length;
}

}  // namespace

LibbpfLog::LibbpfLog() {
  static std::once_flag once;
  std::call_once(once, [] { libbpf_set_print(collect); });
  current_text = &text_;
}

LibbpfLog::~LibbpfLog() { current_text = nullptr; }

std::string LibbpfLog::tail(size_t lines) const {
  size_t end = text_.size();
  while (end > 0 && text_[end - 1] == '\n') --end;
  size_t start = end;
  while (start > 0) {
    if (text_[start - 1] == '\n' && --lines == 0) break;
    --start;
  }
  return text_.substr(start, end - start);
}

std::string missing_capabilities() {
  static constexpr std::array<std::pair<unsigned, const char*>, 3> kNeeded = {
      {{CAP_BPF, "CAP_BPF"}, {CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {CAP_PERFMON, "CAP_PERFMON"}}};
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) return {};
  std::string out;
  for (const auto& [number, name] : kNeeded) {
    if ((data.at(number / 32).effective & (1U << (number % 32))) != 0) continue;
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

}  // namespace gw::bpf
