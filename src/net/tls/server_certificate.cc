// Reads, checks and replaces the pair of files.
#include "net/tls/server_certificate.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "net/tls/owned.h"
#include "net/tls/tls_context.h"

namespace swarm::net {
namespace {

using std::filesystem::path;

constexpr std::chrono::hours kTicketKeyLife{24};
constexpr std::chrono::minutes kFirstRetry{1};
constexpr std::chrono::minutes kLastRetry{60};
constexpr std::chrono::days kWarnBeforeExpiry{14};
constexpr std::size_t kMaxChain = 16;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void rejectPair(std::string message) { throw Error(ErrorCode::InvalidArgument, std::move(message)); }

enum class Readers { Any, OwnerAndGroup };

OpenFile openPem(const path& file, std::string_view what, Readers readers) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const int reason = errno;
  if (fd < 0) {
    rejectPair(format("Cannot read the {} {}: {}. {}", what, file.native(), std::strerror(reason),
                      reason == EACCES ? "Let the user that runs the server read it." : "Check certificateFile and keyFile of [tls]."));
  }
  OpenFile opened(::fdopen(fd, "r"));
  struct stat facts{};
  if (!opened || ::fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) rejectPair(format("The {} {} is not a file.", what, file.native()));
  if (readers == Readers::OwnerAndGroup && (facts.st_mode & S_IRWXO) != 0) {
    rejectPair(format("Every user of this machine may access the {} {} (mode {:04o}). Run `chmod o= {}`.", what, file.native(),
                      facts.st_mode & 07777, file.native()));
  }
  return opened;
}

/// OpenSSL would otherwise prompt on the terminal. `prompted`: bool.
int havePassword(char*, int, int, void* prompted) {
  *static_cast<bool*>(prompted) = true;
  return -1;
}

std::vector<Certificate> readChain(const path& file) {
  const OpenFile opened = openPem(file, "certificate", Readers::Any);
  std::vector<Certificate> chain;
  bool encrypted = false;
  ERR_clear_error();
  while (X509* one = PEM_read_X509(opened.get(), nullptr, havePassword, &encrypted)) {
    chain.emplace_back(one);
    if (chain.size() > kMaxChain) rejectPair(format("{} contains more than {} certificates.", file.native(), kMaxChain));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = takeTlsError();
  if (!at_end) rejectPair(format("The certificate {} is damaged: {}.", file.native(), reason));
  if (chain.empty()) rejectPair(format("{} contains no certificate in PEM format (\"-----BEGIN CERTIFICATE-----\").", file.native()));
  return chain;
}

Key readKey(const path& file) {
  const OpenFile opened = openPem(file, "private key", Readers::OwnerAndGroup);
  bool encrypted = false;
  ERR_clear_error();
  Key key(PEM_read_PrivateKey(opened.get(), nullptr, havePassword, &encrypted));
  const std::string reason = takeTlsError();
  if (key) return key;
  if (encrypted) rejectPair(format("The private key {0} has a password. Remove it: `openssl pkey -in {0} -out NEW_FILE`.", file.native()));
  rejectPair(format("{} contains no private key in PEM format (\"-----BEGIN PRIVATE KEY-----\"): {}.", file.native(), reason));
}

SystemTime timeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return SystemTime(std::chrono::seconds(::timegm(&parts)));
}

void requireValidity(X509* certificate, const path& file, SystemTime now) {
  const SystemTime begin = timeOf(X509_get0_notBefore(certificate)), end = timeOf(X509_get0_notAfter(certificate));
  if (end <= now) rejectPair(format("The certificate {} expired at {}. Renew it.", file.native(), formatTime(end)));
  if (begin > now)
    rejectPair(format("The certificate {} is not valid before {}, and it is now {}. Check the clock of this machine.", file.native(),
                      formatTime(begin), formatTime(now)));
}

int chooseHttp11(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* common = nullptr;
  if (SSL_select_next_proto(&common, size, kOurs, sizeof kOurs - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = common;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<TlsContext> contextOf(const std::vector<Certificate>& chain, EVP_PKEY* key, const path& file) {
  auto context = newTlsServer();
  SSL_CTX* const settings = context->get();
  bool usable = SSL_CTX_use_certificate(settings, chain.front().get()) == 1 && SSL_CTX_use_PrivateKey(settings, key) == 1;
  for (std::size_t i = 1; i < chain.size(); ++i) usable = usable && SSL_CTX_add1_chain_cert(settings, chain[i].get()) == 1;
  if (!usable) rejectPair(format("The certificate {} cannot be used: {}.", file.native(), takeTlsError()));
  SSL_CTX_set_alpn_select_cb(settings, chooseHttp11, nullptr);
  return context;
}

}  // namespace

ServerCertificate::ServerCertificate(path certificate, path key, const Clock& clock)
    : certificate_(std::move(certificate)), key_(std::move(key)), clock_(clock) {
  load();
}

bool ServerCertificate::covers(const std::string& host) const {
  return X509_check_host(SSL_CTX_get0_certificate(context_->get()), host.data(), host.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                         nullptr) == 1;
}

void ServerCertificate::refresh() {
  const std::chrono::minutes life = retry_.count() > 0 ? retry_ : std::chrono::minutes(kTicketKeyLife);
  if (marks() != seen_ || clock_.steadyNow() - loaded_ >= life) reload();
}

void ServerCertificate::reload() {
  try {
    load();
    retry_ = {};
    log::info("loaded the certificate again", {{"file", certificate_.native()}, {"expiresAt", formatTime(expiresAt())}});
  } catch (const Error& error) {
    retry_ = std::clamp(2 * retry_, kFirstRetry, kLastRetry);
    log::error("kept the former certificate: the new one cannot be used",
               {{"reason", error.message()}, {"retryInMinutes", std::to_string(retry_.count())}});
  }
}

void ServerCertificate::load() {
  seen_ = marks();  // before the files are read: a later change is seen by the next refresh()
  loaded_ = clock_.steadyNow();
  const std::vector<Certificate> chain = readChain(certificate_);
  const Key key = readKey(key_);
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    rejectPair(
        format("The private key {} does not belong to the first certificate in {}. Name the key with which it was requested, and put the "
               "server's own certificate first.",
               key_.native(), certificate_.native()));
  }
  const SystemTime now = clock_.now();
  requireValidity(chain.front().get(), certificate_, now);
  const auto fresh = contextOf(chain, key.get(), certificate_);
  if (context_)
    context_->replaceWith(*fresh);
  else
    context_ = fresh;
  expires_at_ = timeOf(X509_get0_notAfter(chain.front().get()));
  if (expiresAt() - now < kWarnBeforeExpiry)
    log::warning("the certificate expires soon", {{"file", certificate_.native()}, {"expiresAt", formatTime(expiresAt())}});
}

}  // namespace swarm::net
