// SPDX-License-Identifier: Apache-2.0
#include "tests/support/organisation.h"

#include <filesystem>
#include <stdexcept>

#include "gatewayd/base/file.h"
#include "tests/support/must.h"
#include "tests/support/process.h"

namespace gw::test {
namespace {

constexpr const char* kAuthorities[] = {"root", "issuing"};
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
std::string configuration(const std::string& directory) {
  std::string out;
  for (const std::string name : kAuthorities) {
    const std::string at = directory + "/" + name;
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
      "[any]\ncommonName=optional\norganizationName=optional\norganizationalUnitName=optional\n"
      "domainComponent=optional\n";
  return out;
}

}  // namespace

Organisation::Organisation(std::string directory, const std::string& name, const std::vector<std::string>& keys)
    : directory_(std::move(directory)), keys_(keys) {
  std::filesystem::create_directories(directory_ + "/new");
  must(write_file_atomically(path("ca.cnf"), configuration(directory_), 0600));
  for (const std::string authority : kAuthorities) {
    must(write_file_atomically(path(authority + ".index"), "", 0600));
    must(write_file_atomically(path(authority + ".serial"), authority == "root" ? "1000\n" : "2000\n", 0600));
    must(write_file_atomically(path(authority + ".crlnumber"), "01\n", 0600));
    make_key(authority);
    std::string subject = "/O=";
    subject.append(name).append("/CN=").append(name).append(" ").append(authority);
    request(authority, subject);
    sign("root", authority, kIsAuthority, "20200101000000Z", "20450101000000Z");
  }
}

void Organisation::make_key(const std::string& id) const {
  Arguments words = {"genpkey", "-out", path(id + ".key")};
  words.insert(words.end(), keys_.begin(), keys_.end());
  openssl(words);
}

void Organisation::request(const std::string& id, const std::string& subject) const {
  openssl({"req", "-new", "-key", path(id + ".key"), "-subj", subject, "-utf8", "-out", path(id + ".csr")});
}

void Organisation::sign(const std::string& authority, const std::string& id, const std::string& extensions,
                        const std::string& from, const std::string& to) const {
  must(write_file_atomically(path(id + ".ext"), extensions, 0600));
  Arguments words = {
      "ca",  "-batch",          "-notext", "-config",         path("ca.cnf"), "-name",           authority,
      "-in", path(id + ".csr"), "-out",    path(id + ".crt"), "-extfile",     path(id + ".ext"), "-startdate",
      from,  "-enddate",        to};
  if (authority == id) words.emplace_back("-selfsign");
  openssl(words);
}

Organisation::Issued Organisation::issue(const std::string& id, const Wanted& wanted) const {
  make_key(id);
  request(id, wanted.subject);
  std::string extensions = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n";
  if (!wanted.usage.empty()) extensions += "extendedKeyUsage=" + wanted.usage + "\n";
  if (!wanted.names.empty()) extensions += "subjectAltName=" + wanted.names + "\n";
  sign("issuing", id, extensions, wanted.from, wanted.to);
  const std::string chain = path(id + ".pem");
  must(write_file_atomically(chain, must(read_file(path(id + ".crt"))) + must(read_file(issuing())), 0600));
  return {.certificate = chain, .alone = path(id + ".crt"), .key = path(id + ".key")};
}

void Organisation::revoke(const std::string& id) const {
  openssl({"ca", "-config", path("ca.cnf"), "-name", "issuing", "-revoke", path(id + ".crt")});
}

std::string Organisation::crl(int hours) const {
  openssl({"ca", "-config", path("ca.cnf"), "-name", "issuing", "-gencrl", "-crlhours", std::to_string(hours), "-out",
           path("issuing.crl")});
  return must(read_file(path("issuing.crl")));
}

}  // namespace gw::test
