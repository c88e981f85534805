// BrowserSession: the session of a browser on the base host: its cookie, its begin and end, and the check that a request with that cookie
// comes from a page of the server. API and gateway both use it.
#pragma once

#include <optional>

#include "auth/auth.h"
#include "auth/browser/cookies.h"
#include "auth/client_address.h"
#include "auth/public_address.h"
#include "net/http/http_server.h"

namespace swarm {

/// Thread-safe.
class BrowserSession {
 public:
  /// `proxies`: those whose report of the client's address is trusted.
  BrowserSession(PublicAddress address, TrustedProxies proxies, Auth& auth, const Clock& clock);

  const CookieNames& names() const { return names_; }
  const PublicAddress& address() const { return address_; }

  /// Whether a request came to the base host by its name. Addresses and `localhost` reach the same server, but browsers would send a cookie
  /// that is set there to every program on any port of this machine: no cookie is set or accepted there.
  bool isBaseHost(const net::RequestHead& head) const;
  /// The user of the session cookie; nothing when there is no cookie, when it is not valid, or when there are several.
  std::optional<Principal> find(const net::RequestHead& head) const;
  bool hasCookie(const net::RequestHead& head) const;  ///< one or several
  LoginOrigin originOf(net::Exchange& exchange) const;

  /// Set-Cookie fields for a new session; none when the request did not come to the base host.
  net::Headers begin(const net::RequestHead& head, const Principal& principal) const;
  /// Set-Cookie fields that end it.
  net::Headers end(const net::RequestHead& head) const;
  /// The same when the request has several session cookies, which would prevent a sign-in; otherwise none.
  net::Headers repair(const net::RequestHead& head) const;

 private:
  PublicAddress address_;
  TrustedProxies proxies_;
  CookieNames names_;
  Auth& auth_;
  const Clock& clock_;
};

/// Whether a request comes from a page of the same origin, according to Sec-Fetch-Site and Origin. Workspaces may be on sibling hosts,
/// which SameSite does not separate: without this check a page in a workspace could act with its visitor's session. A request with neither
/// header does not come from a current browser, and does not pass.
bool isSameOrigin(const net::RequestHead& head);
/// Whether a browser sent the request for a page of another origin. Other programs send neither header; where cookies do not count, they
/// are not refused.
bool isOfForeignPage(const net::RequestHead& head);

}  // namespace swarm
