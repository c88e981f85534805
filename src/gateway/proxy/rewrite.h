// Head rewriting: which fields of a request an application receives, and which fields of a response a client receives. Pure; fuzzed
// (tests/fuzz/gateway_rewrite).
#pragma once

#include <string>
#include <string_view>

#include "net/http/http.h"

namespace swarm::gateway {

/// What the gateway adds to a response, and removes from it.
struct ResponseRules {
  std::string_view extra{};      ///< complete header lines
  bool isVscode = false;         ///< fields that would open its host to others are replaced by those in `extra`
  bool cookiesAreLarge = false;  ///< of the request: if the application refuses it for its size, they are removed
  bool isOfInstance = false;     ///< the browser keeps it at a host that another instance may have later
  bool isWorkerScript = false;   ///< the browser requested it as the script of a service worker
};

/// Facts about a client that the gateway adds to the request.
struct ForwardFacts {
  std::string_view clientAddress;  ///< without port
  std::string_view scheme;         ///< "http" or "https", as the client used it
  std::string_view port;           ///< decimal, as the client used it
  bool trustedProxy = false;       ///< the peer is a trusted proxy: its X-Forwarded-* fields are kept
  ResponseRules response{};
};

/// Whether a request's protocol change may be forwarded. HTTP/2 in clear text may not: it would hide requests from the gateway.
bool isForwardedUpgrade(const net::RequestHead& head);

/// Appends the complete upstream head, including the empty line: hop-by-hop fields, our cookies and `Swarm-*` removed, `X-Forwarded-*`
/// set, framing according to `head.body`. `Host`, `Authorization` and the application's cookies stay.
void appendUpstreamRequest(const net::RequestHead& head, const ForwardFacts& facts, std::string& out);

/// How a response's body goes to the client.
enum class ClientFraming { None, Length, Chunked, UntilClose };
struct ClientResponse {
  ClientFraming framing = ClientFraming::None;
  bool keepAlive = true;
};

/// How this response is framed for the client. `client_keep_alive`: client and gateway both allow it.
ClientResponse planClientResponse(const net::ResponseHead& head, int client_minor_version, bool client_keep_alive);
/// Appends the complete head for the client. Hop-by-hop fields are removed and the framing is replaced; the application's other fields
/// stay, except cookies that would replace ours, in any spelling.
void appendClientResponse(const net::ResponseHead& head, const ClientResponse& plan, int client_minor_version, const ResponseRules& rules,
                          std::string& out);
/// Appends an interim response (1xx except 101).
void appendInterimResponse(const net::ResponseHead& head, std::string& out);
/// Appends the 101 response, after which the connection is a tunnel.
void appendUpgradeResponse(const net::ResponseHead& head, std::string& out);

}  // namespace swarm::gateway
