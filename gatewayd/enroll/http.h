// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

/// What HTTP carries in and out, without the library that reads it.
namespace gw::enroll {

struct HttpRequest {
  std::string method;   ///< "GET"
  std::string path;     ///< without the query
  std::string upgrade;  ///< the protocol that it wants to change to (RFC 9110 §7.8), by HTTP/1.1; empty: none
  std::string content_type, authorization, proof, present_proof;
  std::string body;
  std::string certificate_pem;  ///< of the client, whose key TLS has proven; empty: it showed none
  std::string chain_pem;        ///< what it sent with that, to lead to a root
  std::string source;           ///< its address
};

struct HttpAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool refused = false;  ///< a token or certificate that lets nobody in: who sends many is answered late
};

}  // namespace gw::enroll
