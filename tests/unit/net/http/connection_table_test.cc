// ConnectionTable: which connection is closed in favour of which.
#include "net/http/connection_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace swarm::net {
namespace {

using Room = ConnectionTable::Room;

class Connection final : public ConnectionTable::Member {
 public:
  void giveWay() override { open = false; }
  bool open = true;
};

class Table : public testing::Test {
 protected:
  /// Null when there is no room.
  Connection* open(const std::string& group, Room expected = Room::Yes) {
    const Room room = table.makeRoom(group);
    EXPECT_EQ(room, expected);
    if (room != Room::Yes) return nullptr;
    connections.push_back(std::make_unique<Connection>());
    table.add(*connections.back(), group);
    return connections.back().get();
  }
  Connection* openWaiting(const std::string& group) {
    Connection* connection = open(group);
    table.wait(*connection);
    return connection;
  }

  ConnectionTable table{{.total = 5, .perAddress = 3}};
  std::vector<std::unique_ptr<Connection>> connections;
};

TEST_F(Table, closesTheOneThatWaitedLongestInFavourOfANewOneOfItsAddress) {
  Connection* other = openWaiting("b");
  Connection* first = openWaiting("a");
  Connection* second = openWaiting("a");
  Connection* third = openWaiting("a");
  table.wait(*first);  // it sent something
  openWaiting("a");
  EXPECT_TRUE(first->open && third->open && other->open);
  EXPECT_FALSE(second->open);
  EXPECT_EQ(table.size(), 4U);
}

TEST_F(Table, closesNoneThatIsBeingServed) {
  for (int i = 0; i < 3; ++i) open("a");
  open("a", Room::AddressFull);
  EXPECT_TRUE(connections.at(0)->open);
  open("b");
  open("b");
  open("c", Room::Full);
  table.remove(*connections.at(0));
  open("c");
}

TEST_F(Table, keepsOtherAddressesWorkingWhileOneIsFull) {
  for (int i = 0; i < 50; ++i) openWaiting("attacker");
  Connection* guest = openWaiting("guest");
  for (int i = 0; i < 50; ++i) openWaiting("attacker");
  EXPECT_TRUE(guest->open);
  EXPECT_EQ(table.size(), 4U);
}

TEST_F(Table, makesRoomForANewAddressWhenTheServerIsFull) {
  std::vector<Connection*> held;
  for (const char* address : {"a", "a", "b", "b", "c"}) held.push_back(openWaiting(address));
  Connection* guest = openWaiting("guest");
  EXPECT_TRUE(guest->open);
  EXPECT_FALSE(held.front()->open);
}

TEST_F(Table, doesNotCountClientsWithoutAnAddressByIt) {
  for (int i = 0; i < 5; ++i) open("");
  open("", Room::Full);
}

TEST_F(Table, countsAMemberForAnotherAddressOnceItChanges) {
  Connection* proxy = openWaiting("");
  EXPECT_TRUE(table.regroup(*proxy, "a"));
  openWaiting("a");
  openWaiting("a");
  openWaiting("a");
  EXPECT_FALSE(proxy->open) << "it had waited longest of its address's connections";
  Connection* other = open("");
  for (int i = 1; i <= 3; ++i) table.proceed(*connections.at(static_cast<std::size_t>(i)));
  EXPECT_FALSE(table.regroup(*other, "a"));
  EXPECT_TRUE(table.regroup(*other, "b"));
}

TEST_F(Table, limitsTheMemoryThatTheConnectionsOfAnAddressHold) {
  ConnectionTable small({.total = 5, .perAddress = 3, .bytesPerAddress = 100});
  Connection first, second, other;
  small.add(first, "a");
  small.add(second, "a");
  small.add(other, "b");
  EXPECT_TRUE(small.hold(first, 60));
  EXPECT_FALSE(small.hold(second, 41));
  EXPECT_TRUE(small.hold(second, 40));
  EXPECT_TRUE(small.hold(other, 100));
  EXPECT_TRUE(small.hold(first, 10));
  EXPECT_TRUE(small.hold(second, 90));
  small.remove(first);
  EXPECT_TRUE(small.hold(second, 100));
  EXPECT_TRUE(small.regroup(second, "b"));
  EXPECT_FALSE(small.hold(other, 101)) << "a connection takes what it holds to its new address";
}

TEST_F(Table, saysWhenThereMayBeRoomAgain) {
  int notified = 0;
  table.onWait([&] { ++notified; });
  Connection* busy = open("a");
  EXPECT_EQ(notified, 0);
  table.wait(*busy);
  EXPECT_EQ(notified, 1);
}

}  // namespace
}  // namespace swarm::net
