// TLS connections of either side, with errors as exceptions.
#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"
#include "base/text/format.h"
#include "net/connect.h"
#include "net/tls/pinned_key.h"
#include "net/tls/rejection.h"
#include "net/tls/tls_stream.h"

namespace swarm::net {
namespace {

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
  if (verified == kOtherKey) return format("{}: its key is not the expected one", kCertificateRejected);
  if (verified != X509_V_OK) return format("{}: {}", kCertificateRejected, X509_verify_cert_error_string(verified));
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
  auto stream = std::make_unique<TlsStream>(std::move(plain), *context, TlsStream::Side::Client);
  expectServerName(stream->ssl(), name);
  co_return co_await secure(std::move(stream), deadline);
}

awaitable<StreamPtr> acceptTls(StreamPtr plain, std::shared_ptr<TlsContext> context, Deadline deadline) {
  co_return co_await secure(std::make_unique<TlsStream>(std::move(plain), *context, TlsStream::Side::Server), deadline);
}

awaitable<StreamPtr> connectPinned(StreamPtr plain, std::string public_key, Deadline deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(plain), pinnedClient(), TlsStream::Side::Client);
  expectKey(stream->ssl(), public_key);
  co_return co_await secure(std::move(stream), deadline);
}

}  // namespace swarm::net
