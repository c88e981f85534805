#include "auth/accounts/names.h"

#include <algorithm>

#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxLength = 40;
constexpr std::string_view kOneself = "me";  // in paths of the API

bool isNameCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; }

}  // namespace

bool isAccountName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxLength && std::ranges::all_of(name, isNameCharacter) && name[0] != '-' && name[0] != '.' &&
         name != kOneself;
}

void requireAccountName(std::string_view kind, std::string_view name) {
  if (isAccountName(name)) return;
  throw Error(ErrorCode::InvalidArgument,
              format("A {}'s name is 1 to {} of a-z, 0-9, \"-\", \"_\" and \".\", begins with a letter or digit, and is not \"{}\".", kind,
                     kMaxLength, kOneself))
      .withField("/name", format("is not a {} name", kind));
}

Error unknownOwner(std::string_view name) {
  return Error(ErrorCode::InvalidArgument, format("There is no user \"{}\".", name)).withField("/owner", "is not a user");
}

}  // namespace swarm
