// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <cerrno>
#include <memory>

#include "ctl/profile_format.h"

namespace gw::ctl {
namespace {

constexpr mode_t kPrivate = 0600;

struct Close {
  void operator()(archive* writer) const { archive_write_free(writer); }
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

/// A zip in memory, by libarchive. What went wrong is kept until the end.
class Zip {
 public:
  Zip(std::string directory, size_t room) : directory_(std::move(directory)), writer_(archive_write_new()) {
    out_.text.resize(room);
    hold(archive_write_set_format_zip(writer_.get()));
    hold(archive_write_open_memory(writer_.get(), out_.text.data(), out_.text.size(), &used_));
  }

  void add(const std::string& name, std::string_view content) {
    const std::unique_ptr<archive_entry, Close> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), (directory_ + "/" + name).c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), kPrivate);
    hold(archive_write_header(writer_.get(), entry.get()));
    if (archive_write_data(writer_.get(), content.data(), content.size()) != static_cast<la_ssize_t>(content.size()))
      hold(ARCHIVE_FATAL);
  }

  Result<Secret> finish() {
    hold(archive_write_close(writer_.get()));
    if (!complaint_.empty()) return failure(EIO, "make zip", directory_, complaint_);
    return Secret(out_.text.substr(0, used_));
  }

 private:
  void hold(int status) {
    if (status != ARCHIVE_OK && complaint_.empty()) {
      const char* told = archive_error_string(writer_.get());
      complaint_ = told == nullptr ? "libarchive failed" : told;
    }
  }

  std::string directory_, complaint_;
  Secret out_;
  size_t used_ = 0;
  std::unique_ptr<archive, Close> writer_;
};

std::string read_me(const Profile& profile, bool with_certificate_key) {
  std::string out = fmt::format(
      "Private network {1}: what the device '{0}' needs\n\n"
      "These files are for one device. Whoever has them is this device: keep them to yourself, and delete this "
      "archive\n"
      "once they are where they belong. The access ends on {2}; ask for another in time.\n\n"
      "Linux            sudo wg-quick up ./{0}.conf\n"
      "                 or: sudo nmcli connection import type wireguard file {0}.conf\n"
      "Windows, macOS   the WireGuard app (wireguard.com/install): 'Import tunnel(s) from file', {0}.conf\n"
      "iOS, Android     the WireGuard app: add a tunnel from file, {0}.conf\n\n"
      "{0}.conf         the profile: key, address and the way to the gateway\n"
      "{0}.crt          the certificate of this device, then its authorities\n",
      profile.client, profile.gateway, day_and_time(profile.not_after));
  if (with_certificate_key) {
    out += fmt::format(
        "{0}.key          the key of the certificate\n"
        "{0}.p12          certificate and key as PKCS#12; whoever gave you this archive tells the passphrase\n",
        profile.client);
  }
  return out +
         "ca.crt            the authorities of the gateway, issuing first\n\n"
         "Lost the device, or its files? Tell whoever gave you this archive: access is taken away at once.\n";
}

}  // namespace

Result<Secret> bundle(const Profile& profile, const BundleKeys& keys) {
  auto text = wg_quick(profile);
  if (!text) return std::unexpected(text.error());
  const Secret configuration(*text);
  pki::wipe(*text);
  const bool with_key = !keys.certificate_key_pem.empty();
  Zip zip(profile.client, size_t{1} << 18U);
  zip.add("README.txt", read_me(profile, with_key));
  zip.add(profile.client + ".conf", configuration.text);
  zip.add(profile.client + ".crt", profile.certificate_pem + profile.chain_pem);
  zip.add("ca.crt", profile.chain_pem);
  if (with_key) {
    auto pkcs12 = pki::make_pkcs12(keys.certificate_key_pem, profile.certificate_pem, profile.chain_pem, profile.client,
                                   keys.passphrase);
    if (!pkcs12) return std::unexpected(pkcs12.error());
    const Secret both(*pkcs12);
    pki::wipe(*pkcs12);
    zip.add(profile.client + ".key", keys.certificate_key_pem);
    zip.add(profile.client + ".p12", both.text);
  }
  return zip.finish();
}

}  // namespace gw::ctl
