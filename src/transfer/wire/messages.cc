// Each message is described once: describe() visits its members, to write or to read them.
#include "transfer/wire/messages.h"

#include <ranges>

#include "base/text/untrusted_text.h"
#include "transfer/wire/message_parts.h"

namespace swarm::transfer {

bool isValidName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
}

bool isValidPath(std::string_view path) {
  if (path.empty()) return true;
  for (std::size_t at = 0;;) {
    const std::size_t slash = path.find('/', at);
    if (!isValidName(path.substr(at, slash - at))) return false;
    if (slash == path.npos) return true;
    at = slash + 1;
  }
}

bool isCarriedAttribute(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability" || name == "system.posix_acl_access" ||
         name == "system.posix_acl_default";
}

namespace {

enum : std::uint64_t { kHasGroup = 1, kGroupFirst = 2, kHasContent = 4 };

/// Files are at most 2^63 bytes long.
constexpr std::uint64_t kMaxChunks = (std::uint64_t{1} << 63) / kChunkBytes;

constexpr std::size_t kMaxNotes = 100;
constexpr std::size_t kMaxText = 64 * 1024;
constexpr std::size_t kMaxNoteText = 2048;                 // maximum length of a note's text
constexpr std::int64_t kMaxShown = std::int64_t{1} << 56;  // progress is added and multiplied for display

}  // namespace

template <typename Io>
void describe(Io& io, Part<Io, Hash>& hash) {
  io.fixed(hash.low);
  io.fixed(hash.high);
}

template <typename Io>
void describe(Io& io, Part<Io, Facts>& facts) {
  io.number(facts.mode, 07777);
  // chown takes the largest id to mean "leave it".
  io.number(facts.uid, UINT32_MAX - 1);
  io.number(facts.gid, UINT32_MAX - 1);
  io.size(facts.size);
  io.signedNumber(facts.mtimeSeconds);
  io.number(facts.mtimeNanoseconds, 999'999'999);
}

template <typename Io>
void describe(Io& io, Part<Io, Attributes>& attributes) {
  io.list(attributes, 7, [&](auto& attribute) {
    io.text(attribute.name, 255);
    io.text(attribute.value, 64 * 1024);
    if constexpr (Io::kReads) {
      if (!isCarriedAttribute(attribute.name) || attribute.name.contains('\0')) brokenPeer("an invalid attribute name");
      if (attributes.size() > 1 && attribute.name <= attributes[attributes.size() - 2].name) brokenPeer("attributes are out of order");
    }
  });
}

