// TlsStream: records between OpenSSL and the inner stream, each copied once.
#include "net/tls/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>
#include <new>
#include <utility>

namespace swarm::net {
namespace {

// An idle connection keeps the small input; the large one saves system calls while a body arrives.
constexpr std::size_t kSmallInput = 4 * 1024;
constexpr std::size_t kLargeInput = 64 * 1024;
constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr std::size_t kMaxRecord = 16 * 1024;
constexpr std::size_t kRecordOverhead = 64;
constexpr std::chrono::seconds kShutdownTimeout{2};

TlsStream::Wire& wireOf(BIO* bio) { return *static_cast<TlsStream::Wire*>(BIO_get_data(bio)); }

int readWire(BIO* bio, char* into, int size) {
  TlsStream::Wire& wire = wireOf(bio);
  BIO_clear_retry_flags(bio);
  const std::size_t bytes = std::min(static_cast<std::size_t>(size), wire.end - wire.begin);
  if (bytes == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(into, wire.input.get() + wire.begin, bytes);
  wire.begin += bytes;
  return static_cast<int>(bytes);
}

int writeWire(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  wireOf(bio).output.append(data, static_cast<std::size_t>(size));
  return size;
}

long controlWire(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* wireMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(made, readWire);
    BIO_meth_set_write(made, writeWire);
    BIO_meth_set_ctrl(made, controlWire);
    return made;
  }();
  return method;
}

/// The texts of the records of one write: parts of the given buffers, or small buffers joined, as a head and its body are.
class Records {
 public:
  explicit Records(std::span<const asio::const_buffer> buffers) : buffers_(buffers) {
    if (!buffers_.empty()) front_ = buffers_.front();
  }

  /// Empty at the end. Valid until the next call on this thread.
  asio::const_buffer next() {
    skipEmpty();
    if (front_.size() >= kMaxRecord || buffers_.size() <= 1) return take(kMaxRecord);
    thread_local char joined[kMaxRecord];
    std::size_t size = 0;
    while (size < kMaxRecord && front_.size() > 0) {
      const asio::const_buffer part = take(kMaxRecord - size);
      std::memcpy(joined + size, part.data(), part.size());
      size += part.size();
      skipEmpty();
    }
    return {joined, size};
  }

 private:
  asio::const_buffer take(std::size_t maximum) {
    const asio::const_buffer part(front_.data(), std::min(front_.size(), maximum));
    front_ += part.size();
    return part;
  }
  void skipEmpty() {
    while (front_.size() == 0 && buffers_.size() > 1) {
      buffers_ = buffers_.subspan(1);
      front_ = buffers_.front();
    }
  }

  std::span<const asio::const_buffer> buffers_;
  asio::const_buffer front_;
};

}  // namespace

TlsStream::TlsStream(StreamPtr inner, const TlsContext& context, Side side)
    : inner_(std::move(inner)), ssl_(context.newConnection()), next_input_(kSmallInput) {
  BIO* bio = BIO_new(wireMethod());
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, &wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  if (side == Side::Client)
    SSL_set_connect_state(ssl_);
  else
    SSL_set_accept_state(ssl_);
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

void TlsStream::receive(std::string_view bytes) {
  wire_.capacity = std::max(bytes.size(), kSmallInput);
  wire_.input = std::make_unique_for_overwrite<char[]>(wire_.capacity);
  std::memcpy(wire_.input.get(), bytes.data(), bytes.size());
  wire_.begin = 0;
  wire_.end = bytes.size();
}

awaitable<error_code> TlsStream::handshake() {
  while (true) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    const bool failed = result != 1 && SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ;
    const error_code failure = failed ? takeTlsErrorCode() : error_code();
    const error_code flushed = co_await flush();  // including alerts
    if (failed) co_return failure;
    if (result == 1 || flushed) co_return flushed;
    if (const error_code error = co_await feed()) co_return error;
  }
}

// As many records as have arrived and have room: one read of the inner stream may bring several.
std::size_t TlsStream::decrypt(asio::mutable_buffer buffer) {
  std::size_t total = 0;
  while (buffer.size() > 0 && !read_end_) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int result = SSL_read_ex(ssl_, buffer.data(), buffer.size(), &bytes);
    if (result == 1) {
      total += bytes;
      buffer += bytes;
      continue;
    }
    const int reason = SSL_get_error(ssl_, result);
    if (reason == SSL_ERROR_WANT_READ) break;
    read_end_ = reason == SSL_ERROR_ZERO_RETURN ? error_code(asio::error::eof) : takeTlsErrorCode();
  }
  return total;
}

