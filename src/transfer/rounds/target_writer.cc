// Writes packs in place.
#include <errno.h>
#include <fcntl.h>

#include "transfer/rounds/target_round.h"
#include "transfer/tree/pack.h"

namespace swarm::transfer {
namespace {

/// Writes packs.
class TargetWriter {
 public:
  explicit TargetWriter(TargetState& state) : state_(state) {}

  void run() {
    Inbox& inbox = state_.session.inbox;
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
      state_.session.buffers.give(std::move(frame.payload));
      state_.session.outbox.push({Kind::Ack, encodeAck(head.sequence), {}});
    }
  }

 private:
  void write(const PackHead& head, std::string_view raw) {
    for (const Segment& segment : head.segments) {
      state_.session.stop.check();
      if (segment.kind == SegmentKind::Gone) {
        const FileKey key{segment.unit, segment.index};
        static_cast<void>(state_.pending.at(key));
        if (open_ == key) open_ = {0, 0};
        state_.pending.remove(key);
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

  void open(const Segment& segment) {
    const FileKey key{segment.unit, segment.index};
    if (open_ == key) return;
    open_file_ = state_.pending.at(key);
    const Storage& storage = state_.session.storages[open_file_.storage];
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
    open_ = key;
  }

  void writeData(std::int64_t offset, std::string_view bytes) {
    size_ = std::max(size_, offset + static_cast<std::int64_t>(bytes.size()));
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) failAt("write", shown_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += put;
    }
  }

  void punchHole(std::int64_t offset, std::int64_t length) {
    // Nothing exists past the end; the file gets its length at the end.
    length = std::min(length, size_ - offset);
    if (length <= 0) return;
    if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) == 0) return;
    if (errno != EOPNOTSUPP && errno != ENOSYS) failAt("write", shown_, errno);
    static const std::string zeros(64 * 1024, '\0');
    for (std::int64_t done = 0; done < length; done += static_cast<std::int64_t>(zeros.size())) {
      state_.session.stop.check();
      writeData(offset + done, std::string_view(zeros).substr(0, static_cast<std::size_t>(length - done)));
    }
  }

  void end(const Segment& segment) {
    if (size_ != segment.facts.size && ::ftruncate(file_.get(), segment.facts.size) != 0) failAt("set the length of", shown_, errno);
    applyFacts(file_.get(), segment.facts, open_file_.attributes, shown_);
    file_.reset();
    open_ = {0, 0};
    state_.pending.remove({segment.unit, segment.index});
  }

  TargetState& state_;
  std::string buffer_;
  std::uint64_t expected_ = 1;
  Descriptor file_;
  FileKey open_{0, 0};
  PendingFile open_file_;
  std::int64_t size_ = 0;
  std::string shown_;
  Descriptor directory_;
  std::shared_ptr<const std::string> directory_path_;
};

}  // namespace

RoundReport runTargetRound(SessionState& session) {
  session.options.hashes->beginPass();
  TargetState state(session);
  TargetWriter writer(state);
  runBoth(session, [&] { writer.run(); }, [&] { listTarget(state); });
  RoundReport report;
  report.deleted = state.deleted;
  return report;
}

}  // namespace swarm::transfer
