#include "gateway/pages/responses.h"

#include "base/text/format.h"
#include "gateway/host.h"
#include "net/http/problem.h"
#include "net/ip_address.h"

namespace swarm::gateway {
namespace {

constexpr std::size_t kMaxFormBytes = 16 * 1024;

void addCommonHeaders(net::Headers& headers) {
  headers.push_back({"Cache-Control", "no-store"});
  headers.push_back({"X-Content-Type-Options", "nosniff"});
}

}  // namespace

bool isNavigation(const net::RequestHead& head) { return (head.method == "GET" || head.method == "HEAD") && wantsPage(head); }

bool wantsPage(const net::RequestHead& head) {
  if (!head.upgrade.empty()) return false;
  if (const auto mode = head.headers.find("Sec-Fetch-Mode"); mode && *mode != "navigate") return false;
  const auto accept = head.headers.find("Accept");
  return accept && accept->find("text/html") != std::string_view::npos;
}

void addPageHeaders(const Page& page, std::string_view frame_ancestors, net::Headers& headers) {
  addCommonHeaders(headers);
  headers.push_back({"Content-Type", "text/html; charset=utf-8"});
  // No form-action: Chromium applies it to the redirects after a POST, and a sign-in redirects to another origin.
  headers.push_back(
      {"Content-Security-Policy", format("{}{}{}", page.policy, frame_ancestors.empty() ? "" : "; frame-ancestors ", frame_ancestors)});
  if (frame_ancestors == kNotFramed) headers.push_back({"X-Frame-Options", "DENY"});
  // same-origin, because no-referrer would change the Origin of our own forms to "null".
  headers.push_back({"Referrer-Policy", "same-origin"});
}

async::awaitable<void> respondPage(net::Exchange& exchange, int status, Page page, net::Headers headers, std::string_view frame_ancestors) {
  addPageHeaders(page, frame_ancestors, headers);
  if (status >= 400) headers.push_back({"X-Request-Id", net::requestIdOf(exchange.head().headers)});
  co_await exchange.respond(status, std::move(headers), std::move(page.html));
}

async::awaitable<void> respondProblem(net::Exchange& exchange, int status, ErrorCode code, std::string_view detail, net::Headers headers) {
  addCommonHeaders(headers);
  const auto& head = exchange.head();
  std::string request_id = net::requestIdOf(head.headers);
  const auto problem = net::problemDocument(Error(code, std::string(detail)), head.path(), request_id, status);
  headers.push_back({"Content-Type", std::string(net::kProblemType)});
  headers.push_back({"X-Request-Id", std::move(request_id)});
  co_await exchange.respond(status, std::move(headers), boost::json::serialize(problem));
}

async::awaitable<void> respondRedirect(net::Exchange& exchange, int status, std::string location, net::Headers headers) {
  addCommonHeaders(headers);
  headers.push_back({"Location", std::move(location)});
  headers.push_back({"Referrer-Policy", "no-referrer"});
  co_await exchange.respond(status, std::move(headers), {});
}

async::awaitable<void> respondMessage(net::Exchange& exchange, int status, ErrorCode code, MessagePage message, net::Headers headers,
                                      std::string_view frame_ancestors) {
  if (wantsPage(exchange.head()))
    co_return co_await respondPage(exchange, status, messagePage(message), std::move(headers), frame_ancestors);
  std::string detail = message.text;
  if (!message.detail.empty()) detail += " " + message.detail;
  co_await respondProblem(exchange, status, code, detail, std::move(headers));
}

bool isForm(const net::RequestHead& head) {
  return head.headers.find("Content-Type").value_or("").starts_with("application/x-www-form-urlencoded");
}

async::awaitable<std::string> readForm(net::Exchange& exchange, const BrowserSession& browser, OpenBudget* forms) {
  std::optional<OpenBudget::Share> held;
  if (forms) held.emplace(forms->takeBytes(net::addressGroup(browser.originOf(exchange).address), kMaxFormBytes));
  co_return co_await net::readAll(exchange.body(), kMaxFormBytes);
}

std::optional<std::string> formField(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const auto end = form.find('&');
    const auto pair = form.substr(0, end);
    form.remove_prefix(end == std::string_view::npos ? form.size() : end + 1);
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    std::string value(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    std::replace(value.begin(), value.end(), '+', ' ');
    return net::percentDecode(value);
  }
  return std::nullopt;
}

std::string localPathField(std::string_view query, std::string_view name) {
  auto path = formField(query, name);
  return path && isLocalPath(*path) ? *path : "/";
}

std::int64_t secondsUntil(SystemTime time, const Clock& clock) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(time - clock.now()).count());
}

}  // namespace swarm::gateway
