// /etc/passwd and /etc/group.
#include "agent/workspace/users.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace swarm::agent {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool parseId(std::string_view text, unsigned& id) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<UserRecord> UserDatabase::find(std::string_view name) const {
  std::optional<UserRecord> user;
  std::ifstream passwd(passwd_);
  for (std::string line; !user && std::getline(passwd, line);) {
    auto fields = split(line, ':');
    UserRecord record;
    if (fields.size() < 7 || fields[0] != name || !parseId(fields[2], record.uid) || !parseId(fields[3], record.gid)) continue;
    record.name = fields[0];
    record.home = fields[5].empty() ? "/" : fields[5];
    record.shell = fields[6].empty() ? "/bin/sh" : fields[6];
    record.groups = {record.gid};
    user = std::move(record);
  }
  if (!user) return std::nullopt;
  std::ifstream group(group_);
  for (std::string line; std::getline(group, line);) {
    auto fields = split(line, ':');
    gid_t gid = 0;
    if (fields.size() < 4 || !parseId(fields[2], gid)) continue;
    auto members = split(fields[3], ',');
    bool known = std::ranges::find(user->groups, gid) != user->groups.end();
    if (!known && std::ranges::find(members, name) != members.end()) user->groups.push_back(gid);
  }
  return user;
}

}  // namespace swarm::agent
