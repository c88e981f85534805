// Internal: frames on a net::Stream.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "async/awaitable.h"
#include "net/stream/stream.h"
#include "transfer/wire/channel.h"

namespace swarm::transfer {

using async::awaitable;

/// Reads frames. One at a time.
class FrameReader {
 public:
  /// Takes large payloads from `buffers` while it has any.
  explicit FrameReader(net::Stream& stream, BufferPool* buffers = nullptr);
  /// Empty at the end of the connection, however it ends. Throws Error(UpstreamFailed) for invalid frames.
  awaitable<std::optional<Arrived>> next();

 private:
  awaitable<bool> fill(char* out, std::size_t length);

  net::Stream& stream_;
  BufferPool* buffers_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// False when the connection has ended.
awaitable<bool> writeFrames(net::Stream& stream, const std::vector<Frame>& frames);

}  // namespace swarm::transfer
