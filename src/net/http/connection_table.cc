// ConnectionTable: each waiting connection is in two lists, the server's and its address's.
#include "net/http/connection_table.h"

namespace swarm::net {

bool ConnectionTable::makeRoomIn(const std::string& group) {
  if (limits_.perAddress == 0 || group.empty()) return true;
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.members < limits_.perAddress) return true;
  if (found->second.waiting.empty()) return false;
  evict(found->second.waiting.front());
  return true;
}

ConnectionTable::Room ConnectionTable::makeRoom(const std::string& group) {
  if (!makeRoomIn(group)) return Room::AddressFull;
  if (size_ >= limits_.total) {
    if (waiting_.empty()) return Room::Full;
    evict(waiting_.front());
  }
  return Room::Yes;
}

void ConnectionTable::add(Member& member, const std::string& group) {
  member.present_ = true;
  ++size_;
  if (limits_.perAddress == 0 || group.empty()) return;
  joinGroup(member, group);
}

void ConnectionTable::joinGroup(Member& member, const std::string& group) {
  member.group_ = &*groups_.try_emplace(group).first;
  ++member.group_->second.members;
  member.group_->second.bytes += member.held_;
}

bool ConnectionTable::hold(Member& member, std::size_t bytes) {
  if (bytes == member.held_) return true;
  if (member.group_ != nullptr) {
    std::size_t& sum = member.group_->second.bytes;
    if (bytes > member.held_ && sum - member.held_ + bytes > limits_.bytesPerAddress) return false;
    sum += bytes - member.held_;
  }
  member.held_ = bytes;
  return true;
}

bool ConnectionTable::regroup(Member& member, const std::string& group) {
  if (!member.present_ || (member.group_ != nullptr && member.group_->first == group)) return true;
  leaveGroup(member);
  if (limits_.perAddress == 0 || group.empty()) return true;
  if (!makeRoomIn(group)) return false;
  joinGroup(member, group);
  if (member.of_server_.is_linked()) member.group_->second.waiting.push_back(member);
  return true;
}

void ConnectionTable::remove(Member& member) {
  if (!member.present_) return;
  proceed(member);
  member.present_ = false;
  --size_;
  leaveGroup(member);
}

void ConnectionTable::leaveGroup(Member& member) {
  if (member.group_ == nullptr) return;
  member.of_group_.unlink();
  member.group_->second.bytes -= member.held_;
  if (--member.group_->second.members == 0) groups_.erase(member.group_->first);
  member.group_ = nullptr;
}

void ConnectionTable::evict(Member& member) {
  remove(member);
  member.giveWay();
}

void ConnectionTable::wait(Member& member) {
  if (!member.present_) return;
  proceed(member);
  waiting_.push_back(member);
  if (member.group_ != nullptr) member.group_->second.waiting.push_back(member);
  if (notify_) notify_();
}

void ConnectionTable::proceed(Member& member) {
  member.of_server_.unlink();
  member.of_group_.unlink();
}

}  // namespace swarm::net
