// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "gatewayd/apply/intent_store.h"
#include "gatewayd/apply/linux_sysctl.h"
#include "gatewayd/config/load.h"
#include "gatewayd/daemon.h"
#include "gatewayd/plan/plan.h"
#include "netlink/nftables.h"

namespace gw {
namespace {

/// What a start would use: the last confirmed intent, else the files; nullopt where there are neither.
Result<std::optional<config::Files>> files_to_start_with(const DaemonOptions& options) {
  const std::string intents = options.state + "/intents";
  if (std::filesystem::exists(intents)) {
    const auto store = apply::IntentStore::open(intents);
    if (!store) return std::unexpected(store.error());
    if (const auto confirmed = store->confirmed()) return confirmed->files;
  }
  auto files = config::read_files(options.config);
  if (!files && files.error().code == ENOENT) return std::nullopt;
  if (!files) return std::unexpected(files.error());
  return std::move(*files);
}

Result<const char*> load(const DaemonOptions& options) {
  const auto files = files_to_start_with(options);
  if (!files) return std::unexpected(files.error());
  if (!*files) return "nothing is configured yet, so there is no frame to load";
  const config::Loaded loaded = config::load(**files);
  if (!loaded.ok())
    return failure(EINVAL, "load the configuration", options.config, "it has errors: gatewayd --check tells them");
  const nl::Frame frame = plan::frame_of(loaded.config);
  const auto live = nl::live_frame(frame.table);
  if (!live) return std::unexpected(live.error());
  if (*live == nl::fingerprint(frame)) return "the frame is there";
  if (auto done = nl::load_frame(frame); !done) return std::unexpected(done.error());
  return "the frame is loaded";
}

}  // namespace

int load_frame_only(const DaemonOptions& options) {
  const auto done = load(options);
  if (!done) {
    std::fprintf(stderr, "gatewayd: %s\n", done.error().message().c_str());
    const auto closed = apply::stop_forwarding();
    std::fprintf(
        stderr, "gatewayd: %s\n",
        closed ? "forwarding is off until gatewayd has put everything in place" : closed.error().message().c_str());
    return 1;
  }
  std::printf("gatewayd: %s\n", *done);
  return 0;
}

}  // namespace gw
