// The source's content: sends only the chunks that the target lacks.
#include <errno.h>
#include <fcntl.h>

#include <cstring>
#include <map>
#include <system_error>

#include "base/error.h"
#include "transfer/rounds/source_round.h"
#include "transfer/tree/pack.h"

namespace swarm::transfer {
namespace {

/// Answers Wants with content.
class SourceSender {
 public:
  explicit SourceSender(SourceState& state) : state_(state), packs_(state.session) {}

  void run() {
    Inbox& inbox = state_.session.inbox;
    for (;;) {
      bool wants = false;
      bool idle = false;
      // Send a partial pack rather than wait for a target that itself waits for this content.
      inbox.wait([&] {
        wants = inbox.has(Inbox::Wanted);
        idle = !wants && packs_.hasUnsent();
        return wants || idle || inbox.has(Inbox::Acks) || (state_.listed && state_.window.empty());
      });
      packs_.takeAcks();
      if (wants) {
        const Arrived frame = inbox.take(Inbox::Wanted);
        serve(frame.kind == Kind::WantsRuns ? decode<Wants>(frame.payload) : decodePlainWants(frame.payload));
      } else if (idle) {
        packs_.flush();
      } else if (state_.listed && state_.window.empty()) {
        break;
      }
    }
    packs_.finish();
  }

  std::int64_t filesSent = 0;

 private:
  void serve(const Wants& wants) {
    ListedUnit& listed = state_.window.at(wants.unit);
    for (const Want& want : wants.wants) {
      if (want.index >= listed.items.size() || !listed.items[want.index].file) brokenPeer("it requested an entry that is not a file");
      auto& parts = unfinished_[want.index];
      if (parts.signature.runs().size() + want.signature.runs().size() > kMaxSignature) brokenPeer("a signature is too long");
      parts.signature.add(want.signature);
      if (want.continues) {
        if (unfinished_.size() > 1) brokenPeer("signatures are mixed");
        continue;
      }
      Want whole{want.index, false, std::move(parts.signature)};
      unfinished_.erase(want.index);
      ListedUnit::Item& item = listed.items[want.index];
      // Each file is requested once.
      item.file = false;
      --listed.files;
      listed.bytes -= item.bytes;
      sendFile(wants.unit, listed, whole);
    }
    if (!wants.last) return;
    if (!unfinished_.empty()) brokenPeer("a signature is truncated");
    state_.session.counters.files += listed.files;
    state_.session.counters.bytes += listed.bytes;
    state_.window.remove(wants.unit);
  }

