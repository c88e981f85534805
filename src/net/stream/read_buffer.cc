// ReadBuffer, and the reading of heads into it.
#include <boost/asio/error.hpp>
#include <cstring>

#include "net/http/http.h"

namespace swarm::net {

namespace {

/// A buffer that a large message has made larger than any is at first is replaced between two messages.
constexpr std::size_t kMaxKeptBytes = 32 * 1024;
constexpr std::size_t kReplacementBytes = 16 * 1024;

}  // namespace

ReadBuffer::ReadBuffer(std::size_t initial) : storage_(initial) {}

asio::mutable_buffer ReadBuffer::prepare(std::size_t at_least) {
  if (begin_ == end_ && begin_ > pinned_) begin_ = end_ = pinned_;
  if (storage_.size() - end_ < at_least) {
    const std::size_t size = end_ - begin_;
    if (storage_.size() - pinned_ - size >= at_least && begin_ >= pinned_) {
      std::memmove(storage_.data() + pinned_, storage_.data() + begin_, size);
      begin_ = pinned_;
    } else {
      std::vector<char> larger(std::max(storage_.size() * 2, size + at_least));
      std::memcpy(larger.data(), storage_.data() + begin_, size);
      // A pinned head must not move; only the first storage that holds one is kept.
      if (pinned_ > 0) retired_ = std::move(storage_);
      storage_ = std::move(larger);
      begin_ = pinned_ = 0;
    }
    end_ = begin_ + size;
  }
  return {storage_.data() + end_, storage_.size() - end_};
}

void ReadBuffer::unpin() {
  pinned_ = 0;
  retired_ = {};
  if (!empty() || storage_.size() <= kMaxKeptBytes) return;
  storage_ = std::vector<char>(kReplacementBytes);
  begin_ = end_ = 0;
}

namespace {

// A server of another protocol may never send an empty line, so waiting for one would not end.
bool canBecomeResponse(std::string_view data) {
  constexpr std::string_view kStart = "HTTP/";
  return data.substr(0, kStart.size()) == kStart.substr(0, data.size());
}

// The size of the head at the front of `data` once it is complete; 0 before. `scanned` is where the search continues.
std::size_t findHeadEnd(std::string_view data, std::size_t& scanned, Grammar grammar) {
  if (grammar == Grammar::Relaxed && !canBecomeResponse(data)) return data.size();
  while (true) {
    const std::size_t newline = data.find('\n', scanned);
    if (newline == std::string_view::npos) {
      scanned = data.size();
      return 0;
    }
    scanned = newline + 1;
    const bool bare = newline == 0 || data[newline - 1] != '\r';
    const bool empty_line = newline == 1 || (newline >= 3 && data[newline - 2] == '\n');
    if (grammar == Grammar::Strict ? bare || empty_line : data[newline - 1] == '\n' || (!bare && empty_line)) return scanned;
  }
}

}  // namespace

awaitable<std::expected<std::size_t, error_code>> readHead(Stream& stream, ReadBuffer& buffer, Grammar grammar, HeadObserver* observer) {
  buffer.unpin();
  std::size_t scanned = 0;
  while (true) {
    if (const std::size_t size = findHeadEnd(buffer.data(), scanned, grammar); size > 0) {
      if (size > kMaxHeadBytes) co_return std::unexpected(asio::error::message_size);
      buffer.pin(size);
      co_return size;
    }
    if (scanned >= kMaxHeadBytes) co_return std::unexpected(asio::error::message_size);
    const asio::mutable_buffer room = buffer.prepare(2048);
    if (observer && !observer->mayRead()) co_return std::unexpected(asio::error::no_buffer_space);
    const IoResult got = co_await stream.readSome(room);
    if (got.error == asio::error::eof && buffer.empty()) co_return 0;
    if (got.error) co_return std::unexpected(got.error);
    buffer.commit(got.bytes);
  }
}

}  // namespace swarm::net
