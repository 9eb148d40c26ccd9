// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/backup/tar.h"

/// A restored state takes the place of the present one, wholly or not at all, whatever happens meanwhile.
///
///   stage     everything under STATE/restore.new, synced; nothing of the present is touched
///   commit    STATE/restore.new becomes STATE/restore: from here on it will be done
///   finish    before the next start opens anything: what is in STATE/restore goes to its place, piece by piece, and
///   can
///             be done again after a crash at any point
///
/// What was there before is kept: in STATE/before-restore until the next restore, in CONFIG/before-restore-ID.
namespace gw::backup {

/// Where a restored state is made ready: STATE/restore.new, holding "state/…" and "config/…".
std::string staging_directory(const std::string& state);

/// Writes `files` ("state/…", "config/…") there, 0600, synced, after taking away what an earlier attempt left. `id` is
/// a name for this restore.
Result<void> stage(const std::string& state, const Files& files, const std::string& id);

/// Forgets what is staged; what is committed stays.
void drop_staged(const std::string& state);

/// From now on the next `finish` puts it in place. What an earlier restore had kept is gone.
Result<void> commit(const std::string& state);

/// Whether a committed restore waits for `finish`.
bool is_pending(const std::string& state);

/// The configuration files of a pending restore into CONFIG; those that are there already as they should be are not
/// written, so that a process without the right to write needs none when another has done it. Follows no symbolic link
/// in STATE: root does this in a directory of another user.
Result<void> finish_configuration(const std::string& state, const std::string& config);

/// The rest: registry, keys, authority, intents. After finish_configuration; when that failed the files are kept in
/// STATE/restored-config. Nothing pending: nothing is done but cleaning up.
Result<void> finish_state(const std::string& state, bool configuration_is_written);

}  // namespace gw::backup
