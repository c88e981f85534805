// An agent that was replaced by its workspace's owner: it responds to every request with what may harm the server.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "async/awaitable.h"
#include "net/stream/stream.h"

namespace swarm::test {

enum class Hostility {
  HugeReason,      ///< 503 with a reason of 15 MiB
  HugeHealth,      ///< a valid health response with a member of 15 MiB
  ManyValues,      ///< 16 MiB of []
  DeepJson,        ///< [[[[ …
  EndlessBody,     ///< a body without end
  EndlessHead,     ///< a head without end
  EndlessInterim,  ///< 100 Continue, endlessly
  Escapes,         ///< what terminals interpret and what changes the text direction, in every text
  WrongTypes,      ///< every member is present, with the wrong type
  NotUtf8,         ///< JSON whose strings are not UTF-8
  NotHttp,         ///< bytes
  Upgraded,        ///< 101 without a request for it
  CutShort,        ///< a truncated response
  EndlessExec,     ///< stdout without end
  Plausible,       ///< well-formed: makes the server continue and request more
};

inline constexpr Hostility kAllHostilities[] = {
    Hostility::HugeReason,  Hostility::HugeHealth,     Hostility::ManyValues, Hostility::DeepJson,    Hostility::EndlessBody,
    Hostility::EndlessHead, Hostility::EndlessInterim, Hostility::Escapes,    Hostility::WrongTypes,  Hostility::NotUtf8,
    Hostility::NotHttp,     Hostility::Upgraded,       Hostility::CutShort,   Hostility::EndlessExec, Hostility::Plausible,
};
std::string_view nameOf(Hostility how);
std::optional<Hostility> hostilityFrom(std::string_view name);

/// Reads the head of a request and responds; a response without an end runs until the peer has closed. Returns the number of bytes accepted
/// by the peer or its kernel.
async::awaitable<std::size_t> respondHostile(net::Stream& stream, Hostility how);

}  // namespace swarm::test
