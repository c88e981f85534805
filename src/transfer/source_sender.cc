// The source's content: only the chunks that the target does not have.
#include <errno.h>
#include <fcntl.h>

#include <cstring>
#include <system_error>

#include "base/error.h"
#include "base/format.h"
#include "transfer/source_round.h"

namespace swarm::transfer {
SourceState::SourceState(Core& its_core, RoundKind its_kind)
    : core(its_core),
      kind(its_kind),
      trust(topsOf(core.storages), kind == RoundKind::Final ? Trust::Sync::NobodyWrites : Trust::Sync::Needed),
      window(core.inbox) {}

void SourceSender::run() {
  Inbox& inbox = state_.core.inbox;
  for (;;) {
    bool wants = false;
    bool idle = false;
    // Content that waits for more of it goes out rather than wait for a target that waits for it.
    inbox.wait([&] {
      wants = inbox.has(Inbox::Wanted);
      idle = !wants && packs_.hasUnsent();
      return wants || idle || inbox.has(Inbox::Acks) || (state_.listed && state_.window.empty());
    });
    packs_.takeAcks();
    if (wants) {
      serve(decode<Wants>(inbox.take(Inbox::Wanted).payload));
    } else if (idle) {
      packs_.flush();
    } else if (state_.listed && state_.window.empty()) {
      break;
    }
  }
  packs_.finish();
}

void SourceSender::serve(const Wants& wants) {
  ListedUnit& listed = state_.window.at(wants.unit);
  for (const Want& want : wants.wants) {
    if (want.index >= listed.items.size() || !listed.items[want.index].file) brokenPeer("it wants what is no file");
    auto& parts = unfinished_[want.index];
    if (parts.signature.size() + want.signature.size() > kMaxSignature) brokenPeer("a signature is too long");
    parts.signature.insert(parts.signature.end(), want.signature.begin(), want.signature.end());
    if (want.continues) {
      if (unfinished_.size() > 1) brokenPeer("signatures are mixed");
      continue;
    }
    Want whole{want.index, false, std::move(parts.signature)};
    unfinished_.erase(want.index);
    ListedUnit::Item& item = listed.items[want.index];
    // Each is wanted once.
    item.file = false;
    --listed.files;
    listed.bytes -= item.bytes;
    sendFile(wants.unit, listed, whole);
  }
  if (!wants.last) return;
  if (!unfinished_.empty()) brokenPeer("a signature is cut");
  state_.core.counters.files += listed.files;
  state_.core.counters.bytes += listed.bytes;
  state_.window.remove(wants.unit);
}

int SourceSender::directoryOf(const ListedUnit& listed) {
  if (directory_path_ != listed.path || directory_storage_ != listed.storage) {
    directory_ = openBelow(state_.core.storages[listed.storage].top.get(), *listed.path, O_PATH);
    directory_path_ = listed.path;
    directory_storage_ = listed.storage;
  } else if (!directory_.valid()) {
    errno = ENOENT;
  }
  return directory_.get();
}

void SourceSender::giveUp(std::uint64_t unit, std::uint64_t index, const ListedUnit& listed, int error) {
  const ListedUnit::Item& item = listed.items[index];
  if (isVanished(error)) {
    ++state_.unstable;
  } else {
    state_.unreadable(state_.core.storages[listed.storage].describe(*listed.path, item.name), error);
  }
  packs_.gone(unit, index, item.bytes);
}

void SourceSender::sendFile(std::uint64_t unit, const ListedUnit& listed, const Want& want) {
  const ListedUnit::Item& item = listed.items[want.index];
  const int directory = directoryOf(listed);
  if (directory < 0) return giveUp(unit, want.index, listed, errno);
  const Descriptor file(::openat(directory, item.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return giveUp(unit, want.index, listed, errno);
  // Another kind of thing has taken its name.
  if (!S_ISREG(status.st_mode) || status.st_dev != state_.core.storages[listed.storage].device) {
    return giveUp(unit, want.index, listed, ENOENT);
  }
  try {
    sendContent(unit, want.index, file.get(), status, want.signature, item);
  } catch (const std::system_error& error) {
    giveUp(unit, want.index, listed, error.code().value());
  }
}

void SourceSender::sendContent(std::uint64_t unit, std::uint64_t index, int file, const struct stat& before,
                               const std::vector<Hash>& signature, const ListedUnit::Item& item) {
  HashCache& cache = *state_.core.options.hashes;
  const auto known = signature.empty() ? std::nullopt : cache.find(before);
  ChunkReader reader(file, before);
  FileHashes hashes;
  bool sent = false;
  std::int64_t offset = 0;
  bool shorter = false;
  while (offset < reader.size() && !shorter) {
    state_.core.stop.check();
    const std::size_t chunk = hashes.chunks.size();
    const std::size_t length = reader.lengthAt(offset);
    if (known && chunk < signature.size() && known->chunks.at(chunk) == signature[chunk]) {
      hashes.chunks.push_back(signature[chunk]);
      offset += static_cast<std::int64_t>(length);
      continue;
    }
    char* const room = packs_.room(length);
    const std::size_t got = reader.read(offset, room);
    shorter = got < length;
    if (got == 0) break;
    hashes.chunks.push_back(reader.hash({room, got}));
    if (chunk >= signature.size() || signature[chunk] != hashes.chunks.back()) {
      sendChunk(unit, index, reader, offset, room, got);
      sent = true;
    }
    offset += static_cast<std::int64_t>(got);
  }
  struct stat after{};
  if (::fstat(file, &after) != 0) throw std::system_error(errno, std::generic_category());
  const bool changed = shorter || !isUnchanged(before, after);
  if (changed) {
    ++state_.unstable;
  } else if (state_.trust.covers(after)) {
    hashes.content = hashContent(reader.size(), hashes.chunks);
    cache.store(after, hashes);
  }
  Facts facts = factsOf(after);
  facts.size = offset;
  if (sent) ++filesSent;
  packs_.end(unit, index, facts, item.bytes);
}

/// `room` holds the chunk with its holes as zeros; what is data moves together.
void SourceSender::sendChunk(std::uint64_t unit, std::uint64_t index, const ChunkReader& reader, std::int64_t offset, char* room,
                             std::size_t length) {
  const std::int64_t end = offset + static_cast<std::int64_t>(length);
  std::int64_t at = offset;
  for (const Extent& extent : reader.data()) {
    if (extent.offset > at) packs_.hole(unit, index, at, extent.offset - at);
    const auto size = static_cast<std::size_t>(extent.length);
    // Asked for again: a pack that has enough segments was sent meanwhile.
    char* const place = packs_.room(size);
    if (place != room + (extent.offset - offset)) std::memmove(place, room + (extent.offset - offset), size);
    packs_.data(unit, index, extent.offset, size);
    at = extent.offset + extent.length;
  }
  if (at < end) packs_.hole(unit, index, at, end - at);
}

RoundReport runSourceRound(Core& core, RoundKind kind) {
  core.options.hashes->beginPass();
  SourceState state(core, kind);
  SourceLister lister(state);
  SourceSender sender(state);
  runBoth(
      core, [&] { sender.run(); },
      [&] {
        walk(core.storages, lister, core.stop);
        state.listed = true;
        core.inbox.nudge();
      });
  core.outbox.push({Kind::RoundEnd, {}, {}});
  RoundReport report;
  report.files = lister.files;
  report.bytes = lister.bytes;
  report.filesSent = sender.filesSent;
  report.unstable = state.unstable;
  report.skipped = std::move(state.notes.notes.first);
  report.skippedCount = state.notes.notes.count;
  return report;
}

}  // namespace swarm::transfer
