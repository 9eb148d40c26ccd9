// SPDX-License-Identifier: Apache-2.0
#include "ctl/edit.h"

#include <fmt/format.h>

#include "ctl/fields.h"
#include "ctl/format.h"

namespace gw::ctl {

void declare_edit(CLI::App& command, EditOptions& options, const std::string& what) {
  command.add_option("NAME", options.name, "The " + what + "'s name")->required();
  command.add_flag("--apply", options.apply, "Apply at once, not only write it");
}

Outcome<std::string> edit(Context& context, const EditOptions& options, const std::string& method,
                          const std::string& signature, const Json& arguments, const std::string& done) {
  if (const auto written = context.ask(method, signature, arguments); !written) {
    return std::unexpected(written.error());
  }
  if (!options.apply) {
    if (context.json) return json_text({{"written", done}, {"applied", nullptr}});
    return done + ", not applied yet: 'gwctl plan' shows what it does, 'gwctl apply' does it.\n";
  }
  const auto applied = context.ask("Apply", "u", Json::array({0U}));
  if (!applied) {
    return std::unexpected(
        Failure{applied.error().exit, done + " in the configuration, but not applied: " + applied.error().text});
  }
  if (context.json) return json_text({{"written", done}, {"applied", *applied}});
  return done + ".\n" + applied_text(*applied, context);
}

std::string operation_lines(const std::vector<std::string>& operations, const Style& style) {
  std::string out;
  for (const std::string& operation : operations) {
    const char sign = operation.empty() ? ' ' : operation.front();
    const Tone tone = sign == '+' ? Tone::good : sign == '-' ? Tone::bad : Tone::warn;
    out += "  " + style.paint(tone, printable(operation)) + "\n";
  }
  return out;
}

std::string applied_text(const Json& result, const Context& context) {
  const auto operations = list(result, "operations");
  std::string out =
      fmt::format("Applied #{}: {}\n", number(result, "sequence"),
                  operations.empty() ? "the kernel was as the files say" : plural(operations.size(), "operation"));
  out += operation_lines(operations, context.style);
  if (const int64_t deadline = time_of(result, "confirm_deadline"); deadline != 0) {
    out += context.style.paint(
        Tone::warn, fmt::format("It goes back {} unless you run 'gwctl confirm'.", until(context.now(), deadline)));
    out += "\n";
  }
  return out;
}

}  // namespace gw::ctl
