// Answers of our own: pages, redirects and short problems, with the headers that keep them safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "gateway/pages/pages.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

/// Said by every answer behind https: from then on browsers come by it only.
inline constexpr std::string_view kHsts = "Strict-Transport-Security: max-age=31536000";

/// Whether a browser navigates: it wants a page, and follows redirects to another origin.
bool isNavigation(const net::RequestHead& head);
/// Whether a browser shows the response as a page: a navigation or a submitted form.
bool wantsPage(const net::RequestHead& head);

/// What may show a page of ours in a frame, as frame-ancestors of the Content-Security-Policy wants it.
inline constexpr std::string_view kFramedByNobody = "'none'";
inline constexpr std::string_view kFramedByAnyone = "";  ///< for a page without content

net::awaitable<void> respondPage(net::Exchange& exchange, int status, Page page, net::Headers headers = {},
                                 std::string_view frame_ancestors = kFramedByNobody);
/// What every page of ours says to the browser, beside its own headers.
void addPageHeaders(const Page& page, std::string_view frame_ancestors, net::Headers& headers);
/// A problem document as the API's are, with the request's id.
net::awaitable<void> respondProblem(net::Exchange& exchange, int status, ErrorCode code, std::string_view detail,
                                    net::Headers headers = {});
/// Never cached, and nothing of the present address reaches the next one by Referer.
net::awaitable<void> respondRedirect(net::Exchange& exchange, int status, std::string location, net::Headers headers = {});
/// The page for navigations and forms, else the problem.
net::awaitable<void> respondMessage(net::Exchange& exchange, int status, ErrorCode code, MessagePage message, net::Headers headers = {},
                                    std::string_view frame_ancestors = kFramedByNobody);

/// Fields of an application/x-www-form-urlencoded text; nothing on a bad escape.
std::optional<std::string> formField(std::string_view form, std::string_view name);
/// A query's field as a path of our own; "/" when it is none.
std::string localPathField(std::string_view query, std::string_view name);

std::int64_t secondsUntil(SystemTime time, const Clock& clock);

}  // namespace swarm::gateway
