// Messages between the server and the processes of SSH connections: the other end may be anything.
#include "ssh/control/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/ssh_control/checks.h"

namespace swarm::ssh {
namespace {

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    std::array<int, 2> sockets{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()), 0);
    here_ = Descriptor(sockets[0]);
    there_ = Descriptor(sockets[1]);
  }
  Descriptor here_, there_;
  Message message_;
  Descriptor attached_;
};

TEST_F(ControlTest, messagesArriveWithTheirFieldsAndDescriptors) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const Descriptor reader(pipe[0]), writer(pipe[1]);
  ASSERT_EQ(sendMessage(here_.get(), {.kind = Message::Kind::Opened, .number = 0xdeadbeef, .port = 65535, .first = "a\n", .second = "b"},
                        writer.get()),
            Sent::Yes);
  ASSERT_EQ(receiveMessage(there_.get(), message_, attached_), Received::Message);
  EXPECT_EQ(message_.kind, Message::Kind::Opened);
  EXPECT_EQ(message_.number, 0xdeadbeef);
  EXPECT_EQ(message_.port, 65535);
  EXPECT_EQ(message_.first, "a\n");
  EXPECT_EQ(message_.second, "b");
  ASSERT_TRUE(attached_.valid());
  char byte = 0;
  ASSERT_EQ(::write(attached_.get(), "x", 1), 1);
  EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
  ASSERT_EQ(sendMessage(here_.get(), {.kind = Message::Kind::Pong}), Sent::Yes);
  ASSERT_EQ(receiveMessage(there_.get(), message_, attached_), Received::Message);
  EXPECT_FALSE(attached_.valid()) << "that of the message before was closed";
  EXPECT_EQ(receiveMessage(there_.get(), message_, attached_), Received::Nothing);
  here_.reset();
  EXPECT_EQ(receiveMessage(there_.get(), message_, attached_), Received::Over);
  EXPECT_EQ(sendMessage(there_.get(), {.kind = Message::Kind::Ping}), Sent::Gone);
}

TEST_F(ControlTest, whatIsNotAMessageEndsTheConversation) {
  const std::string right = encode({.kind = Message::Kind::Open, .first = "web1"});
  for (const std::string& wrong : {std::string("x"), right.substr(0, 8), right.substr(0, right.size() - 1), '\xff' + right.substr(1),
                                   right + std::string(kMaxMessage, 'x')}) {
    ASSERT_EQ(::send(here_.get(), wrong.data(), wrong.size(), 0), static_cast<ssize_t>(wrong.size()));
    EXPECT_EQ(receiveMessage(there_.get(), message_, attached_), Received::Over) << wrong.size();
  }
}

TEST_F(ControlTest, theCorpusOfTheFuzzTargetBreaksNoInvariant) {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(SWARM_FUZZ_CORPUS)) {
    std::ifstream in(file.path(), std::ios::binary);
    fuzzSshControl(std::string{std::istreambuf_iterator<char>(in), {}});
    ++count;
  }
  EXPECT_GE(count, 5);
}

TEST_F(ControlTest, anEndThatDoesNotReadIsNotWaitedFor) {
  int sent = 0;
  Sent last = Sent::Yes;
  while (sent < 100'000 && (last = sendMessage(here_.get(), {.kind = Message::Kind::Ping, .first = std::string(4096, 'x')})) == Sent::Yes)
    ++sent;
  EXPECT_EQ(last, Sent::Full);
}

}  // namespace
}  // namespace swarm::ssh
