// Head rewriting: what an application behind the gateway may see of a request, and a client of its response. Pure; fuzzed
// (tests/fuzz/gateway_rewrite).
#pragma once

#include <string>
#include <string_view>

#include "net/http/http.h"

namespace swarm::gateway {

/// What the gateway adds to a response, and keeps from it.
struct ResponseRules {
  std::string_view extra{};      ///< complete header lines
  bool isVscode = false;         ///< fields that would open its host to others give way to those in `extra`
  bool cookiesAreLarge = false;  ///< of the request: they may be why the application refuses it, and then are removed
};

/// What the gateway knows about a client and adds to the request.
struct ForwardFacts {
  std::string_view clientAddress;  ///< without port
  std::string_view scheme;         ///< "http" or "https", as the client sees us
  std::string_view port;           ///< decimal, as the client sees us
  bool trustedProxy = false;       ///< the peer is a proxy of ours: what it says about the client is kept
  ResponseRules response{};
};

/// Whether a request asks for a protocol change that may be passed on: HTTP/2 in clear text is not, it would hide requests from us.
bool isForwardedUpgrade(const net::RequestHead& head);

/// Appends the complete head, empty line included, that goes upstream: hop-by-hop fields, our cookies and `Swarm-*` removed,
/// `X-Forwarded-*` set, framing written anew from `head.body`. `Host`, `Authorization` and the application's cookies stay.
void appendUpstreamRequest(const net::RequestHead& head, const ForwardFacts& facts, std::string& out);

/// How a response's body goes to the client.
enum class ClientFraming { None, Length, Chunked, UntilClose };
struct ClientResponse {
  ClientFraming framing = ClientFraming::None;
  bool keepAlive = true;
};

/// What the client gets for this response to its request. `client_keep_alive`: what the client and we want.
ClientResponse planClientResponse(const net::ResponseHead& head, int client_minor_version, bool client_keep_alive);
/// Appends the complete head for the client. Hop-by-hop fields go, framing is written anew; everything else of the application stays, but
/// cookies that would replace ours, however they are spelled.
void appendClientResponse(const net::ResponseHead& head, const ClientResponse& plan, int client_minor_version, const ResponseRules& rules,
                          std::string& out);
/// An interim response (1xx but 101) as it is passed on.
void appendInterimResponse(const net::ResponseHead& head, std::string& out);
/// The 101 that is passed on before the connection becomes a byte pump.
void appendUpgradeResponse(const net::ResponseHead& head, std::string& out);

}  // namespace swarm::gateway
