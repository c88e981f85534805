// Ways to open and accept streams: TCP, unix sockets, TLS with or without a client certificate.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "net/stream/stream.h"

namespace swarm::net {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// "host:port", "[::1]:80"; throws Error(InvalidArgument).
HostPort parseHostPort(std::string_view text);
std::string toString(const HostPort& address);

/// All throw Error(Unavailable) with the reason (refused, no such file, permission denied …) or Error(DeadlineExceeded).
awaitable<StreamPtr> connectTcp(HostPort address, Deadline deadline);
awaitable<StreamPtr> connectUnix(std::filesystem::path path, Deadline deadline);

/// Files in PEM. Empty ca: the system's trust store. Empty certificate and key: no client certificate.
struct TlsClientOptions {
  std::filesystem::path ca{};
  std::filesystem::path certificate{};
  std::filesystem::path key{};
  std::string serverName{};  ///< checked against the certificate, and sent as SNI unless it is an IP address
};
class TlsContext;                                                            ///< one per set of options; shared by connections
std::shared_ptr<TlsContext> makeTlsClient(const TlsClientOptions& options);  ///< throws Error(InvalidArgument) that names the bad file
/// The same settings for another server: shares the trust store and reads no file again.
std::shared_ptr<TlsContext> withServerName(const TlsContext& context, std::string server_name);
std::shared_ptr<TlsContext> makeTlsServer(const std::filesystem::path& certificate, const std::filesystem::path& key,
                                          const std::filesystem::path& client_ca = {});
awaitable<StreamPtr> connectTls(HostPort address, std::shared_ptr<TlsContext> context, Deadline deadline);
awaitable<StreamPtr> acceptTls(StreamPtr plain, std::shared_ptr<TlsContext> context, Deadline deadline);

// TLS 1.3 between two programs of ours. The client knows the server's public key (Ed25519, raw bytes); authorities, names and dates do not
// matter, and no session is resumed.
std::shared_ptr<TlsContext> makePinnedServer(const Secret& private_key);
/// Throws Error(Unavailable) also when the peer has another key, or does not speak TLS 1.3: no byte of ours was sent then.
awaitable<StreamPtr> connectPinned(StreamPtr plain, std::string public_key, Deadline deadline);

/// Opens a stream to one fixed endpoint; used by HTTP clients and pools.
using Connector = std::function<awaitable<StreamPtr>(Deadline)>;

/// A listening socket. Call on the owning loop.
class Listener {
 public:
  enum class Sharing { Exclusive, ReusePort };  ///< ReusePort: several loops listen on one address and the kernel distributes connections
  virtual ~Listener() = default;
  /// The next connection; throws boost::system::system_error(operation_aborted) after close(). On EMFILE it waits and retries.
  virtual awaitable<StreamPtr> accept() = 0;
  virtual void close() = 0;
  virtual std::uint16_t port() const = 0;  ///< the actual port when 0 was requested
};
/// Throws Error(Unavailable), naming the address, when it is in use.
std::unique_ptr<Listener> listenTcp(Executor executor, const HostPort& address, Listener::Sharing sharing = Listener::Sharing::Exclusive);

}  // namespace swarm::net
