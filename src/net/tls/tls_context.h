// Internal: what TlsContext holds.
#pragma once

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <memory>
#include <mutex>
#include <string>

namespace swarm::net {

/// Settings of future connections, shared by connections of any loop. A connection keeps those with which it began.
class TlsContext {
 public:
  TlsContext(SSL_CTX* context, std::string server_name) : context_(context), server_name_(std::move(server_name)) {}
  ~TlsContext() { SSL_CTX_free(context_); }
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// Thread-safe. Throws std::bad_alloc.
  SSL* newConnection() const;
  /// From now on, new connections have the settings of `other`. Thread-safe.
  void replaceWith(const TlsContext& other);

  SSL_CTX* get() const { return context_; }  ///< not beside replaceWith()
  const std::string& serverName() const { return server_name_; }

 private:
  mutable std::mutex mutex_;
  SSL_CTX* context_;
  std::string server_name_;
};

/// TLS 1.2 and later, with a certificate that must be valid; still without authorities.
std::shared_ptr<TlsContext> newTlsClient(std::string server_name);
/// TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3; still without a certificate. Sessions are resumed by tickets,
/// whose key lives as long as the context.
std::shared_ptr<TlsContext> newTlsServer();

/// The oldest error of this thread's queue as text; empties the queue.
std::string takeTlsError();
/// The same as an error code whose message() is that text; protocol_error when the queue is empty.
boost::system::error_code takeTlsErrorCode();

}  // namespace swarm::net
