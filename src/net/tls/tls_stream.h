// Internal: TLS over any Stream. OpenSSL works on memory, and this class transfers it to and from the inner stream.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "async/notifier.h"
#include "net/stream/stream.h"
#include "net/tls/tls_context.h"

namespace swarm::net {

class TlsStream final : public Stream {
 public:
  enum class Side { Client, Server };
  TlsStream(StreamPtr inner, const TlsContext& context, Side side);
  ~TlsStream() override;

  SSL* ssl() { return ssl_; }
  /// Bytes that the owner has already read from the inner stream; before the handshake.
  void receive(std::string_view bytes);
  /// Within the deadline that the owner has set. close() ends it.
  awaitable<error_code> handshake();

  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override;
  awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) override;
  awaitable<error_code> shutdownWrite() override;
  void close() override;
  void abort() override;
  void setDeadline(SteadyTime time) override;
  void setReadPatience(Patience patience) override { inner_->setReadPatience(patience); }
  void setWritePatience(std::chrono::milliseconds silence) override { inner_->setWritePatience(silence); }
  PeerState peerState() override { return inner_->peerState(); }
  std::uint64_t bytesSent() const override { return inner_->bytesSent(); }
  Executor executor() override { return inner_->executor(); }
  std::string peer() const override { return inner_->peer(); }
  std::string peerAddress() const override { return inner_->peerAddress(); }
  bool isTls() const override { return true; }
  bool isIdle() override;

  /// What OpenSSL reads and writes.
  struct Wire {
    std::unique_ptr<char[]> input;
    std::size_t capacity = 0;  ///< of `input`, whose bytes from `begin` to `end` are unread
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string output;
  };

 private:
  std::size_t decrypt(asio::mutable_buffer buffer);
  awaitable<error_code> feed();
  awaitable<error_code> flush();
  awaitable<error_code> sendOutput();

  StreamPtr inner_;
  Wire wire_;
  SSL* ssl_;
  std::size_t next_input_;
  error_code read_end_;   ///< why nothing more can be decrypted
  error_code write_end_;  ///< why nothing more can be sent: a record that was lost cannot be followed by another
  async::Notifier flushed_;
  SteadyTime deadline_ = SteadyTime::max();
  bool flushing_ = false;
  bool closed_ = false;
};

}  // namespace swarm::net
