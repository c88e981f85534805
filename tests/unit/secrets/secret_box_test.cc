// Sealed texts open with their key, for their row, and unchanged; nothing else opens.
#include "secrets/secret_box.h"

#include "base/error.h"
#include "base/id.h"
#include "gmock/gmock.h"

namespace swarm {
namespace {

using testing::HasSubstr;
using testing::Not;

const Secret kKey(std::string(32, '\x11'));

std::string failureOf(const SecretBox& box, SecretPurpose purpose, std::string_view id, std::string_view sealed) {
  try {
    box.open(purpose, id, sealed);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
    return error.message();
  }
  return "it opened";
}

TEST(SecretBox, opensWhatItSealed) {
  const SecretBox box(kKey);
  for (const std::string& text : {std::string("s"), std::string("with \0 and \xff", 12), std::string(10'000, 'x')}) {
    const std::string sealed = box.seal(SecretPurpose::agentKey, "i-1", Secret(text));
    if (text.size() > 1) EXPECT_THAT(sealed, Not(HasSubstr(text)));  // one letter may be in any text
    EXPECT_EQ(box.open(SecretPurpose::agentKey, "i-1", sealed).reveal(), text);
    EXPECT_EQ(SecretBox(kKey).open(SecretPurpose::agentKey, "i-1", sealed).reveal(), text) << "after a restart";
    EXPECT_NE(box.seal(SecretPurpose::agentKey, "i-1", Secret(text)), sealed) << "equal secrets must not look equal";
  }
  EXPECT_EQ(box.seal(SecretPurpose::named, "a", Secret()), "");
  EXPECT_TRUE(box.open(SecretPurpose::named, "a", "").empty());
}

TEST(SecretBox, opensNoTextOfAnotherRowPurposeOrKey) {
  const SecretBox box(kKey);
  const std::string sealed = box.seal(SecretPurpose::agentKey, "i-1", Secret("secret"));
  EXPECT_THAT(failureOf(box, SecretPurpose::agentKey, "i-2", sealed), HasSubstr("agent's key of workspace i-2"));
  EXPECT_THAT(failureOf(box, SecretPurpose::agentSecret, "i-1", sealed), HasSubstr("is damaged"));
  const SecretBox other(Secret(std::string(32, '\x12')));
  EXPECT_THAT(failureOf(other, SecretPurpose::agentKey, "i-1", sealed), HasSubstr(other.keyId()));
  EXPECT_NE(other.keyId(), box.keyId());
}

TEST(SecretBox, opensNoChangedText) {
  const SecretBox box(kKey);
  const std::string sealed = box.seal(SecretPurpose::named, "a", Secret("secret"));
  for (std::size_t at = 0; at + 1 < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_THAT(failureOf(box, SecretPurpose::named, "a", changed), HasSubstr("is damaged")) << at;
    EXPECT_THAT(failureOf(box, SecretPurpose::named, "a", sealed.substr(0, at + 1)), HasSubstr("is damaged")) << at;
  }
  EXPECT_THAT(failureOf(box, SecretPurpose::named, "a", "plain"), HasSubstr("is damaged"));
}

/// Databases of this version must open with later ones.
TEST(SecretBox, opensTheFormOfTheFirstVersion) {
  EXPECT_EQ(
      SecretBox(kKey).open(SecretPurpose::tokenKey, "k1", "x1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX-jqhF4dIiq40dJEyjV7VWolKSjOzJQ").reveal(),
      "a seed");
}

}  // namespace
}  // namespace swarm
