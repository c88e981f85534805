// Wiping a secret.
#include "base/secret.h"

#include <openssl/crypto.h>

namespace swarm {

Secret::~Secret() { OPENSSL_cleanse(value_.data(), value_.size()); }

}  // namespace swarm
