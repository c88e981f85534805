// BrowserSession: the session of a browser on the base host. Its cookie, how it begins and ends, and the check that a request with it comes
// from a page of ours. The one place for API and gateway.
#pragma once

#include <optional>

#include "auth/auth.h"
#include "auth/client_address.h"
#include "auth/public_address.h"
#include "auth/session/cookies.h"
#include "net/http/http_server.h"

namespace swarm {

/// Thread-safe.
class BrowserSession {
 public:
  /// `proxies`: whose word for the address of a client counts.
  BrowserSession(PublicAddress address, TrustedProxies proxies, Auth& auth, const Clock& clock);

  const CookieNames& names() const { return names_; }
  const PublicAddress& address() const { return address_; }

  /// Whether a request came to the base host by its name. Addresses and `localhost` reach the same server, but what is set there would go
  /// to every program on any port of this machine: no cookie is set or believed there.
  bool isBaseHost(const net::RequestHead& head) const;
  /// Who the session cookie is; nobody when there is none, when it does not hold, or when there are several.
  std::optional<Principal> find(const net::RequestHead& head) const;
  bool hasCookie(const net::RequestHead& head) const;  ///< one, or several
  /// Where a sign-in comes from.
  LoginOrigin originOf(net::Exchange& exchange) const;

  /// Set-Cookie fields for a session that began; none when the request did not come to the base host.
  net::Headers begin(const net::RequestHead& head, const Principal& principal) const;
  /// Set-Cookie fields that end it.
  net::Headers end(const net::RequestHead& head) const;
  /// The same, when the request has several session cookies, which would keep it from signing in; else none.
  net::Headers repair(const net::RequestHead& head) const;

 private:
  PublicAddress address_;
  TrustedProxies proxies_;
  CookieNames names_;
  Auth& auth_;
  const Clock& clock_;
};

/// Whether a request comes from a page of the same origin, as Sec-Fetch-Site and Origin tell. Workspaces may live on sibling hosts, which
/// SameSite does not keep apart: without this check a page in a workspace could act with its visitor's session. A request that has neither
/// header comes from no browser of today, and does not pass.
bool isSameOrigin(const net::RequestHead& head);
/// Whether a browser sent it for a page of another origin: programs that are not browsers send neither header, and are not refused where no
/// cookie counts.
bool isOfForeignPage(const net::RequestHead& head);

}  // namespace swarm
