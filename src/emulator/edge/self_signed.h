// A certificate that the emulator makes for itself: trusted by whoever is given its file, and by nobody else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace swarm::emulator {

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;  ///< 0600
};

/// Writes a certificate for `names` (DNS names, "*.fly.localhost" too, and IPv4 addresses) into `directory`; what is there already is used.
/// Throws Error(Internal) when it can't be made or written.
CertificateFiles makeSelfSigned(const std::filesystem::path& directory, const std::vector<std::string>& names);

}  // namespace swarm::emulator
