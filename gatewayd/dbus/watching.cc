// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/dbus/decode.h"
#include "gatewayd/dbus/encode.h"
#include "gatewayd/dbus/method.h"

namespace gw::dbus {
namespace {

struct Question {
  FlowQuestion flows;
  uint64_t from = 0;
};

Result<Question> read_question(sd_bus_message* in) {
  auto dict = Dict::read(in);
  if (!dict) return std::unexpected(dict.error());
  auto flows = decode_flow_filter(std::move(*dict));
  if (!flows) return std::unexpected(flows.error());
  const auto from = read_u64(in);
  if (!from) return std::unexpected(from.error());
  return Question{std::move(*flows), *from};
}

}  // namespace

Result<void> list_flows(Call& call) {
  const auto question = read_question(call.in);
  if (!question) return std::unexpected(question.error());
  const auto page = call.controller.flows(question->flows.filter, question->from);
  if (!page) return std::unexpected(page.error());
  put_dicts(call.out, page->flows);
  call.out.u64(page->next);
  return {};
}

Result<void> end_flows(Call& call) {
  const auto question = read_question(call.in);
  if (!question) return std::unexpected(question.error());
  const auto& [filter, all] = question->flows;
  const auto ended = call.controller.end_flows(filter, all, question->from, call.who);
  if (!ended) return std::unexpected(ended.error());
  call.out.u32(ended->ended).u64(ended->next);
  return {};
}

Result<void> watch(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto filter = decode_watch_filter(std::move(*dict));
  if (!filter) return std::unexpected(filter.error());
  const auto verdicts = call.controller.watch(*filter);
  if (!verdicts) return std::unexpected(verdicts.error());
  call.out.fd(verdicts->get());
  return {};
}

Result<void> get_metrics(Call& call) {
  const auto metrics = call.controller.metrics();
  if (!metrics) return std::unexpected(metrics.error());
  call.out.text(*metrics);
  return {};
}

}  // namespace gw::dbus
