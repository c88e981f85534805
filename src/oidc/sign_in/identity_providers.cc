#include "oidc/sign_in/identity_providers.h"

#include <algorithm>

#include "async/attempt.h"
#include "async/deadline.h"
#include "auth/entry.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "net/http/http.h"
#include "net/ip_address.h"

namespace swarm::oidc {
namespace {

constexpr std::chrono::seconds kSignInTimeout{20};
constexpr std::chrono::seconds kSignOutTimeout{3};
constexpr std::size_t kMaxHints = 4096;
constexpr std::size_t kMaxHintBytes = 4096;  // it is sent in a URL
constexpr std::size_t kMaxUnended = 10'000;
constexpr std::size_t kMaxErrorCode = 100;

std::string withQuery(const net::Url& url, const std::vector<std::pair<std::string_view, std::string>>& fields) {
  std::string text = url.origin() + url.target;
  char separator = url.target.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : fields) {
    text += format("{}{}={}", separator, name, net::percentEncode(value));
    separator = '&';
  }
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// Before anything is requested for it.
PendingSignIn requirePending(const std::string& cookie, const IdentityProviders::Response& response, const ProviderConfig& config,
                             const Secret& key, SystemTime now) {
  auto pending = openPending(cookie, key, now);
  if (!pending || pending->provider != config.name || response.state.empty() || !equalConstantTime(pending->state, response.state))
    throw Error(ErrorCode::Unauthenticated, "This sign-in was not begun in this browser, or it has expired. Sign in again.");
  return std::move(*pending);
}

/// What RFC 9207 and RFC 6749 §4.1.2.1 let the provider say beside the code.
void requireCode(const IdentityProviders::Response& response, const ProviderConfig& config, const Endpoints& endpoints) {
  if (!response.issuer.empty() || endpoints.namesIssuer)
    if (response.issuer != config.issuer)
      throw Error(ErrorCode::UpstreamFailed, "The response to the sign-in came from another identity provider.");
  if (!response.error.empty())
    throw Error(ErrorCode::PermissionDenied, format("{} did not sign you in: {}.", config.title, printable(response.error, kMaxErrorCode)));
  if (response.code.empty()) throw Error(ErrorCode::UpstreamFailed, format("{} sent neither a code nor an error.", config.title));
}

}  // namespace

IdentityProviders::IdentityProviders(std::vector<ProviderConfig> providers, Parts parts)
    : providers_(std::move(providers)),
      parts_(std::move(parts)),
      accounts_(parts_.auth, parts_.identities, parts_.audit, parts_.clock),
      throttle_(parts_.clock, "failed sign-ins by identity providers", "Try again later."),
      begun_(parts_.clock, "sign-ins by identity providers", "Try again later."),
      key_(randomBytes(32)),
      states_(parts_.clock, kSignInLife),
      notices_(parts_.clock, kMaxTokenAge + 2 * kClockSkew) {
  for (const ProviderConfig& config : providers_) clients_.push_back(std::make_shared<ProviderClient>(config, parts_.clock, parts_.loop));
}

IdentityProviders::Client IdentityProviders::require(std::string_view provider) const {
  for (const Client& client : clients_)
    if (client->config().name == provider) return client;
  throw notFound("identity provider", std::string(provider));
}

std::string IdentityProviders::redirectUri(const ProviderConfig& config) const {
  return format("{}{}{}/callback", parts_.origin, kProviderPaths, config.name);
}

template <typename T>
awaitable<T> IdentityProviders::onLoop(RequestSlots::Slot slot, awaitable<T> work) {
  const RequestSlots::Slot held = std::move(slot);
  co_return co_await async::runOn(parts_.loop, async::withDeadline(std::move(work), Deadline::after(kSignInTimeout),
                                                                   "The identity provider did not respond in time. Try again."));
}

// --- Sign-in ---

awaitable<IdentityProviders::Begun> IdentityProviders::begin(std::string provider, std::string next, LoginOrigin origin) {
  const Client client = require(provider);
  const std::string address = net::addressGroup(origin.address);
  begun_.count(address);
  co_return co_await onLoop(slots_.take(std::move(provider), address), beginAt(client, std::move(next)));
}

awaitable<IdentityProviders::Begun> IdentityProviders::beginAt(Client client, std::string next) {
  const ProviderConfig& config = client->config();
  const Endpoints there = co_await client->endpoints(Deadline::after(kSignInTimeout));
  const PendingSignIn pending = PendingSignIn::begin(config.name, std::move(next));
  co_return Begun{withQuery(there.authorization, {{"response_type", "code"},
                                                  {"client_id", config.clientId},
                                                  {"redirect_uri", redirectUri(config)},
                                                  {"scope", joined(config.scopes)},
                                                  {"state", pending.state},
                                                  {"nonce", pending.nonce},
                                                  {"code_challenge", pending.challenge()},
                                                  {"code_challenge_method", "S256"}}),
                  sealPending(pending, key_, parts_.clock.now())};
}

awaitable<IdentityProviders::Finished> IdentityProviders::finish(std::string provider, Response response, std::string cookie,
                                                                 LoginOrigin origin) {
  const Client client = require(provider);
  const std::string address = net::addressGroup(origin.address);
  throttle_.require(address);
  auto finished =
      co_await async::attempt(onLoop(slots_.take(provider, address), finishAt(client, std::move(response), std::move(cookie), origin)));
  if (finished) co_return std::move(*finished);
  throttle_.count(address);  // first: it bounds the log, too
  log::warning("sign-in by an identity provider failed",
               {{"provider", provider}, {"address", origin.address}, {"error", finished.error().message()}});
  co_await recordRefusal(client->config(), origin, finished.error());
  throw finished.error();
}

awaitable<IdentityProviders::Finished> IdentityProviders::finishAt(Client client, Response response, std::string cookie,
                                                                   LoginOrigin origin) {
  const ProviderConfig& config = client->config();
  const Deadline deadline = Deadline::after(kSignInTimeout);
  PendingSignIn pending = requirePending(cookie, response, config, key_, parts_.clock.now());
  if (!states_.take(pending.state)) throw Error(ErrorCode::Unauthenticated, "This sign-in was finished before. Sign in again.");
  requireCode(response, config, co_await client->endpoints(deadline));
  Secret text = co_await client->exchange({response.code, pending.verifier, redirectUri(config)}, deadline);
  const UnverifiedToken token = UnverifiedToken::parse(text.reveal());
  boost::json::object claims = co_await client->verify(token, deadline);
  requireIdToken(token, claims, config, pending.nonce, parts_.clock.now());
  MappedClaims mapped = mapClaims(claims, config);
  if (mapped.refusal) throw Error(ErrorCode::PermissionDenied, *mapped.refusal);
  ProviderSession follows{.provider = config.name, .subject = mapped.subject, .id = printable(stringIn(claims, "sid"), 255)};
  const Identity identity = co_await accounts_.settle({config, std::move(mapped), std::move(claims)}, origin, providers_);
  LoginResult login = co_await parts_.auth.beginFollowing(identity.user, std::move(follows), std::move(origin));
  keepHint(login.principal.sessionId, std::move(text));
  co_return Finished{std::move(login), std::move(pending.next)};
}

awaitable<void> IdentityProviders::recordRefusal(const ProviderConfig& config, LoginOrigin origin, Error error) {
  if (parts_.audit == nullptr) co_return;
  AuditRecord record = recordBy({}, origin);
  record.action = "signIn";
  record.kind = "provider";
  record.object = config.name;
  record.status = httpStatus(error.code());
  record.detail = error.message();
  co_await parts_.audit->refuse(std::move(record));
}

// --- Sign-out ---

void IdentityProviders::keepHint(const std::string& session, Secret id_token) {
  if (id_token.reveal().size() > kMaxHintBytes) return;
  const std::lock_guard lock(mutex_);
  if (hints_.size() >= kMaxHints) hints_.erase(hints_.begin());
  hints_[session] = std::move(id_token);
}

awaitable<std::string> IdentityProviders::signOutUrl(Principal principal) {
  const auto sessions = parts_.auth.listSessions(principal.user);
  const auto session = std::ranges::find(sessions, principal.sessionId, &SessionRecord::id);
  if (session == sessions.end()) co_return "";
  const auto client = std::ranges::find_if(clients_, [&](const Client& one) { return one->config().name == session->follows.provider; });
  if (client == clients_.end() || !(*client)->config().signOutAtProvider) co_return "";
  const ProviderConfig& config = (*client)->config();
  Secret hint;
  {
    const std::lock_guard lock(mutex_);
    if (const auto kept = hints_.find(session->id); kept != hints_.end()) {
      hint = std::move(kept->second);
      hints_.erase(kept);
    }
  }
  const Deadline deadline = Deadline::after(kSignOutTimeout);
  const auto there = co_await async::attempt(async::runOn(
      parts_.loop, async::withDeadline((*client)->endpoints(deadline), deadline, "The identity provider did not respond in time.")));
  if (!there || !there->endSession) co_return "";
  std::vector<std::pair<std::string_view, std::string>> fields{{"client_id", config.clientId},
                                                               {"post_logout_redirect_uri", parts_.origin + std::string(kSignedOutPath)}};
  // Without it, which a restart of the server forgets, the provider requires a confirmation.
  if (!hint.empty()) fields.emplace_back("id_token_hint", hint.reveal());
  co_return withQuery(*there->endSession, fields);
}

awaitable<LogoutNotice> IdentityProviders::readNotice(Client client, std::string logout_token) {
  const UnverifiedToken token = UnverifiedToken::parse(logout_token);
  const auto claims = co_await client->verify(token, Deadline::after(kSignInTimeout));
  co_return requireLogoutToken(token, claims, client->config(), parts_.clock.now());
}

awaitable<void> IdentityProviders::endSessions(std::string provider, std::string logout_token, LoginOrigin origin) {
  const Client client = require(provider);
  const std::string address = net::addressGroup(origin.address);
  throttle_.require(address);
  // Slots of their own: a flood of sign-ins does not keep sessions alive.
  const auto notice =
      co_await async::attempt(onLoop(slots_.take(provider + "\nsign-out", address), readNotice(client, std::move(logout_token))));
  if (!notice) {
    throttle_.count(address);
    log::warning("a logout token was refused", {{"provider", provider}, {"address", origin.address}, {"error", notice.error().message()}});
    throw notice.error();
  }
  const std::string used = format("{}\n{}", provider, notice->id);
  if (notices_.isUsed(used)) co_return;  // repeated
  std::optional<Error> failure;
  for (SessionRecord& session : endable(provider, *notice)) {
    AuditRecord record = recordBy({}, origin);
    record.action = "signOut";
    record.kind = "session";
    record.objectId = session.id;
    record.owner = session.user;
    record.after = {{"provider", provider}};
    const auto ended =
        co_await async::attempt(recordChange(parts_.audit, std::move(record), parts_.auth.endSession(session), Audit::Unrecorded::Allow));
    if (!ended) failure = ended.error();
    const std::lock_guard lock(mutex_);
    if (ended)
      unended_.erase(session.id);
    else if (unended_.size() < kMaxUnended)
      unended_.insert_or_assign(session.id, std::move(session));
  }
  // The provider repeats a request that failed.
  if (failure) throw *failure;
  notices_.take(used);
}

std::vector<SessionRecord> IdentityProviders::endable(const std::string& provider, const LogoutNotice& notice) {
  std::vector<SessionRecord> sessions = parts_.auth.listSessions("");
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, session] : unended_) sessions.push_back(session);
  }
  std::erase_if(sessions, [&](const SessionRecord& session) {
    const ProviderSession& follows = session.follows;
    // A repeated notice ends no session that began after it was written.
    return follows.provider != provider || (!notice.subject.empty() && follows.subject != notice.subject) ||
           (!notice.session.empty() && follows.id != notice.session) || session.signedInAt > notice.issuedAt + kClockSkew;
  });
  return sessions;
}

}  // namespace swarm::oidc
