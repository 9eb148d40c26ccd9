// SPDX-License-Identifier: Apache-2.0
#include "ctl/issue.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "ctl/fields.h"
#include "ctl/qr.h"
#include "ctl/secret.h"
#include "gatewayd/base/file.h"

namespace gw::ctl {
namespace {

constexpr mode_t kPrivateMode = 0600;
constexpr mode_t kPublicMode = 0644;

std::string certificate_path(const ProfileOptions& options) { return options.cert_out + ".crt"; }
std::string key_path(const ProfileOptions& options) { return options.cert_out + ".key"; }

Result<void> write_files(const ProfileOptions& options, const Profile& profile, const DeviceKeys* keys,
                         const std::vector<ProfileFile>& files) {
  if (!options.cert_out.empty() && keys != nullptr) {
    const Secret pem(keys->certificate.reveal_pem());
    if (auto done = write_file_atomically(key_path(options), pem.text, kPrivateMode); !done) return done;
    if (auto done =
            write_file_atomically(certificate_path(options), profile.certificate_pem + profile.chain_pem, kPublicMode);
        !done) {
      return done;
    }
  }
  const auto paths = options.paths();
  for (size_t i = 0; i < paths.size(); ++i) {
    if (auto done = write_file_atomically(paths[i], files[i].content.text, kPrivateMode); !done) return done;
  }
  return {};
}

/// How the device takes what was written.
std::string use_of(ProfileFormat format, const std::vector<std::string>& paths) {
  const std::string& path = paths.front();
  // wg-quick takes a name without a slash for one under /etc/wireguard.
  const std::string shown = path.find('/') == std::string::npos ? "./" + path : path;
  switch (format) {
    case ProfileFormat::networkmanager:
      return fmt::format("install -m 600 {} /etc/NetworkManager/system-connections/ && nmcli connection reload", path);
    case ProfileFormat::networkd:
      return fmt::format("install -m 640 -g systemd-network {} /etc/systemd/network/ && networkctl reload",
                         fmt::join(paths, " "));
    case ProfileFormat::mobileconfig:
      return "open it, then Settings, Profile Downloaded (with the WireGuard app)";
    case ProfileFormat::bundle:
      return "unpack it; README.txt says how to go on";
    case ProfileFormat::wg_quick:
      break;
  }
  return "wg-quick up " + shown;
}

Json told_as_json(const ProfileOptions& options, const Json& facts) {
  Json out = facts;
  if (!options.path().empty()) out["profile_path"] = options.path();
  if (!options.cert_out.empty()) {
    out["key_path"] = key_path(options);
    out["certificate_path"] = certificate_path(options);
  }
  return out;
}

std::string next_steps(const ProfileOptions& options, const Profile& profile, const BundleKeys& keys) {
  std::string out;
  if (!options.paths().empty()) {
    const std::string paths = fmt::format("{}", fmt::join(options.paths(), ", "));
    out +=
        profile.key
            ? fmt::format("Profile: {}. On the device: {}\n", paths, use_of(format_of(options.format), options.paths()))
            : fmt::format("Profile: {}. It lacks the private key, which stayed on the device: put it in.\n", paths);
    if (!keys.passphrase.empty())
      out += fmt::format("Passphrase of the PKCS#12 in it, to be told another way: {}\n", keys.passphrase);
  }
  if (!options.cert_out.empty()) {
    out += fmt::format("Certificate and key: {}, {}\n", certificate_path(options), key_path(options));
  }
  return out;
}

/// A bundle holds the certificate's key as well, where it is here.
BundleKeys keys_for(const ProfileOptions& options, const DeviceKeys* keys) {
  if (format_of(options.format) != ProfileFormat::bundle || keys == nullptr) return {};
  return {.certificate_key_pem = keys->certificate.reveal_pem(), .passphrase = make_passphrase()};
}

}  // namespace

std::string ProfileOptions::path() const {
  return out.empty() && !qr ? name + extensions_of(format_of(format)).front() : out;
}

std::vector<std::string> ProfileOptions::paths() const {
  const std::string first = path();
  if (first.empty() || to_stdout()) return {};
  std::vector<std::string> all = extensions_of(format_of(format));
  const std::string stem = first.substr(0, first.size() - std::min(first.size(), all.front().size()));
  for (std::string& one : all) one.insert(0, stem);
  return all;
}

void declare_profile(CLI::App& command, ProfileOptions& options, bool with_certificate) {
  command.add_option("NAME", options.name, "The client's name")->required()->check(host_label());
  command
      .add_option("--out", options.out, "Where the profile goes, - for the standard output (NAME.conf unless given)")
      ->type_name("FILE");
  command.add_option("--format", options.format, "What takes the profile")
      ->check(CLI::IsMember(format_names()))
      ->capture_default_str();
  command.add_flag("--qr", options.qr, "Show the profile as a QR code; writes no file unless --out is given");
  command.add_flag("--force", options.force, "Overwrite files that exist");
  if (with_certificate) {
    command
        .add_option("--cert-out", options.cert_out,
                    "Keep the certificate and its key too, as PREFIX.crt and PREFIX.key")
        ->type_name("PREFIX");
  }
}

Outcome<void> check_output(const std::string& argument, const std::string& path, bool force) {
  struct stat status{};
  const bool exists = ::lstat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return usage(argument, "'" + path + "' is a directory");
  if (exists && !force) return usage(argument, "'" + path + "' exists; --force overwrites it");
  std::string probe = path + ".XXXXXX";
  const UniqueFd fd(::mkostemp(probe.data(), O_CLOEXEC));
  if (!fd.valid()) return usage(argument, "cannot write '" + path + "': " + std::strerror(errno));
  ::unlink(probe.c_str());
  return {};
}

Outcome<void> check_outputs(const Context& context, const ProfileOptions& options) {
  if (options.to_stdout() && context.json) return usage("--out", "- and --json both want the standard output");
  if (options.to_stdout() && options.qr) return usage("--out", "- and --qr both want the standard output");
  if (options.qr && context.json) return usage("--qr", "it cannot be printed with --json");
  const auto extensions = extensions_of(format_of(options.format));
  if (options.qr && format_of(options.format) != ProfileFormat::wg_quick)
    return usage("--qr", "the code is a profile of wg-quick's format");
  if (options.to_stdout() && extensions.size() > 1) return usage("--out", "- has room for one file only");
  if (options.to_stdout() && format_of(options.format) == ProfileFormat::bundle)
    return usage("--out", "- is also where its passphrase would go");
  if (!options.path().empty() && !options.to_stdout()) {
    if (const auto named = check_profile_path(options.path(), extensions.front()); !named)
      return usage("--out", named.error().detail);
    for (const std::string& path : options.paths())
      if (auto good = check_output("--out", path, options.force); !good) return good;
  }
  if (options.cert_out.empty()) return {};
  if (auto good = check_output("--cert-out", key_path(options), options.force); !good) return good;
  return check_output("--cert-out", certificate_path(options), options.force);
}

Outcome<DeviceKeys> make_device_keys(const std::string& client) {
  auto wireguard = pki::generate_wireguard_keys();
  if (!wireguard) return refused(wireguard.error());
  auto key = pki::PrivateKey::generate();
  if (!key) return refused(key.error());
  auto request = pki::make_request(*key, client, wireguard->public_key);
  if (!request) return refused(request.error());
  return DeviceKeys{std::move(*wireguard), std::move(*key), std::move(*request)};
}

Profile profile_of(const Json& facts) {
  Profile profile;
  profile.client = text(facts, "client");
  profile.gateway = text(facts, "gateway_name");
  profile.addresses = list(facts, "addresses");
  profile.allowed_ips = list(facts, "allowed_ips");
  profile.dns = list(facts, "dns");
  profile.dns_domain = text(facts, "dns_domain");
  profile.mtu = static_cast<uint32_t>(number(facts, "mtu"));
  profile.gateway_public_key = text(facts, "gateway_public_key");
  profile.endpoint = text(facts, "endpoint");
  profile.certificate_pem = text(facts, "certificate_pem");
  profile.chain_pem = text(facts, "chain_pem");
  profile.not_after = time_of(facts, "not_after");
  return profile;
}

Outcome<std::string> deliver(const Context& context, const ProfileOptions& options, const Json& facts,
                             const Profile& profile, const DeviceKeys* keys, const std::string& headline) {
  Profile named = profile;
  if (const auto paths = options.paths(); !paths.empty()) named.interface = std::filesystem::path(paths.front()).stem();
  BundleKeys bundle = keys_for(options, keys);
  const Secret key(std::move(bundle.certificate_key_pem));
  bundle.certificate_key_pem = key.text;
  auto files = render(format_of(options.format), named, bundle);
  pki::wipe(bundle.certificate_key_pem);
  if (!files) return refused(files.error());
  if (const auto written = write_files(options, profile, keys, *files); !written) return refused(written.error());
  if (options.to_stdout()) return files->front().content.text;
  if (context.json) {
    Json told = told_as_json(options, facts);
    if (!bundle.passphrase.empty()) told["passphrase"] = bundle.passphrase;
    return json_text(told);
  }
  std::string out = headline + next_steps(options, profile, bundle);
  if (!options.qr) return out;
  auto compact = wg_quick_compact(profile);
  if (!compact) return refused(compact.error());
  auto code = terminal_qr(*compact);
  pki::wipe(*compact);
  if (!code) return refused(code.error());
  out = *code + out;
  pki::wipe(*code);
  return out;
}

}  // namespace gw::ctl
