// The browser's session: its cookie, and the check that a request with it comes from our own pages.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "net/http.h"

namespace swarm::api {

inline constexpr std::string_view kSessionCookie = "swarm_session";

/// A Set-Cookie value: host-only, HttpOnly, SameSite=Lax; an empty token removes the cookie.
std::string sessionCookie(std::string_view token, std::chrono::seconds lifetime, bool secure);

/// Whether a request comes from a page of the same origin, as Sec-Fetch-Site and Origin tell. Workspaces live on sibling hosts, which
/// SameSite does not keep apart: without this check a page in a workspace could act with its visitor's session. A request that has neither
/// header comes from no browser of today, and does not pass.
bool isSameOrigin(const net::RequestHead& head);

std::string_view toString(Role role);

}  // namespace swarm::api
