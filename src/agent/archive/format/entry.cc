// XXH3-128 over a canonical form.
#include "agent/archive/format/entry.h"

#include <xxhash.h>

namespace swarm::agent {

ArchiveDigest::ArchiveDigest() : state_(XXH3_createState(), [](XXH3_state_s* state) { XXH3_freeState(state); }) {
  XXH3_128bits_reset(state_.get());
}

void ArchiveDigest::addNumber(std::uint64_t number) {
  const std::string bytes = transfer::Encoder().fixed(number).take();
  XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
}

void ArchiveDigest::add(const ArchiveEntry& entry) {
  for (const std::string& text : {entry.path, entry.link}) {
    addNumber(text.size());
    XXH3_128bits_update(state_.get(), text.data(), text.size());
  }
  addNumber(static_cast<std::uint64_t>(entry.kind));
  addNumber(entry.kind == ArchiveKind::File ? static_cast<std::uint64_t>(entry.facts.size) : 0);
  next_ = 0;
}

void ArchiveDigest::add(std::int64_t offset, std::string_view data) {
  if (data.empty()) return;
  if (offset != next_) addNumber(static_cast<std::uint64_t>(offset));
  XXH3_128bits_update(state_.get(), data.data(), data.size());
  next_ = offset + static_cast<std::int64_t>(data.size());
}

std::string ArchiveDigest::text() const {
  XXH128_hash_t hash = XXH3_128bits_digest(state_.get());
  return transfer::hexadecimal({hash.high64, hash.low64});
}

}  // namespace swarm::agent
