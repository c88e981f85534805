// What claims must be, and what they are mapped to.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "oidc/provider/claim_mapping.h"
#include "oidc/provider/endpoints.h"
#include "oidc/provider/token_claims.h"
#include "test_keys.h"

namespace swarm::oidc::testing {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr std::int64_t kNow = 1'700'000'000;
const SystemTime kTime{std::chrono::seconds(kNow)};

ProviderConfig config() {
  ProviderConfig config;
  config.name = "corp";
  config.title = "Corp";
  config.issuer = "https://id.example.com";
  config.clientId = "swarm";
  config.issuerUrl = *net::parseUrl(config.issuer);
  return config;
}

json::object claims() {
  return {{"iss", "https://id.example.com"}, {"aud", "swarm"}, {"sub", "u1"}, {"nonce", "n"}, {"iat", kNow}, {"exp", kNow + 300}};
}

json::object changed(std::string_view name, json::value value) {
  json::object out = claims();
  out[name] = std::move(value);
  return out;
}

json::object without(std::string_view name) {
  json::object out = claims();
  out.erase(name);
  return out;
}

const TestKey& key() {
  static const TestKey made("one", "EdDSA");
  return made;
}

/// Empty: accepted.
std::string faultOf(const json::object& payload, std::string_view nonce = "n", std::string_view header = R"({"alg":"EdDSA"})") {
  try {
    requireIdToken(UnverifiedToken::parse(key().signText(header, "{}")), payload, config(), nonce, kTime);
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(IdToken, isAcceptedForThisSignIn) {
  EXPECT_EQ(faultOf(claims()), "");
  EXPECT_EQ(faultOf(changed("aud", json::array{"swarm"})), "");
  json::object several = changed("aud", json::array{"swarm", "other"});
  several["azp"] = "swarm";
  EXPECT_EQ(faultOf(several), "");
  EXPECT_EQ(faultOf(claims(), "n", R"({"alg":"EdDSA","typ":"JWT"})"), "");
}

TEST(IdToken, ofAnotherIssuerAudienceOrSignInIsRefused) {
  EXPECT_THAT(faultOf(changed("iss", "https://id.example.com/")), HasSubstr("issuer"));
  EXPECT_THAT(faultOf(without("iss")), HasSubstr("issuer"));
  EXPECT_THAT(faultOf(changed("aud", "swarm2")), HasSubstr("audience"));
  EXPECT_THAT(faultOf(changed("aud", json::array{"other"})), HasSubstr("audience"));
  EXPECT_THAT(faultOf(changed("aud", json::object{{"swarm", true}})), HasSubstr("audience"));
  EXPECT_THAT(faultOf(without("aud")), HasSubstr("audience"));
  EXPECT_THAT(faultOf(changed("aud", json::array{"swarm", "other"})), HasSubstr("authorized party"));
  EXPECT_THAT(faultOf(changed("azp", "other")), HasSubstr("authorized party"));
  EXPECT_THAT(faultOf(changed("nonce", "m")), HasSubstr("another sign-in"));
  EXPECT_THAT(faultOf(without("nonce")), HasSubstr("another sign-in"));
  EXPECT_THAT(faultOf(without("nonce"), ""), HasSubstr("another sign-in"));
}

TEST(IdToken, outsideOfItsTimeIsRefusedBeyondTheSkewOfClocks) {
  EXPECT_EQ(faultOf(changed("exp", kNow - 59)), "");
  EXPECT_THAT(faultOf(changed("exp", kNow - 60)), HasSubstr("expired"));
  EXPECT_THAT(faultOf(without("exp")), HasSubstr("no expiry"));
  EXPECT_THAT(faultOf(changed("exp", "later")), HasSubstr("expired"));
  EXPECT_EQ(faultOf(changed("nbf", kNow + 60)), "");
  EXPECT_THAT(faultOf(changed("nbf", kNow + 61)), HasSubstr("not valid yet"));
  EXPECT_THAT(faultOf(changed("nbf", "now")), HasSubstr("not valid yet"));
  EXPECT_THAT(faultOf(changed("iat", kNow + 61)), HasSubstr("future"));
  EXPECT_THAT(faultOf(changed("iat", kNow - 661)), HasSubstr("too long ago"));
  EXPECT_THAT(faultOf(without("iat")), HasSubstr("time of issue"));
}

TEST(IdToken, withoutAUsableSubjectIsRefused) {
  EXPECT_THAT(faultOf(without("sub")), HasSubstr("subject"));
  EXPECT_THAT(faultOf(changed("sub", 7)), HasSubstr("subject"));
  EXPECT_THAT(faultOf(changed("sub", "a\nb")), HasSubstr("subject"));
  EXPECT_THAT(faultOf(changed("sub", json::string(256, 'a'))), HasSubstr("subject"));
}

TEST(IdToken, isNotALogoutToken) {
  EXPECT_THAT(faultOf(claims(), "n", R"({"alg":"EdDSA","typ":"logout+jwt"})"), HasSubstr("not an identity token"));
  EXPECT_THAT(faultOf(changed("events", json::object())), HasSubstr("not an identity token"));
}

json::object logout() {
  json::object out = without("nonce");
  out["jti"] = "j1";
  out["sid"] = "s1";
  out["events"] = json::object{{"http://schemas.openid.net/event/backchannel-logout", json::object()}};
  return out;
}

std::string logoutFaultOf(const json::object& payload) {
  try {
    requireLogoutToken(UnverifiedToken::parse(key().signText(R"({"alg":"EdDSA","typ":"logout+jwt"})", "{}")), payload, config(), kTime);
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(LogoutToken, namesASessionOrASubject) {
  EXPECT_EQ(logoutFaultOf(logout()), "");
  json::object neither = logout();
  neither.erase("sid");
  EXPECT_EQ(logoutFaultOf(neither), "");
  neither.erase("sub");
  EXPECT_THAT(logoutFaultOf(neither), HasSubstr("neither"));
}

TEST(LogoutToken, mustBeOne) {
  EXPECT_THAT(logoutFaultOf(claims()), HasSubstr("not a logout token"));
  json::object with_nonce = logout();
  with_nonce["nonce"] = "n";
  EXPECT_THAT(logoutFaultOf(with_nonce), HasSubstr("not a logout token"));
  json::object other_event = logout();
  other_event["events"] = json::object{{"http://schemas.openid.net/event/other", json::object()}};
  EXPECT_THAT(logoutFaultOf(other_event), HasSubstr("not a logout token"));
  json::object old = logout();
  old["iat"] = kNow - 661;
  EXPECT_THAT(logoutFaultOf(old), HasSubstr("too long ago"));
  json::object unnamed = logout();
  unnamed.erase("jti");
  EXPECT_THAT(logoutFaultOf(unnamed), HasSubstr("identifier"));
}

// --- Mapping ---

ProviderConfig managing() {
  ProviderConfig made = config();
  made.roles = {{"ops", Role::operator_}, {"boss", Role::admin}};
  return made;
}

TEST(ClaimMapping, givesTheHighestRoleOfTheTable) {
  EXPECT_EQ(mapClaims(changed("groups", json::array{"x", "ops", "boss"}), managing()).role, Role::admin);
  EXPECT_EQ(mapClaims(changed("groups", json::array{"ops"}), managing()).role, Role::operator_);
  EXPECT_EQ(mapClaims(changed("groups", "ops"), managing()).role, Role::operator_);
  const MappedClaims none = mapClaims(changed("groups", json::array{}), managing());
  EXPECT_EQ(none.role, Role::user);
  EXPECT_THAT(none.notes, ElementsAre(HasSubstr("default role")));
  ProviderConfig nested = managing();
  nested.roleClaim = "realm_access.roles";
  EXPECT_EQ(mapClaims(changed("realm_access", json::object{{"roles", json::array{"ops"}}}), nested).role, Role::operator_);
  nested.roleClaim = "https://example.com/roles";
  EXPECT_EQ(mapClaims(changed("https://example.com/roles", json::array{"ops"}), nested).role, Role::operator_);
}

TEST(ClaimMapping, aMissingOrOddClaimChangesNoRoleAndSaysSo) {
  for (const json::value& value : {json::value(), json::value(7), json::value(json::array{"ops", 7}), json::value(json::object())}) {
    const MappedClaims mapped = mapClaims(changed("groups", value), managing());
    EXPECT_FALSE(mapped.role) << json::serialize(value);
    EXPECT_THAT(mapped.notes, ElementsAre(HasSubstr("the role stays"))) << json::serialize(value);
  }
  EXPECT_FALSE(mapClaims(claims(), managing()).role);
  const MappedClaims unmanaged = mapClaims(claims(), config());
  EXPECT_FALSE(unmanaged.role);
  EXPECT_THAT(unmanaged.notes, IsEmpty());
}

TEST(ClaimMapping, mapsGroupsByTheTable) {
  ProviderConfig made = config();
  EXPECT_THAT(mapClaims(changed("groups", json::array{"a", "b\n", "B/c", "a"}), made).groups, Optional(ElementsAre("a")));
  EXPECT_EQ(mapClaims(claims(), made).groups, std::nullopt) << "the groups stay";
  EXPECT_EQ(mapClaims(changed("groups", 7), made).groups, std::nullopt);
  EXPECT_THAT(mapClaims(changed("groups", json::array{}), made).groups, Optional(IsEmpty()));
  made.groups = {{"a", "alpha"}};
  EXPECT_THAT(mapClaims(changed("groups", json::array{"a", "b"}), made).groups, Optional(ElementsAre("alpha")));
}

TEST(ClaimMapping, admitsOnlyVerifiedAddressesOfAllowedDomains) {
  ProviderConfig made = config();
  made.allowedDomains = {"example.com"};
  const auto refusal = [&](json::value email, json::value verified) {
    json::object payload = changed("email", std::move(email));
    payload["email_verified"] = std::move(verified);
    return mapClaims(payload, made).refusal.value_or("");
  };
  EXPECT_EQ(refusal("Ada@Example.com", true), "");
  EXPECT_EQ(refusal("ada@example.com", "true"), "");
  EXPECT_THAT(refusal("ada@example.com", false), HasSubstr("no verified"));
  EXPECT_THAT(refusal("ada@example.com", nullptr), HasSubstr("no verified"));
  EXPECT_THAT(refusal("ada@example.com.evil.org", true), HasSubstr("not one of the allowed"));
  EXPECT_THAT(refusal("ada@sub.example.com", true), HasSubstr("not one of the allowed"));
  for (const char* odd : {"ada@evil.org@example.com", "\"ada@evil.org\"@example.com", "@example.com", "ada@example.com ",
                          "ada@exam\nple.com", "ada@ex\xc3\xa4mple.com", "<ada@example.com>", ""})
    EXPECT_THAT(refusal(odd, true), HasSubstr("no verified")) << odd;
}

TEST(ClaimMapping, admitsOnlyMembersOfAllowedGroups) {
  ProviderConfig made = config();
  made.allowedGroups = {"staff"};
  EXPECT_FALSE(mapClaims(changed("groups", json::array{"staff"}), made).refusal);
  EXPECT_TRUE(mapClaims(changed("groups", json::array{"Staff"}), made).refusal);
  EXPECT_TRUE(mapClaims(claims(), made).refusal);
}

TEST(ClaimMapping, suggestsAValidName) {
  const auto nameOf = [](json::value name) { return mapClaims(changed("preferred_username", std::move(name)), config()).userName; };
  EXPECT_EQ(nameOf("Ada Lovelace"), "ada-lovelace");
  EXPECT_EQ(nameOf("ada@example.com"), "ada");
  EXPECT_EQ(nameOf("--../..x"), "x");
  EXPECT_EQ(nameOf("me"), "me-1");
  EXPECT_EQ(nameOf("\xe5\x90\x8d"), "");
  EXPECT_EQ(nameOf(json::string(100, 'a')).size(), 40u);
  EXPECT_EQ(nameOf(7), "");
}

TEST(ShownClaims, arePrintableAndBounded) {
  json::object payload = changed("x", "a\x1b[31mb");
  payload["long"] = std::string(100'000, 'y');
  for (int i = 0; i < 300; ++i) payload["n" + std::to_string(i)] = std::string(200, 'z');
  const json::object shown = shownClaims(payload);
  EXPECT_EQ(shown.at("x"), "a␛[31mb");
  EXPECT_FALSE(shown.contains("nonce"));
  EXPECT_LT(json::serialize(shown).size(), 9000u);
}

// --- Discovery ---

json::object document() {
  return {{"issuer", "https://id.example.com"},
          {"authorization_endpoint", "https://id.example.com/auth"},
          {"token_endpoint", "https://id.example.com/token"},
          {"jwks_uri", "https://id.example.com/keys"}};
}

std::string endpointFaultOf(std::string_view name, json::value value, const ProviderConfig& with = config()) {
  json::object made = document();
  made[name] = std::move(value);
  try {
    readEndpoints(json::serialize(made), with);
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(Discovery, readsTheAddresses) {
  json::object made = document();
  made["token_endpoint_auth_methods_supported"] = json::array{"client_secret_post"};
  const Endpoints endpoints = readEndpoints(json::serialize(made), config());
  EXPECT_EQ(endpoints.token.target, "/token");
  EXPECT_EQ(endpoints.proof, ClientProof::Post);
  EXPECT_FALSE(endpoints.endSession);
  EXPECT_EQ(discoveryUrl(config()).target, "/.well-known/openid-configuration");
}

TEST(Discovery, ofAnotherIssuerOrWithoutAnAddressIsRefused) {
  EXPECT_THAT(endpointFaultOf("issuer", "https://id.example.com/"), HasSubstr("issuer"));
  EXPECT_THAT(endpointFaultOf("token_endpoint", nullptr), HasSubstr("token_endpoint"));
  EXPECT_THAT(endpointFaultOf("jwks_uri", "file:///etc/passwd"), HasSubstr("jwks_uri"));
  EXPECT_THROW(readEndpoints("[]", config()), Error);
  EXPECT_THROW(readEndpoints(R"({"issuer":"https://id.example.com","issuer":"x"})", config()), Error);
}

TEST(Discovery, sendsTheServerToNoOtherHost) {
  for (const char* url :
       {"https://169.254.169.254/latest", "https://localhost/x", "https://id.example.com:8443/token", "https://evil.org/"})
    EXPECT_THAT(endpointFaultOf("token_endpoint", url), HasSubstr("endpointHosts")) << url;
  EXPECT_THAT(endpointFaultOf("token_endpoint", "http://id.example.com/token"), HasSubstr("without https"));
  EXPECT_THAT(endpointFaultOf("authorization_endpoint", "http://127.0.0.1/"), HasSubstr("without https"));
  EXPECT_THAT(endpointFaultOf("authorization_endpoint", "https://id.example.com/a\r\nSet-Cookie: x=1"),
              HasSubstr("authorization_endpoint"));
  ProviderConfig wider = config();
  wider.endpointHosts = {"tokens.example.net"};
  EXPECT_EQ(endpointFaultOf("token_endpoint", "https://tokens.example.net/token", wider), "");
  EXPECT_THAT(endpointFaultOf("token_endpoint", "http://tokens.example.net/token", wider), HasSubstr("without https"));
}

}  // namespace
}  // namespace swarm::oidc::testing
