// User lookup in /etc/passwd and /etc/group, parsed directly because a static binary cannot load glibc's name service modules.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::agent {

struct UserRecord {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
  std::string shell;
  std::vector<gid_t> groups;  ///< all groups, including the primary one
};

/// Reads the files at each call: a user may add users while the agent runs. Thread-safe.
class UserDatabase {
 public:
  explicit UserDatabase(std::filesystem::path passwd = "/etc/passwd", std::filesystem::path group = "/etc/group")
      : passwd_(std::move(passwd)), group_(std::move(group)) {}
  /// Empty when the user does not exist, or the files cannot be read.
  std::optional<UserRecord> find(std::string_view name) const;

 private:
  std::filesystem::path passwd_;
  std::filesystem::path group_;
};

}  // namespace swarm::agent
