// The session cookie and the same-origin check.
#include "api/session_cookie.h"

#include "base/format.h"

namespace swarm::api {

std::string sessionCookie(std::string_view token, std::chrono::seconds lifetime, bool secure) {
  return format("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}", kSessionCookie, token, std::max<std::int64_t>(lifetime.count(), 0),
                secure ? "; Secure" : "");
}

bool isSameOrigin(const net::RequestHead& head) {
  std::optional<std::string_view> site = head.headers.find("Sec-Fetch-Site");
  std::optional<std::string_view> origin = head.headers.find("Origin");
  if (site && *site != "same-origin" && *site != "none") return false;
  if (!origin) return site.has_value();
  // The scheme is not compared: a proxy in front of us may speak TLS where we don't.
  for (std::string_view scheme : {"http://", "https://"}) {
    if (origin->starts_with(scheme)) return net::equalsIgnoreCase(origin->substr(scheme.size()), head.hostPort);
  }
  return false;
}

}  // namespace swarm::api
