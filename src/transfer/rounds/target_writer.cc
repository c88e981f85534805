// Writes packs in place.
#include <errno.h>
#include <fcntl.h>

#include "transfer/rounds/target_round.h"
#include "transfer/tree/pack.h"

namespace swarm::transfer {

void PendingFiles::add(std::uint64_t unit, std::uint64_t index, PendingFile file) {
  inbox_.wait([&] { return signature_bytes_ == 0 || signature_bytes_ + file.signatureBytes <= kSignatureWindowBytes; });
  signature_bytes_ += file.signatureBytes;
  ++count_;
  const std::lock_guard lock(mutex_);
  files_.emplace(Key{unit, index}, std::move(file));
}

PendingFile PendingFiles::at(std::uint64_t unit, std::uint64_t index) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find({unit, index});
  if (found == files_.end()) brokenPeer("content of a file that was not requested");
  return found->second;
}

void PendingFiles::remove(std::uint64_t unit, std::uint64_t index) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find({unit, index});
    signature_bytes_ -= found->second.signatureBytes;
    --count_;
    files_.erase(found);
  }
  inbox_.nudge();
}

void TargetWriter::run() {
  Inbox& inbox = state_.core.inbox;
  for (;;) {
    bool more = false;
    inbox.wait([&] {
      more = inbox.has(Inbox::Packs);
      return more || state_.listed;
    });
    if (!more) return;
    Arrived frame = inbox.take(Inbox::Packs);
    std::string_view body;
    const PackHead head = decodePack(frame.payload, body);
    if (head.sequence != expected_++) brokenPeer("packs are out of order");
    write(head, unpack(head, body, buffer_));
    state_.core.buffers.give(std::move(frame.payload));
    state_.core.outbox.push({Kind::Ack, encodeAck(head.sequence), {}});
  }
}

void TargetWriter::write(const PackHead& head, std::string_view raw) {
  for (const Segment& segment : head.segments) {
    state_.core.stop.check();
    if (segment.kind == SegmentKind::Gone) {
      static_cast<void>(state_.pending.at(segment.unit, segment.index));
      if (open_ == std::pair(segment.unit, segment.index)) open_ = {0, 0};
      state_.pending.remove(segment.unit, segment.index);
      continue;
    }
    open(segment);
    switch (segment.kind) {
      case SegmentKind::Data:
        writeData(segment.offset, raw.substr(0, static_cast<std::size_t>(segment.length)));
        raw.remove_prefix(static_cast<std::size_t>(segment.length));
        break;
      case SegmentKind::Hole:
        punchHole(segment.offset, segment.length);
        break;
      default:
        end(segment);
    }
  }
}

void TargetWriter::open(const Segment& segment) {
  if (open_ == std::pair(segment.unit, segment.index)) return;
  open_file_ = state_.pending.at(segment.unit, segment.index);
  const Storage& storage = state_.core.storages[open_file_.storage];
  shown_ = storage.describe(*open_file_.directory, open_file_.name);
  if (directory_path_ != open_file_.directory) {
    directory_ = openTargetDirectory(storage, *open_file_.directory);
    directory_path_ = open_file_.directory;
  }
  file_ = openTargetFile(directory_.get(), open_file_.name, O_WRONLY);
  struct stat status{};
  if (!file_.valid() || ::fstat(file_.get(), &status) != 0) failAt("open", shown_, errno);
  if (!S_ISREG(status.st_mode) || status.st_dev != storage.device) failAt("write to", shown_, EINVAL);
  size_ = status.st_size;
  open_ = {segment.unit, segment.index};
}

void TargetWriter::writeData(std::int64_t offset, std::string_view bytes) {
  size_ = std::max(size_, offset + static_cast<std::int64_t>(bytes.size()));
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) failAt("write", shown_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += put;
  }
}

void TargetWriter::punchHole(std::int64_t offset, std::int64_t length) {
  // Nothing exists past the end; the file gets its length at the end.
  length = std::min(length, size_ - offset);
  if (length <= 0) return;
  if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) == 0) return;
  if (errno != EOPNOTSUPP && errno != ENOSYS) failAt("write", shown_, errno);
  static const std::string zeros(64 * 1024, '\0');
  for (std::int64_t done = 0; done < length; done += static_cast<std::int64_t>(zeros.size())) {
    state_.core.stop.check();
    writeData(offset + done, std::string_view(zeros).substr(0, static_cast<std::size_t>(length - done)));
  }
}

void TargetWriter::end(const Segment& segment) {
  if (size_ != segment.facts.size && ::ftruncate(file_.get(), segment.facts.size) != 0) failAt("set the length of", shown_, errno);
  applyFacts(file_.get(), segment.facts, open_file_.attributes, shown_);
  file_.reset();
  open_ = {0, 0};
  state_.pending.remove(segment.unit, segment.index);
}

RoundReport runTargetRound(Core& core) {
  core.options.hashes->beginPass();
  TargetState state(core);
  TargetLister lister(state);
  TargetWriter writer(state);
  runBoth(core, [&] { writer.run(); }, [&] { lister.run(); });
  RoundReport report;
  report.deleted = state.deleted;
  return report;
}

}  // namespace swarm::transfer
