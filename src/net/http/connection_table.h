// Internal: the connections that a server holds, by client address, and the choice of the one to close when there are too many.
#pragma once

#include <boost/intrusive/list.hpp>
#include <functional>
#include <string>
#include <unordered_map>

namespace swarm::net {

/// Used on its server's loop only. Every call is O(1).
class ConnectionTable {
 public:
  struct Limits {
    std::size_t total;
    std::size_t perAddress;                      ///< 0: unlimited
    std::size_t bytesPerAddress = SIZE_MAX / 2;  ///< see hold()
  };
  class Member;

  explicit ConnectionTable(Limits limits) : limits_(limits) {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  enum class Room { Yes, AddressFull, Full };
  /// Whether one more connection of `group` (see addressGroup(); empty: not counted by address) may be added. At a limit, the member that
  /// has waited longest is closed.
  Room makeRoom(const std::string& group);
  void add(Member& member, const std::string& group);
  /// Counts a member of the table under another address from now on; false: that address is at its limit.
  bool regroup(Member& member, const std::string& group);
  void remove(Member& member);  ///< no-op if it is not a member

  /// Marks a member as waiting for its client; members that started to wait earlier are closed first.
  void wait(Member& member);
  void proceed(Member& member);
  /// The memory that the member occupies from now on. False: more than before, and its address would exceed its limit.
  bool hold(Member& member, std::size_t bytes);
  /// Called by wait(), when room may have become available.
  void onWait(std::function<void()> notify) { notify_ = std::move(notify); }
  std::size_t size() const { return size_; }

 private:
  using Hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  struct Group;
  void evict(Member& member);
  bool makeRoomIn(const std::string& group);
  void joinGroup(Member& member, const std::string& group);
  void leaveGroup(Member& member);

 public:
  class Member {
   public:
    Member() = default;
    virtual ~Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    virtual void giveWay() = 0;  ///< close at once; already removed from the table

   private:
    friend class ConnectionTable;
    Hook of_server_;
    Hook of_group_;
    bool present_ = false;
    std::size_t held_ = 0;
    std::pair<const std::string, Group>* group_ = nullptr;  // null: not counted by address
  };

 private:
  template <Hook Member::* hook>
  using List =
      boost::intrusive::list<Member, boost::intrusive::member_hook<Member, Hook, hook>, boost::intrusive::constant_time_size<false>>;
  struct Group {
    std::size_t members = 0;
    std::size_t bytes = 0;
    List<&Member::of_group_> waiting;
  };

  Limits limits_;
  std::size_t size_ = 0;
  List<&Member::of_server_> waiting_;
  std::unordered_map<std::string, Group> groups_;
  std::function<void()> notify_;
};

}  // namespace swarm::net
