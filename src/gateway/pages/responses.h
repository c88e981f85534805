// The gateway's own responses: pages, redirects and short problems, with their security headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/awaitable.h"
#include "auth/browser/browser_session.h"
#include "auth/limits/open_budget.h"
#include "base/clock.h"
#include "base/error.h"
#include "gateway/pages/pages.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

/// Part of every response over https: browsers then use https only.
inline constexpr std::string_view kHsts = "Strict-Transport-Security: max-age=31536000";

/// Whether a browser navigates: it expects a page, and follows redirects to another origin.
bool isNavigation(const net::RequestHead& head);
/// Whether a browser shows the response as a page: a navigation or a submitted form.
bool wantsPage(const net::RequestHead& head);

/// Which pages may frame a page of the gateway: frame-ancestors of the Content-Security-Policy.
inline constexpr std::string_view kNotFramed = "'none'";
inline constexpr std::string_view kFramedByAnyone = "";  ///< for a page without content

async::awaitable<void> respondPage(net::Exchange& exchange, int status, Page page, net::Headers headers = {},
                                   std::string_view frame_ancestors = kNotFramed);
/// The headers of every page.
void addPageHeaders(const Page& page, std::string_view frame_ancestors, net::Headers& headers);
/// A problem document like the API's, with the request's id.
async::awaitable<void> respondProblem(net::Exchange& exchange, int status, ErrorCode code, std::string_view detail,
                                      net::Headers headers = {});
/// Never cached; the next site does not get the present address as Referer.
async::awaitable<void> respondRedirect(net::Exchange& exchange, int status, std::string location, net::Headers headers = {});
/// The page for navigations and forms, otherwise the problem.
async::awaitable<void> respondMessage(net::Exchange& exchange, int status, ErrorCode code, MessagePage message, net::Headers headers = {},
                                      std::string_view frame_ancestors = kNotFramed);

bool isForm(const net::RequestHead& head);  ///< application/x-www-form-urlencoded
/// The body of a form, whose bytes count for the client's address in `forms`, if given. Throws Error(TooManyRequests|PayloadTooLarge).
async::awaitable<std::string> readForm(net::Exchange& exchange, const BrowserSession& browser, OpenBudget* forms);
/// A field of such a text; nothing on a bad escape.
std::optional<std::string> formField(std::string_view form, std::string_view name);
/// A query's field if it is a path of our own; otherwise "/".
std::string localPathField(std::string_view query, std::string_view name);

std::int64_t secondsUntil(SystemTime time, const Clock& clock);

}  // namespace swarm::gateway
