#include <gtest/gtest.h>

#include <string>

#include "ssh/listener.h"

namespace swarm::ssh {
namespace {

TEST(RefusalOfSsh, isAWholePacketOfSsh) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string reason(size, 'r'), packet = refusalOfSsh(reason);
    ASSERT_EQ(packet.size() % 8, 0U) << "RFC 4253, section 6";
    ASSERT_GE(packet.size(), 16U);
    const auto length = static_cast<unsigned char>(packet[3]), padding = static_cast<unsigned char>(packet[4]);
    EXPECT_EQ(packet.size(), length + 4U);
    EXPECT_GE(padding, 4);
    EXPECT_EQ(packet[5], 1) << "SSH_MSG_DISCONNECT";
    EXPECT_EQ(packet.substr(14, size), reason);
    EXPECT_EQ(packet.size(), 5U + 13U + size + padding);
  }
}

}  // namespace
}  // namespace swarm::ssh
