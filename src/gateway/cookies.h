// Our cookies: their names, finding them in a request, and hiding them from the applications behind us. Pure, no allocation.
#pragma once

#include <string>
#include <string_view>

namespace swarm::gateway {

inline constexpr std::string_view kSessionCookie = "swarm_session";           ///< base domain: the API's JWT
inline constexpr std::string_view kInstanceCookiePrefix = "swarm_instance_";  ///< one host of an instance

/// "swarm_instance_" and eight hex digits that depend on the host and our port: cookies do not know ports, and two servers on one machine
/// must not overwrite each other's.
std::string instanceCookieName(std::string_view label, std::string_view base_authority);

/// Whether a cookie of this name is ours alone.
bool isReservedCookie(std::string_view name);

/// Calls `visit(name, value)` for each pair of a Cookie header until it answers true; gives whether it did. Quotes around values are kept.
template <typename Visit>
bool visitCookies(std::string_view header, Visit&& visit) {
  while (!header.empty()) {
    const auto end = header.find(';');
    auto pair = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    while (!pair.empty() && (pair.front() == ' ' || pair.front() == '\t')) pair.remove_prefix(1);
    while (!pair.empty() && (pair.back() == ' ' || pair.back() == '\t')) pair.remove_suffix(1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    auto name = pair.substr(0, equals);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    if (visit(name, pair.substr(equals + 1))) return true;
  }
  return false;
}

/// Appends "Cookie: …\r\n" with the pairs that are not ours; nothing when none is left. The application's pairs stay byte for byte.
void appendForeignCookies(std::string_view header, std::string& out);

}  // namespace swarm::gateway
