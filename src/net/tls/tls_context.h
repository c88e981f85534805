// Internal: what TlsContext holds.
#pragma once

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <string>

namespace swarm::net {

/// Immutable after construction; shared by connections of any loop.
class TlsContext {
 public:
  TlsContext(SSL_CTX* context, std::string server_name) : context_(context), server_name_(std::move(server_name)) {}
  ~TlsContext() { SSL_CTX_free(context_); }
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL_CTX* get() const { return context_; }
  const std::string& serverName() const { return server_name_; }

 private:
  SSL_CTX* context_;
  std::string server_name_;
};

/// The oldest error of this thread's queue as text; empties the queue.
std::string takeTlsError();
/// The same as an error code whose message() is that text; protocol_error when the queue is empty.
boost::system::error_code takeTlsErrorCode();

}  // namespace swarm::net
