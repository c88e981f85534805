// TLS over any Stream: OpenSSL works on two memory buffers, and this class transfers them to and from the inner stream.
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"
#include "base/text/format.h"
#include "net/connect.h"
#include "net/tls/tls_context.h"

namespace swarm::net {
namespace {

constexpr std::size_t kRecordBytes = 17 * 1024;
constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr std::chrono::seconds kShutdownTimeout{2};

class TlsStream final : public Stream {
 public:
  TlsStream(StreamPtr inner, std::shared_ptr<TlsContext> context)
      : inner_(std::move(inner)), context_(std::move(context)), ssl_(SSL_new(context_->get())) {
    if (ssl_ == nullptr) throw std::bad_alloc();
    from_peer_ = BIO_new(BIO_s_mem());
    to_peer_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_, from_peer_, to_peer_);
  }
  ~TlsStream() override { SSL_free(ssl_); }

  SSL* ssl() { return ssl_; }
  Stream& inner() { return *inner_; }

  awaitable<error_code> handshake() {
    while (true) {
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_);
      const int reason = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
      const bool failed = result != 1 && reason != SSL_ERROR_WANT_READ;
      const error_code failure = failed ? takeTlsErrorCode() : error_code();
      const error_code flushed = co_await flush();  // including alerts
      if (failed) co_return failure;
      if (result == 1) co_return flushed;
      if (flushed) co_return flushed;
      if (const error_code error = co_await feed()) co_return error;
    }
  }

  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override {
    if (buffer.size() == 0) co_return IoResult{};
    while (true) {
      ERR_clear_error();
      std::size_t bytes = 0;
      const int result = SSL_read_ex(ssl_, buffer.data(), buffer.size(), &bytes);
      if (result == 1) co_return IoResult{{}, bytes};
      const int reason = SSL_get_error(ssl_, result);
      const bool failed = reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_ZERO_RETURN;
      const error_code failure = failed ? takeTlsErrorCode() : error_code();
      // Key updates and alerts are answered at once, unless a write is in progress: then it sends them as well.
      if (BIO_ctrl_pending(to_peer_) > 0) {
        if (const error_code error = co_await flush()) co_return IoResult{error};
      }
      if (reason == SSL_ERROR_ZERO_RETURN) co_return IoResult{asio::error::eof};
      if (failed) co_return IoResult{failure};
      if (const error_code error = co_await feed()) co_return IoResult{error};
    }
  }

  awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) override {
    IoResult result;
    for (const asio::const_buffer& whole : buffers) {
      asio::const_buffer buffer = whole;
      while (buffer.size() > 0) {
        ERR_clear_error();
        std::size_t bytes = 0;
        if (SSL_write_ex(ssl_, buffer.data(), buffer.size(), &bytes) != 1) {
          result.error = closed_ ? error_code(asio::error::operation_aborted) : error_code(asio::error::broken_pipe);
          co_return result;
        }
        buffer += bytes;
        result.bytes += bytes;
        if (BIO_ctrl_pending(to_peer_) >= kFlushBytes) {
          result.error = co_await flush();
          if (result.error) co_return result;
        }
      }
    }
    result.error = co_await flush();
    co_return result;
  }

  awaitable<error_code> shutdownWrite() override {
    ERR_clear_error();
    SSL_shutdown(ssl_);
    // A peer that reads nothing must not block this call. The deadline that the owner had set is either shorter, or no longer matters,
    // since writing has ended.
    inner_->setDeadline(std::min(deadline_, std::chrono::steady_clock::now() + kShutdownTimeout));
    error_code error = co_await flush();
    if (!error) error = co_await inner_->shutdownWrite();
    inner_->setDeadline(deadline_);
    co_return error;
  }

  void close() override {
    closed_ = true;
    inner_->close();
  }
  void abort() override {
    closed_ = true;
    inner_->abort();
  }
  void setDeadline(SteadyTime time) override {
    deadline_ = time;
    inner_->setDeadline(time);
  }
  void setReadPatience(Patience patience) override { inner_->setReadPatience(patience); }
  void setWritePatience(std::chrono::milliseconds silence) override { inner_->setWritePatience(silence); }
  PeerState peerState() override { return inner_->peerState(); }
  std::uint64_t bytesSent() const override { return inner_->bytesSent(); }
  Executor executor() override { return inner_->executor(); }
  std::string peer() const override { return inner_->peer(); }
  std::string peerAddress() const override { return inner_->peerAddress(); }
  bool isTls() const override { return true; }
  bool isIdle() override { return !closed_ && SSL_pending(ssl_) == 0 && BIO_ctrl_pending(from_peer_) == 0 && inner_->isIdle(); }

 private:
  // Reads the received bytes into OpenSSL's input.
  awaitable<error_code> feed() {
    if (!incoming_) incoming_ = std::make_unique_for_overwrite<char[]>(kRecordBytes);
    const IoResult got = co_await inner_->readSome(asio::buffer(incoming_.get(), kRecordBytes));
    if (!got.error) BIO_write(from_peer_, incoming_.get(), static_cast<int>(got.bytes));
    co_return got.error;
  }

  // Writes OpenSSL's output. The inner stream allows one write at a time: a second caller leaves its bytes to the first.
  awaitable<error_code> flush() {
    if (flushing_) co_return error_code();
    struct Flag {
      bool& value;
      ~Flag() { value = false; }
    } flag{flushing_ = true};
    error_code error;
    while (!error && BIO_ctrl_pending(to_peer_) > 0) {
      outgoing_.resize(BIO_ctrl_pending(to_peer_));
      BIO_read(to_peer_, outgoing_.data(), static_cast<int>(outgoing_.size()));
      const asio::const_buffer buffer = asio::buffer(outgoing_);
      error = (co_await inner_->writeAll(std::span(&buffer, 1))).error;
    }
    co_return error;
  }

  StreamPtr inner_;
  std::shared_ptr<TlsContext> context_;
  SSL* ssl_;
  BIO* from_peer_ = nullptr;  // owned by ssl_
  BIO* to_peer_ = nullptr;
  std::unique_ptr<char[]> incoming_;
  std::vector<char> outgoing_;
  SteadyTime deadline_ = SteadyTime::max();
  bool flushing_ = false;
  bool closed_ = false;
};

bool isIpAddress(const std::string& text) {
  unsigned char binary[16];
  return ::inet_pton(AF_INET, text.c_str(), binary) == 1 || ::inet_pton(AF_INET6, text.c_str(), binary) == 1;
}

void expectServerName(SSL* ssl, const std::string& name) {
  if (name.empty()) return;
  if (isIpAddress(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    SSL_set1_host(ssl, name.c_str());
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  }
}

// Why the handshake failed, as the end of a sentence.
std::string handshakeReason(SSL* ssl, error_code error) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) return std::string("the certificate was rejected: ") + X509_verify_cert_error_string(verified);
  if (error == asio::error::eof || error == asio::error::connection_reset) return "the peer closed the connection";
  return error.message();
}

awaitable<StreamPtr> secure(std::unique_ptr<TlsStream> stream, Deadline deadline) {
  const std::string peer = stream->peer();
  stream->setDeadline(deadline.time());
  const error_code error = co_await stream->handshake();
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error == asio::error::timed_out) throw Error(ErrorCode::DeadlineExceeded, format("Timed out in the TLS handshake with {}.", peer));
  if (error)
    throw Error(ErrorCode::Unavailable, format("The TLS handshake with {} failed: {}.", peer, handshakeReason(stream->ssl(), error)));
  stream->setDeadline(SteadyTime::max());
  co_return stream;
}

}  // namespace

awaitable<StreamPtr> connectTls(HostPort address, std::shared_ptr<TlsContext> context, Deadline deadline) {
  const std::string name = context->serverName().empty() ? address.host : context->serverName();
  StreamPtr plain = co_await connectTcp(std::move(address), deadline);
  auto stream = std::make_unique<TlsStream>(std::move(plain), std::move(context));
  SSL_set_connect_state(stream->ssl());
  expectServerName(stream->ssl(), name);
  co_return co_await secure(std::move(stream), deadline);
}

awaitable<StreamPtr> acceptTls(StreamPtr plain, std::shared_ptr<TlsContext> context, Deadline deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(plain), std::move(context));
  SSL_set_accept_state(stream->ssl());
  co_return co_await secure(std::move(stream), deadline);
}

}  // namespace swarm::net
