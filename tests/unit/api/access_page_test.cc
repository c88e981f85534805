// The tables of docs/access.md are those from which the server runs.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "api/routes/route.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/codec/codec_detail.h"

namespace swarm::api {
namespace {

// The order of columns: the role that is no longer assigned last.
constexpr Role kColumns[] = {Role::user, Role::operator_, Role::auditor, Role::admin, Role::viewer};
static_assert(std::size(kColumns) == kRoles.size());

/// Whether the permission depends on the relation to an object.
bool concernsObjects(Permission permission) {
  for (const Role role : kRoles)
    if (const Reach reach = reachOf(role, permission); reach != Reach::None && reach != Reach::All) return true;
  return false;
}

std::string_view cell(Role role, Permission permission) {
  switch (reachOf(role, permission)) {
    case Reach::None:
      return "–";
    case Reach::Own:
      return "own";
    case Reach::Editors:
      return "own, shared as editor";
    case Reach::Viewers:
      return "own, shared";
    case Reach::All:
      return concernsObjects(permission) ? "all" : "yes";
  }
  return "";
}

std::string cells(Permission permission) {
  std::string row;
  for (const Role role : kColumns) row += format(" {} |", cell(role, permission));
  return row;
}

std::string headOf(std::string_view first) {
  std::string head = format("| {} |", first), line = "\n|";
  for (const Role role : kColumns) head += format(" {} |", nameOf(role));
  for (char c : head.substr(1))
    if (c == '|') line += " --- |";
  return head + line + "\n";
}

std::string rolesTable() {
  std::string table = "| role | |\n| --- | --- |\n";
  for (const Role role : kColumns) table += format("| {} | {} |\n", nameOf(role), summaryOf(role));
  return table;
}

std::string permissionsTable() {
  std::string table = headOf("permission | what it allows | scope");
  for (const Permission permission : kPermissions) {
    const auto scope = scopeOf(permission);
    table += format("| {} | {} | {} |{}\n", nameOf(permission), summaryOf(permission), scope ? enumName(*scope) : "–", cells(permission));
  }
  return table;
}

std::string routesTable() {
  std::string table = headOf("route | permission");
  for (const Endpoint& route : makeRouteTable())
    table += format("| `{} {}` | {} |{}\n", route.method, route.pattern, nameOf(route.permission), cells(route.permission));
  return table;
}

std::string eventsTable() {
  std::string table = headOf("event | permission");
  for (const EventType type :
       {EventType::instance, EventType::operation, EventType::notice, EventType::provider, EventType::log, EventType::reset})
    table += format("| `{}` | {} |{}\n", enumName(type), nameOf(permissionOf(type)), cells(permissionOf(type)));
  return table;
}

TEST(AccessPage, hasTheTablesFromWhichTheServerRuns) {
  std::ifstream file(SWARM_TEST_ACCESS_PAGE);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  std::string wanted = page;
  for (const std::string& table : {rolesTable(), permissionsTable(), routesTable(), eventsTable()}) {
    const std::size_t begin = wanted.find(table.substr(0, table.find('|', 2) + 1));
    ASSERT_NE(begin, std::string::npos) << "docs/access.md lacks the table that begins with " << table.substr(0, table.find('\n'));
    wanted.replace(begin, wanted.find("\n\n", begin) + 1 - begin, table);
  }
  if (std::getenv("SWARM_FIX") != nullptr) std::ofstream(SWARM_TEST_ACCESS_PAGE) << wanted;
  EXPECT_TRUE(page == wanted) << "Write the tables of docs/access.md with: SWARM_FIX=1 build/dev/tests/unit/api/api_test";
}

}  // namespace
}  // namespace swarm::api
