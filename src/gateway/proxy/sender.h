// Sender: whose page made the browser send a request, as far as browsers say so. Pure.
#pragma once

#include "auth/public_address.h"
#include "gateway/host.h"
#include "net/http/http.h"

namespace swarm::gateway {

/// Person: typed, a bookmark, or no browser at all. SameHost: a page of this very origin. SameWorkspace: the VS Code or a port of the same
/// instance. Elsewhere: any other page, or one that hides which it is.
enum class Sender { Person, SameHost, SameWorkspace, Elsewhere };

/// By Sec-Fetch-Site, and by Origin or Referer where that leaves it open. `host`: that of the request.
Sender senderOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address);

/// Whether the request opens a page at the top of a tab by GET or HEAD: safe from everywhere.
bool opensPage(const net::RequestHead& head);
/// Whether it opens a page in a frame, or as an embedded object.
bool opensFrame(const net::RequestHead& head);
/// A CORS preflight: it never carries cookies.
bool isPreflight(const net::RequestHead& head);
/// The host below the instance domain that Referer names, when it is one of the same instance; else one of kind Foreign.
HostName refererOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address);

}  // namespace swarm::gateway
