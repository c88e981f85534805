// ServerCertificate: the certificate and key of a listener, in files that another program renews while connections are open.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/files/file_mark.h"
#include "net/connect.h"

namespace swarm::net {

/// On one thread, except context() and expiresAt().
class ServerCertificate {
 public:
  /// PEM; the certificate first, then those that connect it to an authority. Throws Error(InvalidArgument), with the next step, when a file
  /// cannot be read, when others can read the key, when the key belongs to another certificate, and outside of the validity.
  ServerCertificate(std::filesystem::path certificate, std::filesystem::path key, const Clock& clock);
  ServerCertificate(const ServerCertificate&) = delete;
  ServerCertificate& operator=(const ServerCertificate&) = delete;

  /// Of an HTTP/1.1 listener; new connections use the files that were loaded last.
  const std::shared_ptr<TlsContext>& context() const { return context_; }
  SystemTime expiresAt() const { return expires_at_; }
  /// Whether browsers accept the certificate for `host`.
  bool covers(const std::string& host) const;

  /// Loads the files if they have changed, and once a day, because the key of the session tickets is then replaced, too. Files that cannot
  /// be used are reported in the log, and the former ones stay in use; they are tried again after a minute, and then ever more rarely, up
  /// to once an hour: a certificate may become valid, or a lack of descriptors end, without a change of the files.
  void refresh();
  /// Loads them in any case.
  void reload();

 private:
  using Marks = std::array<FileMark, 2>;

  Marks marks() const { return {markOf(certificate_), markOf(key_)}; }
  void load();

  std::filesystem::path certificate_;
  std::filesystem::path key_;
  const Clock& clock_;
  Marks seen_{};
  SteadyTime loaded_{};
  std::chrono::minutes retry_{0};  ///< after the last attempt; zero: it succeeded
  std::shared_ptr<TlsContext> context_;
  std::atomic<SystemTime> expires_at_{};
};

}  // namespace swarm::net
