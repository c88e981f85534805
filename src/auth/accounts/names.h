// The names of users and groups: one rule, because both stand in paths, labels, log lines and cookies.
#pragma once

#include <string_view>

#include "base/error.h"

namespace swarm {

bool isAccountName(std::string_view name);
/// `kind`: "user" or "group". Throws Error(InvalidArgument) with the accepted form.
void requireAccountName(std::string_view kind, std::string_view name);
/// Error(InvalidArgument), for a request that names an owner who is not a user.
Error unknownOwner(std::string_view name);

}  // namespace swarm
