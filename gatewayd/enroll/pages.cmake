# SPDX-License-Identifier: Apache-2.0
# What the enrolment server shows, as one source file.
file(STRINGS gatewayd/pki/extensions.cc oid_line REGEX "kWireGuardKeyOid = ")
string(REGEX MATCH "[0-9]+(\\.[0-9]+)+" oid "${oid_line}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS gatewayd/enroll/join.html gatewayd/enroll/join.sh gatewayd/pki/extensions.cc)
file(READ gatewayd/enroll/join.html page)
file(READ gatewayd/enroll/join.sh script)
string(REPLACE "@OID@" "${oid}" script "${script}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/enroll_pages.cc @ONLY CONTENT [[
#include "gatewayd/enroll/pages.h"
namespace gw::enroll {
const char* const kJoinPage = R"page(@page@)page";
const char* const kJoinScript = R"page(@script@)page";
}  // namespace gw::enroll
]])
target_sources(gw_enroll PRIVATE ${CMAKE_BINARY_DIR}/generated/enroll_pages.cc)
