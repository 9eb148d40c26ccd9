// SPDX-License-Identifier: Apache-2.0
#include "ctl/issue.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "ctl/fields.h"
#include "ctl/qr.h"
#include "gatewayd/base/file.h"

namespace gw::ctl {
namespace {

constexpr mode_t kPrivateMode = 0600;
constexpr mode_t kPublicMode = 0644;

/// Zeroes a text when it goes out of scope.
struct Secret {
  std::string text;
  Secret() = default;
  explicit Secret(std::string value) : text(std::move(value)) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { pki::wipe(text); }
};

std::string certificate_path(const ProfileOptions& options) { return options.cert_out + ".crt"; }
std::string key_path(const ProfileOptions& options) { return options.cert_out + ".key"; }

Result<void> write_files(const ProfileOptions& options, const Profile& profile, const DeviceKeys* keys) {
  if (!options.cert_out.empty() && keys != nullptr) {
    const Secret pem(keys->certificate.reveal_pem());
    if (auto done = write_file_atomically(key_path(options), pem.text, kPrivateMode); !done) return done;
    if (auto done =
            write_file_atomically(certificate_path(options), profile.certificate_pem + profile.chain_pem, kPublicMode);
        !done) {
      return done;
    }
  }
  if (options.path().empty() || options.to_stdout()) return {};
  return write_profile(options.path(), profile);
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

std::string next_steps(const ProfileOptions& options, const Profile& profile) {
  std::string out;
  if (!options.path().empty()) {
    // wg-quick takes a name without a slash for one under /etc/wireguard.
    const std::string path = options.path();
    const std::string shown = path.find('/') == std::string::npos ? "./" + path : path;
    out += profile.key
               ? fmt::format("Profile: {}. On the device: wg-quick up {}\n", path, shown)
               : fmt::format("Profile: {}. It lacks the private key, which stayed on the device: put it in.\n", path);
  }
  if (!options.cert_out.empty()) {
    out += fmt::format("Certificate and key: {}, {}\n", certificate_path(options), key_path(options));
  }
  return out;
}

}  // namespace

void declare_profile(CLI::App& command, ProfileOptions& options, bool with_certificate) {
  command.add_option("NAME", options.name, "The client's name")->required()->check(host_label());
  command
      .add_option("--out", options.out, "Where the profile goes, - for the standard output (NAME.conf unless given)")
      ->type_name("FILE");
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
  if (!options.path().empty() && !options.to_stdout()) {
    if (const auto named = check_profile_path(options.path()); !named) return usage("--out", named.error().detail);
    if (auto good = check_output("--out", options.path(), options.force); !good) return good;
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
  Secret shown;
  if (options.to_stdout() || options.qr) {
    auto made = options.qr ? wg_quick_compact(profile) : wg_quick(profile);
    if (!made) return refused(made.error());
    shown.text = std::move(*made);
  }
  if (const auto written = write_files(options, profile, keys); !written) return refused(written.error());
  if (options.to_stdout()) return std::move(shown.text);
  if (context.json) return json_text(told_as_json(options, facts));
  std::string out = headline + next_steps(options, profile);
  if (options.qr) {
    auto code = terminal_qr(shown.text);
    if (!code) return refused(code.error());
    out = *code + out;
    pki::wipe(*code);
  }
  return out;
}

}  // namespace gw::ctl
