// Handover: transfers a session of the base host to an instance's host, and manages the cookies of instance hosts
// (docs/adr/0009-hosts-and-cookies.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "async/awaitable.h"
#include "auth/auth.h"
#include "auth/public_address.h"
#include "base/clock.h"
#include "gateway/proxy/targets.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

inline constexpr std::string_view kCodePath = "/.swarm/auth";        ///< instance host: takes a code, sets the cookie
inline constexpr std::string_view kArrivePath = "/.swarm/arrive";    ///< instance host: checks that the browser kept the cookie
inline constexpr std::string_view kPortCodePath = "/.swarm/port";    ///< VS Code's host: issues a code for the port whose page requests it
inline constexpr std::string_view kInstancePath = "/auth/instance";  ///< base host: issues a code
inline constexpr std::string_view kSharePortPath = "/auth/port";     ///< base host: opens a port to those who may open its workspace

/// Why a port does not open for a user who may open its workspace.
std::string portRefusal(const InstanceRoute& route, std::uint16_t port);

/// The side of the instance's host. A sign-in begins here with a secret in a cookie of this host. Its digest goes to the base host and
/// returns inside the code: a code that was issued for another browser is not valid here.
class Handover {
 public:
  Handover(const PublicAddress& address, Auth& auth, const Clock& clock, Targets& targets);

  /// For a request without a valid cookie: a redirect to the base host, or 401 with `headers`.
  async::awaitable<void> challenge(net::Exchange& exchange, const HostName& host, net::Headers headers = {});
  /// The same for a frame in a page of the workspace, on a domain. That page's policy may admit the port's host only, so that a redirect to
  /// the base host would be blocked: the frame gets its code from VS Code's host if the user is signed in there, and else goes to the base.
  async::awaitable<void> challengeFrame(net::Exchange& exchange, const HostName& host, std::string_view frame_ancestors);
  /// For challengeFrame(): the code for `port`, whose page has sent the request. `vscode` is its workspace's, where the user is signed in.
  async::awaitable<void> issuePortCode(net::Exchange& exchange, const Target& vscode, std::uint16_t port, const Principal& principal,
                                       net::Headers headers);
  async::awaitable<void> takeCode(net::Exchange& exchange, std::shared_ptr<Target> target);
  async::awaitable<void> arrive(net::Exchange& exchange, std::shared_ptr<Target> target);
  /// Opens a port's page for a user who is signed in to VS Code: the port's host gets a cookie of its own.
  async::awaitable<void> enterPort(net::Exchange& exchange, std::shared_ptr<Target> target, const Principal& principal);
  /// Continues to `path` from a page of the same host, so that the navigation is not cross-site.
  async::awaitable<void> continueTo(net::Exchange& exchange, std::string_view path);
  /// Whether another instance, or an unknown one, has filled the browser's storage for this host.
  bool holdsStorageOfAnother(const net::RequestHead& head, const HostName& host) const;
  /// Header lines of a response to a visitor without a cookie: with the first page that a browser opens, they clear what another instance
  /// of the same name has left in it.
  std::string visitorFields(const net::RequestHead& head, const Target& target) const;

 private:
  /// Cookies of a host after a sign-in; clears storage that another instance of the same name has filled.
  net::Headers welcome(const net::RequestHead& head, const Target& target, const Principal& principal) const;
  /// What a sign-in that begins here shares with the base host.
  struct Begun {
    std::string path;  ///< to open afterwards
    std::string binding;
    std::string proof;
    std::string baseUrl;  ///< where it continues
  };
  /// Adds the cookie of its secret to `headers`, and what else a browser without a valid cookie gets.
  Begun begin(const net::RequestHead& head, const HostName& host, net::Headers& headers) const;
  void repair(const net::RequestHead& head, const HostName& host, net::Headers& headers) const;
  /// The same for any response; empty when the browser holds the instance's mark.
  net::Headers mark(const net::RequestHead& head, const Target& target) const;
  /// The path that the browser requested when the sign-in began, if its proof is valid; otherwise "/".
  std::string wantedPath(const net::RequestHead& head, const Target* target) const;

  const PublicAddress& address_;
  Auth& auth_;
  const Clock& clock_;
  Targets& targets_;
};

}  // namespace swarm::gateway
