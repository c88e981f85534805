// The certificate of a key, and the comparison of a peer's key with the expected one.
#include "net/tls/pinned_key.h"

#include <array>
#include <new>
#include <string_view>

#include "base/diagnostics/check.h"
#include "net/connect.h"
#include "net/tls/owned.h"

namespace swarm::net {
namespace {

constexpr std::size_t kKeyBytes = 32;

int expectedKeyIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// The handshake itself proves that the peer has the private half.
int hasExpectedKey(X509_STORE_CTX* verification, void*) {
  const auto* connection = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* expected = static_cast<const std::string*>(SSL_get_ex_data(connection, expectedKeyIndex()));
  const X509* certificate = X509_STORE_CTX_get0_cert(verification);
  const EVP_PKEY* key = certificate != nullptr ? X509_get0_pubkey(certificate) : nullptr;
  std::array<unsigned char, kKeyBytes> bytes{};
  std::size_t size = bytes.size();
  const bool is_readable = key != nullptr && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
                           EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) == 1 && size == bytes.size();
  const bool same =
      is_readable && expected != nullptr && *expected == std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  X509_STORE_CTX_set_error(verification, same ? X509_V_OK : static_cast<int>(kOtherKey));
  return same ? 1 : 0;
}

std::shared_ptr<TlsContext> onlyTls13(std::shared_ptr<TlsContext> context) {
  SWARM_CHECK(SSL_CTX_set_min_proto_version(context->get(), TLS1_3_VERSION) == 1);
  SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_OFF);
  return context;
}

/// Only its key matters: the rest is what a certificate must have.
Certificate certificateOf(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  if (!certificate) throw std::bad_alloc();
  X509* made = certificate.get();
  X509_NAME* name = X509_get_subject_name(made);
  const bool done = X509_set_version(made, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(made), 1) == 1 &&
                    ASN1_TIME_set_string(X509_getm_notBefore(made), "19700101000000Z") == 1 &&
                    ASN1_TIME_set_string(X509_getm_notAfter(made), "99991231235959Z") == 1 &&
                    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("swarm"), -1, -1, 0) == 1 &&
                    X509_set_issuer_name(made, name) == 1 && X509_set_pubkey(made, key) == 1 && X509_sign(made, key, nullptr) > 0;
  SWARM_CHECK(done);
  return certificate;
}

}  // namespace

const TlsContext& pinnedClient() {
  static const std::shared_ptr<TlsContext> context = [] {
    auto made = onlyTls13(newTlsClient({}));
    SSL_CTX_set_cert_verify_callback(made->get(), hasExpectedKey, nullptr);
    return made;
  }();
  return *context;
}

void expectKey(SSL* connection, const std::string& public_key) {
  // The member is not const in OpenSSL's interface; hasExpectedKey() only reads it.
  SWARM_CHECK(SSL_set_ex_data(connection, expectedKeyIndex(), const_cast<std::string*>(&public_key)) == 1);  // NOLINT
}

std::shared_ptr<TlsContext> makePinnedServer(const Secret& private_key) {
  const std::string& bytes = private_key.reveal();
  SWARM_CHECK(bytes.size() == kKeyBytes);
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  SWARM_CHECK(key != nullptr);
  auto context = onlyTls13(newTlsServer());
  SSL_CTX_set_num_tickets(context->get(), 0);
  const Certificate certificate = certificateOf(key.get());
  SWARM_CHECK(SSL_CTX_use_certificate(context->get(), certificate.get()) == 1 && SSL_CTX_use_PrivateKey(context->get(), key.get()) == 1);
  return context;
}

}  // namespace swarm::net
