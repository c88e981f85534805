// Auth on the store: durable facts are in the store, the facts that each request needs are also in memory.
#include "auth/auth.h"

#include "auth/accounts/names.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/accounts/store_accounts.h"
#include "auth/certificates/ssh_certificates.h"
#include "auth/certificates/trusted_authorities.h"
#include "auth/limits/throttle.h"
#include "auth/passwords.h"
#include "auth/programs/program_sign_ins.h"
#include "auth/second_factor/store_second_factors.h"
#include "auth/session/access_tokens.h"
#include "auth/session/session_credentials.h"
#include "auth/session/sessions.h"
#include "auth/session/token_keys.h"
#include "auth/sharing/groups.h"
#include "auth/sharing/sharing.h"
#include "auth/sign_in/sign_ins.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::string_view kLoginPurpose = "login";
constexpr std::chrono::seconds kCodeLife{60};

std::string codePurpose(std::string_view instance_id, std::string_view binding) { return format("{}\n{}", instance_id, binding); }

class StoreAuth final : public Auth {
 public:
  StoreAuth(Store& store, const Clock& clock, AuthOptions options)
      : store_(store),
        clock_(clock),
        throttle_(clock),
        sign_in_records_(options.audit, store),
        grants_(clock),
        sharing_({.store = store, .clock = clock, .grants = grants_, .noteRevocation = [this] { noteRevocation(); }}),
        groups_({.store = store, .clock = clock, .grants = grants_, .sharing = sharing_}),
        sessions_(clock, options.access, grants_),
        keys_(store, sessions_, clock, options.tokenKeyLife),
        credentials_({.store = store, .clock = clock, .sessions = sessions_, .keys = keys_, .issuer = options.issuer}),
        passwords_(options.passwordCost),
        sign_ins_({.store = store,
                   .clock = clock,
                   .sessions = sessions_,
                   .credentials = credentials_,
                   .passwords = passwords_,
                   .throttle = throttle_,
                   .records = sign_in_records_,
                   .noteRevocation = [this] { noteRevocation(); }}),
        access_tokens_({.store = store,
                        .clock = clock,
                        .users = sessions_,
                        .noteRevocation = [this] { noteRevocation(); },
                        .maxLife = options.maxAccessTokenLife}),
        revoked_keys_(options.ssh.revokedKeys, [this] { noteRevocation(); }),
        ssh_keys_({.store = store,
                   .clock = clock,
                   .users = sessions_,
                   .signIns = sign_in_records_,
                   .revoked = revoked_keys_,
                   .noteRevocation = [this] { noteRevocation(); }}),
        ssh_certificates_({.clock = clock,
                           .users = sessions_,
                           .signIns = sign_in_records_,
                           .revoked = revoked_keys_,
                           .authorities = readTrustedAuthorities(options.ssh.trustedUserCAKeys)}),
        codes_(clock, kCodeLife),
        links_(clock, kLoginLinkLife),
        programs_(clock),
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
                   .signIns = sign_ins_,
                   .goOn =
                       [this](UserRecord user, SessionKind kind, LoginOrigin origin, OfferEnrolment offer) {
                         return second_factors_.afterPassword(std::move(user), kind, std::move(origin), offer);
                       }}),
        second_factors_({.store = store,
                         .clock = clock,
                         .signIns = sign_ins_,
                         .issuer = format("Swarm {}", options.issuer),
                         .policy = options.access.requireSecondFactor,
                         .endSessions = [this](std::string user) { return accounts_.endSessions(std::move(user)); }}) {}

  awaitable<std::optional<Secret>> initialise() override {
    co_await credentials_.load();
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
    const UserRecord record = co_await sign_ins_.require(user, std::move(password), origin);
    if (!record.secondFactor && second_factors_.isRequired(record))
      throw Error(ErrorCode::PermissionDenied,
                  "This server requires a second factor, and the account has none. Sign in with a browser, which sets it up.");
    if (!record.secondFactor) co_return co_await sign_ins_.begin(record, {.kind = SessionKind::password, .origin = std::move(origin)});
    if (code.empty())
      throw Error(ErrorCode::Unauthenticated, "The account has a second factor: the code of its app, or a recovery code, is missing.")
          .withField("/code", "is required");
    const SignInStep step = co_await second_factors_.afterPassword(record, SessionKind::password, origin, OfferEnrolment::No);
    co_return co_await second_factors_.signIn(std::get<CodeRequired>(step).ticket, std::move(code), std::move(origin));
  }

  awaitable<LoginResult> beginFollowing(std::string user, ProviderSession session, LoginOrigin origin) override {
    auto record = co_await store_.getUser(user);
    if (!record || record->disabled || record->kind == UserKind::service)
      throw Error(ErrorCode::PermissionDenied, format("The account {} cannot sign in. Ask an administrator.", user));
    co_return co_await sign_ins_.begin(std::move(*record),
                                       {.kind = SessionKind::oidc, .origin = std::move(origin), .follows = std::move(session)});
  }

  awaitable<LoginResult> issue(std::string user, std::chrono::seconds ttl) override {
    auto record = co_await store_.getUser(user);
    if (!record || record->disabled || record->kind == UserKind::service)
      throw Error(ErrorCode::NotFound, format("There is no user \"{}\" who can sign in.", user));
    co_return co_await sign_ins_.begin(std::move(*record), {.kind = SessionKind::machine, .origin = {}, .life = ttl});
  }

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
    co_return LoginResult{credentials_.apiToken(*current), *current};
  }

  std::vector<SessionRecord> listSessions(std::string_view user) const override { return sessions_.list(user); }

  awaitable<void> endSession(SessionRecord session) override { return sign_ins_.endSession(std::move(session)); }
  awaitable<void> logout(Principal principal) override {
    return endSession({.id = principal.sessionId, .user = principal.user, .expiresAt = principal.expiresAt, .revoked = true});
  }

  std::optional<Principal> verifyApiToken(std::string_view token) const override {
    if (isAccessTokenSecret(token)) return access_tokens_.verify(token);
    return credentials_.verifyApiToken(token);
  }

  std::optional<Principal> stillSignedIn(const Principal& principal) const override {
    return principal.token ? access_tokens_.find(principal) : sessions_.find(principal.sessionId, principal.user);
  }

  std::string issueSessionCookie(const Principal& principal) override { return credentials_.sessionCookie(principal); }

  std::optional<Principal> verifySessionCookie(std::string_view value) const override { return credentials_.verifySessionCookie(value); }

  std::string issueDevice(const Principal& principal, std::string_view present) override {
    Device device = credentials_.deviceOf(present, principal.user);
    if (device.id.empty()) device.id = toBase64Url(randomBytes(12));
    const auto session = sessions_.record(principal.sessionId);
    if (session && hasCode(session->kind)) device.hasSecondFactor = true;
    return credentials_.deviceCookie(principal.user, device);
  }

  std::string markOf(std::string_view audience) const override { return credentials_.markOf(audience); }

  std::string issueInstanceCookie(const Principal& principal, std::string_view instance_id) override {
    return credentials_.instanceCookie(principal, instance_id);
  }

  std::optional<Principal> verifyInstanceCookie(std::string_view value, std::string_view instance_id) const override {
    return credentials_.verifyInstanceCookie(value, instance_id);
  }

  std::optional<Principal> verifyAnyInstanceCookie(std::string_view value) const override {
    return credentials_.verifyAnyInstanceCookie(value);
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
    auto login = principal ? co_await beginAfter(std::move(*principal), SessionKind::link, origin) : std::nullopt;
    if (!login)
      co_await sign_ins_.refuse({}, std::move(origin), Error(ErrorCode::PermissionDenied, "The sign-in link was not valid any more."));
    co_return login;
  }

  ProgramSignIns& programs() override { return programs_; }

  awaitable<std::optional<LoginResult>> beginForProgram(Principal by, LoginOrigin origin) override {
    return beginAfter(std::move(by), SessionKind::program, std::move(origin));
  }

  Accounts& accounts() override { return accounts_; }
  SecondFactors& secondFactors() override { return second_factors_; }

  awaitable<void> putUser(std::string name, Secret password, Role role) override {
    requireAccountName("user", name);
    if (!password.empty()) requirePassword(password);
    UserRecord user{name, "", role, clock_.now(), 1};
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
  std::optional<Role> roleOf(std::string_view user) const override { return sessions_.roleOf(user); }

  std::vector<TokenKeyInfo> tokenKeys() const override { return keys_.list(); }
  awaitable<TokenKeyInfo> rotateTokenKey() override { return keys_.rotate(); }
  awaitable<void> renewTokenKey() override { return keys_.renew(); }
  AccessTokens& accessTokens() override { return access_tokens_; }
  SshKeys& sshKeys() override { return ssh_keys_; }
  SshCertificates& sshCertificates() override { return ssh_certificates_; }
  RevokedKeys& revokedKeys() override { return revoked_keys_; }

 private:
  awaitable<std::optional<LoginResult>> beginAfter(Principal principal, SessionKind kind, LoginOrigin origin) {
    if (!stillSignedIn(principal)) co_return std::nullopt;
    co_return co_await sign_ins_.beginAfter(std::move(principal), kind, std::move(origin));
  }

  Store& store_;
  const Clock& clock_;
  LoginThrottle throttle_;
  SignInRecords sign_in_records_;
  GrantTable grants_;
  Sharing sharing_;
  Groups groups_;
  SessionTable sessions_;
  TokenKeys keys_;
  SessionCredentials credentials_;
  Passwords passwords_;
  SignIns sign_ins_;
  AccessTokens access_tokens_;
  RevokedKeys revoked_keys_;
  SshKeys ssh_keys_;
  SshCertificates ssh_certificates_;
  CodeTable codes_;
  CodeTable links_;
  ProgramSignIns programs_;
  StoreAccounts accounts_;
  StoreSecondFactors second_factors_;
};

}  // namespace

std::unique_ptr<Auth> makeAuth(Store& store, const Clock& clock, AuthOptions options) {
  return std::make_unique<StoreAuth>(store, clock, std::move(options));
}

}  // namespace swarm
