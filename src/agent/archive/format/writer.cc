// Implemented with libarchive's pax writer and libzstd.
#include "agent/archive/format/writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <zstd.h>

#include <ctime>
#include <vector>

#include "agent/archive/format/access_list.h"
#include "base/diagnostics/check.h"
#include "base/error.h"
#include "base/text/format.h"
#include "transfer/tree/files.h"

namespace swarm::agent {
namespace {

/// Sets this thread's locale during its lifetime. libarchive writes a UTF-8 name as such only in a UTF-8 locale; otherwise it marks the
/// name as binary, and GNU tar prints a warning. If the image lacks this locale, names are marked.
class TextLocale {
 public:
  TextLocale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_) before_ = ::uselocale(locale_);
  }
  ~TextLocale() {
    if (!locale_) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  TextLocale(const TextLocale&) = delete;
  TextLocale& operator=(const TextLocale&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = LC_GLOBAL_LOCALE;
};

/// Compresses bytes into one Zstandard frame with a checksum of its content.
class Zip {
 public:
  explicit Zip(ByteSink sink) : sink_(std::move(sink)) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, kWorkers);  // a library without threads compresses in the calling one
  }

  void write(std::string_view bytes) { compress({bytes.data(), bytes.size(), 0}, ZSTD_e_continue); }
  void finish() { compress({nullptr, 0, 0}, ZSTD_e_end); }  ///< without it the frame has no end, and readers reject it as incomplete

 private:
  void compress(ZSTD_inBuffer input, ZSTD_EndDirective directive) {
    for (;;) {
      ZSTD_outBuffer out{output_.data(), output_.size(), 0};
      std::size_t left = ZSTD_compressStream2(context_.get(), &out, &input, directive);
      if (ZSTD_isError(left) != 0) throw Error(ErrorCode::Internal, format("Compressing failed: {}.", ZSTD_getErrorName(left)));
      if (out.pos > 0) sink_({output_.data(), out.pos});
      if (directive == ZSTD_e_end ? left == 0 : input.pos == input.size) return;
    }
  }

  static constexpr int kLevel = 3, kWorkers = 2;
  ByteSink sink_;
  std::unique_ptr<ZSTD_CCtx, decltype([](ZSTD_CCtx* context) { ZSTD_freeCCtx(context); })> context_{ZSTD_createCCtx()};
  std::vector<char> output_ = std::vector<char>(ZSTD_CStreamOutSize());
};

using EntryPtr = std::unique_ptr<archive_entry, decltype([](archive_entry* entry) { ::archive_entry_free(entry); })>;

unsigned fileTypeOf(ArchiveKind kind) {
  switch (kind) {
    case ArchiveKind::Directory:
      return AE_IFDIR;
    case ArchiveKind::Symlink:
      return AE_IFLNK;
    case ArchiveKind::Fifo:
      return AE_IFIFO;
    default:
      return AE_IFREG;
  }
}

void describeHoles(archive_entry* to, const ArchiveEntry& entry) {
  bool whole = entry.data.size() == 1 && entry.data.front().offset == 0 && entry.data.front().length == entry.facts.size;
  if (whole || entry.facts.size == 0) return;
  for (const transfer::Extent& extent : entry.data) ::archive_entry_sparse_add_entry(to, extent.offset, extent.length);
  if (entry.data.empty()) ::archive_entry_sparse_add_entry(to, entry.facts.size, 0);
}

EntryPtr toLibrary(const ArchiveEntry& entry) {
  EntryPtr to(::archive_entry_new());
  std::string path = entry.kind == ArchiveKind::Directory ? entry.path + "/" : entry.path;
  ::archive_entry_copy_pathname(to.get(), path.c_str());
  ::archive_entry_set_filetype(to.get(), fileTypeOf(entry.kind));
  ::archive_entry_set_perm(to.get(), entry.facts.mode);
  ::archive_entry_set_uid(to.get(), entry.facts.uid);
  ::archive_entry_set_gid(to.get(), entry.facts.gid);
  ::archive_entry_set_mtime(to.get(), entry.facts.mtimeSeconds, static_cast<long>(entry.facts.mtimeNanoseconds));
  ::archive_entry_set_size(to.get(), entry.kind == ArchiveKind::File ? entry.facts.size : 0);
  if (entry.kind == ArchiveKind::Symlink) ::archive_entry_copy_symlink(to.get(), entry.link.c_str());
  if (entry.kind == ArchiveKind::HardLink) ::archive_entry_copy_hardlink(to.get(), entry.link.c_str());
  for (const transfer::Attribute& attribute : entry.attributes) {
    if (addAccessList(to.get(), attribute)) continue;
    ::archive_entry_xattr_add_entry(to.get(), attribute.name.c_str(), attribute.value.data(), attribute.value.size());
  }
  if (entry.kind == ArchiveKind::File) describeHoles(to.get(), entry);
  return to;
}

}  // namespace

