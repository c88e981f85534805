// Small frames go through a buffer, large payloads are read straight into their destination.
#include "transfer/wire/frame_stream.h"

#include <array>
#include <cstring>

namespace swarm::transfer {
namespace {
constexpr std::size_t kBuffer = 64 * 1024;
}

FrameReader::FrameReader(net::Stream& stream, BufferPool* buffers)
    : stream_(stream), buffers_(buffers), buffer_(std::make_unique_for_overwrite<char[]>(kBuffer)) {}

awaitable<bool> FrameReader::fill(char* out, std::size_t length) {
  while (length > 0) {
    if (begin_ < end_) {
      const std::size_t taken = std::min(length, end_ - begin_);
      std::memcpy(out, buffer_.get() + begin_, taken);
      begin_ += taken;
      out += taken;
      length -= taken;
      continue;
    }
    const bool direct = length >= kBuffer;
    const net::IoResult got =
        co_await stream_.readSome(direct ? boost::asio::buffer(out, length) : boost::asio::buffer(buffer_.get(), kBuffer));
    if (got.error) co_return false;
    if (direct) {
      out += got.bytes;
      length -= got.bytes;
    } else {
      begin_ = 0;
      end_ = got.bytes;
    }
  }
  co_return true;
}

awaitable<std::optional<Arrived>> FrameReader::next() {
  std::array<char, kHeaderBytes> head;
  if (!co_await fill(head.data(), head.size())) co_return std::nullopt;
  const FrameHeader header = parseHeader({head.data(), head.size()});
  Arrived frame{static_cast<Kind>(header.kind), {}};
  frame.payload = buffers_ ? buffers_->take(header.length) : std::string(header.length, '\0');
  if (!co_await fill(frame.payload.data(), frame.payload.size())) co_return std::nullopt;
  co_return frame;
}

awaitable<bool> writeFrames(net::Stream& stream, const std::vector<Frame>& frames) {
  std::vector<std::string> headers;
  headers.reserve(frames.size());
  std::vector<boost::asio::const_buffer> buffers;
  for (const Frame& frame : frames) {
    headers.push_back(headerOf(frame));
    buffers.emplace_back(headers.back().data(), headers.back().size());
    if (!frame.payload.empty()) buffers.emplace_back(frame.payload.data(), frame.payload.size());
    if (!frame.body.empty()) buffers.emplace_back(frame.body.data(), frame.body.size());
  }
  for (std::size_t at = 0; at < buffers.size(); at += 15) {
    const auto some = std::span(buffers).subspan(at, std::min<std::size_t>(15, buffers.size() - at));
    const net::IoResult put = co_await stream.writeAll(some);
    if (put.error) co_return false;
  }
  co_return true;
}

}  // namespace swarm::transfer
