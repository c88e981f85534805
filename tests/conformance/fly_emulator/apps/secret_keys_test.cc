// Secret keys: named, of a type, and used only inside. Bytes are base64, as Go writes them.
#include "base/id.h"
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

constexpr const char* kKeys = "/v1/apps/a1/secretkeys";

std::string key(const char* rest) { return std::string(kKeys) + "/" + rest; }

TEST_P(FlyRules, aSecretKeyIsMadeListedAndDeletedAndNeverShown) {
  createApp();
  EXPECT_EQ(get(kKeys).at("/secret_keys"), "[]");
  const FlyResponse made = post(key("signv1/generate"), R"({"type":"nacl_auth","value":null})");
  EXPECT_EQ(made.status, 201) << made;
  EXPECT_EQ(made.at("/name"), "signv1");
  EXPECT_EQ(made.at("/version"), "1");
  EXPECT_EQ(get(key("signv1")).at("/type"), "nacl_auth");
  EXPECT_EQ(get(key("signv1")).at("/value"), "(missing)");
  EXPECT_EQ(get(std::string(kKeys) + "?types=hs256").at("/secret_keys"), "[]");
  EXPECT_EQ(get(kKeys).at("/secret_keys/0/name"), "signv1");
  EXPECT_EQ(remove(key("signv1")).status, 200);
  EXPECT_EQ(remove(key("signv1")).status, 404);
  EXPECT_EQ(post(key("k/generate"), R"({"type":"no-such-type"})").status, 400);
}

TEST_P(FlyRules, aSecretKeySignsAndVerifies) {
  createApp();
  post(key("k"), R"({"type":"hs256","value":")" + toBase64("key") + R"("})");
  const json::object message{{"plaintext", toBase64("The quick brown fox jumps over the lazy dog")}};
  const std::string signature = post(key("k/sign"), message).at("/signature");
  EXPECT_EQ(signature, toBase64(hmacSha256("key", "The quick brown fox jumps over the lazy dog")));
  json::object claim = message;
  claim["signature"] = signature;
  EXPECT_EQ(post(key("k/verify"), claim).status, 204);
  claim["plaintext"] = toBase64("another text");
  EXPECT_EQ(post(key("k/verify"), claim).status, 400);
  EXPECT_EQ(post(key("k/encrypt"), message).status, 400) << "a key for signatures does not encrypt";
}

TEST_P(FlyRules, aSecretKeyEncryptsForItselfAndItsAssociatedData) {
  createApp();
  post(key("k/generate"), R"({"type":"xaes256gcm"})");
  post(key("other/generate"), R"({"type":"xaes256gcm"})");
  const FlyResponse closed =
      post(key("k/encrypt"), json::object{{"plaintext", toBase64("hidden")}, {"associated_data", toBase64("for a")}});
  EXPECT_EQ(closed.status, 200) << closed;
  json::object opening{{"ciphertext", closed.at("/ciphertext")}, {"associated_data", toBase64("for a")}};
  EXPECT_EQ(post(key("k/decrypt"), opening).at("/plaintext"), toBase64("hidden"));
  EXPECT_EQ(post(key("other/decrypt"), opening).status, 400);
  opening["associated_data"] = toBase64("for b");
  EXPECT_EQ(post(key("k/decrypt"), opening).status, 400);
  opening["ciphertext"] = toBase64("short");
  EXPECT_EQ(post(key("k/decrypt"), opening).status, 400);
}

}  // namespace
}  // namespace swarm::testing
