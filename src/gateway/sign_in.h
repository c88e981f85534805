// Sign-in: sessions on the base domain, and the one-time code that carries one to an instance's host (architecture.md §8).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "base/clock.h"
#include "gateway/targets.h"
#include "net/http_server.h"

namespace swarm::gateway {

inline constexpr std::string_view kCodePath = "/.swarm/auth";        ///< instance host: takes a code, sets the cookie
inline constexpr std::string_view kArrivePath = "/.swarm/arrive";    ///< instance host: sees whether the browser kept it
inline constexpr std::string_view kInstancePath = "/auth/instance";  ///< base: makes a code

/// How browsers reach us.
struct PublicAddress {
  std::string baseDomain;
  std::string scheme;  ///< "http" or "https"
  std::string port;    ///< decimal
  bool isLoopback = true;

  bool isSecure() const { return scheme == "https"; }
  /// "http://ws.localhost:7420" for a label, "http://localhost:7420" for none. On loopback the port is the one that the browser used: it
  /// may come through a forwarded port.
  std::string origin(std::string_view label, const net::RequestHead& head) const;
};

/// Throws Error(InvalidArgument) when `public_url` is no http or https URL.
PublicAddress makePublicAddress(std::string base_domain, std::string_view public_url);

class SignIn {
 public:
  SignIn(const PublicAddress& address, Auth& auth, const Clock& clock, Targets& targets);

  /// Instance host, no good cookie: off to the base domain, or 401.
  net::awaitable<void> challenge(net::Exchange& exchange, const HostName& host);
  /// Instance host: kCodePath and kArrivePath.
  net::awaitable<void> takeCode(net::Exchange& exchange, std::shared_ptr<Target> target);
  net::awaitable<void> arrive(net::Exchange& exchange, std::shared_ptr<Target> target);

  /// The base domain's pages; false: none of them.
  net::awaitable<bool> handleBase(net::Exchange& exchange);

 private:
  std::optional<Principal> sessionOf(const net::RequestHead& head) const;
  std::string sessionCookie(const LoginResult& login) const;
  net::awaitable<void> showLanding(net::Exchange& exchange);
  net::awaitable<void> showSignIn(net::Exchange& exchange);
  net::awaitable<void> signIn(net::Exchange& exchange);
  net::awaitable<void> signOut(net::Exchange& exchange);
  net::awaitable<void> sendToInstance(net::Exchange& exchange);
  net::awaitable<bool> redirectFromAddress(net::Exchange& exchange);

  const PublicAddress& address_;
  Auth& auth_;
  const Clock& clock_;
  Targets& targets_;
};

}  // namespace swarm::gateway
