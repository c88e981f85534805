#include "oidc/jose/web_keys.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "base/id.h"
#include "base/text/json_access.h"
#include "oidc/jose/strict_json.h"

namespace swarm::oidc {
namespace {

namespace json = boost::json;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;  // a signature of a larger key takes long to verify
constexpr std::size_t kMaxExponentBytes = 4;
constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kMaxKeyId = 256;

struct AlgorithmName {
  std::string_view name;
  SignatureAlgorithm algorithm;
};
constexpr AlgorithmName kAlgorithms[] = {{"RS256", SignatureAlgorithm::RS256},
                                         {"PS256", SignatureAlgorithm::PS256},
                                         {"ES256", SignatureAlgorithm::ES256},
                                         {"EdDSA", SignatureAlgorithm::EdDSA}};

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freeing<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freeing<EVP_MD_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freeing<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freeing<OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, Freeing<BN_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freeing<ECDSA_SIG_free>>;

/// Failures must not stay in this thread's queue, from which TLS connections read theirs.
struct ErrorsForgotten {
  ~ErrorsForgotten() { ERR_clear_error(); }
};

const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
Number numberOf(std::string_view bytes) { return Number(BN_bin2bn(bytesOf(bytes), static_cast<int>(bytes.size()), nullptr)); }

std::string bytesAt(const json::object& key, std::string_view name) {
  const std::string text = stringIn(key, name);
  return text.empty() ? std::string() : fromBase64Url(text).value_or("");
}

EVP_PKEY* keyOf(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  return EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1 ? key : nullptr;
}

EVP_PKEY* rsaKey(const json::object& object) {
  const std::string modulus = bytesAt(object, "n"), exponent = bytesAt(object, "e");
  if (modulus.size() > kMaxRsaBits / 8 || exponent.empty() || exponent.size() > kMaxExponentBytes) return nullptr;
  const Number n = numberOf(modulus), e = numberOf(exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || BN_num_bits(n.get()) < kMinRsaBits || !BN_is_odd(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get()))
    return nullptr;
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return keyOf("RSA", builder.get());
}

EVP_PKEY* p256Key(const json::object& object) {
  const std::string x = bytesAt(object, "x"), y = bytesAt(object, "y");
  if (stringIn(object, "crv") != "P-256" || x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) return nullptr;
  const std::string point = "\x04" + x + y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder) return nullptr;
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  EVP_PKEY* key = keyOf("EC", builder.get());  // null for a point that is not on the curve
  if (key == nullptr) return nullptr;
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context && EVP_PKEY_public_check(context.get()) == 1) return key;
  EVP_PKEY_free(key);
  return nullptr;
}

EVP_PKEY* ed25519Key(const json::object& object) {
  const std::string x = bytesAt(object, "x");
  if (stringIn(object, "crv") != "Ed25519" || x.size() != kCoordinateBytes) return nullptr;
  return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytesOf(x), x.size());
}

/// RFC 7518 §3.4: r and s, 32 bytes each, instead of their DER.
std::string derOf(std::string_view signature) {
  if (signature.size() != 2 * kCoordinateBytes) return {};
  const EcSignature parts(ECDSA_SIG_new());
  Number r = numberOf(signature.substr(0, kCoordinateBytes)), s = numberOf(signature.substr(kCoordinateBytes));
  if (!parts || !r || !s || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  std::string out = size > 0 ? std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)) : std::string();
  OPENSSL_free(der);
  return out;
}

bool setPadding(SignatureAlgorithm algorithm, EVP_PKEY_CTX* context) {
  if (algorithm == SignatureAlgorithm::RS256) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  if (algorithm != SignatureAlgorithm::PS256) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

std::optional<SignatureAlgorithm> algorithmFromName(std::string_view name) {
  const auto* found = std::ranges::find(kAlgorithms, name, &AlgorithmName::name);
  return found == std::end(kAlgorithms) ? std::nullopt : std::optional(found->algorithm);
}

WebKey::WebKey(std::string id, Kind kind, std::optional<SignatureAlgorithm> only, evp_pkey_st* key)
    : id_(std::move(id)), kind_(kind), only_(only), key_(key, EVP_PKEY_free) {}

std::optional<WebKey> WebKey::read(const json::object& object) {
  const ErrorsForgotten errors;
  const std::string type = stringIn(object, "kty"), id = stringIn(object, "kid");
  if (object.contains("use") && stringIn(object, "use") != "sig") return std::nullopt;
  std::optional<SignatureAlgorithm> only;
  if (object.contains("alg") && !(only = algorithmFromName(stringIn(object, "alg")))) return std::nullopt;
  if (id.size() > kMaxKeyId) return std::nullopt;
  const Kind kind = type == "RSA" ? Kind::Rsa : type == "EC" ? Kind::P256 : Kind::Ed25519;
  EVP_PKEY* key = type == "RSA" ? rsaKey(object) : type == "EC" ? p256Key(object) : type == "OKP" ? ed25519Key(object) : nullptr;
  if (key == nullptr) return std::nullopt;
  return WebKey(id, kind, only, key);
}

bool WebKey::fits(SignatureAlgorithm algorithm) const {
  if (only_ && *only_ != algorithm) return false;
  switch (algorithm) {
    case SignatureAlgorithm::RS256:
    case SignatureAlgorithm::PS256:
      return kind_ == Kind::Rsa;
    case SignatureAlgorithm::ES256:
      return kind_ == Kind::P256;
    case SignatureAlgorithm::EdDSA:
      return kind_ == Kind::Ed25519;
  }
  return false;
}

bool WebKey::verifies(SignatureAlgorithm algorithm, std::string_view message, std::string_view signature) const {
  if (!fits(algorithm) || signature.empty()) return false;
  const ErrorsForgotten errors;
  const std::string der = algorithm == SignatureAlgorithm::ES256 ? derOf(signature) : std::string();
  if (algorithm == SignatureAlgorithm::ES256 && der.empty()) return false;
  const std::string_view given = der.empty() ? signature : std::string_view(der);
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  const EVP_MD* digest = algorithm == SignatureAlgorithm::EdDSA ? nullptr : EVP_sha256();
  return context && EVP_DigestVerifyInit(context.get(), &settings, digest, nullptr, key_.get()) == 1 && setPadding(algorithm, settings) &&
         EVP_DigestVerify(context.get(), bytesOf(given), given.size(), bytesOf(message), message.size()) == 1;
}

std::optional<WebKeySet> WebKeySet::parse(std::string_view document) {
  const auto set = parseStrictObject(document);
  const json::value* keys = set ? set->if_contains("keys") : nullptr;
  if (keys == nullptr || !keys->is_array() || keys->get_array().size() > kMaxKeys) return std::nullopt;
  WebKeySet out;
  for (const json::value& key : keys->get_array()) {
    if (!key.is_object()) return std::nullopt;
    if (auto read = WebKey::read(key.get_object())) out.keys_.push_back(std::move(*read));
  }
  return out;
}

const WebKey* WebKeySet::find(SignatureAlgorithm algorithm, std::string_view kid) const {
  const WebKey* found = nullptr;
  for (const WebKey& key : keys_) {
    if (!key.fits(algorithm) || (!kid.empty() && key.id() != kid)) continue;
    if (found != nullptr) return nullptr;
    found = &key;
  }
  return found;
}

}  // namespace swarm::oidc
