// Internal: a client that expects one key of its peer.
#pragma once

#include <openssl/x509_vfy.h>

#include <string>

#include "net/tls/tls_context.h"

namespace swarm::net {

/// The result of the verification of a certificate with another key.
inline constexpr long kOtherKey = X509_V_ERR_APPLICATION_VERIFICATION;

/// Its connections accept TLS 1.3 only, and no certificate without expectKey().
const TlsContext& pinnedClient();
/// `public_key` (Ed25519, raw bytes) must outlive the handshake.
void expectKey(SSL* connection, const std::string& public_key);

}  // namespace swarm::net
