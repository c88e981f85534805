// RevokedKeyList: what `[ssh] revokedKeys` lists, in the form of the specifications of `ssh-keygen -k`.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/ssh_certificate.h"

namespace swarm {

class RevokedKeyList {
 public:
  /// Lines "serial: N", "serial: N-M", "id: KEY ID" and "hash: SHA256:…", comments (#) and empty ones. Throws Error(InvalidArgument) with
  /// the number of a line that is something else.
  static RevokedKeyList parse(std::string_view text);

  /// Whether a key, a certified key or the key of a CA has this fingerprint.
  bool hasKey(std::string_view fingerprint) const { return fingerprints_.contains(fingerprint); }
  /// By its serial number or key id, which count for every CA, its key, or that of its CA.
  bool has(const SshCertificate& certificate) const;

 private:
  void addLine(std::string_view line);

  std::vector<std::pair<std::uint64_t, std::uint64_t>> serials_;  ///< first and last
  std::set<std::string, std::less<>> key_ids_;
  std::set<std::string, std::less<>> fingerprints_;
};

}  // namespace swarm
