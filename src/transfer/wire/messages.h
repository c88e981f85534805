// The content of frames, and their encoding. Pure; decoding throws Error(UpstreamFailed) for protocol violations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/hash/hashes.h"
#include "transfer/wire/link.h"
#include "transfer/wire/wire.h"

namespace swarm::transfer {

inline constexpr std::uint64_t kProtocolVersion = 1;
inline constexpr std::size_t kChunkBytes = 1024 * 1024;     ///< unit of hashing and comparison
inline constexpr std::size_t kMaxPackRaw = kChunkBytes;     ///< content in one pack
inline constexpr std::size_t kMaxPackSegments = 8192;       ///< segments in one pack
inline constexpr std::size_t kMaxEntryBytes = 1024 * 1024;  ///< one entry of a listing, encoded
inline constexpr std::size_t kListingBytes = 128 * 1024;    ///< a part of a listing ends shortly after this size
inline constexpr std::size_t kMaxListingEntries = 4096;     ///< per part
inline constexpr std::size_t kMaxSignature = 1024 * 1024;   ///< runs of equal chunks of one file that are compared

// Windows: the maximum in flight. They bound the memory of both agents.
inline constexpr std::size_t kListingWindowBytes = 3 * 1024 * 1024;
inline constexpr std::size_t kListingWindowCount = 2048;
inline constexpr std::size_t kPackWindow = 16;     ///< accepted; earlier versions send as many
inline constexpr std::size_t kPacksInFlight = 12;  ///< sent at most before the first is confirmed: the target holds them in memory
inline constexpr std::size_t kSignatureWindowBytes = 4 * 1024 * 1024;

enum class EntryType : std::uint8_t { Directory = 1, Regular = 2, Symlink = 3 };

struct Facts {
  std::uint32_t mode = 0;  ///< permission bits and set-user-id, set-group-id, sticky
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t size = 0;
  std::int64_t mtimeSeconds = 0;
  std::uint32_t mtimeNanoseconds = 0;
  bool operator==(const Facts&) const = default;
};

struct Attribute {
  std::string name;
  std::string value;
  bool operator==(const Attribute&) const = default;
};
using Attributes = std::vector<Attribute>;  ///< sorted by name

struct Entry {
  std::string name;
  EntryType type = EntryType::Regular;
  Facts facts;                  ///< of a directory: in its own listing
  Attributes attributes;        ///< likewise
  std::string linkTarget;       ///< of a symbolic link
  std::uint64_t group = 0;      ///< of a file with several names: the group's number; 0 for a single name
  bool groupFirst = false;      ///< whether this is the group's first name, which carries the content
  std::optional<Hash> content;  ///< if the source knows it
};

/// One directory, or a part of it: a part continues the names of the part before.
struct Listing {
  std::uint64_t unit = 0;  ///< counts listings; Wants and segments refer to it
  std::uint64_t storage = 0;
  std::string path;  ///< below the storage; empty for its top
  bool first = true;
  bool last = true;
  Facts facts;  ///< the directory's own
  Attributes attributes;
  std::vector<Entry> entries;
};

struct Want {
  std::uint64_t index = 0;
  bool continues = false;  ///< the signature continues in the next frame
  HashRuns signature;      ///< of each chunk that the target has
};

struct Wants {
  std::uint64_t unit = 0;
  bool last = true;  ///< no further requests for this listing
  std::vector<Want> wants;
  bool runs = true;  ///< runs of equal hashes are counted; else each hash is listed
};

/// Gone: the file vanished or is unreadable; the target keeps its version.
enum class SegmentKind : std::uint8_t { Data = 1, Hole = 2, End = 3, Gone = 4 };

struct Segment {
  std::uint64_t unit = 0;
  std::uint64_t index = 0;
  SegmentKind kind = SegmentKind::Data;
  std::int64_t offset = 0;  ///< Data and Hole
  std::int64_t length = 0;
  Facts facts;  ///< End: as they were after reading
};

struct PackHead {
  std::uint64_t sequence = 0;
  std::size_t rawLength = 0;
  bool compressed = false;
  Hash hash;  ///< of the raw bytes
  std::vector<Segment> segments;
};

struct Hello {
  std::uint64_t version = kProtocolVersion;
  std::string transferId;
  bool isSource = true;
  Scope scope;
};

struct RoundCommand {
  RoundKind kind = RoundKind::Live;
};

struct DigestCommand {
  bool held = false;  ///< all writers are stopped: hashes may be cached without a prior syncfs()
};

struct Failure {
  std::string code;
  std::string message;
};

struct ManifestLine {
  std::uint64_t storage = 0;
  std::string directory;
  std::string name;   ///< empty: the directory itself
  std::string facts;  ///< "type=file mode=644 …"
};

/// Of Listing, Entry, Wants, PackHead (its body follows), Hello, RoundCommand, DigestCommand, TransferProgress, ScanReport, RoundReport,
/// DigestReport, Failure and std::vector<ManifestLine>.
template <typename Message>
std::string encode(const Message& message);
/// Of the same, without Entry and PackHead. Wants: with runs.
template <typename Message>
Message decode(std::string_view payload);

/// The same as encode(listing), from encoded entries.
std::string encodeListing(const Listing& head, std::string_view entries, std::size_t count);
Wants decodePlainWants(std::string_view payload);  ///< without runs
/// The head of a pack; `body` is the rest: `rawLength` bytes, or their compressed form.
PackHead decodePack(std::string_view payload, std::string_view& body);
std::string encodeAck(std::uint64_t sequence);
std::uint64_t decodeAck(std::string_view payload);
std::string encodeCapability(std::uint64_t capability);
std::uint64_t decodeCapability(std::string_view payload);  ///< 1 for an empty one

/// A name of a directory entry: not empty, not "." or "..", without '/' and NUL, at most 255 bytes.
bool isValidName(std::string_view name);
/// Whether an extended attribute is transferred: user.*, capabilities and access lists. The system's own labels depend on the file's
/// location.
bool isCarriedAttribute(std::string_view name);
/// Valid names joined by '/', or empty.
bool isValidPath(std::string_view path);

}  // namespace swarm::transfer
