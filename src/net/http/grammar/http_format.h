// Internal: writing of heads.
#pragma once

#include <string>
#include <string_view>

#include "net/http/http.h"

namespace swarm::net {

/// Whether a header can be sent: a token as name, no line breaks, NULs or other control characters in the value.
bool isSendable(const Header& header);
/// Whether a request's method and target can be sent.
bool isSendableMethod(std::string_view method);
bool isSendableTarget(std::string_view target);

inline void appendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// "Mon, 23 Nov 2026 19:04:36 GMT"; valid until the next call on this thread.
std::string_view httpDate();

}  // namespace swarm::net
