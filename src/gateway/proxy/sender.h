// Sender: which page made the browser send a request, according to the browser. Pure.
#pragma once

#include "auth/public_address.h"
#include "gateway/host.h"
#include "net/http/http.h"

namespace swarm::gateway {

/// Person: typed, a bookmark, or not a browser. SameHost: a page of the same origin. SameWorkspace: VS Code or a port of the same instance.
/// Elsewhere: any other or unknown page.
enum class Sender { Person, SameHost, SameWorkspace, Elsewhere };

/// Decides by Sec-Fetch-Site, and by Origin or Referer where that is not sufficient. `host`: that of the request.
Sender senderOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address);

/// Whether the request opens a page at the top of a tab by GET or HEAD: safe from every sender.
bool opensPage(const net::RequestHead& head);
/// Whether it opens a page in a frame, or as an embedded object.
bool opensFrame(const net::RequestHead& head);
/// Whether the request is a CORS preflight, which never has cookies.
bool isPreflight(const net::RequestHead& head);
/// The host below the instance domain that Referer names, if it belongs to the same instance; otherwise one of kind Foreign.
HostName refererOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address);
/// The same for Origin, which a page cannot hide.
HostName originHostOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address);

}  // namespace swarm::gateway
