// Answers of our own: pages, redirects and short problems, with the headers that keep them safe.
#pragma once

#include <string>
#include <string_view>

#include "gateway/pages.h"
#include "net/http_server.h"

namespace swarm::gateway {

/// Whether a browser navigates: it wants a page, and follows redirects to another origin.
bool isNavigation(const net::RequestHead& head);

net::awaitable<void> respondPage(net::Exchange& exchange, int status, Page page, net::Headers headers = {});
/// application/problem+json with title, status, detail and code.
net::awaitable<void> respondProblem(net::Exchange& exchange, int status, std::string_view code, std::string_view detail,
                                    net::Headers headers = {});
/// Never cached, and nothing of the present address reaches the next one by Referer.
net::awaitable<void> respondRedirect(net::Exchange& exchange, int status, std::string location, net::Headers headers = {});
/// The page for navigations, else the problem.
net::awaitable<void> respondMessage(net::Exchange& exchange, int status, std::string_view code, MessagePage message,
                                    net::Headers headers = {});

/// Whether a form post comes from a page of this very host: the guard against forged sign-ins and sign-outs.
bool isSameOriginPost(const net::RequestHead& head);

/// Fields of an application/x-www-form-urlencoded text; nothing on a bad escape.
std::optional<std::string> formField(std::string_view form, std::string_view name);

}  // namespace swarm::gateway
