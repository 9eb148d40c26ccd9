// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What kind of thing an entry of the journal tells: sd-journal's MESSAGE_ID, the same for ever, so that a program can
/// wait for one. image/systemd/gatewayd.catalog says of each what it means and what to do; a test holds the two
/// together.
namespace gw::control::message_id {

inline constexpr const char* kFlow =
    "539cd98b149d40ef810476f1ceb2c062";  ///< a packet was denied, or met a rule that logs
inline constexpr const char* kSummary = "653d8d92157744f9a57565133b4180b6";       ///< more of those than are told
inline constexpr const char* kServing = "4eb53695c68840d5b552fd3680da526c";       ///< ready
inline constexpr const char* kUnconfigured = "8712eee350a945b2a37c6712627e0cb4";  ///< no configuration can be used
inline constexpr const char* kApplied = "dfb2d689672d4c46a91b9584cce719af";
inline constexpr const char* kConfirmed = "0e29c493f168417baeb65fefc7a908c1";
inline constexpr const char* kWentBack = "e65a516d6b9b481aae7ec1ddba717cc7";  ///< to the configuration before
inline constexpr const char* kRepaired = "b88fed782d3c44a2aa16cc0b51b2c8a9";  ///< somebody else had changed the kernel
inline constexpr const char* kTrouble = "509f450ef4154cccb51693997d796389";   ///< the kernel is not as wanted
inline constexpr const char* kSettled = "a0d7cacaa6014d319a652e0887f3984a";   ///< it is again
inline constexpr const char* kClientAdded = "d2e9997373f1459f80e47083f86d8361";
inline constexpr const char* kClientChanged = "4b4fd97589bc4cf694e4874cd89222be";
inline constexpr const char* kTokenRefused = "6f570f0bd36341068a20effa159a5a14";  ///< used, ended, revoked, or guessed
inline constexpr const char* kAccessEnded =
    "70ca73affcb84c4990b61643213638b1";  ///< revoked, removed, or the certificate ended
inline constexpr const char* kEndsSoon = "47c35a6a40424a20b55ee6fd6d5c2944";  ///< a certificate, within 30, 7 or 1 days
inline constexpr const char* kClock = "4561f9eb864643ee8eaf285f5473510b";     ///< set, not believed, not synchronised
inline constexpr const char* kAuthorityChanged = "bc0990c21a134448a5a48bd81a91e5e9";  ///< made, rotated, imported
inline constexpr const char* kBusLost = "2e9b6f2180a5433e90dc09039ae0de50";
inline constexpr const char* kFastPathOff = "8f73b8f46c9c47a9b4cf9f7fc8305219";  ///< drivers lose its packets

}  // namespace gw::control::message_id
