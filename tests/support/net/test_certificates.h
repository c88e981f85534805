// Certificates for TLS tests, created with OpenSSL on request.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "support/temp_dir.h"

namespace swarm::test {

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// A certificate authority in a folder of its own.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "Test CA");
  ~TestAuthority();
  std::filesystem::path ca() const;
  /// A certificate for `name`, as DNS name or IP address, valid from an hour ago until `life` from now.
  CertificateFiles issue(const std::string& name, std::chrono::seconds life = std::chrono::hours(24));

 private:
  struct Keys;
  TempDir folder_;
  std::unique_ptr<Keys> keys_;
  long serial_ = 1;
};

}  // namespace swarm::test
