// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "gatewayd/config/edit.h"
#include "gatewayd/control/checks.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/message_id.h"

/// What is in force, and the files that an operator writes.
namespace gw::control {
namespace {

using State = apply::StoredIntent::State;

constexpr const char* kApply = "apply the configuration";

// What of `errors` the new configuration brought: an interface that is unplugged must not stop every other change, and
// one that is misspelt has been refused before (check_interfaces).
const Error* new_error(const std::vector<Error>& errors, const std::vector<Error>& before) {
  const auto found = std::ranges::find_if(errors, [&](const Error& error) {
    return error.code != ENODEV && std::ranges::find(before, error) == before.end();
  });
  return found == errors.end() ? nullptr : &*found;
}

}  // namespace

// What forbids a configuration that is right in itself.
Result<void> GatewayController::check_fits(const config::Config& wanted) {
  const auto clients = parts_.registry.clients();
  if (!clients) return std::unexpected(clients.error());
  if (auto fits = check_clients(applied(), wanted, *clients); !fits) return fits;
  const auto facts = parts_.kernel.facts();
  if (!facts) return std::unexpected(facts.error());
  return check_interfaces(applied(), wanted, *facts);
}

Result<PlanResult> GatewayController::plan() {
  PlanResult out;
  const auto files = config::read_files(options_.config_directory);
  if (!files) return std::unexpected(files.error());
  const auto stored = parts_.intents.applied();
  out.files_differ = !stored || stored->files != *files;
  config::Loaded loaded = config::load(*files);
  out.diagnostics = loaded.diagnostics;
  if (!loaded.ok()) return out;
  if (const auto fits = check_fits(loaded.config); !fits) {
    out.diagnostics.push_back({config::Diagnostic::Severity::error, {"gateway.yaml", 1, 1}, fits.error().message()});
    return out;
  }
  const auto intent = make_intent(loaded.config);
  if (!intent) return std::unexpected(intent.error());
  auto operations = parts_.reconciler.preview(*intent);
  if (!operations) return std::unexpected(operations.error());
  out.operations = std::move(*operations);
  return out;
}

// Does it, and counts it.
Result<ApplyResult> GatewayController::counted(const std::function<Result<ApplyResult>()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  auto result = work();
  applies_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ++applies_.count;
  if (!result) ++applies_.failed;
  return result;
}

Result<ApplyResult> GatewayController::apply(uint32_t confirm_seconds, const Who& who) {
  return counted([&] { return apply_files(confirm_seconds, who); });
}

Result<ApplyResult> GatewayController::apply_files(uint32_t confirm_seconds, const Who& who) {
  const auto files = config::read_files(options_.config_directory);
  if (!files) return std::unexpected(files.error());
  const config::Loaded loaded = config::load(*files);
  if (!loaded.ok()) {
    return failure(EINVAL, kApply, {}, "it has errors, and nothing was changed:" + error_lines(loaded.diagnostics));
  }
  if (auto fits = check_fits(loaded.config); !fits) return std::unexpected(fits.error());
  return put_in_force(*files, confirm_seconds == 0 ? 0 : now() + confirm_seconds, who);
}

Result<ApplyResult> GatewayController::put_in_force(const config::Files& files, UnixSeconds deadline, const Who& who) {
  const std::vector<Error> errors_before = parts_.reconciler.last().errors;
  auto begun = parts_.intents.begin(files, who, now(), deadline);
  if (!begun) return std::unexpected(begun.error());
  Result<void> used = use(files);
  if (used) used = prepare_authority();
  apply::Report report;
  if (used) {
    report = converge();
    if (const Error* error = new_error(report.errors, errors_before)) used = std::unexpected(*error);
  }
  if (!used) {
    undo(used.error());
    return std::unexpected(used.error());
  }
  if (deadline == 0) {
    if (auto confirmed = parts_.intents.confirm(); !confirmed) return std::unexpected(confirmed.error());
  }
  tell(fmt::format("apply {} by {}: {} operations{}", begun->sequence, who, report.done.size(),
                   deadline == 0 ? "" : ", waits for its confirmation"),
       message_id::kApplied);
  announce();
  return ApplyResult{begun->sequence, report.done, deadline};
}

// After an apply that failed: the kernel as it was before. With nothing to go back to, what could be done stays and is
// tried again.
void GatewayController::undo(const Error& why) {
  tell("apply failed and goes back: " + why.message(), message_id::kWentBack);
  if (parts_.intents.rollback_target()) {
    if (const auto back = go_back(); !back) tell(back.error().message());
  } else if (const auto confirmed = parts_.intents.confirm(); !confirmed) {
    tell(confirmed.error().message());
  }
}

Result<void> GatewayController::confirm(const Who& who) {
  const auto confirmed = parts_.intents.confirm();
  if (!confirmed) return std::unexpected(confirmed.error());
  tell(fmt::format("apply {} confirmed by {}", confirmed->sequence, who), message_id::kConfirmed);
  announce();
  return {};
}

Result<ApplyResult> GatewayController::go_back() {
  const auto target = parts_.intents.roll_back();
  if (!target) return std::unexpected(target.error());
  if (auto used = use(target->files); !used) return std::unexpected(used.error());
  const apply::Report report = converge();
  announce();
  return ApplyResult{target->sequence, report.done, 0};
}

Result<ApplyResult> GatewayController::rollback(const Who& who) {
  auto back = counted([this] { return go_back(); });
  if (back) tell(fmt::format("rolled back to apply {} by {}", back->sequence, who), message_id::kWentBack);
  return back;
}

config::Config GatewayController::config() {
  if (const auto files = config::read_files(options_.config_directory)) {
    config::Loaded loaded = config::load(*files);
    if (loaded.ok()) return std::move(loaded.config);
  }
  const config::Config* in_force = applied();
  return in_force == nullptr ? config::Config{} : *in_force;
}

Result<void> GatewayController::edit(const char* what, const std::string& name, const Who& who,
                                     const std::function<Result<config::Files>(const config::Files&)>& change) {
  const auto files = config::read_files(options_.config_directory);
  if (!files) return std::unexpected(files.error());
  const auto edited = change(*files);
  if (!edited) return std::unexpected(edited.error());
  if (auto written = config::write_drop_in(options_.config_directory, *edited); !written) return written;
  tell(fmt::format("{} {} in {} by {}", what, name, config::kDropIn, who));
  announce();
  return {};
}

Result<void> GatewayController::add_subnet(const std::string& name, const config::Subnet& subnet, const Who& who) {
  return edit("subnet added:", name, who, [&](const auto& files) { return config::add_subnet(files, name, subnet); });
}

Result<void> GatewayController::add_group(const std::string& name, const config::Group& group, const Who& who) {
  return edit("group added:", name, who, [&](const auto& files) { return config::add_group(files, name, group); });
}

Result<void> GatewayController::add_rule(const config::Rule& rule, const std::optional<std::string>& before,
                                         const std::optional<std::string>& after, const Who& who) {
  return edit("rule added:", rule.name, who,
              [&](const auto& files) { return config::add_rule(files, rule, before, after); });
}

Result<void> GatewayController::add_site(const std::string& name, const config::Site& site, const Who& who) {
  return edit("site added:", name, who, [&](const auto& files) { return config::add_site(files, name, site); });
}

Result<void> GatewayController::remove_site(const std::string& name, const Who& who) {
  return edit("site removed:", name, who, [&](const auto& files) { return config::remove_site(files, name); });
}

Result<void> GatewayController::remove_subnet(const std::string& name, const Who& who) {
  return edit("subnet removed:", name, who, [&](const auto& files) { return config::remove_subnet(files, name); });
}

Result<void> GatewayController::remove_group(const std::string& name, const Who& who) {
  const auto clients = parts_.registry.clients();
  if (!clients) return std::unexpected(clients.error());
  if (const auto members = members_of(name, *clients); !members.empty()) {
    return failure(EBUSY, "remove group", name,
                   fmt::format("{} {} in it; take them out first (gwctl client set NAME --remove-group {})",
                               enumerate(members), members.size() == 1 ? "is" : "are", name));
  }
  return edit("group removed:", name, who, [&](const auto& files) { return config::remove_group(files, name); });
}

Result<void> GatewayController::remove_rule(const std::string& name, const Who& who) {
  return edit("rule removed:", name, who, [&](const auto& files) { return config::remove_rule(files, name); });
}

}  // namespace gw::control
