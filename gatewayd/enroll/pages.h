// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the enrolment server shows to people and to shells; made of the files of the same name in gatewayd/enroll.
namespace gw::enroll {

extern const char* const kJoinPage;    ///< join.html
extern const char* const kJoinScript;  ///< join.sh

}  // namespace gw::enroll
