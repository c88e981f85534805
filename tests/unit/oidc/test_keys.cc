#include "test_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <boost/json/serialize.hpp>
#include <vector>

#include "base/diagnostics/check.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm::oidc::testing {
namespace {

std::string number(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* value = nullptr;
  SWARM_CHECK(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_free(value);
  return toBase64Url(bytes);
}

/// r and s, 32 bytes each.
std::string rawOf(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* parts = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string raw(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(parts), reinterpret_cast<unsigned char*>(raw.data()), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts), reinterpret_cast<unsigned char*>(raw.data()) + 32, 32);
  ECDSA_SIG_free(parts);
  return raw;
}

}  // namespace

TestKey::TestKey(std::string kid, std::string algorithm, int rsa_bits) : kid_(std::move(kid)), algorithm_(std::move(algorithm)) {
  EVP_PKEY* key = algorithm_ == "ES256"   ? EVP_EC_gen("P-256")
                  : algorithm_ == "EdDSA" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                          : EVP_RSA_gen(static_cast<unsigned>(rsa_bits));
  SWARM_CHECK(key != nullptr);
  key_ = std::shared_ptr<evp_pkey_st>(key, EVP_PKEY_free);
}

boost::json::object TestKey::publicKey() const {
  if (algorithm_ == "EdDSA") {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    SWARM_CHECK(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1);
    return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", kid_}, {"use", "sig"}, {"x", toBase64Url(raw)}};
  }
  if (algorithm_ == "ES256")
    return {{"kty", "EC"},
            {"crv", "P-256"},
            {"kid", kid_},
            {"x", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32)},
            {"y", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32)}};
  return {
      {"kty", "RSA"}, {"kid", kid_}, {"n", number(key_.get(), OSSL_PKEY_PARAM_RSA_N)}, {"e", number(key_.get(), OSSL_PKEY_PARAM_RSA_E)}};
}

std::string TestKey::header() const { return format(R"({{"alg":"{}","kid":"{}"}})", algorithm_, kid_); }

std::string TestKey::sign(const boost::json::object& claims) const { return signText(header(), boost::json::serialize(claims)); }

std::string TestKey::signText(std::string_view header, std::string_view payload) const {
  const std::string text = toBase64Url(header) + "." + toBase64Url(payload);
  if (algorithm_ == "HS256") return text + "." + toBase64Url(hmacSha256(boost::json::serialize(publicKey()), text));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* settings = nullptr;
  SWARM_CHECK(EVP_DigestSignInit(context, &settings, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(), nullptr, key_.get()) == 1);
  if (algorithm_ == "PS256") {
    EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
  }
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  SWARM_CHECK(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return text + "." + toBase64Url(algorithm_ == "ES256" ? rawOf(signature) : signature);
}

}  // namespace swarm::oidc::testing
