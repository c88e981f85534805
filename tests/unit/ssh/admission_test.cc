#include "ssh/admission.h"

#include <gmock/gmock.h>

#include <memory>
#include <vector>

namespace swarm::ssh {
namespace {

using std::chrono::seconds;

constexpr AdmissionLimits kLimits{.connections = 6,
                                  .perAddress = 4,
                                  .strangers = 4,
                                  .unauthenticatedPerAddress = 2,
                                  .waiting = 6,
                                  .waitingPerAddress = 3,
                                  .turn = seconds(3),
                                  .memory = std::chrono::hours(1)};

class AdmissionTest : public ::testing::Test {
 protected:
  struct Client final : Admission::Member {
    void start() override { started = true; }
    void giveWay() override { over = true; }
    bool started = false;
    bool over = false;
  };
  Client& enter(const std::string& address) {
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    admission_.enter(client, address, now_);
    return client;
  }
  Client& connect(const std::string& address) {
    Client& client = enter(address);
    EXPECT_TRUE(admission_.makeReady(client));
    admission_.schedule(now_);
    return client;
  }
  Client& signIn(const std::string& address) {
    Client& client = connect(address);
    EXPECT_TRUE(client.started);
    admission_.signIn(client, now_);
    return client;
  }
  void leave(Client& client) {
    admission_.leave(client);
    admission_.schedule(now_);
  }
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    admission_.schedule(now_);
  }

  SteadyTime now_{std::chrono::hours(100)};
  Admission admission_{kLimits};
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_F(AdmissionTest, anAddressHasAsManyPlacesAsItsLimitAndEachForOneTurn) {
  Client &first = connect("a"), &second = connect("a"), &third = connect("a");
  EXPECT_TRUE(first.started && second.started);
  EXPECT_FALSE(third.started);
  pass(seconds(2));
  EXPECT_FALSE(third.started || first.over);
  pass(seconds(1));
  EXPECT_TRUE(third.started && first.over);
  EXPECT_FALSE(second.over) << "no other connection waits";
}

TEST_F(AdmissionTest, aProcessThatNoneWaitsForStays) {
  const Client& one = connect("a");
  pass(seconds(1000));
  EXPECT_FALSE(one.over);
}

TEST_F(AdmissionTest, aConnectionThatEndsEarlyKeepsItsPlaceForItsTurn) {
  for (int i = 0; i < 2; ++i) leave(connect("a"));
  const Client& next = connect("a");
  EXPECT_FALSE(next.started);
  pass(seconds(3));
  EXPECT_TRUE(next.started);
}

TEST_F(AdmissionTest, aSignInFreesItsPlaceAtOnce) {
  for (int i = 0; i < 3; ++i) signIn("a");
  EXPECT_TRUE(connect("a").started);
}

TEST_F(AdmissionTest, aNewAddressIsBeforeThoseWithMoreAtTheLimitOfAll) {
  for (const char* address : {"a", "a", "b", "b", "a", "b"}) connect(address);
  const Client& other = connect("c");
  EXPECT_FALSE(other.started);
  pass(seconds(3));
  EXPECT_TRUE(other.started);
  EXPECT_TRUE(clients_[0]->over) << "the oldest of those with the most";
}

TEST_F(AdmissionTest, aKnownAddressIsNotBehindStrangers) {
  leave(signIn("ann"));
  for (const char* address : {"a", "a", "b", "b", "c", "d"}) connect(address);
  Client& ann = connect("ann");
  EXPECT_TRUE(ann.started);
  for (int i = 0; i < 10; ++i) pass(seconds(3));
  EXPECT_FALSE(ann.over) << "strangers wait for places of strangers";
}

TEST_F(AdmissionTest, aKnownAddressHasItsLimitToo) {
  leave(signIn("ann"));
  EXPECT_TRUE(connect("ann").started);
  EXPECT_TRUE(connect("ann").started);
  EXPECT_FALSE(connect("ann").started);
}

TEST_F(AdmissionTest, aSignInIsForgottenInTime) {
  leave(signIn("ann"));
  now_ += kLimits.memory;
  for (const char* address : {"a", "a", "b", "b"}) connect(address);
  EXPECT_FALSE(connect("ann").started);
}

TEST_F(AdmissionTest, ofThoseThatWaitTheOldestOfItsAddressGivesWay) {
  Client& first = enter("a");
  enter("a"), enter("a");
  EXPECT_FALSE(first.over);
  enter("a");
  EXPECT_TRUE(first.over);
  EXPECT_FALSE(admission_.makeReady(first));
}

TEST_F(AdmissionTest, ofAllThatWaitOneOfTheAddressWithTheMostGivesWay) {
  leave(signIn("ann"));
  for (int i = 0; i < 3; ++i) enter("ann");
  Client& b = enter("b");
  Client& c = enter("c");
  enter("c");
  enter("d");
  EXPECT_TRUE(c.over) << "of strangers";
  EXPECT_FALSE(b.over || clients_[1]->over);
}

TEST_F(AdmissionTest, ofAddressesThatWaitWithOneTheOldestGivesWay) {
  const Client& first = enter("z");
  for (const char* address : {"a", "b", "c", "d", "e", "f"}) enter(address);
  EXPECT_TRUE(first.over);
  EXPECT_FALSE(clients_[1]->over);
}

// The address was forgotten with the second one, and the first one left it after that: the server crashed.
TEST_F(AdmissionTest, oneThatGaveWayMayLeaveAfterTheOthersOfItsAddress) {
  for (int round = 0; round < 100; ++round) {
    const std::string address = "a" + std::to_string(round);
    Client& first = enter(address);
    Client* others[] = {&enter(address), &enter(address), &enter(address)};
    EXPECT_TRUE(first.over);
    for (Client* other : others) leave(*other);
    leave(first);
  }
  EXPECT_TRUE(connect("a").started);
}

TEST_F(AdmissionTest, usersAtALimitAreRefusedAtOnce) {
  for (int i = 0; i < 4; ++i) signIn("a");
  EXPECT_FALSE(admission_.makeReady(enter("a"))) << "of the address";
  signIn("b"), signIn("b");
  EXPECT_FALSE(admission_.makeReady(enter("c"))) << "of all";
  admission_.leave(*clients_[0]);
  EXPECT_TRUE(admission_.makeReady(*clients_.back()));
}

TEST_F(AdmissionTest, processesWithoutASignInGiveWayToUsersAtTheLimitOfAll) {
  for (int i = 0; i < 4; ++i) signIn("a");
  const Client& idle = connect("b");
  connect("c");
  const Client& known = connect("d");
  EXPECT_FALSE(known.started);
  pass(seconds(3));
  EXPECT_TRUE(known.started && idle.over);
}

TEST_F(AdmissionTest, aLimitOfOneAddressDelaysNoOther) {
  for (int i = 0; i < 3; ++i) leave(signIn("ann"));
  connect("ann"), connect("ann"), connect("ann");
  for (const char* address : {"a", "a", "b", "b"}) connect(address);
  now_ += seconds(2);
  const Client& other = connect("c");
  pass(seconds(1));
  EXPECT_TRUE(other.started);
}

}  // namespace
}  // namespace swarm::ssh
