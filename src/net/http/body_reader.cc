// BodyReader: message bodies by length, by strict chunks, or until the end of the connection.
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/errc.hpp>
#include <charconv>
#include <cstring>

#include "async/io_wait.h"
#include "base/error.h"
#include "base/text/format.h"
#include "net/http/http.h"

namespace swarm::net {
namespace {

constexpr std::size_t kMaxChunkLine = 1024;
constexpr std::size_t kMaxExtensionBytes = 16 * 1024;  // per body
constexpr std::size_t kMaxTrailerBytes = 16 * 1024;
// Chunks of at least this size bypass the buffer and are read straight into their destination.
constexpr std::size_t kDirectChunk = 4096;
// Pieces from the buffer need no system call, after some of which a stream yields: one buffer may hold thousands of tiny chunks.
constexpr unsigned char kMaxBurst = 128;
constexpr std::size_t kFirstBytes = 4 * 1024;  // allocated for a body of which nothing has arrived

error_code badFraming() { return boost::system::errc::make_error_code(boost::system::errc::bad_message); }

}  // namespace

std::optional<std::uint64_t> parseChunkSize(std::string_view line, Grammar grammar) {
  if (grammar == Grammar::Relaxed) {
    const std::size_t end = std::min(line.find(';'), line.size());
    const std::size_t last = line.substr(0, end).find_last_not_of(" \t");
    if (last != std::string_view::npos && last + 1 < end) line = line.substr(0, last + 1);
    for (std::size_t size = std::min(line.find(';'), line.size()); size > 16 && line.front() == '0'; --size) line.remove_prefix(1);
  }
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  const auto digits = static_cast<std::size_t>(end - line.data());
  if (error != std::errc() || digits > 16 || size > (std::uint64_t{1} << 62)) return std::nullopt;
  if (digits < line.size() && line[digits] != ';') return std::nullopt;
  for (const char c : line.substr(digits)) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return std::nullopt;
  }
  return size;
}

BodyReader::BodyReader(Stream& stream, ReadBuffer& buffer, BodyFraming framing, Grammar grammar)
    : stream_(stream), buffer_(buffer), framing_(framing), grammar_(grammar) {
  if (framing.kind == BodyKind::Length) left_ = framing.length;
  done_ = framing.kind == BodyKind::None || (framing.kind == BodyKind::Length && left_ == 0);
}

awaitable<IoResult> BodyReader::readSome(asio::mutable_buffer into) {
  if (done_ || into.size() == 0) co_return IoResult{};
  if (framing_.kind == BodyKind::Chunked && left_ == 0) {
    if (error_code error = co_await nextChunk()) co_return IoResult{error};
    if (done_) {
      progress();
      co_return IoResult{};
    }
  }
  if (framing_.kind != BodyKind::UntilClose)
    into = asio::buffer(into, static_cast<std::size_t>(std::min<std::uint64_t>(left_, into.size())));
  IoResult got = co_await readRaw(into);
  if (got.error) {
    if (got.error != asio::error::eof || framing_.kind != BodyKind::UntilClose) co_return got;
    done_ = true;
    co_return IoResult{};
  }
  if (framing_.kind != BodyKind::UntilClose) left_ -= got.bytes;
  if (framing_.kind == BodyKind::Length) done_ = left_ == 0;
  progress();
  co_return got;
}

void BodyReader::progress() {
  if (observer_ == nullptr) return;
  if (done_) {
    observer_->bodyEnded();
  } else {
    observer_->bodyProgressed();
  }
}

awaitable<Spliced> BodyReader::spliceTo(Stream& to) {
  if (!hasLargeRest()) co_return Spliced{};
  const Spliced moved = co_await splice(stream_, to, left_);
  left_ -= moved.read.bytes;
  done_ = left_ == 0;
  progress();
  co_return moved;
}

awaitable<IoResult> BodyReader::readRaw(asio::mutable_buffer into) {
  if (buffer_.empty()) {
    if (continue_pending_ || (framing_.kind == BodyKind::Chunked && left_ < kDirectChunk)) {
      if (error_code error = co_await fill()) co_return IoResult{error};
    } else {
      co_return co_await stream_.readSome(into);
    }
  }
  const std::string_view data = buffer_.data();
  const std::size_t bytes = std::min(data.size(), into.size());
  std::memcpy(into.data(), data.data(), bytes);
  buffer_.consume(bytes);
  if (++burst_ >= kMaxBurst) {
    burst_ = 0;
    co_await async::yieldLoop();
  }
  co_return IoResult{{}, bytes};
}

