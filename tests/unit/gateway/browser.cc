#include "unit/gateway/browser.h"

#include "gateway/pages/responses.h"

namespace swarm::gateway::testing {
namespace {

std::string withoutPort(const std::string& host) { return host.substr(0, host.find(':')); }

/// The target of a page's automatic refresh; empty: none.
std::string refreshOf(const Response& response) {
  constexpr std::string_view mark = "content=\"0;url=";
  const auto at = response.body.find(mark);
  if (at == std::string::npos) return {};
  auto url = response.body.substr(at + mark.size(), response.body.find('"', at + mark.size()) - at - mark.size());
  for (std::size_t found = 0; (found = url.find("&amp;", found)) != std::string::npos; ++found) url.replace(found, 5, "&");
  return url;
}

}  // namespace

std::string BrowserTest::cookiesFor(const std::string& host) const {
  std::string cookies;
  for (const auto& [where, pairs] : jar_) {
    const bool sent = where == host || (where.starts_with('.') && ("." + withoutPort(host)).ends_with(where));
    if (!sent) continue;
    for (const auto& [name, value] : pairs) cookies += (cookies.empty() ? "Cookie: " : "; ") + name + "=" + value;
  }
  return cookies.empty() ? cookies : cookies + "\r\n";
}

void BrowserTest::store(const std::string& host, const Response& response) {
  if (!keepsCookies_) return;
  for (const auto& set : response.headers("Set-Cookie")) {
    const auto equals = set.find('=');
    const auto domain_at = set.find("; Domain=");
    const auto where =
        domain_at == std::string::npos ? host : "." + set.substr(domain_at + 9, set.find(';', domain_at + 9) - domain_at - 9);
    const auto name = set.substr(0, equals);
    if (set.find("Max-Age=0") != std::string::npos)
      jar_[where].erase(name);
    else
      jar_[where][name] = set.substr(equals + 1, set.find(';') - equals - 1);
  }
}

awaitable<Response> BrowserTest::visit(std::string url, std::string fields) {
  const std::string_view rest = std::string_view(url).substr(std::string_view("http://").size());
  const auto slash = rest.find('/');
  const std::string host(rest.substr(0, slash));
  auto client = co_await connect();
  auto response = co_await client.ask("GET " + std::string(rest.substr(slash)) + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields +
                                      cookiesFor(host) + "\r\n");
  store(host, response);
  co_return response;
}

awaitable<Response> BrowserTest::post(std::string path, std::string fields, std::string form) {
  auto client = co_await connect();
  auto response = co_await client.ask("POST " + path + " HTTP/1.1\r\nHost: " + hostName("") +
                                      "\r\nContent-Type: application/x-www-form-urlencoded\r\n" + fields +
                                      "Content-Length: " + std::to_string(form.size()) + "\r\n\r\n" + form);
  store(hostName(""), response);
  co_return response;
}

awaitable<Response> BrowserTest::browse(std::string url) {
  trail_.clear();
  for (int i = 0; i < 10; ++i) {
    auto response = co_await visit(url);
    trail_.push_back(url);
    const auto next = response.status == 302 || response.status == 303 ? response.header("Location") : refreshOf(response);
    if (next.empty()) co_return response;
    url = next.starts_with('/') ? url.substr(0, url.find('/', 7)) + next : next;
  }
  ADD_FAILURE() << "a redirect loop: " << trail_.back();
  co_return Response{};
}

void BrowserTest::signInAs(const std::string& user) {
  jar_[hostName("")][names().session] = auth_.issueSessionCookie(auth_.signIn(user).principal);
}

std::string BrowserTest::field(const Response& redirect, std::string_view name) {
  const auto location = redirect.header("Location");
  return formField(std::string_view(location).substr(location.find('?') + 1), name).value_or("");
}

awaitable<std::string> BrowserTest::beginAt(std::string label) { co_return field(co_await visit(instance("/", label)), "binding"); }

}  // namespace swarm::gateway::testing