awaitable<IoResult> TlsStream::readSome(asio::mutable_buffer buffer) {
  if (buffer.size() == 0) co_return IoResult{};
  while (true) {
    if (closed_) co_return IoResult{asio::error::operation_aborted};
    const std::size_t bytes = decrypt(buffer);
    // Alerts. A peer that causes them and reads nothing is not read from either.
    const error_code flushed = wire_.output.empty() ? error_code() : co_await flush();
    if (!read_end_) read_end_ = flushed;
    if (bytes > 0) co_return IoResult{{}, bytes};
    if (read_end_) co_return IoResult{read_end_};
    if (const error_code error = co_await feed()) co_return IoResult{error};
  }
}

awaitable<IoResult> TlsStream::writeAll(std::span<const asio::const_buffer> buffers) {
  IoResult result;
  if (const std::size_t size = asio::buffer_size(buffers); size > kMaxRecord)
    wire_.output.reserve(std::min(size + size / kMaxRecord * kRecordOverhead, kFlushBytes + kMaxRecord) + 2 * kRecordOverhead);
  Records records(buffers);
  for (asio::const_buffer record = records.next(); record.size() > 0; record = records.next()) {
    while (record.size() > 0) {
      ERR_clear_error();
      std::size_t bytes = 0;
      if (closed_ || SSL_write_ex(ssl_, record.data(), record.size(), &bytes) != 1) {
        result.error = closed_ ? error_code(asio::error::operation_aborted) : error_code(asio::error::broken_pipe);
        co_return result;
      }
      record += bytes;
      result.bytes += bytes;
    }
    if (wire_.output.size() >= kFlushBytes) result.error = co_await flush();
    if (result.error) co_return result;
  }
  result.error = co_await flush();
  co_return result;
}

awaitable<error_code> TlsStream::shutdownWrite() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
  // A peer that reads nothing must not block this call. The deadline that the owner had set is either shorter, or no longer matters,
  // since writing has ended.
  inner_->setDeadline(std::min(deadline_, std::chrono::steady_clock::now() + kShutdownTimeout));
  error_code error = co_await flush();
  if (!error) error = co_await inner_->shutdownWrite();
  inner_->setDeadline(deadline_);
  co_return error;
}

void TlsStream::close() {
  closed_ = true;
  inner_->close();
}

void TlsStream::abort() {
  closed_ = true;
  inner_->abort();
}

void TlsStream::setDeadline(SteadyTime time) {
  deadline_ = time;
  inner_->setDeadline(time);
}

bool TlsStream::isIdle() { return !closed_ && !read_end_ && SSL_pending(ssl_) == 0 && wire_.begin == wire_.end && inner_->isIdle(); }

// Reads into the input, all of which OpenSSL has consumed.
awaitable<error_code> TlsStream::feed() {
  if (wire_.capacity != next_input_) {
    wire_.input = std::make_unique_for_overwrite<char[]>(next_input_);
    wire_.capacity = next_input_;
  }
  wire_.begin = wire_.end = 0;
  const IoResult got = co_await inner_->readSome(asio::buffer(wire_.input.get(), wire_.capacity));
  if (got.error) co_return got.error;
  wire_.end = got.bytes;
  const bool is_bulk = got.bytes == wire_.capacity || got.bytes > kMaxRecord;
  next_input_ = is_bulk ? kLargeInput : kSmallInput;
  co_return error_code();
}

// Writes the output. The inner stream allows one write at a time: a second caller waits for the first, or output would grow without end
// for a peer that reads nothing.
awaitable<error_code> TlsStream::flush() {
  while (flushing_) {
    co_await flushed_.wait(flushed_.version(), Deadline::never());
    if (closed_) co_return asio::error::operation_aborted;
  }
  if (write_end_) wire_.output.clear();
  if (wire_.output.empty()) co_return write_end_;
  flushing_ = true;
  error_code error;
  std::exception_ptr failure;  // not a scope guard: when a loop ends, this object may be destroyed before the frame
  try {
    error = co_await sendOutput();
  } catch (...) {
    failure = std::current_exception();
    write_end_ = asio::error::operation_aborted;
  }
  flushing_ = false;
  flushed_.notifyAll();
  if (failure) std::rethrow_exception(failure);
  co_return error;
}

awaitable<error_code> TlsStream::sendOutput() {
  error_code error;
  while (!error && !wire_.output.empty()) {
    const std::string output = std::exchange(wire_.output, {});
    const asio::const_buffer buffer = asio::buffer(output);
    error = (co_await inner_->writeAll(std::span(&buffer, 1))).error;
  }
  write_end_ = error;
  co_return error;
}

}  // namespace swarm::net
