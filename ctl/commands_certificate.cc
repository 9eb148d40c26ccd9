// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/arguments.h"
#include "ctl/facts.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/issue.h"
#include "gatewayd/base/file.h"

namespace gw::ctl {
namespace {

constexpr size_t kShortSerial = 16;

struct SerialOptions {
  std::string serial;
  std::string reason = "unspecified";
  bool pem = false;
};

struct CrlOptions {
  std::string out = "-";
  bool der = false, force = false;
};

Cell state_of(const Json& certificate, UnixSeconds now) {
  if (time_of(certificate, "revoked_at") != 0) return {"revoked", Tone::bad};
  if (time_of(certificate, "not_after") < now) return {"expired", Tone::faint};
  return {"valid", Tone::good};
}

Outcome<std::string> show_list(Context& context) {
  const auto certificates = context.ask("ListCertificates");
  if (!certificates) return std::unexpected(certificates.error());
  if (context.json) return json_text(*certificates);
  if (certificates->empty()) return "No certificates have been issued.\n";
  Table table({{"SERIAL"}, {"CLIENT"}, {"STATE"}, {"VALID SINCE"}, {"ENDS"}, {"REASON"}});
  for (const Json& certificate : *certificates) {
    const bool revoked = time_of(certificate, "revoked_at") != 0;
    table.add({text(certificate, "serial").substr(0, kShortSerial), text(certificate, "client"),
               state_of(certificate, context.now()), ago(context.now(), time_of(certificate, "not_before")),
               until(context.now(), time_of(certificate, "not_after")),
               revoked ? or_dash(text(certificate, "reason")) : "-"});
  }
  return table.render(context.style);
}

Outcome<std::string> show_one(Context& context, const SerialOptions& options) {
  const auto certificate = context.ask("GetCertificate", "s", Json::array({options.serial}));
  if (!certificate) return std::unexpected(certificate.error());
  if (context.json) return json_text(*certificate);
  if (options.pem) return text(*certificate, "pem");
  const Cell state = state_of(*certificate, context.now());
  Facts facts;
  facts.add("serial", text(*certificate, "serial"), Tone::heading);
  facts.add("client", text(*certificate, "client"));
  facts.add("state", state.text, state.tone);
  facts.add("valid from", date(time_of(*certificate, "not_before")));
  facts.add("valid to", fmt::format("{} ({})", date(time_of(*certificate, "not_after")),
                                    until(context.now(), time_of(*certificate, "not_after"))));
  if (const int64_t revoked = time_of(*certificate, "revoked_at"); revoked != 0) {
    facts.add("revoked", fmt::format("{}, {}", date(revoked), or_dash(text(*certificate, "reason"))), Tone::bad);
  }
  facts.add("wireguard key", or_dash(text(*certificate, "wireguard")));
  facts.add("sha256", or_dash(text(*certificate, "sha256")));
  return facts.render(context.style);
}

Outcome<std::string> revoke(Context& context, const SerialOptions& options) {
  const auto done = context.ask("RevokeCertificate", "ss", Json::array({options.serial, options.reason}));
  if (!done) return std::unexpected(done.error());
  if (context.json) return json_text({{"serial", options.serial}, {"revoked", options.reason}});
  return "Certificate " + options.serial + " is revoked.\n";
}

Outcome<std::string> binary_text(const Json& answer) {
  if (!answer.is_binary()) return refused("gatewayd answered with something that is no revocation list");
  const auto& bytes = answer.get_binary();
  return std::string(bytes.begin(), bytes.end());
}

Outcome<std::string> joined_text(const Json& answer) {
  std::string out;
  for (const Json& pem : answer) out += pem.get<std::string>();
  return out;
}

Outcome<std::string> crl(Context& context, const CrlOptions& options) {
  const bool to_file = options.out != "-";
  if (options.der && !to_file) return usage("--der", "it is not text: give --out FILE as well");
  if (to_file) {
    if (auto good = check_output("--out", options.out, options.force); !good) return std::unexpected(good.error());
  }
  // DER holds one list, PEM one after the other: of an authority that was rotated there are several.
  const auto answer = context.ask(options.der ? "GetCrl" : "ListCrls");
  if (!answer) return std::unexpected(answer.error());
  const auto content = options.der ? binary_text(*answer) : joined_text(*answer);
  if (!content) return std::unexpected(content.error());
  if (to_file) {
    constexpr mode_t kMode = 0644;
    if (const auto written = write_file_atomically(options.out, *content, kMode); !written)
      return refused(written.error());
  }
  if (context.json && options.der) return json_text({{"file", options.out}});
  if (context.json) return json_text({{"crl_pem", *content}});
  return to_file ? "Revocation list: " + options.out + "\n" : *content;
}

}  // namespace

void add_certificate_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "cert", "Certificates that were issued");
  add_command(*folder, "list", "All certificates", action, show_list);
  const auto serial = [](CLI::App& command, SerialOptions& options) {
    command.add_option("SERIAL", options.serial, "Its serial number, or an unambiguous beginning")->required();
  };
  add_command<SerialOptions>(
      *folder, "show", "All about one certificate", action,
      [serial](CLI::App& command, SerialOptions& options) {
        serial(command, options);
        command.add_flag("--pem", options.pem, "Print the certificate itself");
      },
      show_one);
  add_command<SerialOptions>(
      *folder, "revoke", "Revoke one certificate", action,
      [serial](CLI::App& command, SerialOptions& options) {
        serial(command, options);
        command.add_option("--reason", options.reason, "keyCompromise, superseded, … (RFC 5280)")
            ->capture_default_str();
      },
      revoke);
  add_command<CrlOptions>(
      *folder, "crl", "The list of revoked certificates", action,
      [](CLI::App& command, CrlOptions& options) {
        command.add_option("--out", options.out, "Where it goes, - for the standard output")
            ->type_name("FILE")
            ->capture_default_str();
        command.add_flag("--der", options.der, "As DER in place of PEM");
        command.add_flag("--force", options.force, "Overwrite a file that exists");
      },
      crl);
}

}  // namespace gw::ctl
