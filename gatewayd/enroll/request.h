// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/beast/http.hpp>
#include <optional>

#include "gatewayd/enroll/http.h"

/// Reading what anybody on the internet sends: sizes are bounded before anything is read.
namespace gw::enroll {

using RequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

void set_limits(RequestParser& parser);
/// Of what it says the fields that count here; certificate and source are not in it.
HttpRequest plain_request(boost::beast::http::request<boost::beast::http::string_body>&& in);
/// What a request that cannot be read is answered; nullopt: there is nobody to answer.
std::optional<HttpAnswer> unreadable(const boost::beast::error_code& error);

}  // namespace gw::enroll
