// Encoding and decoding between the agents: listings, wants, packs.
#include "transfer/wire/messages.h"

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

void put(Encoder& out, const Hash& hash) {
  char bytes[16];
  for (int at = 0; at < 8; ++at) {
    bytes[at] = static_cast<char>(hash.low >> (8 * at));
    bytes[8 + at] = static_cast<char>(hash.high >> (8 * at));
  }
  out.raw({bytes, sizeof bytes});
}

Hash getHash(Decoder& in) {
  const std::string_view bytes = in.raw(16);
  Hash hash;
  for (std::size_t at = 8; at-- > 0;) {
    hash.low = hash.low << 8 | static_cast<std::uint8_t>(bytes[at]);
    hash.high = hash.high << 8 | static_cast<std::uint8_t>(bytes[8 + at]);
  }
  return hash;
}

namespace {

void put(Encoder& out, const Facts& facts) {
  out.number(facts.mode).number(facts.uid).number(facts.gid).number(static_cast<std::uint64_t>(facts.size));
  out.signedNumber(facts.mtimeSeconds).number(facts.mtimeNanoseconds);
}

Facts getFacts(Decoder& in) {
  Facts facts;
  facts.mode = static_cast<std::uint32_t>(in.number(07777));
  // chown takes the largest id to mean "leave it".
  facts.uid = static_cast<std::uint32_t>(in.number(UINT32_MAX - 1));
  facts.gid = static_cast<std::uint32_t>(in.number(UINT32_MAX - 1));
  facts.size = in.size();
  facts.mtimeSeconds = in.signedNumber();
  facts.mtimeNanoseconds = static_cast<std::uint32_t>(in.number(999'999'999));
  return facts;
}

void put(Encoder& out, const Attributes& attributes) {
  out.number(attributes.size());
  for (const Attribute& attribute : attributes) out.bytes(attribute.name).bytes(attribute.value);
}

Attributes getAttributes(Decoder& in) {
  Attributes attributes;
  const std::size_t count = in.count(7);
  for (std::size_t at = 0; at < count; ++at) {
    Attribute attribute;
    attribute.name = in.bytes(255);
    attribute.value = in.bytes(64 * 1024);
    if (!isCarriedAttribute(attribute.name) || attribute.name.find('\0') != std::string::npos) brokenPeer("an invalid attribute name");
    if (at > 0 && attribute.name <= attributes.back().name) brokenPeer("attributes are out of order");
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

enum : std::uint64_t { kHasGroup = 1, kGroupFirst = 2, kHasContent = 4 };

Entry getEntry(Decoder& in) {
  Entry entry;
  entry.type = static_cast<EntryType>(in.number(3));
  entry.name = in.bytes(255);
  if (!isValidName(entry.name)) brokenPeer("an invalid file name");
  if (entry.type == EntryType::Directory) return entry;
  entry.facts = getFacts(in);
  if (entry.type == EntryType::Symlink) {
    entry.linkTarget = in.bytes(65'536);
    if (entry.linkTarget.empty() || entry.linkTarget.find('\0') != std::string::npos) brokenPeer("an invalid target of a symbolic link");
    return entry;
  }
  if (entry.type != EntryType::Regular) brokenPeer("an invalid entry type");
  entry.attributes = getAttributes(in);
  const std::uint64_t flags = in.number(7);
  if (flags & kHasGroup) {
    entry.group = in.number();
    entry.groupFirst = (flags & kGroupFirst) != 0;
    if (entry.group == 0) brokenPeer("an invalid group of names");
  }
  if (flags & kHasContent) entry.content = getHash(in);
  return entry;
}

}  // namespace

bool isCarriedAttribute(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability" || name == "system.posix_acl_access" ||
         name == "system.posix_acl_default";
}

std::string encodeEntry(const Entry& entry) {
  Encoder out;
  out.number(static_cast<std::uint64_t>(entry.type)).bytes(entry.name);
  if (entry.type == EntryType::Directory) return out.take();
  put(out, entry.facts);
  if (entry.type == EntryType::Symlink) return out.bytes(entry.linkTarget).take();
  put(out, entry.attributes);
  out.number((entry.group ? kHasGroup : 0) | (entry.groupFirst ? kGroupFirst : 0) | (entry.content ? kHasContent : 0));
  if (entry.group) out.number(entry.group);
  if (entry.content) put(out, *entry.content);
  return out.take();
}

std::string encodeListing(const Listing& head, std::string_view entries, std::size_t count) {
  Encoder out;
  out.number(head.unit).number(head.storage).bytes(head.path).flag(head.first).flag(head.last);
  put(out, head.facts);
  put(out, head.attributes);
  return out.number(count).raw(entries).take();
}

std::string encode(const Listing& listing) {
  std::string entries;
  for (const Entry& entry : listing.entries) entries += encodeEntry(entry);
  return encodeListing(listing, entries, listing.entries.size());
}

template <>
Listing decode(std::string_view payload) {
  Decoder in(payload);
  Listing listing;
  listing.unit = in.number();
  listing.storage = in.number(1000);
  listing.path = in.bytes();
  if (!isValidPath(listing.path)) brokenPeer("a path");
  listing.first = in.flag();
  listing.last = in.flag();
  listing.facts = getFacts(in);
  listing.attributes = getAttributes(in);
  const std::size_t count = in.count(3);
  if (count > kMaxListingEntries) brokenPeer("too many entries in a listing");
  for (std::size_t at = 0; at < count; ++at) {
    Entry entry = getEntry(in);
    if (at > 0 && entry.name <= listing.entries.back().name) brokenPeer("names are out of order");
    listing.entries.push_back(std::move(entry));
  }
  in.end();
  return listing;
}

std::string encode(const Wants& wants) {
  Encoder out;
  out.number(wants.unit).flag(wants.last).number(wants.wants.size());
  for (const Want& want : wants.wants) {
    const auto& runs = want.signature.runs();
    out.number(want.index).flag(want.continues).number(wants.runs ? runs.size() : want.signature.chunks());
    for (const HashRun& run : runs) {
      for (std::uint64_t copy = 0; copy < (wants.runs ? 1 : run.count); ++copy) put(out, run.hash);
      if (wants.runs) out.number(run.count);
    }
  }
  return out.take();
}

namespace {

/// Files are at most 2^63 bytes long.
constexpr std::uint64_t kMaxChunks = (std::uint64_t{1} << 63) / kChunkBytes;

Wants decodeWants(std::string_view payload, bool runs) {
  Decoder in(payload);
  Wants wants;
  wants.runs = runs;
  wants.unit = in.number();
  wants.last = in.flag();
  const std::size_t count = in.count(3);
  if (count > kMaxListingEntries) brokenPeer("it requested more files than a listing has");
  for (std::size_t at = 0; at < count; ++at) {
    Want want;
    want.index = in.number();
    want.continues = in.flag();
    std::uint64_t chunks = 0;
    for (std::size_t left = in.count(runs ? 17 : 16); left > 0; --left) {
      const Hash hash = getHash(in);
      const std::uint64_t more = runs ? in.number(kMaxChunks - chunks) : 1;
      want.signature.add(hash, more);
      chunks += more;
    }
    wants.wants.push_back(std::move(want));
  }
  in.end();
  return wants;
}

}  // namespace

template <>
Wants decode(std::string_view payload) {
  return decodeWants(payload, true);
}

Wants decodePlainWants(std::string_view payload) { return decodeWants(payload, false); }

std::string encode(const PackHead& head) {
  Encoder out;
  out.number(head.sequence).number(head.rawLength).flag(head.compressed);
  put(out, head.hash);
  out.number(head.segments.size());
  for (const Segment& segment : head.segments) {
    out.number(segment.unit).number(segment.index).number(static_cast<std::uint64_t>(segment.kind));
    if (segment.kind == SegmentKind::End) put(out, segment.facts);
    if (segment.kind == SegmentKind::Data || segment.kind == SegmentKind::Hole) {
      out.number(static_cast<std::uint64_t>(segment.offset)).number(static_cast<std::uint64_t>(segment.length));
    }
  }
  return out.take();
}

namespace {

Segment getSegment(Decoder& in) {
  Segment segment;
  segment.unit = in.number();
  segment.index = in.number();
  segment.kind = static_cast<SegmentKind>(in.number(4));
  switch (segment.kind) {
    case SegmentKind::Data:
    case SegmentKind::Hole:
      segment.offset = in.size();
      segment.length = in.size();
      if (segment.offset > INT64_MAX - segment.length) brokenPeer("a segment's end");
      break;
    case SegmentKind::End:
      segment.facts = getFacts(in);
      break;
    case SegmentKind::Gone:
      break;
    default:
      brokenPeer("a segment's kind");
  }
  return segment;
}

}  // namespace

PackHead decodePack(std::string_view payload, std::string_view& body) {
  Decoder in(payload);
  PackHead head;
  head.sequence = in.number();
  head.rawLength = in.number(kMaxPackRaw);
  head.compressed = in.flag();
  head.hash = getHash(in);
  const std::size_t count = in.count(3);
  if (count > kMaxPackSegments) brokenPeer("too many segments in a pack");
  std::size_t data = 0;
  for (std::size_t at = 0; at < count; ++at) {
    head.segments.push_back(getSegment(in));
    const Segment& segment = head.segments.back();
    if (segment.kind != SegmentKind::Data) continue;
    if (static_cast<std::uint64_t>(segment.length) > head.rawLength - data) brokenPeer("a segment is longer than its pack");
    data += static_cast<std::size_t>(segment.length);
  }
  if (data != head.rawLength) brokenPeer("a pack's length does not match its segments");
  body = in.rest();
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