struct ArchiveWriter::Impl {
  explicit Impl(ByteSink sink) : zip(std::move(sink)) {}
  ~Impl() { ::archive_write_free(tar); }

  static la_ssize_t passOn(archive* tar, void* self, const void* bytes, std::size_t size) {
    auto* impl = static_cast<Impl*>(self);
    try {
      impl->zip.write({static_cast<const char*>(bytes), size});
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      impl->failure = std::current_exception();  // exceptions must not pass through a C library
      ::archive_set_error(tar, ECANCELED, "the archive cannot be sent");
      return -1;
    }
  }
  void check(la_ssize_t result, const std::string& its_path) {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    if (result >= ARCHIVE_WARN) return;  // warns of names that are not text, which it writes unchanged
    throw Error(ErrorCode::Internal,
                format("Could not put \"{}\" into the archive: {}.", transfer::readable(its_path), ::archive_error_string(tar)));
  }
  void pass(std::string_view bytes) {
    while (!bytes.empty()) {
      la_ssize_t taken = ::archive_write_data(tar, bytes.data(), bytes.size());
      check(taken, path);
      SWARM_CHECK(taken > 0);  // more than its size is a bug of the caller
      bytes.remove_prefix(static_cast<std::size_t>(taken));
    }
  }

  TextLocale locale;
  Zip zip;
  archive* tar = ::archive_write_new();
  std::exception_ptr failure;
  ArchiveDigest digest;
  std::string path;
  std::int64_t at = 0;
};

ArchiveWriter::ArchiveWriter(ByteSink sink) : impl_(std::make_unique<Impl>(std::move(sink))) {
  ::archive_write_set_format_pax(impl_->tar);
  // The other format for extended attributes duplicates them in a form that only libarchive reads.
  impl_->check(::archive_write_set_format_option(impl_->tar, "pax", "xattrheader", "SCHILY"), {});
  ::archive_write_set_bytes_in_last_block(impl_->tar, 1);
  impl_->check(::archive_write_open(impl_->tar, impl_.get(), nullptr, Impl::passOn, nullptr), {});
}
ArchiveWriter::~ArchiveWriter() = default;

void ArchiveWriter::add(const ArchiveEntry& entry) {
  impl_->path = entry.path;
  impl_->at = 0;
  impl_->check(::archive_write_header(impl_->tar, toLibrary(entry).get()), entry.path);
  impl_->digest.add(entry);
}

void ArchiveWriter::write(std::string_view data) {
  impl_->digest.add(impl_->at, data);
  impl_->at += static_cast<std::int64_t>(data.size());
  impl_->pass(data);
}

void ArchiveWriter::hole(std::int64_t length) {
  // It treats holes as zeros, which it does not inspect.
  static const std::string zeros(1 << 20, '\0');
  impl_->at += length;
  for (; length > 0; length -= static_cast<std::int64_t>(zeros.size())) {
    impl_->pass(std::string_view(zeros).substr(0, static_cast<std::size_t>(std::min<std::int64_t>(length, 1 << 20))));
  }
}

void ArchiveWriter::addText(std::string_view name, std::string_view content) {
  ArchiveEntry entry;
  entry.path = name;
  entry.facts.mode = 0644;
  entry.facts.size = static_cast<std::int64_t>(content.size());
  entry.facts.mtimeSeconds = std::time(nullptr);
  entry.data.push_back({0, entry.facts.size});
  impl_->path = name;
  impl_->check(::archive_write_header(impl_->tar, toLibrary(entry).get()), entry.path);
  impl_->pass(content);
}

void ArchiveWriter::finish() {
  impl_->check(::archive_write_close(impl_->tar), {});
  impl_->zip.finish();
}

std::string ArchiveWriter::digest() const { return impl_->digest.text(); }

}  // namespace swarm::agent
