// The connector to the server that a URL names.
#pragma once

#include <memory>

#include "net/connect.h"
#include "net/url.h"

namespace swarm::net {

/// `tls`: trusted authorities for any server; null: the system's. An https URL is never connected to without TLS.
Connector connectorTo(const Url& url, const std::shared_ptr<TlsContext>& tls = {});

}  // namespace swarm::net
