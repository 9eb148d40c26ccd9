// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "ctl/arguments.h"
#include "ctl/facts.h"
#include "ctl/fields.h"
#include "ctl/format.h"
#include "ctl/issue.h"
#include "gatewayd/base/file.h"

/// The authority that issues certificates: its own certificates, and how they are made anew.
namespace gw::ctl {
namespace {

struct ShowOptions {
  bool pem = false;
};

struct NameOptions {
  std::string name;
};

struct RotateOptions {
  bool root = false;
};

struct RequestOptions {
  std::string name;
  std::string out = "-";
  bool force = false;
};

struct ImportOptions {
  std::string file;
  bool cut_off = false;
};

void add_part(std::string& out, const Json& part, const Context& context) {
  const int64_t ends = time_of(part, "not_after");
  Facts facts;
  facts.add(text(part, "role"), text(part, "subject"), Tone::heading);
  facts.add("serial", text(part, "serial"));
  facts.add("valid to", fmt::format("{} ({})", date(ends), until(context.now(), ends)),
            ends < context.now() ? Tone::bad : Tone::plain);
  facts.add("sha256", text(part, "sha256"));
  if (number(part, "clients") != 0) facts.add("clients", fmt::format("{} hold one of it", number(part, "clients")));
  out += (out.empty() ? "" : "\n") + facts.render(context.style);
}

Outcome<std::string> show(Context& context, const ShowOptions& options) {
  const auto answer = context.ask("GetAuthority");
  if (!answer) return std::unexpected(answer.error());
  const Json& parts = answer->at(0);
  const Json& state = answer->at(1);
  if (context.json) return json_text({{"certificates", parts}, {"state", state}});
  std::string out;
  if (options.pem) {
    // As a chain: what issues, then what stands behind it.
    for (const char* role : {"issuing", "cross", "root"}) {
      for (const Json& part : parts) out += text(part, "role") == role ? text(part, "pem") : "";
    }
    return out;
  }
  for (const Json& part : parts) add_part(out, part, context);
  if (!text(state, "request").empty())
    out += "\nA request waits for its certificate: gwctl ca request prints it, gwctl ca import FILE answers it.\n";
  if (parts.empty()) return out;
  return out + (flag(state, "has_root_key")
                    ? "\nThe root's key is on the gateway. Only gwctl ca rotate needs it: it may be kept elsewhere.\n"
                    : "\nThe root's key is kept elsewhere.\n");
}

Outcome<std::string> init(Context& context, const NameOptions& options) {
  if (auto made = context.ask("InitAuthority", "s", Json::array({options.name})); !made)
    return std::unexpected(made.error());
  return show(context, {});
}

Outcome<std::string> rotate(Context& context, const RotateOptions& options) {
  const char* what = options.root ? "root" : "issuing";
  if (auto made = context.ask("RotateAuthority", "s", Json::array({what})); !made) return std::unexpected(made.error());
  return show(context, {});
}

Outcome<std::string> request(Context& context, const RequestOptions& options) {
  const bool to_file = options.out != "-";
  if (to_file) {
    if (auto good = check_output("--out", options.out, options.force); !good) return std::unexpected(good.error());
  }
  const auto answer = context.ask("RequestAuthority", "s", Json::array({options.name}));
  if (!answer) return std::unexpected(answer.error());
  auto pem = answer->get<std::string>();
  if (to_file) {
    constexpr mode_t kMode = 0644;
    if (const auto written = write_file_atomically(options.out, pem, kMode); !written) return refused(written.error());
  }
  if (context.json) return json_text({{"request_pem", pem}});
  if (!to_file) return pem;
  return fmt::format(
      "Request: {}. Let the root sign it with basicConstraints CA:TRUE,pathlen:0 and keyUsage keyCertSign,cRLSign, "
      "then\n"
      "  gwctl ca import FILE\nThe key stays on the gateway; the present certificate is in force until then.\n",
      options.out);
}

Outcome<std::string> import(Context& context, const ImportOptions& options) {
  constexpr size_t kMost = size_t{128} << 10U;
  const auto content = options.file == "-"
                           ? Result<std::string>(std::string(std::istreambuf_iterator<char>(std::cin), {}))
                           : read_file(options.file, kMost);
  if (!content) return usage("FILE", content.error().message());
  if (content->size() > kMost || content->find('\0') != std::string::npos)
    return usage("FILE", options.file + ": that is no certificate in PEM");
  if (auto made = context.ask("ImportAuthority", "sb", Json::array({*content, options.cut_off})); !made)
    return std::unexpected(made.error());
  return show(context, {});
}

void declare_name(CLI::App& command, std::string& into) {
  command.add_option("--name", into, "The organisation in its subject; the gateway's name unless given")
      ->type_name("NAME");
}

void add_request(CLI::App& folder, Action& action) {
  add_command<RequestOptions>(
      folder, "request", "Ask for an issuing certificate from a root that is kept elsewhere", action,
      [](CLI::App& command, RequestOptions& options) {
        declare_name(command, options.name);
        command.add_option("--out", options.out, "Where it goes, - for the standard output")
            ->type_name("FILE")
            ->capture_default_str();
        command.add_flag("--force", options.force, "Overwrite a file that exists");
      },
      request);
  add_command<ImportOptions>(
      folder, "import", "Put what came back for the request in force", action,
      [](CLI::App& command, ImportOptions& options) {
        command
            .add_option("FILE", options.file,
                        "PEM: the certificate for the request, and its root where that is another; - for the standard "
                        "input")
            ->required();
        command.add_flag("--cut-off", options.cut_off,
                         "Although devices in the field cannot come to believe the new root: all enrol anew");
      },
      import);
}

}  // namespace

void add_ca_commands(CLI::App& app, Action& action) {
  CLI::App* folder = add_folder(app, "ca", "The authority that issues certificates");
  add_command<ShowOptions>(
      *folder, "show", "Its certificates, present and earlier", action,
      [](CLI::App& command, ShowOptions& options) { command.add_flag("--pem", options.pem, "Print the chain itself"); },
      show);
  add_command<NameOptions>(
      *folder, "init", "Make it now, before the first apply does", action,
      [](CLI::App& command, NameOptions& options) { declare_name(command, options.name); }, init);
  add_command<RotateOptions>(
      *folder, "rotate", "A new issuing certificate; what was issued stays good", action,
      [](CLI::App& command, RotateOptions& options) {
        command.add_flag("--root", options.root, "A new root as well, which the present one vouches for");
      },
      rotate);
  add_request(*folder, action);
}

}  // namespace gw::ctl
