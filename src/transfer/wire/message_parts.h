// Internal: parts that several messages share.
#pragma once

#include "transfer/wire/messages.h"

namespace swarm::transfer {

void put(Encoder& out, const Hash& hash);
Hash getHash(Decoder& in);

/// Whether an extended attribute is transferred: user.*, capabilities and access lists. The system's own labels depend on the file's
/// location.
bool isCarriedAttribute(std::string_view name);

}  // namespace swarm::transfer