template <typename Io>
void describe(Io& io, Part<Io, Entry>& entry) {
  io.number(entry.type, 3);
  io.text(entry.name, 255);
  if (Io::kReads && !isValidName(entry.name)) brokenPeer("an invalid file name");
  if (entry.type == EntryType::Directory) return;
  describe(io, entry.facts);
  if (entry.type == EntryType::Symlink) {
    io.text(entry.linkTarget, 65'536);
    if (Io::kReads && (entry.linkTarget.empty() || entry.linkTarget.contains('\0'))) brokenPeer("an invalid target of a symbolic link");
    return;
  }
  if (Io::kReads && entry.type != EntryType::Regular) brokenPeer("an invalid entry type");
  describe(io, entry.attributes);
  std::uint64_t flags = (entry.group ? kHasGroup : 0) | (entry.groupFirst ? kGroupFirst : 0) | (entry.content ? kHasContent : 0);
  io.number(flags, 7);
  if (flags & kHasGroup) io.number(entry.group);
  if constexpr (Io::kReads) {
    if ((flags & kHasGroup) && entry.group == 0) brokenPeer("an invalid group of names");
    entry.groupFirst = (flags & kHasGroup) && (flags & kGroupFirst);
    if (flags & kHasContent) entry.content.emplace();
  }
  if (flags & kHasContent) describe(io, *entry.content);
}

/// What precedes the entries.
template <typename Io>
void describeHead(Io& io, Part<Io, Listing>& listing) {
  io.number(listing.unit);
  io.number(listing.storage, 1000);
  io.text(listing.path);
  if (Io::kReads && !isValidPath(listing.path)) brokenPeer("a path");
  io.flag(listing.first);
  io.flag(listing.last);
  describe(io, listing.facts);
  describe(io, listing.attributes);
}

template <typename Io>
void describe(Io& io, Part<Io, Segment>& segment) {
  io.number(segment.unit);
  io.number(segment.index);
  io.number(segment.kind, 4);
  if (Io::kReads && segment.kind == SegmentKind{}) brokenPeer("a segment's kind");
  if (segment.kind == SegmentKind::End) describe(io, segment.facts);
  if (segment.kind != SegmentKind::Data && segment.kind != SegmentKind::Hole) return;
  io.size(segment.offset);
  io.size(segment.length);
  if (Io::kReads && segment.offset > INT64_MAX - segment.length) brokenPeer("a segment's end");
}

template <typename Io>
void describe(Io& io, Part<Io, PackHead>& head) {
  io.number(head.sequence);
  io.number(head.rawLength, kMaxPackRaw);
  io.flag(head.compressed);
  describe(io, head.hash);
  io.list(head.segments, 3, [&](auto& segment) {
    if (Io::kReads && head.segments.size() > kMaxPackSegments) brokenPeer("too many segments in a pack");
    describe(io, segment);
  });
}

template <typename Io>
void describe(Io& io, Part<Io, HashRuns>& signature, bool runs) {
  if constexpr (Io::kReads) {
    std::uint64_t chunks = 0;
    for (std::size_t left = io.in.count(runs ? 17 : 16); left > 0; --left) {
      Hash hash;
      describe(io, hash);
      const std::uint64_t more = runs ? io.in.number(kMaxChunks - chunks) : 1;
      signature.add(hash, more);
      chunks += more;
    }
  } else {
    io.number(runs ? signature.runs().size() : signature.chunks());
    for (const HashRun& run : signature.runs()) {
      for (std::uint64_t copy = 0; copy < (runs ? 1 : run.count); ++copy) describe(io, run.hash);
      if (runs) io.number(run.count);
    }
  }
}

template <typename Io>
void describe(Io& io, Part<Io, Wants>& wants) {
  io.number(wants.unit);
  io.flag(wants.last);
  io.list(wants.wants, 3, [&](auto& want) {
    if (Io::kReads && wants.wants.size() > kMaxListingEntries) brokenPeer("it requested more files than a listing has");
    io.number(want.index);
    io.flag(want.continues);
    describe(io, want.signature, wants.runs);
  });
}

template <typename Io>
void describe(Io& io, Part<Io, Listing>& listing) {
  describeHead(io, listing);
  io.list(listing.entries, 3, [&](auto& entry) {
    if (Io::kReads && listing.entries.size() > kMaxListingEntries) brokenPeer("too many entries in a listing");
    describe(io, entry);
    if constexpr (Io::kReads) {
      const std::size_t count = listing.entries.size();
      if (count > 1 && entry.name <= listing.entries[count - 2].name) brokenPeer("names are out of order");
    }
  });
}

template <typename Io>
void describe(Io& io, Part<Io, std::vector<Note>>& notes) {
  if constexpr (Io::kReads) {
    notes.resize(io.in.number(kMaxNotes));
    for (Note& note : notes) {
      for (std::string* text : {&note.path, &note.reason}) *text = printable(io.in.bytes(kMaxText), kMaxNoteText);
    }
  } else {
    io.number(std::min(notes.size(), kMaxNotes));
    for (const Note& note : notes | std::views::take(kMaxNotes)) io.out.bytes(note.path).bytes(note.reason);
  }
}

template <typename Io>
void describe(Io& io, Part<Io, Hello>& hello) {
  io.number(hello.version);
  if (Io::kReads && hello.version != kProtocolVersion)
    brokenPeer("it uses another protocol version; update the workspace's agent and the server to the same release");
  io.text(hello.transferId, 256);
  io.flag(hello.isSource);
  for (auto* paths : {&hello.scope.storages, &hello.scope.excluded}) io.list(*paths, 1, [&](auto& path) { io.text(path, kMaxText); });
}

template <typename Io>
void describe(Io& io, Part<Io, RoundCommand>& command) {
  bool is_final = command.kind == RoundKind::Final;
  io.flag(is_final);
  if constexpr (Io::kReads) command.kind = is_final ? RoundKind::Final : RoundKind::Live;
}

template <typename Io>
void describe(Io& io, Part<Io, DigestCommand>& command) {
  io.flag(command.held);
}

template <typename Io>
void describe(Io& io, Part<Io, TransferProgress>& progress) {
  for (auto* number : {&progress.filesDone, &progress.bytesDone, &progress.bytesSent}) {
    io.size(*number);
    if constexpr (Io::kReads) *number = std::min(*number, kMaxShown);
  }
}

template <typename Io>
void describe(Io& io, Part<Io, ScanReport>& report) {
  for (auto* number : {&report.files, &report.directories, &report.bytes, &report.skippedCount}) io.size(*number);
  describe(io, report.skipped);
  io.list(report.space, 3, [&](auto& space) {
    io.text(space.mountPath, kMaxText);
    io.size(space.total);
    io.size(space.free);
  });
}

template <typename Io>
void describe(Io& io, Part<Io, RoundReport>& report) {
  for (auto* number :
       {&report.files, &report.bytes, &report.filesSent, &report.bytesSent, &report.deleted, &report.unstable, &report.skippedCount})
    io.size(*number);
  describe(io, report.skipped);
}

template <typename Io>
void describe(Io& io, Part<Io, DigestReport>& report) {
  io.text(report.digest, 256);
  io.size(report.files);
  io.size(report.bytes);
}

template <typename Io>
void describe(Io& io, Part<Io, Failure>& failure) {
  io.text(failure.code, 64);
  io.text(failure.message, kMaxText);
}

template <typename Io>
void describe(Io& io, Part<Io, std::vector<ManifestLine>>& lines) {
  io.list(lines, 4, [&](auto& line) {
    io.number(line.storage, 1000);
    io.text(line.directory);
    io.text(line.name, 255);
    io.text(line.facts, 4096);
  });
}

template <typename Message>
std::string encode(const Message& message) {
  Put io;
  describe(io, message);
  return io.out.take();
}

template <typename Message>
Message decode(std::string_view payload) {
  Get io(payload);
  Message message{};
  describe(io, message);
  io.in.end();
  return message;
}

template std::string encode(const Entry&);
template std::string encode(const Listing&);
template std::string encode(const Wants&);
template std::string encode(const PackHead&);
template std::string encode(const Hello&);
template std::string encode(const RoundCommand&);
template std::string encode(const DigestCommand&);
template std::string encode(const TransferProgress&);
template std::string encode(const ScanReport&);
template std::string encode(const RoundReport&);
template std::string encode(const DigestReport&);
template std::string encode(const Failure&);
template std::string encode(const std::vector<ManifestLine>&);
template Listing decode(std::string_view);
template Wants decode(std::string_view);
template Hello decode(std::string_view);
template RoundCommand decode(std::string_view);
template DigestCommand decode(std::string_view);
template TransferProgress decode(std::string_view);
template ScanReport decode(std::string_view);
template RoundReport decode(std::string_view);
template DigestReport decode(std::string_view);
template Failure decode(std::string_view);
template std::vector<ManifestLine> decode(std::string_view);

Wants decodePlainWants(std::string_view payload) {
  Get io(payload);
  Wants wants;
  wants.runs = false;
  describe(io, wants);
  io.in.end();
  return wants;
}

std::string encodeListing(const Listing& head, std::string_view entries, std::size_t count) {
  Put io;
  describeHead(io, head);
  return io.out.number(count).raw(entries).take();
}

PackHead decodePack(std::string_view payload, std::string_view& body) {
  Get io(payload);
  PackHead head;
  describe(io, head);
  std::size_t data = 0;
  for (const Segment& segment : head.segments) {
    if (segment.kind != SegmentKind::Data) continue;
    if (static_cast<std::uint64_t>(segment.length) > head.rawLength - data) brokenPeer("a segment is longer than its pack");
    data += static_cast<std::size_t>(segment.length);
  }
  if (data != head.rawLength) brokenPeer("a pack's length does not match its segments");
  body = io.in.rest();
  if (!head.compressed && body.size() != head.rawLength) brokenPeer("a pack's length does not match its content");
  return head;
}

std::string encodeCapability(std::uint64_t capability) { return Encoder().number(capability).take(); }

std::uint64_t decodeCapability(std::string_view payload) { return payload.empty() ? 1 : Decoder(payload).number(); }

std::string encodeAck(std::uint64_t sequence) { return Encoder().number(sequence).take(); }

std::uint64_t decodeAck(std::string_view payload) {
  Decoder in(payload);
  const std::uint64_t sequence = in.number();
  in.end();
  return sequence;
}

}  // namespace swarm::transfer