// Reads more into the buffer.
awaitable<error_code> BodyReader::fill() {
  if (continue_pending_) {
    continue_pending_ = false;
    const IoResult sent = co_await stream_.writeAll(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
    if (sent.error) co_return sent.error;
  }
  const IoResult got = co_await stream_.readSome(buffer_.prepare(1024));
  buffer_.commit(got.bytes);
  co_return got.error;
}

// Reads up to the data of the next chunk or, after the last one, to the end of the body.
awaitable<error_code> BodyReader::nextChunk() {
  if (!first_chunk_) {
    const auto end = co_await readLine(kMaxChunkLine);
    if (!end) co_return end.error();
    if (!end->empty()) co_return badFraming();
  }
  first_chunk_ = false;
  const auto line = co_await readLine(kMaxChunkLine);
  if (!line) co_return line.error();
  const std::optional<std::uint64_t> size = parseChunkSize(*line, grammar_);
  if (!size) co_return badFraming();
  const std::size_t extension = line->find(';');
  if (extension != std::string_view::npos) extension_bytes_ += line->size() - extension;
  if (extension_bytes_ > kMaxExtensionBytes) co_return badFraming();
  left_ = *size;
  if (left_ == 0) co_return co_await skipTrailers();
  co_return error_code();
}

awaitable<error_code> BodyReader::skipTrailers() {
  std::size_t bytes = 0;
  while (true) {
    const auto line = co_await readLine(kMaxTrailerBytes);
    if (!line) co_return line.error();
    if (line->empty()) break;
    bytes += line->size();
    if (bytes > kMaxTrailerBytes) co_return badFraming();
  }
  done_ = true;
  co_return error_code();
}

// The next line without its end; valid until the buffer is filled again.
awaitable<std::expected<std::string_view, error_code>> BodyReader::readLine(std::size_t maximum) {
  std::size_t scanned = 0;
  while (true) {
    const std::string_view data = buffer_.data();
    const std::size_t newline = data.find('\n', scanned);
    if (newline != std::string_view::npos) {
      const bool bare = newline == 0 || data[newline - 1] != '\r';
      if (bare && grammar_ == Grammar::Strict) co_return std::unexpected(badFraming());
      const std::string_view line = data.substr(0, bare ? newline : newline - 1);
      if (line.size() > maximum || line.contains('\r')) co_return std::unexpected(badFraming());
      buffer_.consume(newline + 1);
      co_return line;
    }
    scanned = data.size();
    if (scanned > maximum) co_return std::unexpected(badFraming());
    if (error_code error = co_await fill()) co_return std::unexpected(error);
  }
}

awaitable<std::string> readAll(BodyReader& body, std::size_t limit) {
  auto too_large = [limit] { return Error(ErrorCode::PayloadTooLarge, format("The body is larger than {} bytes.", limit)); };
  if (body.framing().kind == BodyKind::Length && body.framing().length > limit) throw too_large();
  const std::size_t most = body.framing().kind == BodyKind::Length ? static_cast<std::size_t>(body.framing().length) : limit + 1;
  std::string text;
  std::size_t size = 0;
  while (!body.done()) {
    // Grows with what has arrived: an announced length costs the client nothing.
    if (size == text.size()) text.resize(std::min(most, std::max(kFirstBytes, size * 2)));
    const IoResult got = co_await body.readSome(asio::buffer(text.data() + size, text.size() - size));
    size += got.bytes;
    if (got.error == asio::error::timed_out) throw Error(ErrorCode::DeadlineExceeded, "The request's body took too long to arrive.");
    if (got.error == badFraming()) throw Error(ErrorCode::InvalidArgument, "The body's chunked encoding is malformed.");
    if (got.error) throw Error(ErrorCode::InvalidArgument, "The body ended too early.").withCause(got.error.message());
    if (size > limit) throw too_large();
  }
  text.resize(size);
  co_return text;
}

}  // namespace swarm::net
