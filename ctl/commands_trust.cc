// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ctl/arguments.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/foreign.h"

/// Organisations whose own certificates let their machines and people enrol.
namespace gw::ctl {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20U;

struct AddOptions {
  std::string file, name, crl;
  std::vector<std::string> maps;
  bool replace = false;
};

struct ListOptions {
  bool pem = false;
};

struct CrlOptions {
  std::string name, file;
};

struct RemoveOptions {
  std::string name;
  bool revoke = false;
};

void declare_add(CLI::App& command, AddOptions& options) {
  command.add_option("FILE", options.file, "Its root in PEM; several roots, and authorities below them, may follow")
      ->required();
  // Not repeatable(): a comma stands between groups.
  command
      .add_option(
          "--map", options.maps,
          "Whose certificate says PATTERN is let in, into these groups, such as 'dns:*.lab.example=developers'; "
          "may be given several times")
      ->type_name("PATTERN=GROUP[,GROUP]")
      ->required()
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--name", options.name, "What to call it (after its root unless given)")->check(host_label());
  command.add_option("--crl", options.crl, "Its revocation list, PEM or DER")->type_name("FILE");
  command.add_flag("--replace", options.replace, "New authorities and maps for the one of this name; its clients stay");
}

Outcome<std::string> read_pem(const std::string& file) {
  auto text = read_file(file, kMostBytes);
  if (!text) return refused(text.error());
  if (text->contains("PRIVATE KEY"))
    return refused(file + " holds a private key, which the gateway must not have: give the certificate alone");
  return std::move(*text);
}

Outcome<std::string> read_crl(const std::string& file) {
  const auto text = read_file(file, kMostBytes);
  if (!text) return refused(text.error());
  auto pem = pki::crls_as_pem(*text);
  if (!pem) return refused(pem.error());
  return std::move(*pem);
}

std::string how_to_join(const Json& trust) {
  const std::string link = text(trust, "link");
  if (link.empty()) return "No device can enrol now: gateway.public.enroll_port is not in force.\n";
  return fmt::format(
      "On a device that has such a certificate:\n    gwconnect join '{}' --certificate FILE --key FILE\n", link);
}

Outcome<std::string> add(Context& context, const AddOptions& options) {
  const auto authorities = read_pem(options.file);
  if (!authorities) return std::unexpected(authorities.error());
  Json trust = {
      {"name", options.name}, {"authorities_pem", *authorities}, {"maps", options.maps}, {"replace", options.replace}};
  if (!options.crl.empty()) {
    const auto crl = read_crl(options.crl);
    if (!crl) return std::unexpected(crl.error());
    trust["crl"] = *crl;
  }
  const auto status = context.ask("AddTrust", "a{sv}", Json::array({trust}));
  if (!status) return std::unexpected(status.error());
  if (context.json) return json_text(*status);
  std::string out = fmt::format("Certificates of {} let their holders enrol, until {}.\n", text(*status, "name"),
                                date(time_of(*status, "not_after")));
  for (const std::string& map : list(*status, "maps")) out += "    " + map + "\n";
  return out + "\n" + how_to_join(*status);
}

Outcome<std::string> show(Context& context, const ListOptions& options) {
  const auto trusts = context.ask("ListTrusts");
  if (!trusts) return std::unexpected(trusts.error());
  if (context.json) return json_text(*trusts);
  std::string pem;
  for (const Json& trust : *trusts) pem += text(trust, "authorities_pem");
  if (options.pem) return pem;
  if (trusts->empty()) return "No organisation's certificates let devices enrol. 'gwctl ca trust add' trusts one.\n";
  Table table({{"NAME"}, {"ENDS"}, {"CLIENTS", true}, {"CRL"}, {"MAPS", false, true}, {"BY"}});
  for (const Json& trust : *trusts) {
    const UnixSeconds end = time_of(trust, "crl_next_update");
    const bool late = end != 0 && end < context.now();
    const std::string crl = end == 0 ? "yes" : late ? "late" : until(context.now(), end);
    table.add({text(trust, "name"), until(context.now(), time_of(trust, "not_after")),
               std::to_string(list(trust, "clients").size()),
               flag(trust, "has_crl") ? Cell(crl, late ? Tone::warn : Tone::plain) : Cell("-"),
               joined(trust, "maps", "; "), text(trust, "who")});
  }
  auto out = table.render(context.style);
  if (!out) return out;
  return *out + "\n" + how_to_join(trusts->front());
}

Outcome<std::string> crl(Context& context, const CrlOptions& options) {
  const auto lists = read_crl(options.file);
  if (!lists) return std::unexpected(lists.error());
  const auto done = context.ask("SetTrustCrl", "ss", Json::array({options.name, *lists}));
  if (!done) return std::unexpected(done.error());
  if (context.json) return json_text({{"name", options.name}});
  return "Whoever is on the revocation list of " + options.name + " enrols no more.\n";
}

Outcome<std::string> remove(Context& context, const RemoveOptions& options) {
  const auto clients = context.ask("RemoveTrust", "sb", Json::array({options.name, options.revoke}));
  if (!clients) return std::unexpected(clients.error());
  if (context.json) return json_text({{"removed", options.name}, {"clients", *clients}, {"revoked", options.revoke}});
  std::string out = "Certificates of " + options.name + " let nobody enrol any more.\n";
  if (clients->empty()) return out;
  std::string names;
  for (const Json& name : *clients) names += (names.empty() ? "" : ", ") + name.get<std::string>();
  const std::string count = plural(clients->size(), "client");
  return out + (options.revoke ? fmt::format("{} that came by it: revoked, {}.\n", count, names)
                               : fmt::format("{} that came by it keep their access until gwctl client revoke: {}.\n",
                                             count, names));
}

}  // namespace

void add_trust_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(*app.get_subcommand("ca"), "trust",
                                "Organisations whose own certificates let devices enrol, without a token");
  add_command<AddOptions>(*folder, "add", "Trust an organisation's root, and say who may come by it", action,
                          declare_add, add);
  add_command<ListOptions>(
      *folder, "list", "Who is trusted, for what, and who came by it", action,
      [](CLI::App& command, ListOptions& options) {
        command.add_flag("--pem", options.pem, "Print the certificates themselves");
      },
      show);
  add_command<CrlOptions>(
      *folder, "crl", "Give its newest revocation list", action,
      [](CLI::App& command, CrlOptions& options) {
        command.add_option("NAME", options.name, "Its name in gwctl ca trust list")->required();
        command.add_option("FILE", options.file, "The list, PEM or DER")->required();
      },
      crl);
  add_command<RemoveOptions>(
      *folder, "remove", "Its certificates let nobody enrol any more", action,
      [](CLI::App& command, RemoveOptions& options) {
        command.add_option("NAME", options.name, "Its name in gwctl ca trust list")->required();
        command.add_flag("--revoke-clients", options.revoke, "Take access from those who came by it, too");
      },
      remove);
}

}  // namespace gw::ctl
