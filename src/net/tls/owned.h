// Internal: what OpenSSL allocates, with an owner.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace swarm::net {

struct FreeOpenSsl {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, FreeOpenSsl>;
using Key = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;

}  // namespace swarm::net
