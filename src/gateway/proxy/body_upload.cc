// The upload runs as a detached coroutine; settle() waits for its end.
#include "gateway/proxy/body_upload.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "async/awaitable.h"

namespace swarm::gateway {

namespace asio = boost::asio;

asio::const_buffer chunkSize(std::array<char, 20>& storage, std::size_t bytes) {
  auto* end = std::to_chars(storage.data(), storage.data() + 16, bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {storage.data(), static_cast<std::size_t>(end - storage.data())};
}

BodyUpload::BodyUpload(async::Executor executor) : ended_signal_(executor, asio::steady_timer::time_point::max()), piece_(64 * 1024) {}

std::shared_ptr<BodyUpload> BodyUpload::start(net::Exchange& exchange, net::Stream& upstream, bool chunked) {
  auto self = std::make_shared<BodyUpload>(exchange.stream().executor());
  asio::co_spawn(exchange.stream().executor(), run(self, exchange.body(), upstream, chunked), asio::detached);
  return self;
}

async::awaitable<void> BodyUpload::run(std::shared_ptr<BodyUpload> self, net::BodyReader& body, net::Stream& upstream, bool chunked) {
  std::array<char, 20> size_line;
  for (;;) {
    auto read = net::IoResult{};
    if (!chunked && !self->discard_ && body.hasLargeRest()) {
      const auto moved = co_await body.spliceTo(upstream);
      if (moved.written.error) self->discard_ = true;
      read.error = moved.read.error;
    }
    if (!read.error) read = co_await body.readSome(asio::buffer(self->piece_));
    if (read.error) {
      self->client_failed_ = !self->discard_;
      if (!self->discard_) upstream.close();  // also ends the read of the response
      break;
    }
    self->complete_ = read.bytes == 0;
    if (!self->discard_) {
      std::array<asio::const_buffer, 3> buffers;
      std::size_t count = 0;
      if (chunked && read.bytes > 0) buffers[count++] = chunkSize(size_line, read.bytes);
      if (read.bytes > 0) buffers[count++] = asio::const_buffer(self->piece_.data(), read.bytes);
      if (chunked) buffers[count++] = read.bytes > 0 ? asio::buffer("\r\n", 2) : asio::buffer("0\r\n\r\n", 5);
      // An upstream that accepts no more bytes may have responded: the rest is read and dropped.
      if (count > 0 && (co_await upstream.writeAll(std::span(buffers.data(), count))).error) self->discard_ = true;
    }
    if (self->complete_) break;
  }
  self->ended_ = true;
  self->ended_signal_.cancel();
}

async::awaitable<bool> BodyUpload::settle(net::Stream& client, std::chrono::milliseconds linger) {
  if (!ended_) {
    discard_ = true;
    client.setDeadline(std::chrono::steady_clock::now() + linger);
    while (!ended_) {
      boost::system::error_code ignored;
      co_await ended_signal_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    client.setDeadline(SteadyTime::max());
  }
  co_return complete_;
}

}  // namespace swarm::gateway
