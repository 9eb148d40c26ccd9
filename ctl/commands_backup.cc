// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ctl/arguments.h"
#include "ctl/far_signer.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/issue.h"
#include "ctl/passphrase.h"
#include "gatewayd/backup/tar.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/pki.h"
#include "gatewayd/pki/seal.h"
#include "gatewayd/signer/client.h"

namespace gw::ctl {
namespace {

constexpr size_t kPiece = size_t{1} << 20U;
constexpr mode_t kSecretMode = 0600;
constexpr const char* kAuthority = "state/ca/";
constexpr size_t kMostSealed = size_t{1} << 30U;

struct BackupOptions {
  std::string file;
  std::string passphrase_file;
  std::string signer = signer::kSocket;
  bool force = false;
};

struct RestoreOptions {
  std::string file;
  std::string passphrase_file;
  std::string signer = signer::kSocket;
  bool replace = false;
  bool enable_clients = false;
};

void declare_passphrase(CLI::App& command, std::string& into) {
  command.add_option("--passphrase-file", into, "The passphrase is the first line of this file; else it is asked for")
      ->type_name("FILE");
}

void declare_signer(CLI::App& command, std::string& into) {
  command.add_option("--signer", into, "Socket of the process that holds the authority's keys")
      ->type_name("SOCKET")
      ->envname("GATEWAYD_SIGNER")
      ->capture_default_str();
}

void declare_backup(CLI::App& command, BackupOptions& options) {
  command.add_option("FILE", options.file, "Where the backup goes")->required();
  declare_passphrase(command, options.passphrase_file);
  declare_signer(command, options.signer);
  command.add_flag("--force", options.force, "Overwrite a file that exists");
}

void declare_restore(CLI::App& command, RestoreOptions& options) {
  command.add_option("FILE", options.file, "A backup that gwctl made")->required();
  declare_passphrase(command, options.passphrase_file);
  declare_signer(command, options.signer);
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

signer::Remote signer_of(const Context& context, const std::string& socket) {
  return context.host.empty() ? signer::Remote(socket) : signer::Remote(through_ssh(context.host, socket));
}

/// The keys of the authority: gatewayd itself cannot read them (docs/adr/0010-signer.md).
Outcome<pki::NamedFiles> fetch_authority(const Context& context, const std::string& socket) {
  auto files = signer_of(context, socket).export_files();
  if (!files) return refused(files.error());
  return *files;
}

void wipe_all(pki::NamedFiles& files) {
  for (auto& [name, text] : files) pki::wipe(text);
}

/// `tar` with the authority's files in place of what it tells of them.
Outcome<std::string> with_authority(std::string& tar, pki::NamedFiles& authority, UnixSeconds now) {
  auto files = backup::read_tar(tar);
  pki::wipe(tar);
  if (!files) return refused(files.error());
  std::erase_if(*files, [](const backup::File& file) { return file.name.starts_with(kAuthority); });
  for (auto& [name, text] : authority) files->emplace_back(kAuthority + name, text);
  wipe_all(authority);
  auto out = backup::write_tar(*files, now);
  if (!out) return refused(out.error());
  return std::move(*out);
}

Outcome<std::string> back_up(Context& context, const BackupOptions& options) {
  if (auto good = check_output("FILE", options.file, options.force); !good) return std::unexpected(good.error());
  auto passphrase = ask_passphrase(options.passphrase_file, "the backup", true);
  if (!passphrase) return passphrase;
  auto authority = fetch_authority(context, options.signer);
  auto tar = authority ? fetch(context) : Outcome<std::string>(std::unexpected(authority.error()));
  if (tar) tar = with_authority(*tar, *authority, context.now());
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

/// The authority's files out of the archive; their certificates stay in it, for gatewayd to know whose it is.
Outcome<pki::NamedFiles> take_authority(std::string& tar, UnixSeconds now) {
  auto files = backup::read_tar(tar);
  if (!files) return refused(files.error());
  pki::NamedFiles out;
  for (const backup::File& file : *files) {
    if (file.name.starts_with(kAuthority)) out.emplace(file.name.substr(std::string(kAuthority).size()), file.content);
  }
  std::erase_if(*files, [](const backup::File& file) {
    return file.name.starts_with(kAuthority) && !file.name.ends_with(".crt");
  });
  auto rest = backup::write_tar(*files, now);
  if (!rest) return refused(rest.error());
  pki::wipe(tar);
  tar = std::move(*rest);
  return out;
}

/// Hands the archive to gatewayd, and wipes it.
Outcome<Json> restore_gateway(Context& context, std::string& tar, const RestoreOptions& options) {
  const auto id = context.ask("BeginRestore");
  auto sent = id ? upload(context, *id, tar) : Outcome<void>(std::unexpected(id.error()));
  pki::wipe(tar);
  if (!sent) return std::unexpected(sent.error());
  const Json how = {{"replace", options.replace}, {"enable_clients", options.enable_clients}};
  return context.ask("Restore", "ta{sv}", Json::array({*id, how}));
}

Outcome<std::string> restore(Context& context, const RestoreOptions& options) {
  const auto sealed = read_file(options.file, kMostSealed);
  if (!sealed) return usage("FILE", sealed.error().message());
  auto passphrase = ask_passphrase(options.passphrase_file, options.file, false);
  if (!passphrase) return passphrase;
  auto tar = pki::unseal(*sealed, *passphrase);
  pki::wipe(*passphrase);
  if (!tar) return refused(options.file + ": " + tar.error().detail);
  auto authority = take_authority(*tar, context.now());
  if (!authority) return std::unexpected(authority.error());
  signer::Remote keys = signer_of(context, options.signer);
  // gatewayd has it put in place when it starts anew with the rest.
  const auto staged = keys.stage(*authority);
  wipe_all(*authority);
  if (!staged) return refused(staged.error());
  const auto result = restore_gateway(context, *tar, options);
  if (!result) {
    if (auto dropped = keys.stage({}); !dropped) context.warn(dropped.error().message());
    return std::unexpected(result.error());
  }
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
