// Auth on the store: durable facts are in the store, the facts that each request needs are also in memory.
#include "auth/auth.h"

#include <charconv>

#include "async/attempt.h"
#include "auth/accounts/names.h"
#include "auth/accounts/sign_in_records.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/accounts/store_accounts.h"
#include "auth/limits/device.h"
#include "auth/limits/throttle.h"
#include "auth/passwords.h"
#include "auth/programs/program_sign_ins.h"
#include "auth/second_factor/store_second_factors.h"
#include "auth/session/access_tokens.h"
#include "auth/session/jwt.h"
#include "auth/session/sessions.h"
#include "auth/session/token_keys.h"
#include "auth/sharing/groups.h"
#include "auth/sharing/sharing.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "model/codec/codec.h"
#include "net/ip_address.h"

namespace swarm {
namespace {

namespace json = boost::json;

constexpr std::string_view kKeySecret = "auth.key";
constexpr std::string_view kApiAudience = "swarm-api";
constexpr std::string_view kBrowserAudience = "swarm-browser";
constexpr std::string_view kLoginPurpose = "login";
constexpr std::chrono::seconds kCodeLife{60};
constexpr std::chrono::seconds kClockLeeway{60};  // the system's clock may have been set back since a token was issued

std::int64_t secondsOf(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

std::string codePurpose(std::string_view instance_id, std::string_view binding) { return format("{}\n{}", instance_id, binding); }

constexpr std::string_view kInstanceAudience = "swarm-instance:";
std::string instanceAudience(std::string_view instance_id) { return std::string(kInstanceAudience) + std::string(instance_id); }

/// A session's id begins with its user's generation: sessions of an older generation are void, also after a restart.
std::int64_t generationOf(std::string_view session_id) {
  std::int64_t generation = 0;
  std::from_chars(session_id.data(), session_id.data() + session_id.size(), generation);
  return generation;
}

class StoreAuth final : public Auth {
 public:
  StoreAuth(Store& store, const Clock& clock, AuthOptions options)
      : store_(store),
        clock_(clock),
        sign_ins_(options.audit, store),
        issuer_(std::move(options.issuer)),
        throttle_(clock),
        grants_(clock),
        sharing_({.store = store, .clock = clock, .grants = grants_, .noteRevocation = [this] { noteRevocation(); }}),
        groups_({.store = store, .clock = clock, .grants = grants_, .sharing = sharing_}),
        sessions_(clock, options.access, grants_),
        keys_(store, sessions_, clock, options.tokenKeyLife),
        access_tokens_({.store = store,
                        .clock = clock,
                        .users = sessions_,
                        .noteRevocation = [this] { noteRevocation(); },
                        .maxLife = options.maxAccessTokenLife}),
        ssh_keys_(
            {.store = store, .clock = clock, .users = sessions_, .signIns = sign_ins_, .noteRevocation = [this] { noteRevocation(); }}),
        codes_(clock, kCodeLife),
        links_(clock, kLoginLinkLife),
        programs_(clock),
        passwords_(options.passwordCost),
        accounts_({.store = store,
                   .clock = clock,
                   .sessions = sessions_,
                   .passwords = passwords_,
                   .throttle = throttle_,
                   .audit = options.audit,
                   .noteRevocation = [this] { noteRevocation(); },
                   .forgetCredentials =
                       [this](const std::string& user) {
                         access_tokens_.forgetOf(user);
                         ssh_keys_.forgetOf(user);
                       },
                   .check = [this](std::string user, Secret password, LoginOrigin origin) { return check(user, password, origin); },
                   .goOn =
                       [this](UserRecord user, std::string kind, LoginOrigin origin, OfferEnrolment offer) {
                         return second_factors_.afterPassword(std::move(user), std::move(kind), std::move(origin), offer);
                       }}),
        second_factors_(
            {.store = store,
             .clock = clock,
             .issuer = format("Swarm {}", issuer_),
             .policy = options.access.requireSecondFactor,
             .check = [this](std::string user, Secret password, LoginOrigin origin) { return check(user, password, origin); },
             .requireSignIn = [this](std::string user, Secret password,
                                     LoginOrigin origin) { return requireSignIn(std::move(user), std::move(password), std::move(origin)); },
             .attempt = [this](const std::string& user, const LoginOrigin& origin,
                               bool is_recovery) { Attempt(*this, user, origin, !is_recovery).begin(); },
             .succeeded = [this](const std::string& user, const LoginOrigin& origin,
                                 bool is_recovery) { Attempt(*this, user, origin, !is_recovery).succeeded(); },
             .refuse = [this](std::string user, LoginOrigin origin,
                              Error error) { return sign_ins_.refuse(std::move(user), std::move(origin), std::move(error)); },
             .begin = [this](UserRecord user, std::string kind,
                             LoginOrigin origin) { return begin(std::move(user), kSessionLife, std::move(kind), std::move(origin)); },
             .endSessions = [this](std::string user) { return accounts_.endSessions(std::move(user)); }}) {}

  awaitable<std::optional<Secret>> initialise() override {
    co_await loadCookieKey();
    auto users = co_await store_.listUsers();
    accounts_.load(users);
    co_await store_.pruneSessions(clock_.now());
    for (const SessionRecord& session : co_await store_.loadSessions()) {
      if (!session.revoked) sessions_.add(session, generationOf(session.id));
    }
    co_await keys_.load();
    co_await sharing_.load();
    co_await access_tokens_.load();
    co_await ssh_keys_.load();
    if (!users.empty()) co_return std::nullopt;
    Secret password = makePassword();
    co_await putUser("admin", password, Role::admin);
    co_return password;
  }

  awaitable<LoginResult> login(std::string user, Secret password, LoginOrigin origin, std::string code) override {
    const UserRecord record = co_await requireSignIn(user, std::move(password), origin);
    if (!record.secondFactor && second_factors_.isRequired(record))
      throw Error(ErrorCode::PermissionDenied,
                  "This server requires a second factor, and the account has none. Sign in with a browser, which sets it up.");
    if (!record.secondFactor) co_return co_await begin(record, kSessionLife, "password", std::move(origin));
    if (code.empty())
      throw Error(ErrorCode::Unauthenticated, "The account has a second factor: the code of its app, or a recovery code, is missing.")
          .withField("/code", "is required");
    const SignInStep step = co_await second_factors_.afterPassword(record, "password", origin, OfferEnrolment::No);
    co_return co_await second_factors_.signIn(std::get<CodeRequired>(step).ticket, std::move(code), std::move(origin));
  }

  awaitable<LoginResult> beginFollowing(std::string user, ProviderSession session, LoginOrigin origin) override {
    auto record = co_await store_.getUser(user);
    if (!record || record->disabled || record->kind == UserKind::service)
      throw Error(ErrorCode::PermissionDenied, format("The account {} cannot sign in. Ask an administrator.", user));
    co_return co_await begin(std::move(*record), kSessionLife, "oidc", std::move(origin), {}, std::move(session));
  }

  awaitable<LoginResult> issue(std::string user, std::chrono::seconds ttl) override { return issueAs(std::move(user), ttl, "machine", {}); }

  awaitable<std::optional<LoginResult>> refresh(Principal principal) override {
    const auto session = sessions_.record(principal.sessionId);
    if (!session) co_return std::nullopt;
    const SystemTime later =
        std::chrono::floor<std::chrono::seconds>(std::min(clock_.now() + kSessionLife, session->signedInAt + kMaxSessionLife));
    if (later > session->expiresAt) {
      co_await store_.extendSession(session->id, later);
      sessions_.extend(session->id, later);
    }
    // The session may have ended in the meantime.
    const auto current = sessions_.find(session->id, session->user);
    if (!current) co_return std::nullopt;
    co_return LoginResult{tokenOf(*current), *current};
  }

  std::vector<SessionRecord> listSessions(std::string_view user) const override { return sessions_.list(user); }

  awaitable<void> endSession(SessionRecord session) override {
    // In memory first: when the disk is full, the session still ends, until the next start of the server.
    sessions_.remove(session.id);
    noteRevocation();
    session.revoked = true;
    std::string user = session.user;
    co_await store_.putSession(std::move(session));
    log::info("signed out", {{"user", user}});
  }

  awaitable<void> logout(Principal principal) override {
    return endSession({.id = principal.sessionId, .user = principal.user, .expiresAt = principal.expiresAt, .revoked = true});
  }

  std::optional<Principal> verifyApiToken(std::string_view token) const override {
    if (isAccessTokenSecret(token)) return access_tokens_.verify(token);
    const auto verified = keys_.verify(token);
    if (!verified) return verifyFormerToken(token);
    const ApiTokenClaims& claims = verified->claims;
    const std::int64_t now = secondsOf(clock_.now());
    if (claims.issuer != issuer_ || claims.audience != kApiAudience) return std::nullopt;
    if (now + kClockLeeway.count() < claims.validFrom || now >= claims.expiresAt) return std::nullopt;
    if (!isOfBefore(verified->signedUntil, claims.issuedAt, claims.session)) return std::nullopt;
    return sessions_.find(claims.session, claims.user);
  }

  std::optional<Principal> stillSignedIn(const Principal& principal) const override {
    return principal.token ? access_tokens_.find(principal) : sessions_.find(principal.sessionId, principal.user);
  }

  std::string issueSessionCookie(const Principal& principal) override { return sign(principal, cookieKey_, kBrowserAudience); }

  std::optional<Principal> verifySessionCookie(std::string_view value) const override {
    return verify(value, cookieKey_, kBrowserAudience);
  }

  std::string issueDevice(const Principal& principal, std::string_view present) override {
    Device device = readDevice(cookieKey_, present, principal.user);
    if (device.id.empty()) device.id = toBase64Url(randomBytes(12));
    const auto session = sessions_.record(principal.sessionId);
    if (session && session->kind.ends_with(kWithCode)) device.hasSecondFactor = true;
    return signDevice(cookieKey_, principal.user, device);
  }

  std::string markOf(std::string_view audience) const override {
    return toBase64Url(hmacSha256(cookieKey_.reveal(), format("mark of {}", audience)).substr(0, 16));
  }

  std::string issueInstanceCookie(const Principal& principal, std::string_view instance_id) override {
    return sign(principal, cookieKey_, instanceAudience(instance_id));
  }

  std::optional<Principal> verifyInstanceCookie(std::string_view value, std::string_view instance_id) const override {
    return verify(value, cookieKey_, [&](std::string_view audience) { return audience == instanceAudience(instance_id); });
  }

  std::optional<Principal> verifyAnyInstanceCookie(std::string_view value) const override {
    return verify(value, cookieKey_, [](std::string_view audience) { return audience.starts_with(kInstanceAudience); });
  }

  std::string issueCode(const Principal& principal, std::string_view instance_id, std::string_view binding) override {
    return codes_.issue(principal, codePurpose(instance_id, binding));
  }

  std::optional<Principal> takeCode(std::string_view code, std::string_view instance_id, std::string_view binding) override {
    auto principal = codes_.take(code, codePurpose(instance_id, binding));
    // A code ends with the session that issued it.
    return principal ? stillSignedIn(*principal) : std::nullopt;
  }

  std::string issueLoginLink(const Principal& principal) override { return links_.issue(principal, std::string(kLoginPurpose)); }

  std::optional<std::string> userOfLoginLink(std::string_view code) override {
    auto principal = links_.find(code);
    if (!principal || !stillSignedIn(*principal)) return std::nullopt;
    return principal->user;
  }

  awaitable<std::optional<LoginResult>> takeLoginLink(std::string code, LoginOrigin origin) override {
    auto principal = links_.take(code, kLoginPurpose);
    auto login = principal ? co_await beginAfter(std::move(*principal), "link", origin) : std::nullopt;
    if (!login)
      co_await sign_ins_.refuse({}, std::move(origin), Error(ErrorCode::PermissionDenied, "The sign-in link was not valid any more."));
    co_return login;
  }

  ProgramSignIns& programs() override { return programs_; }

  awaitable<std::optional<LoginResult>> beginForProgram(Principal by, LoginOrigin origin) override {
    return beginAfter(std::move(by), "program", std::move(origin));
  }

  Accounts& accounts() override { return accounts_; }
  SecondFactors& secondFactors() override { return second_factors_; }

  awaitable<void> putUser(std::string name, Secret password, Role role) override {
    requireAccountName("user", name);
    if (!password.empty()) requirePassword(password);
    UserRecord user{name, "", std::string(nameOf(role)), clock_.now(), 1};
    if (!password.empty()) user.passwordHash = co_await passwords_.hash(password);
    auto old = co_await store_.getUser(name);
    if (old) {
      user.createdAt = old->createdAt;
      user.tokenGeneration = old->tokenGeneration + 1;
      user.disabled = old->disabled;
    }
    co_await store_.putUser(user);
    sessions_.setUser(user);
    noteRevocation();
  }

  Sharing& sharing() override { return sharing_; }
  Groups& groups() override { return groups_; }

  std::vector<TokenKeyInfo> tokenKeys() const override { return keys_.list(); }
  awaitable<TokenKeyInfo> rotateTokenKey() override { return keys_.rotate(); }
  awaitable<void> renewTokenKey() override { return keys_.renew(); }
  AccessTokens& accessTokens() override { return access_tokens_; }
  SshKeys& sshKeys() override { return ssh_keys_; }

 private:
  /// Of a sign-in, for the throttle.
  class Attempt {
   public:
    Attempt(StoreAuth& auth, std::string_view user, const LoginOrigin& origin, bool is_code)
        : throttle_(auth.throttle_), address_(net::addressGroup(origin.address)) {
      const Device device = readDevice(auth.cookieKey_, origin.device, user);
      if (!is_code || device.hasSecondFactor) device_ = device.id;
      attempt_ = {.name = user, .address = address_, .device = device_, .isCode = is_code};
    }
    void begin() { throttle_.attempt(attempt_); }
    void succeeded() { throttle_.succeeded(attempt_); }
    void withdraw() { throttle_.withdraw(attempt_); }

   private:
    LoginThrottle& throttle_;
    const std::string address_;
    std::string device_;
    LoginAttempt attempt_;
  };

  /// check(), or Error(Unauthenticated), which is recorded.
  awaitable<UserRecord> requireSignIn(std::string user, Secret password, LoginOrigin origin) {
    const auto checked = co_await async::attempt(check(user, std::move(password), origin));
    std::optional<Error> refusal;
    if (!checked)
      refusal = checked.error();
    else if (!*checked)
      refusal.emplace(ErrorCode::Unauthenticated, "The name or the password is wrong.");
    if (!refusal) co_return **checked;
    co_await sign_ins_.refuse(std::move(user), std::move(origin), *refusal);
    throw *refusal;
  }

  awaitable<void> loadCookieKey() {
    auto text = co_await store_.getSecret(std::string(kKeySecret));
    if (!text) {
      text = Secret(toHex(randomBytes(32)));
      co_await store_.putSecret(std::string(kKeySecret), *text);
    }
    // One secret, one derived key per use: a cookie can never pass as a token.
    std::string key = fromHex(text->reveal()).value_or("");
    if (key.size() < 32) throw Error(ErrorCode::Unprocessable, "The signing key in the store is damaged.");
    formerApiKey_ = Secret(hmacSha256(key, "api token"));
    cookieKey_ = Secret(hmacSha256(key, "instance cookie"));
  }

  /// Another session of a user whose session led to it; nothing when that has ended.
  awaitable<std::optional<LoginResult>> beginAfter(Principal principal, std::string kind, LoginOrigin origin) {
    if (!stillSignedIn(principal)) co_return std::nullopt;
    const auto maker = sessions_.record(principal.sessionId);
    auto user = co_await store_.getUser(principal.user);
    // Their maker may have signed out everywhere in the meantime.
    if (!maker || !user || user->disabled || generationOf(maker->id) != user->tokenGeneration) co_return std::nullopt;
    // A chain of such sessions ends with the sign-in that it began with.
    const SystemTime last = std::max(maker->expiresAt, maker->signedInAt + kMaxSessionLife);
    const auto life = std::min<std::chrono::seconds>(kSessionLife, std::chrono::floor<std::chrono::seconds>(last - clock_.now()));
    co_return co_await begin(std::move(*user), life, std::move(kind), std::move(origin), maker);
  }

  /// The user with this password. The time does not depend on whether the user exists, or is disabled. Throws Error(TooManyRequests).
  awaitable<std::optional<UserRecord>> check(std::string user, Secret password, LoginOrigin origin) {
    Attempt attempt(*this, user, origin, /*is_code=*/false);
    attempt.begin();
    auto record = co_await store_.getUser(user);
    bool small = password.reveal().size() <= kMaxPasswordBytes;
    bool right = co_await passwords_.verify(record ? record->passwordHash : "", small ? password : Secret());
    if (!right || !record || !small || password.empty() || record->disabled) {
      // People type passwords into the field for the name.
      log::warning("sign-in failed", {{"user", record ? record->name : "(unknown)"}, {"address", origin.address}});
      co_return std::nullopt;
    }
    // Who knows the password only must not be able to forget failed codes.
    if (record->secondFactor)
      attempt.withdraw();
    else
      attempt.succeeded();
    co_return record;
  }

  awaitable<LoginResult> issueAs(std::string user, std::chrono::seconds ttl, std::string kind, LoginOrigin origin) {
    auto record = co_await store_.getUser(user);
    if (!record || record->disabled || record->kind == UserKind::service)
      throw Error(ErrorCode::NotFound, format("There is no user \"{}\" who can sign in.", user));
    co_return co_await begin(std::move(*record), ttl, std::move(kind), std::move(origin));
  }

  /// For a user as they were when their password, or link, was checked: Error(Unauthenticated) if they have changed since. `maker`: the
  /// session that led to this one. `follows`: the session at an identity provider that did.
  awaitable<LoginResult> begin(UserRecord record, std::chrono::seconds life, std::string kind, LoginOrigin origin,
                               std::optional<SessionRecord> maker = {}, ProviderSession follows = {}) {
    const std::string& user = record.name;
    const std::int64_t generation = record.tokenGeneration;
    SessionRecord session{.id = std::to_string(generation) + "." + toBase64Url(randomBytes(18)),
                          .user = user,
                          .expiresAt = std::chrono::floor<std::chrono::seconds>(clock_.now()) + life,
                          .kind = std::move(kind),
                          .createdAt = clock_.now(),
                          .signedInAt = maker ? maker->signedInAt : clock_.now(),
                          .follows = maker ? maker->follows : std::move(follows)};
    if (session.kind != "machine") log::info("signed in", {{"user", user}, {"by", session.kind}, {"address", origin.address}});
    sessions_.prune();
    if (auto oldest = sessions_.oldestOfTooMany(user)) co_await forget(std::move(*oldest));
    LoginResult result;
    result.principal = sessions_.principalOf(session, storedRole(record.role));
    co_await sign_ins_.begin(result.principal, session.kind, std::move(origin), session.follows.provider, maker ? maker->id : "");
    // In memory first: a change of the password that follows in the store ends it there too.
    sessions_.add(session, generation);
    const auto started = co_await async::attempt(store_.startSession(session, std::move(record), maker ? maker->id : ""));
    if (!started) {
      sessions_.remove(session.id);
      if (started.error().code() != ErrorCode::NotFound) throw started.error();
      throw Error(ErrorCode::Unauthenticated, "The account has just been changed. Sign in again.");
    }
    result.token = tokenOf(result.principal);
    co_return result;
  }

  /// Valid as long as the session, which is in the table.
  Secret tokenOf(const Principal& principal) const {
    const std::int64_t now = secondsOf(clock_.now());
    return Secret(keys_.sign({.issuer = issuer_,
                              .audience = std::string(kApiAudience),
                              .user = principal.user,
                              .session = principal.sessionId,
                              .issuedAt = now,
                              .validFrom = now,
                              .expiresAt = secondsOf(principal.expiresAt)}));
  }

  /// Ends a session without keeping its row: a client that signs in again and again must not fill the disk.
  awaitable<void> forget(SessionRecord session) {
    session.expiresAt = clock_.now();
    co_await endSession(std::move(session));
    co_await store_.pruneSessions(clock_.now());
  }

  std::string sign(const Principal& principal, const Secret& key, std::string_view audience) const {
    return signJwt(key, {{"sub", principal.user},
                         {"role", nameOf(principal.role)},
                         {"jti", principal.sessionId},
                         {"aud", audience},
                         {"iat", secondsOf(clock_.now())},
                         {"exp", secondsOf(principal.expiresAt)}});
  }

  std::optional<Principal> verify(std::string_view token, const Secret& key, std::string_view audience) const {
    return verify(token, key, [&](std::string_view meant) { return meant == audience; });
  }

  /// Of a version before Ed25519: signed with HS256, before there was a key of Ed25519.
  std::optional<Principal> verifyFormerToken(std::string_view token) const {
    return verify(token, formerApiKey_, [](std::string_view audience) { return audience == kApiAudience; }, keys_.since());
  }

  /// Whether a token may have been issued before its key was replaced: a replaced key signs nothing later, nor for later sessions.
  bool isOfBefore(SystemTime replaced, std::int64_t issued_at, std::string_view session_id) const {
    if (replaced == SystemTime::max()) return true;
    const auto session = sessions_.record(session_id);
    return session && issued_at <= secondsOf(replaced + kClockLeeway) && session->createdAt <= replaced + kClockLeeway;
  }

  template <std::predicate<std::string_view> Audience>
  std::optional<Principal> verify(std::string_view token, const Secret& key, Audience is_audience,
                                  SystemTime replaced = SystemTime::max()) const {
    auto claims = verifyJwt(key, token);
    if (!claims || !is_audience(stringIn(*claims, "aud"))) return std::nullopt;
    const json::value* expiry = claims->if_contains("exp");
    if (!expiry || !expiry->is_int64() || secondsOf(clock_.now()) >= expiry->get_int64()) return std::nullopt;
    const std::string session(stringIn(*claims, "jti"));
    const json::value* issued = claims->if_contains("iat");
    if (!isOfBefore(replaced, issued && issued->is_int64() ? issued->get_int64() : INT64_MAX, session)) return std::nullopt;
    return sessions_.find(session, stringIn(*claims, "sub"));
  }

  Store& store_;
  const Clock& clock_;
  SignInRecords sign_ins_;
  std::string issuer_;
  Secret formerApiKey_;  ///< of versions before Ed25519 (HS256): their tokens are valid until they expire
  Secret cookieKey_;
  LoginThrottle throttle_;
  GrantTable grants_;
  Sharing sharing_;
  Groups groups_;
  SessionTable sessions_;
  TokenKeys keys_;
  AccessTokens access_tokens_;
  SshKeys ssh_keys_;
  CodeTable codes_;
  CodeTable links_;
  ProgramSignIns programs_;
  Passwords passwords_;
  StoreAccounts accounts_;
  StoreSecondFactors second_factors_;
};

}  // namespace

std::unique_ptr<Auth> makeAuth(Store& store, const Clock& clock, AuthOptions options) {
  return std::make_unique<StoreAuth>(store, clock, std::move(options));
}

}  // namespace swarm