  void sendFile(std::uint64_t unit, const ListedUnit& listed, const Want& want) {
    const ListedUnit::Item& item = listed.items[want.index];
    const int directory = directoryOf(listed);
    if (directory < 0) return giveUp(unit, want.index, listed, errno);
    const Descriptor file(::openat(directory, item.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) return giveUp(unit, want.index, listed, errno);
    // An entry of another type has taken its name.
    if (!S_ISREG(status.st_mode) || status.st_dev != state_.session.storages[listed.storage].device) {
      return giveUp(unit, want.index, listed, ENOENT);
    }
    try {
      sendContent(unit, want.index, file.get(), status, want.signature, item);
    } catch (const std::system_error& error) {
      giveUp(unit, want.index, listed, error.code().value());
    }
  }

  void sendContent(std::uint64_t unit, std::uint64_t index, int file, const struct stat& before, const HashRuns& signature,
                   const ListedUnit::Item& item) {
    HashCache& cache = *state_.session.options.hashes;
    const auto known = signature.empty() ? std::nullopt : cache.find(before);
    ChunkReader reader(file, before);
    FileHashes hashes;
    HashCursor theirs(signature);
    HashCursor ours(known ? known->chunks : hashes.chunks);
    bool sent = false;
    std::int64_t offset = 0;
    bool shorter = false;
    while (offset < reader.size() && !shorter) {
      state_.session.stop.check();
      const std::size_t length = reader.lengthAt(offset);
      if (known && theirs.now() && ours.now() && *ours.now() == *theirs.now()) {
        // The last chunk may be shorter than the others: compare chunk by chunk up to there.
        const auto whole = static_cast<std::uint64_t>(reader.size() - offset) / kChunkBytes;
        const std::uint64_t same = std::max<std::uint64_t>(1, std::min({ours.left(), theirs.left(), whole}));
        hashes.chunks.add(*ours.now(), same);
        offset += same == 1 ? static_cast<std::int64_t>(length) : static_cast<std::int64_t>(same * kChunkBytes);
        ours.skip(same);
        theirs.skip(same);
        continue;
      }
      if (const std::uint64_t holes = reader.holeChunks(offset); holes > 0) {
        sent = sendHoles(unit, index, offset, holes, theirs) || sent;
        hashes.chunks.add(hashOfHole(), holes);
        offset += static_cast<std::int64_t>(holes * kChunkBytes);
        if (known) ours.skip(holes);
        continue;
      }
      char* const room = packs_.room(length);
      const std::size_t got = reader.read(offset, room);
      shorter = got < length;
      if (got == 0) break;
      const Hash hash = reader.hash({room, got});
      hashes.chunks.add(hash);
      if (!theirs.now() || *theirs.now() != hash) {
        sendChunk(unit, index, reader, offset, room, got);
        sent = true;
      }
      theirs.skip(1);
      if (known) ours.skip(1);
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
    packs_.add({unit, index, SegmentKind::End, 0, 0, facts}, item.bytes);
  }

  /// Whether any of these chunks was not a hole at the target.
  bool sendHoles(std::uint64_t unit, std::uint64_t index, std::int64_t offset, std::uint64_t chunks, HashCursor& theirs) {
    bool sent = false;
    while (chunks > 0) {
      state_.session.stop.check();
      const std::uint64_t alike = std::min(chunks, theirs.left());
      const auto bytes = static_cast<std::int64_t>(alike * kChunkBytes);
      if (!theirs.now() || *theirs.now() != hashOfHole()) {
        packs_.add({unit, index, SegmentKind::Hole, offset, bytes, {}});
        sent = true;
      }
      theirs.skip(alike);
      chunks -= alike;
      offset += bytes;
    }
    return sent;
  }

  /// `room` holds the chunk with its holes as zeros; data that is contiguous moves together.
  void sendChunk(std::uint64_t unit, std::uint64_t index, const ChunkReader& reader, std::int64_t offset, char* room, std::size_t length) {
    const std::int64_t end = offset + static_cast<std::int64_t>(length);
    std::int64_t at = offset;
    for (const Extent& extent : reader.data()) {
      if (extent.offset > at) packs_.add({unit, index, SegmentKind::Hole, at, extent.offset - at, {}});
      const auto size = static_cast<std::size_t>(extent.length);
      // Request the room again: a pack with enough segments was sent in between.
      char* const place = packs_.room(size);
      if (place != room + (extent.offset - offset)) std::memmove(place, room + (extent.offset - offset), size);
      packs_.add({unit, index, SegmentKind::Data, extent.offset, extent.length, {}});
      at = extent.offset + extent.length;
    }
    if (at < end) packs_.add({unit, index, SegmentKind::Hole, at, end - at, {}});
  }

  void giveUp(std::uint64_t unit, std::uint64_t index, const ListedUnit& listed, int error) {
    const ListedUnit::Item& item = listed.items[index];
    if (isVanished(error)) {
      ++state_.unstable;
    } else {
      state_.unreadable(state_.session.storages[listed.storage].describe(*listed.path, item.name), error);
    }
    packs_.add({unit, index, SegmentKind::Gone, 0, 0, {}}, item.bytes);
  }

  int directoryOf(const ListedUnit& listed) {
    if (directory_path_ != listed.path || directory_storage_ != listed.storage) {
      directory_ = openBelow(state_.session.storages[listed.storage].top.get(), *listed.path, O_PATH);
      directory_path_ = listed.path;
      directory_storage_ = listed.storage;
    } else if (!directory_.valid()) {
      errno = ENOENT;
    }
    return directory_.get();
  }

  SourceState& state_;
  PackSender packs_;
  std::map<std::uint64_t, Want> unfinished_;  ///< by index: requests whose signature continues
  Descriptor directory_;
  std::size_t directory_storage_ = 0;
  std::shared_ptr<const std::string> directory_path_;
};

}  // namespace

SourceState::SourceState(SessionState& its_session, RoundKind its_kind)
    : session(its_session),
      kind(its_kind),
      trust(session.storages, kind == RoundKind::Final ? Trust::Sync::WritersStopped : Trust::Sync::Needed),
      window(session.inbox, kListingWindowCount, kListingWindowBytes, "it requested files of a listing that was not sent") {}

RoundReport runSourceRound(SessionState& session, RoundKind kind) {
  session.options.hashes->beginPass();
  SourceState state(session, kind);
  SourceSender sender(state);
  runBoth(session, [&] { sender.run(); }, [&] { listSource(state); });
  session.outbox.push({Kind::RoundEnd, {}, {}});
  RoundReport report;
  report.files = state.files;
  report.bytes = state.bytes;
  report.filesSent = sender.filesSent;
  report.unstable = state.unstable;
  report.skipped = std::move(state.notes.first);
  report.skippedCount = state.notes.count;
  return report;
}

}  // namespace swarm::transfer
