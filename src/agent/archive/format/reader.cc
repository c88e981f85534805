// Implemented with libarchive's tar reader and libzstd.
#include "agent/archive/format/reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <zstd.h>

#include <algorithm>
#include <map>

#include "agent/archive/format/access_list.h"
#include "base/error.h"
#include "base/text/format.h"
#include "transfer/tree/files.h"
#include "transfer/wire/messages.h"

namespace swarm::agent {
namespace {
constexpr std::int64_t kMaxOwn = 1024 * 1024;
constexpr std::int64_t kMaxSize = 1LL << 50;
constexpr std::size_t kTarBlock = 512;
/// Maximum size of one entry's headers: attributes, and the list of its data ranges. Both are expanded in memory.
constexpr std::size_t kMaxHeader = 4 * 1024 * 1024;

[[noreturn]] void refuse(std::string why) { throw Error(ErrorCode::Unprocessable, std::move(why)); }
[[noreturn]] void refuseForm(std::string_view why = {}) {
  refuse(format("This is not an archive of `swarm export`, or it is damaged{}{}.", why.empty() ? "" : ": ", why));
}
[[noreturn]] void refuseCut() { refuse("The archive is incomplete: its end is missing."); }

/// In the C locale, which the agent uses, libarchive cannot convert non-ASCII names, warns, and returns them unchanged.
bool isAboutNames(const char* warning) {
  return warning && std::string_view(warning).contains("can't be converted from UTF-8 to current locale");
}

/// Whether no component is "", "." or "..".
bool isProper(std::string_view rest) {
  while (!rest.empty()) {
    auto slash = rest.find('/');
    std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return true;
}

/// Decompresses a Zstandard stream piece by piece.
class Unzip {
 public:
  /// Consumes some of `bytes` and appends the decompressed data, at most about 256 KiB per call; returns the number of bytes consumed.
  /// Throws Error(Unprocessable) if the input is not Zstandard.
  std::size_t feed(std::string_view bytes, std::string& out) {
    std::size_t before = out.size();
    out.resize(before + kOutput);
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer output{out.data() + before, kOutput, 0};
    std::size_t result = ZSTD_decompressStream(context_.get(), &output, &input);
    out.resize(before + output.pos);
    if (ZSTD_isError(result) != 0) refuseForm(ZSTD_getErrorName(result));
    between_frames_ = result == 0;
    has_more_ = output.pos == kOutput;
    return input.pos;
  }
  bool hasMore() const { return has_more_; }              ///< call again without further input
  bool betweenFrames() const { return between_frames_; }  ///< the last frame is complete

 private:
  static constexpr std::size_t kOutput = 256 * 1024;
  std::unique_ptr<ZSTD_DCtx, decltype([](ZSTD_DCtx* context) { ZSTD_freeDCtx(context); })> context_{ZSTD_createDCtx()};
  bool between_frames_ = false;
  bool has_more_ = false;
};

}  // namespace

struct ArchiveReader::Impl {
  Impl(ByteSource its_source, Packing its_packing) : source(std::move(its_source)), packing(its_packing) {
    ::archive_read_support_format_tar(tar);
  }
  ~Impl() { ::archive_read_free(tar); }

  static la_ssize_t feed(archive* tar, void* self, const void** bytes) {
    auto* impl = static_cast<Impl*>(self);
    try {
      impl->piece.clear();
      impl->fill();
      if (impl->header_left) {
        if (impl->piece.size() > *impl->header_left) refuseForm("a header is too long");
        *impl->header_left -= impl->piece.size();
      }
      *bytes = impl->piece.data();
      return static_cast<la_ssize_t>(impl->piece.size());
    } catch (...) {
      impl->failure = std::current_exception();  // exceptions must not pass through a C library
      ::archive_set_error(tar, ECANCELED, "the archive cannot be read");
      return -1;
    }
  }

  /// The next piece of the tar; stays empty after the end.
  void fill() {
    while (piece.empty()) {
      bool unzips = packing == Packing::Zstandard;
      if (packed.empty() && !(unzips && unzip.hasMore())) {
        packed = source();
        if (packed.empty()) return;
        tail += packed;
        if (tail.size() > 4 * kLongestEndMark) tail.erase(0, tail.size() - kLongestEndMark);
      }
      if (unzips)
        packed.erase(0, unzip.feed(packed, piece));
      else
        piece = std::exchange(packed, {});
    }
    fed += piece.size();
  }

