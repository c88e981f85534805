// TestAuthority on OpenSSL's X.509 API, with P-256 keys.
#include "support/net/test_certificates.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace swarm::test {
namespace {

void require(bool condition) {
  if (!condition) throw std::runtime_error("OpenSSL could not make a test certificate");
}

void addExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* newCertificate(const std::string& name, EVP_PKEY* key, long serial, std::chrono::seconds life = std::chrono::hours(24)) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), life.count());
  X509_set_pubkey(certificate, key);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, text, -1, -1, 0);
  return certificate;
}

void writePem(const std::filesystem::path& path, X509* certificate, EVP_PKEY* key) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  require(file != nullptr);
  const int written =
      certificate != nullptr ? PEM_write_X509(file, certificate) : PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  require(written == 1);
  if (key != nullptr) std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

bool isAddress(const std::string& name) {
  unsigned char binary[16];
  return ::inet_pton(AF_INET, name.c_str(), binary) == 1 || ::inet_pton(AF_INET6, name.c_str(), binary) == 1;
}

}  // namespace

struct TestAuthority::Keys {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = nullptr;
  ~Keys() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
};

TestAuthority::TestAuthority(const std::string& name) : keys_(std::make_unique<Keys>()) {
  keys_->certificate = newCertificate(name, keys_->key, serial_);
  X509* ca = keys_->certificate;
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  addExtension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  addExtension(ca, ca, NID_key_usage, "critical,keyCertSign");
  require(X509_sign(ca, keys_->key, EVP_sha256()) > 0);
  writePem(this->ca(), ca, nullptr);
}

TestAuthority::~TestAuthority() = default;

std::filesystem::path TestAuthority::ca() const { return folder_ / "ca.pem"; }

CertificateFiles TestAuthority::issue(const std::string& name, std::chrono::seconds life) {
  const std::string stem = std::to_string(++serial_);
  const CertificateFiles files{folder_ / (stem + ".pem"), folder_ / (stem + ".key")};
  EVP_PKEY* key = EVP_EC_gen("P-256");
  require(key != nullptr);
  X509* certificate = newCertificate(name, key, serial_, life);
  X509_set_issuer_name(certificate, X509_get_subject_name(keys_->certificate));
  addExtension(certificate, keys_->certificate, NID_subject_alt_name, (isAddress(name) ? "IP:" : "DNS:") + name);
  require(X509_sign(certificate, keys_->key, EVP_sha256()) > 0);
  writePem(files.certificate, certificate, nullptr);
  writePem(files.key, nullptr, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace swarm::test
