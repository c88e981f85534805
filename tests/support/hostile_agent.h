// An agent that was replaced by its workspace's owner: it answers every request with what may harm the server.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "net/stream.h"

namespace swarm::test {

enum class Hostility {
  HugeReason,      ///< 503 with a reason of 15 MiB
  HugeHealth,      ///< a health answer that is right, and has a member of 15 MiB
  ManyValues,      ///< 16 MiB of []
  DeepJson,        ///< [[[[ …
  EndlessBody,     ///< a body without end
  EndlessHead,     ///< a head without end
  EndlessInterim,  ///< 100 Continue, and again
  Escapes,         ///< what a terminal obeys and what turns a line, in every text
  WrongTypes,      ///< every member is there, and none has its type
  NotUtf8,         ///< JSON whose strings are not UTF-8
  NotHttp,         ///< bytes
  Upgraded,        ///< 101, unasked
  CutShort,        ///< an answer that ends in its middle
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

/// Reads the head of a request and answers it; until the peer has closed when the answer has no end. How many bytes were taken by the peer
/// or its kernel.
net::awaitable<std::size_t> answerHostile(net::Stream& stream, Hostility how);

}  // namespace swarm::test
