// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ctl/arguments.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/issue.h"
#include "ctl/passphrase.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/pki.h"
#include "gatewayd/pki/seal.h"

namespace gw::ctl {
namespace {

constexpr size_t kPiece = size_t{1} << 20U;
constexpr mode_t kSecretMode = 0600;
constexpr size_t kMostSealed = size_t{1} << 30U;

struct BackupOptions {
  std::string file;
  std::string passphrase_file;
  bool force = false;
};

struct RestoreOptions {
  std::string file;
  std::string passphrase_file;
  bool replace = false;
  bool enable_clients = false;
};

void declare_passphrase(CLI::App& command, std::string& into) {
  command.add_option("--passphrase-file", into, "The passphrase is the first line of this file; else it is asked for")
      ->type_name("FILE");
}

void declare_backup(CLI::App& command, BackupOptions& options) {
  command.add_option("FILE", options.file, "Where the backup goes")->required();
  declare_passphrase(command, options.passphrase_file);
  command.add_flag("--force", options.force, "Overwrite a file that exists");
}

void declare_restore(CLI::App& command, RestoreOptions& options) {
  command.add_option("FILE", options.file, "A backup that gwctl made")->required();
  declare_passphrase(command, options.passphrase_file);
  command.add_flag("--replace", options.replace, "Although the gateway has clients of its own: they are gone then");
  command.add_flag("--enable-clients", options.enable_clients,
                   "Give the clients access at once, although who was revoked since the backup is not in it");
}

/// The whole archive, in the clear: the caller wipes it.
Outcome<std::string> fetch(Context& context) {
  const auto started = context.ask("BeginBackup");
  if (!started) return std::unexpected(started.error());
  const auto size = started->at(1).get<uint64_t>();
  std::string tar;
  tar.reserve(size);  // no copy stays behind
  while (tar.size() < size) {
    const auto piece = context.ask("ReadBackup", "tt", Json::array({started->at(0), tar.size()}));
    if (!piece || !piece->is_binary() || piece->get_binary().empty()) {
      pki::wipe(tar);
      return piece ? Outcome<std::string>(refused("gwctl and gatewayd are of different versions"))
                   : std::unexpected(piece.error());
    }
    const auto& bytes = piece->get_binary();
    tar.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return tar;
}

Outcome<std::string> back_up(Context& context, const BackupOptions& options) {
  if (auto good = check_output("FILE", options.file, options.force); !good) return std::unexpected(good.error());
  auto passphrase = ask_passphrase(options.passphrase_file, "the backup", true);
  if (!passphrase) return passphrase;
  auto tar = fetch(context);
  if (!tar) {
    pki::wipe(*passphrase);
    return tar;
  }
  const auto sealed = pki::seal(*tar, *passphrase);
  pki::wipe(*passphrase);
  pki::wipe(*tar);
  if (!sealed) return refused(sealed.error());
  if (auto written = write_file_atomically(options.file, *sealed, kSecretMode); !written)
    return refused(written.error());
  if (context.json) return json_text({{"file", options.file}, {"bytes", sealed->size()}});
  return fmt::format(
      "Backup: {}, {}. It holds the gateway's keys, its clients and its configuration: keep it and its passphrase "
      "apart. Without the passphrase it is of no use to anybody.\n",
      options.file, bytes(sealed->size()));
}

Outcome<void> upload(Context& context, const Json& id, const std::string& tar) {
  for (size_t at = 0; at < tar.size(); at += kPiece) {
    const auto* begin = reinterpret_cast<const uint8_t*>(tar.data()) + at;
    const std::vector<uint8_t> piece(begin, begin + std::min(kPiece, tar.size() - at));
    if (auto done = context.ask("WriteRestore", "tay", Json::array({id, Json::binary(piece)})); !done)
      return std::unexpected(done.error());
  }
  return {};
}

std::string tell(const Json& result, const Context& context) {
  const int64_t created = time_of(result, "created");
  std::string out = fmt::format("Restored {} with {}, as it was {} ({}); gatewayd starts anew with it.\n",
                                printable(text(result, "gateway")), plural(number(result, "clients"), "client"),
                                ago(context.now(), created), date(created));
  out += "Tokens that had not been used are void.\n";
  const auto disabled = list(result, "disabled");
  if (!disabled.empty()) {
    out += fmt::format(
        "{} disabled: a backup does not know who was revoked after it was made. For each of\n  {}\nwho may come in "
        "again: gwctl client set NAME --enable. Or restore again with --replace --enable-clients.\n",
        disabled.size() == 1 ? "1 client is" : fmt::format("{} clients are", disabled.size()),
        printable(joined(result, "disabled")));
  }
  for (const std::string& note : list(result, "notes")) out += printable(note) + "\n";
  return out +
         "What was here before is kept in before-restore, in the state directory of the gateway: delete it when all is "
         "well.\n";
}

Outcome<std::string> restore(Context& context, const RestoreOptions& options) {
  const auto sealed = read_file(options.file, kMostSealed);
  if (!sealed) return usage("FILE", sealed.error().message());
  auto passphrase = ask_passphrase(options.passphrase_file, options.file, false);
  if (!passphrase) return passphrase;
  auto tar = pki::unseal(*sealed, *passphrase);
  pki::wipe(*passphrase);
  if (!tar) return refused(options.file + ": " + tar.error().detail);
  const auto id = context.ask("BeginRestore");
  auto sent = id ? upload(context, *id, *tar) : Outcome<void>(std::unexpected(id.error()));
  pki::wipe(*tar);
  if (!sent) return std::unexpected(sent.error());
  const Json how = {{"replace", options.replace}, {"enable_clients", options.enable_clients}};
  const auto result = context.ask("Restore", "ta{sv}", Json::array({*id, how}));
  if (!result) return std::unexpected(result.error());
  return context.json ? json_text(*result) : tell(*result, context);
}

}  // namespace

void add_backup_commands(CLI::App& app, Action& action) {
  add_command<BackupOptions>(app, "backup", "Everything that makes this gateway this one, under a passphrase", action,
                             declare_backup, back_up);
  add_command<RestoreOptions>(app, "restore", "Make this gateway the one of a backup", action, declare_restore,
                              restore);
}

}  // namespace gw::ctl
