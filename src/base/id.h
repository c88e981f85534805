// Random and sortable identifiers, and the encodings that tokens use.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace swarm {

/// `bytes` bytes from the system's random source. Thread-safe. Ends the process if the source fails.
std::string randomBytes(std::size_t bytes);

/// A new id: a prefix, "-", and 26 lower-case base-32 digits that sort by creation time (50 bits of milliseconds, 10 bits that count within
/// one, 70 random bits); ids of one process sort strictly in the order of their calls. Valid as a DNS label. Thread-safe. Prefixes in use:
/// "i" instances, "op" operations, "u" users, "rq" requests.
std::string newId(std::string_view prefix);

std::string toHex(std::string_view bytes);
std::string toBase64Url(std::string_view bytes);                  ///< RFC 4648 §5, no padding
std::optional<std::string> fromBase64Url(std::string_view text);  ///< empty on a wrong digit or length
std::optional<std::string> fromHex(std::string_view text);
std::string toBase64(std::string_view bytes);                  ///< RFC 4648 §4, padded
std::optional<std::string> fromBase64(std::string_view text);  ///< empty on a wrong digit, length or padding

/// HMAC-SHA-256, 32 raw bytes.
std::string hmacSha256(std::string_view key, std::string_view message);
/// SHA-256, 32 raw bytes.
std::string sha256(std::string_view message);
/// Compares in constant time for given lengths.
bool equalConstantTime(std::string_view a, std::string_view b);

}  // namespace swarm
