// SPDX-License-Identifier: Apache-2.0
#include "netlink/nftables.h"

#include <openssl/sha.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "netlink/process.h"

namespace gw::nl {
namespace {

using Json = nlohmann::json;

constexpr const char* kFamily = "inet";
// "-" means /dev/stdin to nft 1.0.6, which not every /dev has.
constexpr const char* kStandardInput = "/proc/self/fd/0";
// A chain that nothing jumps to; the comment of its only rule is the record. nft 1.0.6 has no table comments in JSON.
constexpr const char* kRecordChain = "record";
constexpr size_t kDigestDigits = 32;

std::string digest(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < kDigestDigits / 2; ++i) {
    out += kDigits[hash[i] >> 4U];
    out += kDigits[hash[i] & 15U];
  }
  return out;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '^')) text.pop_back();
  return text;
}

// nft tells everything that goes wrong by status 1 and text.
Result<std::string> run_nft(const std::vector<std::string>& arguments, std::string_view input, const char* operation,
                            const std::string& table) {
  std::vector<std::string> command{"nft"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto finished = run_program(command, input);
  if (!finished) {
    Error error = finished.error();
    if (error.code == ENOENT) {  // which here would say that there is no such table
      error.code = ENOTSUP;
      error.detail = "nft is not installed (package nftables)";
    }
    return std::unexpected(std::move(error));
  }
  if (finished->status == 0) return std::move(finished->out);
  const std::string& said = finished->error;
  int code = EIO;
  if (said.contains("Operation not permitted")) code = EPERM;
  if (said.contains("No such file or directory")) code = ENOENT;
  return failure(code, operation, std::string(kFamily) + " " + table, trimmed(said));
}

// Takes out what differs between two listings of the same rules.
void normalise(Json& value) {
  if (value.is_object()) {
    value.erase("handle");
    if (auto counter = value.find("counter"); counter != value.end()) *counter = nullptr;
  }
  if (value.is_structured()) {
    for (auto& child : value) normalise(child);
  }
}

struct Listing {
  std::string hash;    ///< of everything but the record
  std::string record;  ///< the comment of the record's rule; empty when there is none
};

bool is_record(const Json& item) {
  const auto chain = item.find("chain");
  if (chain != item.end()) return chain->value("name", "") == kRecordChain;
  const auto rule = item.find("rule");
  return rule != item.end() && rule->value("chain", "") == kRecordChain;
}

Result<Listing> list(const std::string& table) {
  constexpr const char* kOperation = "list nftables table";
  const auto text = run_nft({"-j", "list", "table", kFamily, table}, {}, kOperation, table);
  if (!text) return std::unexpected(text.error());
  try {
    Json rest = Json::array();
    Listing out;
    Json all = Json::parse(*text);
    for (auto& item : all.at("nftables")) {
      if (item.contains("metainfo")) continue;
      if (!is_record(item)) {
        normalise(item);
        rest.push_back(std::move(item));
      } else if (item.contains("rule")) {
        out.record += item.at("rule").value("comment", "");
      }
    }
    out.hash = digest(rest.dump());
    return out;
  } catch (const Json::exception& error) {
    return failure(EBADMSG, kOperation, table, std::string("nft's answer is not what it promises: ") + error.what());
  }
}

std::string record_text(const std::string& frame, const std::string& listing) {
  return "frame=" + frame + " listing=" + listing;
}

Result<void> write_record(const std::string& table, const std::string& text) {
  const auto add = [&](const char* kind, Json object) {
    object["family"] = kFamily;
    object["table"] = table;
    return Json{{"add", {{kind, std::move(object)}}}};
  };
  const Json nothing = {{"return", nullptr}};
  const Json rule = {{"chain", kRecordChain}, {"comment", text}, {"expr", Json::array({nothing})}};
  const Json commands = Json::array({add("chain", {{"name", kRecordChain}}), add("rule", rule)});
  const Json document = {{"nftables", commands}};
  const auto done = run_nft({"-j", "-f", kStandardInput}, document.dump(), "record the nftables frame in", table);
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace

std::string fingerprint(const Frame& frame) { return digest(render(frame)); }

Result<void> load_frame(const Frame& frame) {
  if (auto valid = validate(frame); !valid) return valid;
  const std::string document = render(frame);
  if (auto done = run_nft({"-j", "-f", kStandardInput}, document, "load nftables table", frame.table); !done) {
    return std::unexpected(done.error());
  }
  // What nft lists is not what it was given and differs between its versions, so what it lists now is what will be
  // compared. A crash in between leaves no record: the frame stands, counts as edited and is loaded again.
  const auto listing = list(frame.table);
  if (!listing) return std::unexpected(listing.error());
  return write_record(frame.table, record_text(digest(document), listing->hash));
}

Result<std::optional<std::string>> live_frame(const std::string& table) {
  const auto listing = list(table);
  if (!listing && listing.error().code == ENOENT) return std::nullopt;
  if (!listing) return std::unexpected(listing.error());
  constexpr size_t kPrefix = std::string_view("frame=").size();
  std::string frame = listing->record.size() > kPrefix ? listing->record.substr(kPrefix, kDigestDigits) : "";
  if (listing->record != record_text(frame, listing->hash)) return kEditedFrame;
  return frame;
}

Result<void> delete_frame(const std::string& table) {
  const auto done = run_nft({"delete", "table", kFamily, table}, {}, "delete nftables table", table);
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace gw::nl
