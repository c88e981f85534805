// Handover: how a session of the base host reaches an instance's host, and what each host of an instance keeps in the browser
// (docs/adr/0009-hosts-and-cookies.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "auth/public_address.h"
#include "base/clock.h"
#include "gateway/proxy/targets.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

inline constexpr std::string_view kCodePath = "/.swarm/auth";        ///< instance host: takes a code, sets the cookie
inline constexpr std::string_view kArrivePath = "/.swarm/arrive";    ///< instance host: sees whether the browser kept it
inline constexpr std::string_view kInstancePath = "/auth/instance";  ///< base host: makes a code

/// The side of the instance's host. A sign-in begins here with a secret in a cookie of this host, whose digest goes to the base host and
/// comes back inside the code: a code that was made for another browser is worth nothing here.
class Handover {
 public:
  Handover(const PublicAddress& address, Auth& auth, const Clock& clock, Targets& targets);

  /// No good cookie: off to the base host, or 401 with `headers`.
  net::awaitable<void> challenge(net::Exchange& exchange, const HostName& host, net::Headers headers = {});
  net::awaitable<void> takeCode(net::Exchange& exchange, std::shared_ptr<Target> target);
  net::awaitable<void> arrive(net::Exchange& exchange, std::shared_ptr<Target> target);
  /// A port's page is opened by somebody who is signed in to VS Code: the port's host gets a cookie of its own.
  net::awaitable<void> enterPort(net::Exchange& exchange, std::shared_ptr<Target> target, const Principal& principal);
  /// Goes on to `path` as a page of this very host: what follows is no cross-site navigation any more.
  net::awaitable<void> goOn(net::Exchange& exchange, std::string_view path);

 private:
  /// Cookies of a host that is signed in now; storage that another instance of the same name has filled is cleared.
  net::Headers welcome(const net::RequestHead& head, const Target& target, const Principal& principal) const;
  /// The path that the browser wanted when the sign-in began, if it is the one that was meant then.
  std::string wantedPath(const net::RequestHead& head, const Target* target) const;

  const PublicAddress& address_;
  Auth& auth_;
  const Clock& clock_;
  Targets& targets_;
};

}  // namespace swarm::gateway