  int header() {
    header_left = kMaxHeader;
    int result = ::archive_read_next_header(tar, &entry);
    header_left.reset();
    check(result);
    return result;
  }
  void check(la_ssize_t result) {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    if (result >= ARCHIVE_OK || (result == ARCHIVE_WARN && isAboutNames(::archive_error_string(tar)))) return;
    const char* why = ::archive_error_string(tar);
    if (fed == 0 || (why && std::string_view(why).contains("Truncated"))) refuseCut();
    refuseForm(why ? transfer::readable(why) : std::string());
  }
  bool data(std::int64_t& offset, std::string_view& block_bytes) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t at = 0;
    int result = ::archive_read_data_block(tar, &block, &size, &at);
    check(result);
    if (result == ARCHIVE_EOF) return false;
    offset = at;
    block_bytes = {static_cast<const char*>(block), size};
    return true;
  }
  std::string ownContent() {
    std::string content;
    if (::archive_entry_size(entry) > kMaxOwn || ::archive_entry_filetype(entry) != AE_IFREG) refuseForm();
    std::int64_t offset = 0;
    for (std::string_view part; data(offset, part);) {
      if (offset != static_cast<std::int64_t>(content.size())) refuseForm();
      content += part;
    }
    return content;
  }

  /// The name without a trailing slash. Throws Error(Unprocessable) when it is outside of all storages, or has components that lead
  /// elsewhere.
  std::string checked(std::string_view name) const {
    std::string_view rest = name;
    if (rest.ends_with('/')) rest.remove_suffix(1);
    bool inside = std::ranges::any_of(storages, [&](const std::string& storage) {
      return rest.starts_with(storage) && (rest.size() == storage.size() || rest[storage.size()] == '/');
    });
    if (inside && isProper(rest)) return std::string(rest);
    refuse(format("The archive contains a path or link outside of its storages: \"{}\". Do not trust it.", transfer::readable(name)));
  }

  ArchiveEntry take();
  void end();

