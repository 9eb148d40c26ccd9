// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/pairs.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "gatewayd/policy/budget.h"
#include "gatewayd/policy/compile.h"
#include "gatewayd/policy/destinations.h"

namespace gw::policy {
namespace {

/// Copies the nodes that are reachable from the pairs, in the order in which the pairs reach them: the same policy
/// gives the same image, and what the compiler made on the way stays out.
class Packing {
 public:
  Packing(const RuleTables& from, std::vector<gw_node>& to) : from_(from), to_(to) {}

  const gw_pair& pack(TableId table) {
    const auto [at, added] = tables_.try_emplace(table);
    if (added) std::ranges::transform(from_.roots(table), at->second.root, [&](Ref root) { return pack_ref(root); });
    return at->second;
  }

 private:
  Ref pack_ref(Ref ref) {
    if (is_leaf(ref)) return ref;
    if (const auto known = packed_.find(ref); known != packed_.end()) return known->second;
    const auto out = static_cast<Ref>(to_.size());
    packed_[ref] = out;
    to_.emplace_back();
    gw_node node = from_.nodes().node(ref);
    for (Ref& child : node.child) child = pack_ref(child);
    to_[out] = node;
    return out;
  }

  const RuleTables& from_;
  std::vector<gw_node>& to_;
  std::unordered_map<Ref, Ref> packed_;
  std::unordered_map<TableId, gw_pair> tables_;
};

/// What sources with the same rules find.
struct Row {
  std::vector<TableId> tables;  ///< by kind of destination
  TableId rest = kEmptyTable;   ///< the table that most destinations have
};

Row make_row(const RuleSet& as_source, Destinations& destinations, RuleTables& tables) {
  const std::vector<DestinationKind>& kinds = destinations.kinds();
  Row out;
  out.tables.resize(kinds.size(), kEmptyTable);
  std::unordered_map<TableId, size_t> classes = {{kEmptyTable, destinations.classes()}};
  RuleSet both;
  for (const size_t kind : destinations.reachable(as_source)) {
    intersect(as_source, kinds[kind].rules, both);
    out.tables[kind] = tables.table(both);
    classes[out.tables[kind]] += kinds[kind].ids.size();
    classes[kEmptyTable] -= kinds[kind].ids.size();
  }
  // By number when counts are equal, so that the same policy gives the same image.
  const auto rank = [](const auto& entry) { return std::pair(entry.second, ~entry.first); };
  out.rest = std::ranges::max_element(classes, {}, rank)->first;
  return out;
}

/// The row of one source. The table that most destinations have is said once, for all that are not listed: else a
/// single rule from any to any would cost the square of the number of classes.
void emit_row(uint32_t source, const Row& row, const std::vector<DestinationKind>& kinds, Packing& packing,
              bpf::PolicyImage& image) {
  const auto emit = [&](uint32_t destination, TableId table) {
    image.pairs.push_back({{.src = source, .dst = destination}, packing.pack(table)});
  };
  for (size_t kind = 0; kind < kinds.size(); ++kind) {
    if (row.tables[kind] == row.rest) continue;
    for (const uint32_t destination : kinds[kind].ids) emit(destination, row.tables[kind]);
  }
  if (row.rest != kEmptyTable) emit(GW_CLASS_REST, row.rest);
}

}  // namespace

Result<void> make_pairs(std::span<const Class> classes, std::span<const JudgedRule> rules, RuleTables& tables,
                        size_t budget_bytes, bpf::PolicyImage& image) {
  Destinations destinations(classes, rules);
  Packing packing(tables, image.nodes);
  std::map<RuleSet, std::vector<uint32_t>> sources;
  for (const Class& item : classes) {
    if (!item.as_source.empty()) sources[item.as_source].push_back(item.id);
  }
  for (const auto& [as_source, ids] : sources) {
    const Row row = make_row(as_source, destinations, tables);
    for (const uint32_t id : ids) {
      emit_row(id, row, destinations.kinds(), packing, image);
      if (table_bytes(image) > budget_bytes) return over_budget(classes, rules, budget_bytes);
    }
  }
  std::ranges::sort(image.pairs, {}, [](const auto& entry) { return std::pair(entry.first.src, entry.first.dst); });
  return {};
}

}  // namespace gw::policy
