// ProviderClient: the server's requests to one identity provider, and its keys.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>

#include "async/lock/mutex.h"
#include "async/loop.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "net/connect.h"
#include "oidc/jose/signed_token.h"
#include "oidc/provider/endpoints.h"

namespace swarm::oidc {

using async::awaitable;

/// For one loop. No redirect is followed; documents and waits are limited. Everything throws Error(Unavailable|DeadlineExceeded) when the
/// provider cannot be reached, and Error(UpstreamFailed) for a response that is refused.
class ProviderClient {
 public:
  ProviderClient(ProviderConfig config, const Clock& clock, async::Executor executor);

  const ProviderConfig& config() const { return config_; }
  /// Kept for an hour. A failure is kept, too, for kFailureLife.
  awaitable<Endpoints> endpoints(Deadline deadline);
  struct Code {
    std::string code;
    std::string verifier;
    std::string redirectUri;
  };
  /// The identity token for an authorization code, as text.
  awaitable<Secret> exchange(Code code, Deadline deadline);
  /// The claims of a token, verified with the provider's key that it names. Keys are kept for an hour; for an unknown one they are read
  /// again, at most once in kKeyRefetch.
  awaitable<boost::json::object> verify(UnverifiedToken token, Deadline deadline);

  static constexpr std::chrono::seconds kKeyRefetch{10};
  /// How long a document that could not be read is not requested again.
  static constexpr std::chrono::seconds kFailureLife{5};

 private:
  template <typename T>
  struct Cached {
    std::optional<T> value{};
    SteadyTime fetched{};
    std::optional<Error> failure{};  ///< of the last attempt
    SteadyTime failed{};
  };
  struct Request;
  awaitable<std::string> fetch(net::Url url, Request request, Deadline deadline);
  awaitable<void> fetchEndpoints(Deadline deadline);
  awaitable<void> fetchKeys(Deadline deadline);
  template <typename T>
  bool isFresh(const Cached<T>& cached) const;
  /// The document of `work`, or its failure, which is kept.
  template <typename T>
  awaitable<void> keep(Cached<T>& cached, awaitable<void> work);

  ProviderConfig config_;
  const Clock& clock_;
  std::shared_ptr<net::TlsContext> tls_;
  async::Mutex mutex_;  ///< one request for a document at a time
  Cached<Endpoints> endpoints_;
  Cached<WebKeySet> keys_;
  SteadyTime keys_requested_{};
};

}  // namespace swarm::oidc
