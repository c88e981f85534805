// The error of a handshake whose peer presented a certificate that cannot be trusted.
#pragma once

#include <string_view>

namespace swarm::net {

/// Part of its message.
inline constexpr std::string_view kCertificateRejected = "the certificate was rejected";

}  // namespace swarm::net
