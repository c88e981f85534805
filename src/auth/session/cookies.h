// The server's own cookies: their names, the one value of a name in a request, Set-Cookie lines, and hiding them from the applications
// behind the gateway. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http/http.h"

namespace swarm {

/// Names of one server. A hash of its base host and port is in them: cookies do not know ports, and two servers on one machine must not
/// overwrite each other's. `__Host-` makes browsers refuse them from any other host and from plain-http pages; without Secure (plain http
/// on a domain of one's own) there is no such prefix.
struct CookieNames {
  std::string session;  ///< a browser's session: on the base host, and on each host of an instance
  std::string state;    ///< instance hosts: binds a sign-in to the browser that began it
  std::string mark;     ///< instance hosts: for which instance this browser's storage was filled
  std::string ports;    ///< *.localhost: `Domain=NAME.localhost`, so that a port shown inside VS Code is signed in
  std::string device;   ///< base host: this browser has signed in before
  bool secure = true;
};
/// `base_authority`: "swarm.localhost:7420".
CookieNames makeCookieNames(std::string_view base_authority, bool secure);

/// Whether a cookie of this name can only be ours: of this server, of another one, or of an earlier version.
bool isOurCookie(std::string_view name);
/// Whether a Set-Cookie value would set or remove such a cookie, however it is spelled.
bool setsOurCookie(std::string_view set_cookie);

/// What a request says about one cookie. Several values of one name come from nobody we know: none of them counts.
struct CookieLookup {
  std::string_view value;  ///< empty unless there is exactly one
  int count = 0;
  bool isAmbiguous() const { return count > 1; }
};
CookieLookup findCookie(const net::HeaderViews& headers, std::string_view name);
/// Bytes of all Cookie fields.
std::size_t cookieBytes(const net::HeaderViews& headers);

/// A Set-Cookie value: HttpOnly, SameSite=Lax, for the whole host; host-only unless `domain` is given.
std::string setCookie(const CookieNames& names, std::string_view name, std::string_view value, std::int64_t max_age,
                      std::string_view domain = {});
/// Set-Cookie fields that remove every cookie of this name that may have reached `host` and `path`: also those that a sibling host planted
/// for a parent domain.
void expireCookie(const CookieNames& names, std::string_view name, std::string_view host, std::string_view path, net::Headers& out);

/// Appends "Cookie: …\r\n" with the pairs that are not ours; nothing when none is left. The application's pairs stay byte for byte.
void appendForeignCookies(std::string_view header, std::string& out);

}  // namespace swarm
