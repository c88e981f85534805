// Sign-in of the command line by a browser: on this machine, or elsewhere with a code.
#pragma once

#include "swarm/client.h"

namespace swarm::cli {

/// Opens `url` (of the server) in a browser of this machine, which brings the result to a port of this program. Nothing where there is no
/// desktop. Throws Error(DeadlineExceeded) when no browser came.
std::optional<SwarmClient::Login> loginByBrowser(SwarmClient& client, const std::string& url);
/// Prints a code, which the user types in a browser anywhere. Throws Error(PermissionDenied) when the user refused,
/// Error(DeadlineExceeded) when the code has expired.
SwarmClient::Login loginByCode(SwarmClient& client);

}  // namespace swarm::cli
