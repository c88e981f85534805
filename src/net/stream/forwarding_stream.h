// ForwardingStream: the base of a stream that changes some calls of another one.
#pragma once

#include "net/stream/stream.h"

namespace swarm::net {

/// There is no bareSocket() unless the derived class has one: splice() would bypass its calls.
class ForwardingStream : public Stream {
 public:
  explicit ForwardingStream(StreamPtr inner) : inner_(std::move(inner)) {}

  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override { return inner_->readSome(buffer); }
  awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) override { return inner_->writeAll(buffers); }
  awaitable<error_code> shutdownWrite() override { return inner_->shutdownWrite(); }
  void close() override { inner_->close(); }
  void abort() override { inner_->abort(); }
  void setDeadline(SteadyTime time) override { inner_->setDeadline(time); }
  void setReadPatience(Patience patience) override { inner_->setReadPatience(patience); }
  void setWritePatience(std::chrono::milliseconds silence) override { inner_->setWritePatience(silence); }
  Executor executor() override { return inner_->executor(); }
  std::string peer() const override { return inner_->peer(); }
  std::string peerAddress() const override { return inner_->peerAddress(); }
  bool isTls() const override { return inner_->isTls(); }
  bool isIdle() override { return inner_->isIdle(); }
  PeerState peerState() override { return inner_->peerState(); }
  std::uint64_t bytesSent() const override { return inner_->bytesSent(); }

 protected:
  StreamPtr inner_;
};

}  // namespace swarm::net