  ByteSource source;
  Packing packing;
  Unzip unzip;
  archive* tar = ::archive_read_new();
  archive_entry* entry = nullptr;
  std::string packed;  // received and not yet decompressed
  std::string piece;   // of the tar; currently owned by libarchive
  std::string tail;    // last bytes received: they contain the end mark
  std::uint64_t fed = 0;
  std::optional<std::size_t> header_left;
  std::exception_ptr failure;
  std::vector<std::string> storages;  // without the first "/"
  ArchiveDigest digest;
  ArchiveNotes notes;
  bool reading_file = false;
  std::int64_t file_size = 0;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

/// The entry's header, checked against the limits. Its name is already validated.
ArchiveEntry ArchiveReader::Impl::take() {
  ArchiveEntry to;
  to.path = checked(::archive_entry_pathname(entry));
  auto inBounds = [](la_int64_t number) { return number >= 0 && number <= 0xFFFF'FFFFLL; };
  if (!inBounds(::archive_entry_uid(entry)) || !inBounds(::archive_entry_gid(entry))) refuseForm("an owner's number");
  to.facts.uid = static_cast<std::uint32_t>(::archive_entry_uid(entry));
  to.facts.gid = static_cast<std::uint32_t>(::archive_entry_gid(entry));
  to.facts.mtimeSeconds = ::archive_entry_mtime(entry);
  to.facts.mtimeNanoseconds = static_cast<std::uint32_t>(std::clamp(::archive_entry_mtime_nsec(entry), 0L, 999'999'999L));
  if (const char* first = ::archive_entry_hardlink(entry)) {
    to.kind = ArchiveKind::HardLink;
    to.link = checked(first);
    if (::archive_entry_size_is_set(entry) && ::archive_entry_size(entry) != 0) refuseForm("a hard link with content");
    return to;
  }
  std::map<std::string, std::string> attributes;  // of several with one name the last counts, as in tar
  for (transfer::Attribute& list : accessListsOf(entry)) attributes[list.name] = std::move(list.value);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  ::archive_entry_xattr_reset(entry);
  while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (name && transfer::isCarriedAttribute(name)) attributes[name] = {static_cast<const char*>(value), size};
  }
  for (auto& [its_name, its_value] : attributes) to.attributes.push_back({its_name, std::move(its_value)});
  to.facts.mode = modeWithMask(static_cast<std::uint32_t>(::archive_entry_perm(entry)), to.attributes);
  return to;
}

/// Whether the required parts of an archive's end are present.
void ArchiveReader::Impl::end() {
  auto begins = static_cast<std::uint64_t>(::archive_read_header_position(tar));
  do {
    piece.clear();
    fill();
  } while (!piece.empty());
  if (packing == Packing::Zstandard && !unzip.betweenFrames()) refuseCut();
  if (fed < begins + 2 * kTarBlock) refuseCut();
  auto mark = findEndMark(tail);
  if (!mark) return;  // an archive packed by another program
  if (!mark->failure.empty()) refuse(format("The archive is incomplete: {}", transfer::readable(mark->failure)));
  if (!mark->digest.empty() && mark->digest != digest.text()) refuse("The archive is damaged: its contents do not match its digest.");
}

ArchiveReader::ArchiveReader(ByteSource source, Packing packing) : impl_(std::make_unique<Impl>(std::move(source), packing)) {}
ArchiveReader::~ArchiveReader() = default;

std::string ArchiveReader::readManifest() {
  impl_->check(::archive_read_open(impl_->tar, impl_.get(), nullptr, Impl::feed, nullptr));
  if (impl_->header() == ARCHIVE_EOF) refuseCut();
  const char* path = ::archive_entry_pathname(impl_->entry);
  if (!path || path != kArchiveManifest) refuse("This is not an archive of `swarm export`: it does not start with swarm-workspace.json.");
  return impl_->ownContent();
}

void ArchiveReader::setStorages(const std::vector<std::string>& storages) {
  impl_->storages.clear();
  for (const std::string& path : storages) impl_->storages.push_back(path.substr(std::min(path.find_first_not_of('/'), path.size())));
}

std::optional<ArchiveEntry> ArchiveReader::next() {
  std::int64_t offset = 0;
  for (std::string_view rest; impl_->reading_file;) impl_->reading_file = read(offset, rest);
  for (;;) {
    if (impl_->header() == ARCHIVE_EOF) {
      impl_->end();
      return std::nullopt;
    }
    const char* path = ::archive_entry_pathname(impl_->entry);
    if (!path) refuseForm("a name is missing");
    if (path == kArchiveNotes) {
      impl_->ownContent();
      continue;
    }
    ArchiveEntry entry = impl_->take();
    auto type = ::archive_entry_filetype(impl_->entry);
    if (entry.kind != ArchiveKind::HardLink) {
      if (type == AE_IFCHR || type == AE_IFBLK) {
        impl_->notes.add(transfer::readable(entry.path), "a device is not unpacked");
        continue;
      }
      if (type == AE_IFLNK) {
        const char* target = ::archive_entry_symlink(impl_->entry);
        if (!target || !*target) refuseForm("a link without a target");
        entry.kind = ArchiveKind::Symlink;
        entry.link = target;
        entry.attributes.clear();
      } else if (type == AE_IFREG) {
        entry.facts.size = ::archive_entry_size(impl_->entry);
        if (entry.facts.size < 0 || entry.facts.size > kMaxSize) refuseForm("a size");
        impl_->reading_file = true;
        impl_->file_size = entry.facts.size;
      } else if (type == AE_IFDIR || type == AE_IFIFO) {
        entry.kind = type == AE_IFDIR ? ArchiveKind::Directory : ArchiveKind::Fifo;
      } else {
        refuseForm("an unknown kind of file");
      }
    }
    ++impl_->files;
    impl_->digest.add(entry);
    return entry;
  }
}

bool ArchiveReader::read(std::int64_t& offset, std::string_view& data) {
  if (!impl_->reading_file) return false;
  impl_->reading_file = impl_->data(offset, data);
  if (!impl_->reading_file) return false;
  if (offset < 0 || offset + static_cast<std::int64_t>(data.size()) > impl_->file_size) refuseForm("content beyond a file's end");
  impl_->digest.add(offset, data);
  impl_->bytes += static_cast<std::int64_t>(data.size());
  return true;
}

std::string ArchiveReader::digest() const { return impl_->digest.text(); }
std::int64_t ArchiveReader::files() const { return impl_->files; }
std::int64_t ArchiveReader::bytes() const { return impl_->bytes; }
ArchiveNotes& ArchiveReader::notes() { return impl_->notes; }

}  // namespace swarm::agent
