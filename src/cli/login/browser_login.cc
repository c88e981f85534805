#include "cli/login/browser_login.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "async/attempt.h"
#include "async/loop.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/browser.h"
#include "cli/output/output.h"
#include "model/comparison_code.h"
#include "net/http/http_server.h"

namespace swarm::cli {
namespace {

constexpr std::chrono::minutes kBrowserPatience{10};
constexpr std::string_view kDonePage =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Signed in</title>"
    "<p>The command line is signed in. You can close this page.</p>";

std::string queryField(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return net::percentDecode(pair.substr(name.size() + 1)).value_or("");
  }
  return {};
}

/// A port of this machine to which the browser brings the code. `state` keeps other pages from bringing theirs.
class CodeReceiver {
 public:
  explicit CodeReceiver(std::string state) : state_(std::move(state)) {
    auto listener = net::listenTcp(loop_.executor(), {"127.0.0.1", 0});
    port_ = listener->port();
    server_ = std::make_unique<net::HttpServer>(
        std::move(listener), [this](net::Exchange& exchange) { return receive(exchange); }, net::HttpServerOptions{.maxConnections = 16});
    ended_ = boost::asio::co_spawn(loop_.executor(), server_->run(), boost::asio::use_future);
  }
  ~CodeReceiver() {
    boost::asio::post(loop_.context(), boost::asio::use_future([this] { server_->stop(); })).get();
    ended_.wait_for(std::chrono::seconds(2));
    boost::asio::post(loop_.context(), boost::asio::use_future([this] { server_.reset(); })).get();
  }
  CodeReceiver(const CodeReceiver&) = delete;
  CodeReceiver& operator=(const CodeReceiver&) = delete;

  std::uint16_t port() const { return port_; }
  std::optional<std::string> wait(std::chrono::seconds patience) {
    auto code = code_.get_future();
    if (code.wait_for(patience) != std::future_status::ready) return std::nullopt;
    return code.get();
  }

 private:
  async::awaitable<void> receive(net::Exchange& exchange) {
    const auto& head = exchange.head();
    std::string code = queryField(head.query(), "code");
    const bool is_ours = head.method == "GET" && head.path() == "/" && equalConstantTime(queryField(head.query(), "state"), state_);
    net::Headers headers{{"Content-Type", "text/html; charset=utf-8"}, {"Cache-Control", "no-store"}, {"Referrer-Policy", "no-referrer"}};
    if (!is_ours || code.empty() || received_) co_return co_await exchange.respond(404, std::move(headers), "Not found");
    received_ = true;
    // Also when the browser has closed the connection: the code is here.
    (void)co_await async::attempt(exchange.respond(200, std::move(headers), std::string(kDonePage)));
    code_.set_value(std::move(code));
  }

  std::string state_;
  async::Loop loop_{"swarm-login"};
  std::uint16_t port_ = 0;
  std::unique_ptr<net::HttpServer> server_;
  std::future<void> ended_;
  std::promise<std::string> code_;
  bool received_ = false;  // on the loop
};

}  // namespace

std::optional<SwarmClient::Login> loginByBrowser(SwarmClient& client, const std::string& url) {
  const Secret verifier(toBase64Url(randomBytes(32)));
  const std::string state = toBase64Url(randomBytes(16));
  CodeReceiver receiver(state);
  std::string base = url;
  while (base.ends_with('/')) base.pop_back();
  const std::string challenge = toBase64Url(sha256(verifier.reveal()));
  const std::string link = format("{}/login/program?port={}&challenge={}&state={}", base, receiver.port(), challenge, state);
  if (!isWebLink(link) || !startBrowser(link)) return std::nullopt;
  report(format("Confirm the sign-in in the browser, which shows the code {}. If none has opened: {}\n", comparisonCode(challenge), link));
  const auto code = receiver.wait(kBrowserPatience);
  if (!code) throw Error(ErrorCode::DeadlineExceeded, "No browser has confirmed the sign-in. Run `swarm login` again.");
  return client.loginWithCode(*code, verifier);
}

SwarmClient::Login loginByCode(SwarmClient& client) {
  const SwarmClient::DeviceLogin begun = client.beginDeviceLogin();
  report(format("Open {} in a browser and type the code {} there.\n", printable(begun.verificationUri), printable(begun.userCode)));
  const auto end = std::chrono::steady_clock::now() + begun.expiresIn;
  auto interval = std::max(begun.interval, std::chrono::seconds(1));
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(interval);
    try {
      if (auto login = client.pollDeviceLogin(begun)) return std::move(*login);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::TooManyRequests && error.code() != ErrorCode::Unavailable) throw;
      interval += std::chrono::seconds(1);
    }
  }
  throw Error(ErrorCode::DeadlineExceeded, "The code has expired. Run `swarm login` again.");
}

}  // namespace swarm::cli
