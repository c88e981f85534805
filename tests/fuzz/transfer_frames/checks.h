// What the fuzz target checks of one input; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <string_view>

#include "base/diagnostics/check.h"
#include "base/error.h"
#include "transfer/tree/pack.h"
#include "transfer/wire/messages.h"

namespace swarm::transfer {

/// Accepted input has the same meaning when it is encoded again.
template <typename Message>
void checkMessage(std::string_view payload) {
  try {
    const auto message = decode<Message>(payload);
    const std::string again = encode(message);
    SWARM_CHECK(encode(decode<Message>(again)) == again);
  } catch (const Error& error) {
    SWARM_CHECK(error.code() == ErrorCode::UpstreamFailed);
  }
}

inline void checkPlainWants(std::string_view payload) {
  try {
    const std::string again = encode(decodePlainWants(payload));
    SWARM_CHECK(encode(decodePlainWants(again)) == again);
  } catch (const Error& error) {
    SWARM_CHECK(error.code() == ErrorCode::UpstreamFailed);
  }
}

inline void checkListing(std::string_view payload) {
  try {
    const auto listing = decode<Listing>(payload);
    SWARM_CHECK(isValidPath(listing.path) && listing.entries.size() <= kMaxListingEntries);
    for (const Entry& entry : listing.entries) SWARM_CHECK(isValidName(entry.name) && entry.facts.size >= 0 && entry.facts.mode <= 07777);
  } catch (const Error&) {
    return;
  }
}

inline void checkPack(std::string_view payload) {
  try {
    std::string_view body;
    const PackHead head = decodePack(payload, body);
    SWARM_CHECK(head.rawLength <= kMaxPackRaw && head.segments.size() <= kMaxPackSegments);
    std::size_t data = 0;
    for (const Segment& segment : head.segments) {
      SWARM_CHECK(segment.offset >= 0 && segment.length >= 0 && segment.offset + segment.length >= 0);
      if (segment.kind == SegmentKind::Data) data += static_cast<std::size_t>(segment.length);
    }
    SWARM_CHECK(data == head.rawLength);
    std::string buffer;
    SWARM_CHECK(unpack(head, body, buffer).size() == head.rawLength);
  } catch (const Error& error) {
    SWARM_CHECK(error.code() == ErrorCode::UpstreamFailed);
  }
}

/// A frame: its header, and its payload as each message in turn.
inline void fuzzTransferFrames(std::string_view input) {
  try {
    const FrameHeader header = parseHeader(input);
    SWARM_CHECK(header.length <= kMaxPayload);
  } catch (const Error&) {
    // Most inputs; the payload is checked anyway.
  }
  if (input.size() < kHeaderBytes) return;
  const std::string_view payload = input.substr(kHeaderBytes);
  checkListing(payload);
  checkMessage<Listing>(payload);
  checkMessage<Wants>(payload);
  checkPlainWants(payload);
  checkPack(payload);
  checkMessage<Hello>(payload);
  checkMessage<RoundCommand>(payload);
  checkMessage<DigestCommand>(payload);
  checkMessage<TransferProgress>(payload);
  checkMessage<ScanReport>(payload);
  checkMessage<RoundReport>(payload);
  checkMessage<DigestReport>(payload);
  checkMessage<Failure>(payload);
  checkMessage<std::vector<ManifestLine>>(payload);
}

}  // namespace swarm::transfer
