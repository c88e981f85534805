// Signatures of SSH (RFC 5656, 8332, 8709), verified with OpenSSL.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <memory>

#include "protocol/ed25519.h"
#include "protocol/ssh_certificate.h"
#include "protocol/ssh_wire.h"

namespace swarm {
namespace {

struct FreeOpenSsl {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeOpenSsl>;

const unsigned char* dataOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Owned<BIGNUM> numberOf(std::string_view bytes) { return Owned<BIGNUM>(BN_bin2bn(dataOf(bytes), static_cast<int>(bytes.size()), nullptr)); }

Owned<EVP_PKEY> makeKey(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return Owned<EVP_PKEY>(key);
}

bool verifyWith(EVP_PKEY* key, const EVP_MD* digest, std::string_view message, std::string_view signature) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), dataOf(signature), signature.size(), dataOf(message), message.size()) == 1;
}

bool verifyRsa(ssh::WireReader key, const EVP_MD* digest, std::string_view message, std::string_view signature) {
  const Owned<BIGNUM> exponent = numberOf(key.text()), modulus = numberOf(key.text());
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!exponent || !modulus || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1)
    return false;
  return verifyWith(makeKey("RSA", builder.get()).get(), digest, message, signature);
}

/// The two numbers of `signature`, as OpenSSL reads them; empty: they are not there.
std::string derOf(std::string_view signature) {
  ssh::WireReader numbers(signature);
  Owned<BIGNUM> r = numberOf(numbers.text()), s = numberOf(numbers.text());
  const Owned<ECDSA_SIG> pair(ECDSA_SIG_new());
  if (!numbers.isAtEnd() || !r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1) return {};
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  std::string der(static_cast<std::size_t>(std::max(0, size)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  if (size > 0) i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

bool verifyEcdsa(ssh::WireReader key, std::string_view message, std::string_view signature) {
  const std::string_view curve = key.text(), point = key.text();
  const char* group = curve == "nistp256" ? "P-256" : curve == "nistp384" ? "P-384" : "P-521";
  const EVP_MD* digest = curve == "nistp256" ? EVP_sha256() : curve == "nistp384" ? EVP_sha384() : EVP_sha512();
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return false;
  return verifyWith(makeKey("EC", builder.get()).get(), digest, message, derOf(signature));
}

bool verify(std::string_view type, std::string_view algorithm, ssh::WireReader key, std::string_view message, std::string_view signature) {
  if (type == "ssh-rsa") return verifyRsa(key, algorithm == "rsa-sha2-256" ? EVP_sha256() : EVP_sha512(), message, signature);
  return type == "ssh-ed25519" ? ed25519::verify(key.text(), message, signature) : verifyEcdsa(key, message, signature);
}

}  // namespace

bool isSshAuthorityType(std::string_view type) { return type == "ssh-ed25519" || type == "ssh-rsa" || type.starts_with("ecdsa-sha2-"); }

std::expected<void, std::string_view> checkSshSignature(const SshCertificate& certificate) {
  const std::string_view type = certificate.authority.type;
  ssh::WireReader key(certificate.authorityKey), signature(certificate.signature);
  key.text();
  const std::string_view algorithm = signature.text(), bytes = signature.text();
  const bool is_rsa = type == "ssh-rsa";
  if (is_rsa && algorithm == "ssh-rsa")
    return std::unexpected("is signed with SHA-1 (ssh-rsa), which is insecure: use `ssh-keygen -t rsa-sha2-512`");
  if (!isSshAuthorityType(type) || (is_rsa ? algorithm != "rsa-sha2-256" && algorithm != "rsa-sha2-512" : algorithm != type))
    return std::unexpected("is signed with an algorithm that is not accepted");
  if (!signature.isAtEnd() || !verify(type, algorithm, key, certificate.signedBytes, bytes))
    return std::unexpected("was not signed by the CA that it names");
  return {};
}

}  // namespace swarm
