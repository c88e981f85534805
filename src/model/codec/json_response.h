// JSON responses of the APIs that providers use. They may have megabytes: a large one is parsed on a thread of its own, so that the control
// loop continues with everything else.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <expected>
#include <string>
#include <string_view>

namespace swarm {

inline constexpr std::size_t kMaxJsonResponse = 32 * 1024 * 1024;  ///< bytes: the containers of a large machine, a page of an organization
inline constexpr std::size_t kMaxResponseValues = 4'000'000;       ///< keys included
inline constexpr std::size_t kParsedInPlace = 64 * 1024;           ///< bytes that are parsed on the caller's thread, in less than 1 ms

/// The document, or why `text` is not one ("it is not JSON"). `text` must outlive the call. A cancelled caller resumes when the parser has
/// ended. A large document releases its memory as a whole, with its last part; it is moved by construction only (assigning it to a value of
/// another storage copies it).
boost::asio::awaitable<std::expected<boost::json::value, std::string>> parseJsonResponse(std::string_view text);

}  // namespace swarm
