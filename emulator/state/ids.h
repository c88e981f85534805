// Identifiers, names and addresses in Fly's forms (§3 "Identifiers and shapes").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace swarm::emulator {

std::string newMachineId();           ///< 14 hex digits
std::string newUlid(SystemTime now);  ///< 26 Crockford digits; sorts by time
std::string newVolumeId();            ///< "vol_" and 16 characters
std::string newSnapshotId();          ///< "vs_" and 16 characters
std::string newNonce();               ///< 12 hex digits
std::string newMachineName();         ///< "aged-thunder-7371"
std::string newAppId();
/// The Machine's 6PN address: the network's part is derived from its name, so that Machines of one network share a prefix.
std::string privateAddress(std::string_view organization, std::string_view network, std::string_view machine_id);
std::string networkCidr(std::string_view organization, std::string_view network);  ///< "fdaa:…::/48"
std::string publicAddressV6();                                                     ///< in the documentation prefix: unroutable
std::string publicAddressV4();
std::string flycastAddress(std::string_view organization, std::string_view network);

std::string formatSeconds(SystemTime time);  ///< "2023-11-08T01:52:30Z"
std::int64_t unixSeconds(SystemTime time);
std::int64_t unixMilliseconds(SystemTime time);
std::string decodeBase64(std::string_view text);  ///< throws Error(InvalidArgument)

/// A Go duration ("1m30s", "500ms") or plain seconds ("30"); empty when it is neither.
std::optional<std::chrono::milliseconds> parseGoDuration(std::string_view text);

}  // namespace swarm::emulator
