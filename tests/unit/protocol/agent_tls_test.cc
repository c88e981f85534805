#include "protocol/agent_tls.h"

#include <gtest/gtest.h>

#include "base/id.h"

namespace swarm::agent {
namespace {

TEST(AgentTlsKey, isTheSameInEveryVersionOfTheServer) {
  // Python: hmac.new(b"s" * 32, b"swarm agent tls 1\0" + b"i-1" + b"\x01", "sha256").hexdigest()
  EXPECT_EQ(toHex(tlsKeyOf(Secret(std::string(32, 's')), "i-1").reveal()),
            "f9897e839c851f4013e683f6ee1c721f243acedcec6a4e8ee22faa8f81832bf6");
}

TEST(AgentTlsKey, isAnotherOneForEachPlaceAndEachInstance) {
  const Secret seed(std::string(32, 's'));
  const std::string key = tlsKeyOf(seed, "i-1").reveal();
  EXPECT_EQ(key.size(), 32u);
  EXPECT_NE(key, seed.reveal());
  EXPECT_NE(key, tlsKeyOf(seed, "i-2").reveal());
  EXPECT_NE(key, tlsKeyOf(Secret(std::string(32, 't')), "i-1").reveal());
}

}  // namespace
}  // namespace swarm::agent
