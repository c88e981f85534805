// TLS settings: TLS 1.2 and later, peers verified, files named in errors.
#include "net/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <boost/system/errc.hpp>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/text/format.h"
#include "net/connect.h"

namespace swarm::net {
namespace {

constexpr const char* kServerCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

[[noreturn]] void badFile(std::string_view what, const std::filesystem::path& path) {
  throw Error(ErrorCode::InvalidArgument, format("Cannot use {} as {}: {}.", path.native(), what, takeTlsError()));
}

std::shared_ptr<TlsContext> newContext(const SSL_METHOD* method, std::string server_name) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) throw Error(ErrorCode::Internal, "TLS is not available.").withCause(takeTlsError());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A missing close_notify is a lost connection, which all message framings here detect.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return std::make_shared<TlsContext>(context, std::move(server_name));
}

void useCertificate(SSL_CTX* context, const std::filesystem::path& certificate, const std::filesystem::path& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) badFile("certificate", certificate);
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) badFile("private key", key);
  if (SSL_CTX_check_private_key(context) != 1) badFile("private key of that certificate", key);
}

}  // namespace

SSL* TlsContext::newConnection() const {
  const std::lock_guard lock(mutex_);
  SSL* connection = SSL_new(context_);
  if (connection == nullptr) throw std::bad_alloc();
  return connection;
}

void TlsContext::replaceWith(const TlsContext& other) {
  SSL_CTX_up_ref(other.context_);
  SSL_CTX* former = other.context_;
  {
    const std::lock_guard lock(mutex_);
    std::swap(former, context_);
  }
  SSL_CTX_free(former);
}

std::string takeTlsError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "TLS error " + std::to_string(code);
}

boost::system::error_code takeTlsErrorCode() {
  class TlsCategory final : public boost::system::error_category {
   public:
    const char* name() const noexcept override { return "tls"; }
    std::string message(int code) const override {
      const char* reason = ERR_reason_error_string(static_cast<unsigned long>(code));
      return std::string("TLS: ") + (reason != nullptr ? reason : "unknown error");
    }
  };
  static const TlsCategory category;
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return boost::system::errc::make_error_code(boost::system::errc::protocol_error);
  return {static_cast<int>(code), category};
}

std::shared_ptr<TlsContext> newTlsClient(std::string server_name) {
  auto context = newContext(TLS_client_method(), std::move(server_name));
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

std::shared_ptr<TlsContext> makeTlsClient(const TlsClientOptions& options) {
  if (options.certificate.empty() != options.key.empty()) {
    throw Error(ErrorCode::InvalidArgument, "A client certificate and its key must be given together.");
  }
  auto context = newTlsClient(options.serverName);
  if (options.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context->get());
  } else if (SSL_CTX_load_verify_locations(context->get(), options.ca.c_str(), nullptr) != 1) {
    badFile("certificate authority", options.ca);
  }
  if (!options.certificate.empty()) useCertificate(context->get(), options.certificate, options.key);
  return context;
}

std::shared_ptr<TlsContext> withServerName(const TlsContext& context, std::string server_name) {
  SSL_CTX_up_ref(context.get());
  return std::make_shared<TlsContext>(context.get(), std::move(server_name));
}

std::shared_ptr<TlsContext> newTlsServer() {
  auto context = newContext(TLS_server_method(), {});
  SSL_CTX_set_cipher_list(context->get(), kServerCiphers);
  SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kSessionContext[] = "swarm";
  SSL_CTX_set_session_id_context(context->get(), kSessionContext, sizeof kSessionContext - 1);
  return context;
}

std::shared_ptr<TlsContext> makeTlsServer(const std::filesystem::path& certificate, const std::filesystem::path& key,
                                          const std::filesystem::path& client_ca) {
  auto context = newTlsServer();
  useCertificate(context->get(), certificate, key);
  if (!client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(context->get(), client_ca.c_str(), nullptr) != 1) badFile("certificate authority", client_ca);
    SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_client_CA_list(context->get(), SSL_load_client_CA_file(client_ca.c_str()));
    // Connections may use different client certificates: no session is resumed.
    SSL_CTX_set_options(context->get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context->get(), 0);
  }
  return context;
}

}  // namespace swarm::net
