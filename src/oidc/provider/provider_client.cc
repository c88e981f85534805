#include "oidc/provider/provider_client.h"

#include "async/attempt.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "net/http/http_client.h"
#include "net/url_connector.h"
#include "oidc/jose/strict_json.h"

namespace swarm::oidc {
namespace {

constexpr std::size_t kMaxDocument = 256 * 1024;
constexpr std::chrono::hours kDocumentLife{1};
/// Less than a request's limit: the failure of a provider that does not respond is kept.
constexpr std::chrono::seconds kDocumentTimeout{8};
constexpr std::size_t kMaxShownError = 200;

class Locked {
 public:
  explicit Locked(async::Mutex& mutex) : mutex_(mutex) {}
  ~Locked() { mutex_.unlock(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  async::Mutex& mutex_;
};

std::string formOf(const std::vector<std::pair<std::string_view, std::string>>& fields) {
  std::string form;
  for (const auto& [name, value] : fields) form += format("{}{}={}", form.empty() ? "" : "&", name, net::percentEncode(value));
  return form;
}

/// RFC 6749 §5.2, for the log.
std::string errorOf(const std::string& body) {
  const auto document = parseStrictObject(body);
  if (!document) return {};
  const std::string code = stringIn(*document, "error"), text = stringIn(*document, "error_description");
  return printable(text.empty() ? code : code + ": " + text, kMaxShownError);
}

}  // namespace

struct ProviderClient::Request {
  std::string_view what;   ///< for messages
  std::string form{};      ///< empty: GET
  Secret authorization{};  ///< value of the header; empty: none
};

ProviderClient::ProviderClient(ProviderConfig config, const Clock& clock, async::Executor executor)
    : config_(std::move(config)), clock_(clock), mutex_(executor) {
  if (!config_.caFile.empty()) tls_ = net::makeTlsClient({.ca = config_.caFile});
}

template <typename T>
bool ProviderClient::isFresh(const Cached<T>& cached) const {
  return cached.value && clock_.steadyNow() - cached.fetched < kDocumentLife;
}

template <typename T>
awaitable<void> ProviderClient::keep(Cached<T>& cached, awaitable<void> work) {
  if (cached.failure && clock_.steadyNow() - cached.failed < kFailureLife) throw *cached.failure;
  const auto done = co_await async::attempt(std::move(work));
  cached.failure = done ? std::nullopt : std::optional(done.error());
  if (done) co_return;
  cached.failed = clock_.steadyNow();
  throw done.error();
}

awaitable<std::string> ProviderClient::fetch(net::Url url, Request request, Deadline deadline) {
  net::HttpClientOptions options{
      .host = url.authority(), .name = format("the identity provider {}", config_.title), .maxBody = kMaxDocument};
  options.headers = {{"Accept", "application/json"}, {"User-Agent", "vscode-remote-swarm"}};
  net::HttpClient client(net::connectorTo(url, tls_), std::move(options));
  net::HttpRequest http{.method = request.form.empty() ? "GET" : "POST", .target = url.target.empty() ? "/" : url.target};
  if (!request.authorization.empty()) http.headers.push_back({"Authorization", request.authorization.reveal()});
  if (!request.form.empty()) {
    http.body = request.form;
    http.contentType = "application/x-www-form-urlencoded";
  }
  net::HttpResponse response = co_await client.send(std::move(http), deadline);
  if (response.status == 200) co_return std::move(response.body);
  log::warning("an identity provider refused a request",
               {{"provider", config_.name}, {"request", request.what}, {"status", response.status}, {"error", errorOf(response.body)}});
  const std::string_view how = response.status >= 300 && response.status < 400 ? "with a redirect, which is not followed" : "with an error";
  throw Error(ErrorCode::UpstreamFailed, format("The identity provider {} responded to the request for {} {} (status {}).", config_.title,
                                                request.what, how, response.status));
}

awaitable<Endpoints> ProviderClient::endpoints(Deadline deadline) {
  if (isFresh(endpoints_)) co_return *endpoints_.value;
  co_await mutex_.lock();
  const Locked locked(mutex_);
  if (!isFresh(endpoints_)) co_await keep(endpoints_, fetchEndpoints(deadline));
  co_return *endpoints_.value;
}

awaitable<void> ProviderClient::fetchEndpoints(Deadline deadline) {
  const std::string document = co_await fetch(discoveryUrl(config_), {.what = "its description"}, deadline.orAfter(kDocumentTimeout));
  endpoints_.value = readEndpoints(document, config_);
  endpoints_.fetched = clock_.steadyNow();
}

awaitable<Secret> ProviderClient::exchange(Code code, Deadline deadline) {
  const Endpoints there = co_await endpoints(deadline);
  std::vector<std::pair<std::string_view, std::string>> fields{
      {"grant_type", "authorization_code"}, {"code", code.code}, {"redirect_uri", code.redirectUri}, {"code_verifier", code.verifier}};
  Request request{.what = "a token"};
  const std::string& secret = config_.clientSecret.reveal();
  if (secret.empty() || there.proof == ClientProof::Post)
    fields.emplace_back("client_id", config_.clientId);
  else  // RFC 6749 §2.3.1: both parts are encoded as in a form
    request.authorization = Secret("Basic " + toBase64(net::percentEncode(config_.clientId) + ":" + net::percentEncode(secret)));
  if (!secret.empty() && there.proof == ClientProof::Post) fields.emplace_back("client_secret", secret);
  request.form = formOf(fields);
  const std::string body = co_await fetch(there.token, std::move(request), deadline);
  const auto document = parseStrictObject(body);
  Secret token(document ? stringIn(*document, "id_token") : std::string());
  if (token.empty()) throw Error(ErrorCode::UpstreamFailed, format("The identity provider {} sent no identity token.", config_.title));
  co_return token;
}

awaitable<void> ProviderClient::fetchKeys(Deadline deadline) {
  keys_requested_ = clock_.steadyNow();  // also of a failed attempt: an attacker must not cause many
  const std::string document = co_await fetch(endpoints_.value->keys, {.what = "its keys"}, deadline.orAfter(kDocumentTimeout));
  auto keys = WebKeySet::parse(document);
  if (!keys) throw Error(ErrorCode::UpstreamFailed, format("The keys of the identity provider {} are not a key set.", config_.title));
  keys_.value = std::move(*keys);
  keys_.fetched = keys_requested_;
}

awaitable<boost::json::object> ProviderClient::verify(UnverifiedToken token, Deadline deadline) {
  const auto find = [&] { return isFresh(keys_) ? keys_.value->find(token.algorithm(), token.keyId()) : nullptr; };
  const WebKey* key = find();
  if (key == nullptr) {
    co_await endpoints(deadline);
    co_await mutex_.lock();
    const Locked locked(mutex_);
    key = find();
    const bool may_have_new = clock_.steadyNow() - keys_requested_ >= kKeyRefetch;
    if (!isFresh(keys_) || (key == nullptr && may_have_new)) co_await keep(keys_, fetchKeys(deadline));
    key = find();
  }
  if (key == nullptr)
    throw Error(ErrorCode::UpstreamFailed, format("The token of the identity provider {} was signed with an unknown key.", config_.title));
  auto claims = token.claimsSignedBy(*key);
  if (!claims)
    throw Error(ErrorCode::UpstreamFailed, format("The signature of the token of the identity provider {} is wrong.", config_.title));
  co_return std::move(*claims);
}

}  // namespace swarm::oidc
