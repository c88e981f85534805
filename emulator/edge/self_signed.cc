// One P-256 key and one certificate, created with OpenSSL's X.509 functions.
#include "emulator/edge/self_signed.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::emulator {
namespace {

constexpr long kValidSeconds = 365L * 24 * 3600;

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;
using Certificate = std::unique_ptr<X509, decltype([](X509* certificate) { X509_free(certificate); })>;
using File = std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })>;

void require(bool condition) {
  if (!condition) throw Error(ErrorCode::Internal, "OpenSSL could not create a certificate for TLS.");
}

Certificate makeCertificate(EVP_PKEY* key, const std::vector<std::string>& names) {
  Certificate made(X509_new());
  X509* certificate = made.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kValidSeconds);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("fly-emulator"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  std::string alternatives;
  for (const std::string& host : names) {
    bool is_address = host.find_first_not_of("0123456789.") == std::string::npos;
    alternatives += format("{}{}:{}", alternatives.empty() ? "" : ",", is_address ? "IP" : "DNS", host);
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, alternatives.c_str());
  require(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  require(X509_sign(certificate, key, EVP_sha256()) > 0);
  return made;
}

File create(const std::filesystem::path& path, int mode) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  File file(fd < 0 ? nullptr : ::fdopen(fd, "w"));
  if (!file) throw Error(ErrorCode::Internal, format("Cannot write the file {}.", path.string()));
  return file;
}

}  // namespace

CertificateFiles makeSelfSigned(const std::filesystem::path& directory, const std::vector<std::string>& names) {
  CertificateFiles files{directory / "edge.pem", directory / "edge.key"};
  if (std::filesystem::exists(files.certificate) && std::filesystem::exists(files.key)) return files;
  PrivateKey key(EVP_EC_gen("P-256"));
  require(key != nullptr);
  Certificate certificate = makeCertificate(key.get(), names);
  require(PEM_write_PrivateKey(create(files.key, 0600).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  require(PEM_write_X509(create(files.certificate, 0644).get(), certificate.get()) == 1);
  return files;
}

}  // namespace swarm::emulator
