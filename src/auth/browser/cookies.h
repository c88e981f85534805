// The server's own cookies: names, look-up in a request, Set-Cookie lines, and their removal from what applications behind the gateway
// receive. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http/http.h"

namespace swarm {

/// Names of one server. They contain a hash of its base host and port: cookies do not depend on the port, and two servers on one machine
/// must not overwrite each other's. `__Host-` makes browsers refuse them from any other host and from plain-http pages; without Secure
/// (plain http on a custom domain) this prefix is not possible.
struct CookieNames {
  std::string session;   ///< a browser's session: on the base host, and on each host of an instance
  std::string state;     ///< instance hosts: binds a sign-in to the browser that began it
  std::string mark;      ///< instance hosts: the instance that filled this browser's storage
  std::string ports;     ///< *.localhost: `Domain=NAME.localhost`, so that a port shown inside VS Code is signed in
  std::string device;    ///< base host: this browser has signed in before
  std::string invite;    ///< base host: the code of the invitation that this browser has opened
  std::string provider;  ///< base host: a sign-in by an identity provider that this browser has begun
  bool secure = true;
};
/// `base_authority`: "swarm.localhost:7420".
CookieNames makeCookieNames(std::string_view base_authority, bool secure);

/// Whether a cookie of this name belongs to a server of this product: this one, another one, or an earlier version.
bool isOurCookie(std::string_view name);
/// Whether a Set-Cookie value would set or remove such a cookie, in any spelling.
bool setsOurCookie(std::string_view set_cookie);

/// The cookie of one name in a request. With several values of one name none of them counts: one may have been planted.
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
/// Set-Cookie fields that remove every cookie of this name that a browser sends to `host` and `path`, including those that a sibling host
/// planted for a parent domain.
void expireCookie(const CookieNames& names, std::string_view name, std::string_view host, std::string_view path, net::Headers& out);

/// Appends "Cookie: …\r\n" with the pairs that are not ours; nothing if all of them are. The application's pairs stay byte for byte.
void appendForeignCookies(std::string_view header, std::string& out);

}  // namespace swarm
