// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/intent_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "gatewayd/base/file.h"

namespace gw::apply {
namespace {

using Json = nlohmann::json;
using State = StoredIntent::State;

constexpr std::array<std::pair<State, const char*>, 3> kStates = {{
    {State::pending, "pending"},
    {State::confirmed, "confirmed"},
    {State::rolled_back, "rolled back"},
}};

std::string encode(const StoredIntent& intent) {
  Json files = Json::array();
  for (const config::File& file : intent.files) files.push_back({{"name", file.name}, {"text", file.text}});
  const auto* state = std::ranges::find(kStates, intent.state, &std::pair<State, const char*>::first);
  return Json{{"sequence", intent.sequence}, {"at", intent.at},          {"who", intent.who}, {"state", state->second},
              {"deadline", intent.deadline}, {"files", std::move(files)}}
             .dump(1) +
         "\n";
}

StoredIntent decode(const Json& json) {
  StoredIntent intent;
  intent.sequence = json.at("sequence").get<uint64_t>();
  intent.at = json.at("at").get<UnixSeconds>();
  intent.who = json.at("who").get<std::string>();
  const auto word = json.at("state").get<std::string>();
  const auto* state = std::ranges::find_if(kStates, [&](const auto& entry) { return word == entry.second; });
  if (state == kStates.end()) throw std::runtime_error("unknown state '" + word + "'");
  intent.state = state->first;
  intent.deadline = json.at("deadline").get<UnixSeconds>();
  for (const Json& file : json.at("files")) intent.files.push_back({file.at("name"), file.at("text")});
  return intent;
}

/// "0000000007.json" -> 7
std::optional<uint64_t> sequence_of(std::string_view name) {
  constexpr std::string_view kSuffix = ".json";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), sequence);
  if (error != std::errc() || end != name.data() + name.size() || sequence == 0) return std::nullopt;
  return sequence;
}

/// What write_file_atomically leaves when the power goes: "0000000007.json.Ab12Cd".
bool is_leftover(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot != std::string_view::npos && name.size() - dot == 7 && sequence_of(name.substr(0, dot)).has_value();
}

std::string path_of(const std::string& directory, uint64_t sequence) {
  return fmt::format("{}/{:010}.json", directory, sequence);
}

}  // namespace

Result<IntentStore> IntentStore::open(const std::string& directory) {
  if (auto made = make_directories(directory, 0700); !made) return std::unexpected(made.error());
  IntentStore store(directory);
  if (auto loaded = store.load(); !loaded) return std::unexpected(loaded.error());
  return store;
}

Result<void> IntentStore::load() {
  std::error_code error;
  std::vector<uint64_t> sequences;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename();
    std::error_code ignored;
    if (is_leftover(name)) std::filesystem::remove(entry.path(), ignored);
    if (const auto sequence = sequence_of(name)) sequences.push_back(*sequence);
  }
  if (error) return failure(error.value(), "read the directory of applied intents", directory_);
  std::ranges::sort(sequences);
  for (const uint64_t sequence : sequences) load_one(sequence);
  if (!sequences.empty()) last_sequence_ = sequences.back();
  return {};
}

void IntentStore::load_one(uint64_t sequence) {
  const std::string path = path_of(directory_, sequence);
  const auto text = read_file(path);
  if (!text) {
    warnings_.push_back(text.error().message());
    return;
  }
  try {
    StoredIntent intent = decode(Json::parse(*text));
    if (intent.sequence != sequence) throw std::runtime_error(fmt::format("it says it is number {}", intent.sequence));
    intents_.push_back(std::move(intent));
  } catch (const std::exception& damage) {
    warnings_.push_back(fmt::format("applied intent {} is damaged and not used: {}", path, damage.what()));
  }
}

Result<void> IntentStore::write(const StoredIntent& intent) {
  std::string text;
  try {
    text = encode(intent);
  } catch (const std::exception& refused) {
    return failure(EILSEQ, "store the applied intent", std::to_string(intent.sequence), refused.what());
  }
  return write_file_atomically(path_of(directory_, intent.sequence), text, 0600);
}

std::optional<StoredIntent> IntentStore::newest(auto&& predicate) const {
  const auto found = std::find_if(intents_.rbegin(), intents_.rend(), predicate);
  return found == intents_.rend() ? std::nullopt : std::optional(*found);
}

std::optional<StoredIntent> IntentStore::applied() const {
  return newest([](const StoredIntent& intent) { return intent.state != State::rolled_back; });
}

std::optional<StoredIntent> IntentStore::confirmed() const {
  return newest([](const StoredIntent& intent) { return intent.state == State::confirmed; });
}

std::optional<StoredIntent> IntentStore::rollback_target() const {
  const auto current = applied();
  if (!current) return std::nullopt;
  return newest([&](const StoredIntent& intent) {
    return intent.state == State::confirmed && intent.sequence < current->sequence;
  });
}

Result<StoredIntent> IntentStore::begin(const config::Files& files, const std::string& who, UnixSeconds now,
                                        UnixSeconds deadline) {
  if (const auto current = applied(); current && current->state == State::pending) {
    return failure(
        EBUSY, "apply", {},
        fmt::format("intent {} waits for its confirmation: confirm it or roll it back first", current->sequence));
  }
  StoredIntent intent{.sequence = last_sequence_ + 1,
                      .at = now,
                      .who = who,
                      .state = State::pending,
                      .deadline = deadline,
                      .files = files};
  if (auto written = write(intent); !written) return std::unexpected(written.error());
  last_sequence_ = intent.sequence;
  intents_.push_back(intent);
  prune();
  return intent;
}

Result<StoredIntent> IntentStore::set_state(uint64_t sequence, State state) {
  const auto found = std::ranges::find(intents_, sequence, &StoredIntent::sequence);
  StoredIntent changed = *found;
  changed.state = state;
  if (auto written = write(changed); !written) return std::unexpected(written.error());
  *found = changed;
  return changed;
}

Result<StoredIntent> IntentStore::confirm() {
  const auto current = applied();
  if (!current || current->state != State::pending)
    return failure(ENOENT, "confirm", {}, "nothing waits for a confirmation");
  return set_state(current->sequence, State::confirmed);
}

Result<StoredIntent> IntentStore::roll_back() {
  const auto target = rollback_target();
  if (!target) return failure(ENOENT, "roll back", {}, "there is no confirmed intent before this one");
  if (auto marked = set_state(applied()->sequence, State::rolled_back); !marked) return marked;
  return *target;
}

void IntentStore::prune() {
  const auto kept = confirmed();
  for (auto intent = intents_.begin(); intents_.size() > kKept && intent != intents_.end();) {
    if (kept && kept->sequence == intent->sequence) {
      ++intent;
      continue;
    }
    std::error_code ignored;  // a file that stays is read again and pruned again
    std::filesystem::remove(path_of(directory_, intent->sequence), ignored);
    intent = intents_.erase(intent);
  }
}

}  // namespace gw::apply
