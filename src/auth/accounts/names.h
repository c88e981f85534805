// The names of users and groups: one rule, because both stand in paths, labels, log lines and cookies.
#pragma once

#include <string_view>

namespace swarm {

bool isAccountName(std::string_view name);
/// `kind`: "user" or "group". Throws Error(InvalidArgument) with the accepted form.
void requireAccountName(std::string_view kind, std::string_view name);

}  // namespace swarm
