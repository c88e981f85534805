// /etc/passwd and /etc/group.
#include "agent/workspace/users.h"

#include <algorithm>
#include <fstream>

#include "base/text/number.h"

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

}  // namespace

std::optional<UserRecord> UserDatabase::find(std::string_view name) const {
  std::optional<UserRecord> user;
  std::ifstream passwd(passwd_);
  for (std::string line; !user && std::getline(passwd, line);) {
    auto fields = split(line, ':');
    if (fields.size() < 7 || fields[0] != name) continue;
    const auto uid = parseNumber<uid_t>(fields[2]);
    const auto gid = parseNumber<gid_t>(fields[3]);
    if (!uid || !gid) continue;
    const auto textOf = [](std::string_view field, std::string_view otherwise) { return std::string(field.empty() ? otherwise : field); };
    user = UserRecord{std::string(name), *uid, *gid, textOf(fields[5], "/"), textOf(fields[6], "/bin/sh"), {*gid}};
  }
  if (!user) return std::nullopt;
  std::ifstream group(group_);
  for (std::string line; std::getline(group, line);) {
    auto fields = split(line, ':');
    const auto gid = fields.size() < 4 ? std::nullopt : parseNumber<gid_t>(fields[2]);
    if (!gid) continue;
    auto members = split(fields[3], ',');
    bool known = std::ranges::find(user->groups, *gid) != user->groups.end();
    if (!known && std::ranges::find(members, name) != members.end()) user->groups.push_back(*gid);
  }
  return user;
}

}  // namespace swarm::agent
