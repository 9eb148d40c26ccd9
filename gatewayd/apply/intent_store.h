// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/result.h"
#include "gatewayd/config/load.h"

namespace gw::apply {

/// A configuration that was applied: the text of its files, so that it loads as it did, whatever became of the files.
struct StoredIntent {
  enum class State : uint8_t {
    pending,  ///< applied, goes back unless it is confirmed
    confirmed,
    rolled_back,
  };
  uint64_t sequence = 0;  ///< 1-based, rising, never used twice
  UnixSeconds at = 0;
  std::string who;
  State state = State::pending;
  UnixSeconds deadline = 0;  ///< when a pending one goes back; 0: as soon as it turns out to have failed
  config::Files files;

  bool operator==(const StoredIntent&) const = default;
};

/// The applied intents under STATE/intents, a JSON file each, written atomically and synced before a call returns:
/// after a crash at any point each is there as it was before the call or after it. Rollback covers configuration and
/// nothing else. One thread, one process (the daemon's lock sees to that).
///
/// Apply: begin(), converge, then confirm() at once or within the deadline. Back: roll_back(), then converge on
/// applied().
class IntentStore {
 public:
  static constexpr size_t kKept = 20;  ///< newest; the confirmed one in any case

  /// Makes the directory (0700). A file that cannot be understood is left alone and told in warnings().
  static Result<IntentStore> open(const std::string& directory);

  /// The newest that was not rolled back: what the kernel should look like now. nullopt before the first.
  [[nodiscard]] std::optional<StoredIntent> applied() const;
  /// The newest confirmed: what a start uses.
  [[nodiscard]] std::optional<StoredIntent> confirmed() const;
  /// What roll_back() would go to: the newest confirmed one before applied(). nullopt when there is none.
  [[nodiscard]] std::optional<StoredIntent> rollback_target() const;
  [[nodiscard]] std::vector<StoredIntent> all() const { return intents_; }  ///< oldest first
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  /// Stores a pending intent. EBUSY when one is pending already.
  Result<StoredIntent> begin(const config::Files& files, const std::string& who, UnixSeconds now, UnixSeconds deadline);
  /// Numbers up to `sequence` have been used elsewhere: the next is a higher one.
  void skip_to(uint64_t sequence) { last_sequence_ = std::max(last_sequence_, sequence); }
  [[nodiscard]] uint64_t last_sequence() const { return last_sequence_; }
  /// The pending intent becomes the confirmed one. ENOENT when none is pending.
  Result<StoredIntent> confirm();
  /// Marks applied() as rolled back and gives what is to be applied now; it is confirmed already. ENOENT: nothing to go
  /// back to.
  Result<StoredIntent> roll_back();

 private:
  explicit IntentStore(std::string directory) : directory_(std::move(directory)) {}

  Result<void> load();
  void load_one(uint64_t sequence);
  Result<void> write(const StoredIntent& intent);
  Result<StoredIntent> set_state(uint64_t sequence, StoredIntent::State state);
  std::optional<StoredIntent> newest(auto&& predicate) const;
  void prune();

  std::string directory_;
  std::vector<StoredIntent> intents_;  // by sequence
  uint64_t last_sequence_ = 0;         // of all file names, damaged ones too
  std::vector<std::string> warnings_;
};

}  // namespace gw::apply
