// XXH3-128 over a canonical form.
#include "agent/archive/format/entry.h"

#include <xxhash.h>

namespace swarm::agent {

struct ArchiveDigest::Impl {
  XXH3_state_t* state = XXH3_createState();
  std::int64_t next = 0;  // where contiguous data would continue
  ~Impl() { XXH3_freeState(state); }
};

ArchiveDigest::ArchiveDigest() : impl_(std::make_unique<Impl>()) { XXH3_128bits_reset(impl_->state); }
ArchiveDigest::~ArchiveDigest() = default;

void ArchiveDigest::addNumber(std::uint64_t number) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  XXH3_128bits_update(impl_->state, bytes, sizeof bytes);
}

void ArchiveDigest::add(const ArchiveEntry& entry) {
  for (const std::string& text : {entry.path, entry.link}) {
    addNumber(text.size());
    XXH3_128bits_update(impl_->state, text.data(), text.size());
  }
  addNumber(static_cast<std::uint64_t>(entry.kind));
  addNumber(entry.kind == ArchiveKind::File ? static_cast<std::uint64_t>(entry.facts.size) : 0);
  impl_->next = 0;
}

void ArchiveDigest::add(std::int64_t offset, std::string_view data) {
  if (data.empty()) return;
  if (offset != impl_->next) addNumber(static_cast<std::uint64_t>(offset));
  XXH3_128bits_update(impl_->state, data.data(), data.size());
  impl_->next = offset + static_cast<std::int64_t>(data.size());
}

std::string ArchiveDigest::text() const {
  XXH128_hash_t hash = XXH3_128bits_digest(impl_->state);
  return transfer::hexadecimal({hash.high64, hash.low64});
}

}  // namespace swarm::agent
