// SPDX-License-Identifier: Apache-2.0
#include "tests/support/organisation.h"

#include <filesystem>
#include <stdexcept>

#include "gatewayd/base/file.h"
#include "tests/support/must.h"
#include "tests/support/process.h"

namespace gw::test {
namespace {

constexpr const char* kIsAuthority = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";

void openssl(Arguments words) {
  words.insert(words.begin(), "openssl");
  const Output done = run(words);
  if (done.ok()) return;
  std::string command;
  for (const std::string& word : words) command += word + " ";
  throw std::runtime_error(command + ": " + done.err);
}

/// A section of openssl-ca(1) for each authority.
std::string configuration(const std::string& directory, const std::vector<std::string>& authorities) {
  std::string out;
  for (const std::string& name : authorities) {
    std::string at = directory;
    at.append("/").append(name);
    const std::vector<std::string> parts = {
        "[",
        name,
        "]\nnew_certs_dir=",
        directory,
        "/new\ndatabase=",
        at,
        ".index\nserial=",
        at,
        ".serial\ncrlnumber=",
        at,
        ".crlnumber\ncertificate=",
        at,
        ".crt\nprivate_key=",
        at,
        ".key\ndefault_md=sha256\npolicy=any\npreserve=yes\nunique_subject=no\nemail_in_dn=yes\n"};
    for (const std::string& part : parts) out += part;
  }
  out +=
      "[users]\nissuingDistributionPoint=critical,onlyuser:TRUE\n"
      "[authorities]\nissuingDistributionPoint=critical,onlyCA:TRUE\n"
      "[delta]\ndeltaCRL=critical,DER:02:01:01\n";
  out +=
      "[any]\ncommonName=optional\norganizationName=optional\norganizationalUnitName=optional\n"
      "domainComponent=optional\n";
  return out;
}

}  // namespace

Organisation::Organisation(std::string directory, const std::string& name, const std::vector<std::string>& keys)
    : directory_(std::move(directory)), authorities_{"root", "issuing"}, keys_(keys) {
  std::filesystem::create_directories(directory_ + "/new");
  must(write_file_atomically(path("ca.cnf"), configuration(directory_, authorities_), 0600));
  for (const std::string& authority : authorities_) {
    make_books(authority);
    make_key(authority, keys_);
    std::string subject = "/O=";
    subject.append(name).append("/CN=").append(name).append(" ").append(authority);
    request(authority, subject);
    sign("root", authority, kIsAuthority, "20200101000000Z", "20450101000000Z");
  }
}

void Organisation::make_books(const std::string& authority) const {
  must(write_file_atomically(path(authority + ".index"), "", 0600));
  must(write_file_atomically(path(authority + ".serial"), authority == "root" ? "1000\n" : "2000\n", 0600));
  must(write_file_atomically(path(authority + ".crlnumber"), "01\n", 0600));
}

void Organisation::make_key(const std::string& id, const std::vector<std::string>& keys) const {
  Arguments words = {"genpkey", "-out", path(id + ".key")};
  words.insert(words.end(), keys.begin(), keys.end());
  openssl(words);
}

void Organisation::request(const std::string& id, const std::string& subject) const {
  openssl({"req", "-new", "-key", path(id + ".key"), "-subj", subject, "-utf8", "-out", path(id + ".csr")});
}

void Organisation::sign(const std::string& authority, const std::string& id, const std::string& extensions,
                        const std::string& from, const std::string& to, const std::vector<std::string>& more) const {
  must(write_file_atomically(path(id + ".ext"), extensions, 0600));
  Arguments words = {
      "ca",  "-batch",          "-notext", "-config",         path("ca.cnf"), "-name",           authority,
      "-in", path(id + ".csr"), "-out",    path(id + ".crt"), "-extfile",     path(id + ".ext"), "-startdate",
      from,  "-enddate",        to};
  if (authority == id) words.emplace_back("-selfsign");
  words.insert(words.end(), more.begin(), more.end());
  openssl(words);
}

Organisation::Issued Organisation::issue(const std::string& id, const Wanted& wanted) const {
  make_key(id, wanted.keys.empty() ? keys_ : wanted.keys);
  request(id, wanted.subject);
  std::string extensions = "basicConstraints=" + wanted.constraints + "\nkeyUsage=critical," + wanted.key_usage + "\n";
  if (!wanted.usage.empty()) extensions += "extendedKeyUsage=" + wanted.usage + "\n";
  if (!wanted.names.empty()) extensions += "subjectAltName=" + wanted.names + "\n";
  sign(wanted.by, id, extensions + wanted.more, wanted.from, wanted.to, wanted.signing);
  const std::string chain = path(id + ".pem");
  must(write_file_atomically(chain, must(read_file(path(id + ".crt"))) + must(read_file(path(wanted.by + ".crt"))),
                             0600));
  return {.certificate = chain, .alone = path(id + ".crt"), .key = path(id + ".key")};
}

void Organisation::add_authority(const std::string& id, Wanted wanted, const std::string& constraints) {
  authorities_.push_back(id);
  must(write_file_atomically(path("ca.cnf"), configuration(directory_, authorities_), 0600));
  make_books(id);
  wanted.subject = "/O=Contoso/CN=Contoso " + id;
  wanted.names.clear();
  wanted.usage.clear();
  wanted.constraints = constraints;
  wanted.key_usage = "keyCertSign,cRLSign";
  std::ignore = issue(id, wanted);
}

void Organisation::revoke(const std::string& id, const std::string& by) const {
  openssl({"ca", "-config", path("ca.cnf"), "-name", by, "-revoke", path(id + ".crt")});
}

std::string Organisation::crl(int hours, const std::string& by, const std::vector<std::string>& more) const {
  Arguments words = {"ca",      "-config",   path("ca.cnf"),        "-name", by,
                     "-gencrl", "-crlhours", std::to_string(hours), "-out",  path(by + ".crl")};
  words.insert(words.end(), more.begin(), more.end());
  openssl(words);
  return must(read_file(path(by + ".crl")));
}

}  // namespace gw::test
