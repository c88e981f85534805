// A self-signed certificate of the emulator: trusted only by clients that are given its file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace swarm::emulator {

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;  ///< 0600
};

/// Writes a certificate for `names` (DNS names, "*.fly.localhost" too, and IPv4 addresses) into `directory`; an existing one is reused.
/// Throws Error(Internal) when it cannot be created or written.
CertificateFiles makeSelfSigned(const std::filesystem::path& directory, const std::vector<std::string>& names);

}  // namespace swarm::emulator
