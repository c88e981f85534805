// Internal: the connections that a server holds, by client address, and which of them gives way when there are too many.
#pragma once

#include <boost/intrusive/list.hpp>
#include <functional>
#include <string>
#include <unordered_map>

namespace swarm::net {

/// On its server's loop. Everything is O(1).
class ConnectionTable {
 public:
  struct Limits {
    std::size_t total;
    std::size_t perAddress;  ///< 0: none
  };
  class Member;

  explicit ConnectionTable(Limits limits) : limits_(limits) {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  enum class Room { Yes, AddressFull, Full };
  /// Whether one more of `group` (see addressGroup(); empty: not counted by address) may be added. At a limit, the member that has waited
  /// longest gives way.
  Room makeRoom(const std::string& group);
  void add(Member& member, const std::string& group);
  /// Counts a member, which is there, for another address from now on; false: that one is full.
  bool regroup(Member& member, const std::string& group);
  void remove(Member& member);  ///< no matter whether it is there

  /// It waits for its client from now on, and gives way after those that began earlier.
  void wait(Member& member);
  void proceed(Member& member);
  /// Called by wait(): there may be room where there was none.
  void onWait(std::function<void()> notify) { notify_ = std::move(notify); }
  std::size_t size() const { return size_; }

 private:
  using Hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  struct Group;
  void evict(Member& member);
  bool makeRoomIn(const std::string& group);
  void leaveGroup(Member& member);

 public:
  class Member {
   public:
    Member() = default;
    virtual ~Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    virtual void giveWay() = 0;  ///< close at once; it has been removed already

   private:
    friend class ConnectionTable;
    Hook of_server_;
    Hook of_group_;
    bool present_ = false;
    std::pair<const std::string, Group>* group_ = nullptr;  // none: not counted by address
  };

 private:
  template <Hook Member::* hook>
  using List =
      boost::intrusive::list<Member, boost::intrusive::member_hook<Member, Hook, hook>, boost::intrusive::constant_time_size<false>>;
  struct Group {
    std::size_t members = 0;
    List<&Member::of_group_> waiting;
  };

  Limits limits_;
  std::size_t size_ = 0;
  List<&Member::of_server_> waiting_;
  std::unordered_map<std::string, Group> groups_;
  std::function<void()> notify_;
};

}  // namespace swarm::net
