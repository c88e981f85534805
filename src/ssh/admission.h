// Admission: which of the connections to the SSH listener may have a process, fairly between addresses (docs/adr/0017-ssh-listener.md).
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <string>

#include "base/clock.h"

namespace swarm::ssh {

/// An address is a group of them (net::addressGroup). A *known* one has signed in within `memory`; clients of other addresses are
/// strangers.
struct AdmissionLimits {
  std::size_t connections = 128;  ///< with a process
  std::size_t perAddress = 32;
  std::size_t strangers = 24;                 ///< with a process, without a sign-in, of addresses that are not known
  std::size_t unauthenticatedPerAddress = 8;  ///< with a process, without a sign-in
  std::size_t waiting = 256;                  ///< without a process
  std::size_t waitingPerAddress = 32;
  /// A process without a sign-in that has had this long gives way to a connection that waits. One that ends earlier keeps its place until
  /// then, so that clients that come and go start no more processes than others.
  std::chrono::seconds turn{3};
  std::chrono::hours memory{24 * 30};
};

/// On one loop. No I/O; each call is O(connections).
class Admission {
  struct Group;

 public:
  class Member {
   public:
    Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    virtual ~Member() = default;
    virtual void start() = 0;    ///< it may have a process from now on
    virtual void giveWay() = 0;  ///< it has to end; it is a member until it leaves

   private:
    friend class Admission;
    enum class Stage { Silent, Ready, Unauthenticated, SignedIn, Over };
    Stage stage_ = Stage::Over;
    Group* group_ = nullptr;
    SteadyTime since_{};  ///< of its process
  };

  explicit Admission(AdmissionLimits limits) : limits_(limits) {}

  /// A connection from which nothing has arrived yet. At a limit, the oldest waiting one of the address with the most gives way.
  void enter(Member& member, const std::string& address, SteadyTime now);
  /// Its client has identified itself: it waits for its turn. False: connections that are signed in have reached a limit, or it has given
  /// way.
  bool makeReady(Member& member);
  void signIn(Member& member, SteadyTime now);
  void leave(Member& member);
  /// Starts those whose turn it is: first those of known addresses, then those of the address with the fewest. Call it after makeReady(),
  /// signIn() and leave(), and from time to time while hasReady().
  void schedule(SteadyTime now);
  bool hasReady() const { return all_.ready > 0; }

 private:
  using Stage = Member::Stage;
  struct Count {
    std::size_t waiting = 0;
    std::size_t ready = 0;            ///< of these
    std::size_t unauthenticated = 0;  ///< with a process, or vacated
    std::size_t signedIn = 0;
    std::size_t vacated = 0;
    std::size_t open() const { return unauthenticated - vacated + signedIn; }
  };
  struct Group : Count {
    std::string address;
    bool isKnown = false;
    std::size_t members = 0;  ///< that have not left, those that gave way included
  };
  struct Vacated {
    Group* group;
    SteadyTime until;
  };

  void change(Member& member, Stage stage);
  void evict(Member& member);
  Member* oldestWaiting(const Group* only) const;
  std::size_t strangers() const;
  bool isAtOwnLimit(const Group& group) const;
  bool hasPlace(const Group& group) const;
  Member* next() const;
  Member* replaceable(SteadyTime now) const;
  void removeUnused(Group& group);

  AdmissionLimits limits_;
  std::list<Member*> members_;  ///< from the oldest
  std::list<Vacated> vacated_;  ///< places of processes that ended before their turn was over
  std::map<std::string, Group> groups_;
  Count all_;
  std::map<std::string, SteadyTime> known_;  ///< the last sign-in
};

}  // namespace swarm::ssh
