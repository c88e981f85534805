// A walk over all routes: paths and bodies that they take, filled with objects of one user.
#pragma once

#include <string>

#include "api/routes/route.h"
#include "unit/auth/ssh_key_line.h"

namespace swarm::test {

/// Whether the path names an object that belongs to a user.
inline bool namesAnObject(const api::Endpoint& route) {
  return route.pattern.find('{') != std::string_view::npos && route.pattern.find("{type}") == std::string_view::npos;
}

/// Whether what it names is a user, or a session.
inline bool concernsUsers(const api::Endpoint& route) {
  return route.permission == Permission::ReadUsers || route.permission == Permission::Account ||
         route.permission == Permission::ManageUsers;
}

inline bool isAboutGroups(const api::Endpoint& route) { return route.pattern.starts_with("/api/groups/"); }

/// Objects of one user.
struct Walk {
  std::string owner;
  std::string instance{};
  std::string operation{};
  std::string volume{};
  std::string snapshot{};
  std::string session{};
  std::string token{};  ///< the id of an access token
  std::string key{};    ///< the id of an SSH key
  std::string name{};   ///< of a deleted instance
  std::string group{};
};

/// Names of objects that do not exist.
inline const Walk kNothing{.owner = "noone",
                           .instance = "i-00000000",
                           .operation = "op-00000000",
                           .volume = "vol-0000",
                           .snapshot = "snap-0000",
                           .session = "00000000",
                           .token = "tok-0000",
                           .key = "key-0000",
                           .name = "nothing",
                           .group = "nogroup"};

inline std::string pathOf(const api::Endpoint& route, const Walk& walk) {
  std::string path(route.pattern);
  if (route.operationId == "askTls") path += "?domain=swarm.localhost";
  auto fill = [&](std::string_view name, std::string_view value) {
    if (auto at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
  };
  fill("{id}", route.pattern.starts_with("/api/operations") ? walk.operation : walk.instance);
  fill("{name}", isAboutGroups(route)                      ? walk.group
                 : concernsUsers(route)                    ? walk.owner
                 : route.pattern.starts_with("/api/names") ? walk.name
                                                           : walk.volume);
  fill("{kind}", "user");  // of a quota
  fill("{session}", walk.session);
  fill("{token}", walk.token);
  fill("{key}", walk.key);
  fill("{user}", "rita");
  fill("{group}", "everyone");
  fill("{snapshot}", walk.snapshot);
  fill("{type}", "fake");
  fill("{port}", "8080");
  return path;
}

/// A body that the route takes.
inline std::string bodyOf(const api::Endpoint& route, const std::string& password, std::string_view unique) {
  if (route.body.schema == "CreateInstance") return R"({"provider":"fake"})";
  if (route.body.schema == "UpdateInstance") return R"({"labels":{"a":"b"}})";
  if (route.body.schema == "PatchInstance") return R"({"labels":{"a":null}})";
  if (route.body.schema == "MigrateInstance") return R"({"region":"fra"})";
  if (route.body.schema == "TakeSnapshot") return "{}";
  if (route.body.schema == "RestoreSnapshot") return R"({"snapshot":"first"})";
  if (route.body.schema == "ExecuteCommand") return R"({"command":["true"]})";
  if (route.body.schema == "IssueToken") return R"({"scope":"status"})";
  if (route.body.schema == "HandOver") return R"({"owner":"rita"})";
  if (route.body.schema == "PutShare") return R"({"access":"viewer"})";
  if (route.body.schema == "PutPort") return R"({"level":"shared"})";
  if (route.body.schema == "CreateGroup") return R"({"name":"new-)" + std::string(unique) + "\"}";
  if (route.body.schema == "CreateLoginLink") return R"({"instance":"dev"})";
  if (route.body.schema == "CreateAccessToken") return R"({"name":"new-)" + std::string(unique) + "\"}";
  if (route.body.schema == "AddSshKey") return R"({"key":")" + sshKeyLine(unique) + "\"}";
  if (route.body.schema == "CreateUser") return R"({"name":"new-)" + std::string(unique) + "\"}";
  if (route.body.schema == "ChangeUser") return R"({"role":"operator"})";
  if (route.body.schema == "SetPassword") return R"({"password":"another horse","oldPassword":"no"})";
  if (route.body.schema == "SetProviderToken") return R"({"token":"t"})";
  if (route.body.schema == "SetQuota") return R"({"limits":{"cpu":1}})";
  if (route.body.schema == "SetUpSecondFactor") return R"({"password":"no"})";
  if (route.body.schema == "ConfirmSecondFactor") return R"({"ticket":"no","code":"123456"})";
  if (route.body.schema == "DisableSecondFactor") return R"({"password":"no","code":"123456"})";
  if (route.body.schema == "ProgramCode") return R"({"code":"c","verifier":"v"})";
  if (route.body.schema == "DeviceCode") return R"({"deviceCode":"d"})";
  if (route.body.schema == "Credentials") return R"({"user":"ulla","password":")" + password + "\"}";
  return {};
}

}  // namespace swarm::test
