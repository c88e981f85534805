// What a user certificate of SSH has to contain, besides the signature of a trusted CA.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "protocol/ssh_certificate.h"

namespace swarm {

/// Whether the certificate admits a client with this address to the SSH listener, as a user of this name, at this time. Otherwise what it
/// is or lacks, as the end of a sentence: "is …".
std::expected<void, std::string> checkCertificate(const SshCertificate& certificate, std::string_view user, std::string_view address,
                                                  SystemTime now);

}  // namespace swarm
