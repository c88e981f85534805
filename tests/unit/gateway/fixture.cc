// The fixture: auth in memory, scripted applications, and a client that parses responses.
#include "unit/gateway/fixture.h"
#include "async/deadline.h"

#include <boost/asio/redirect_error.hpp>

#include "gateway/proxy/targets.h"
#include "gateway/refusals.h"

namespace swarm::gateway::testing {

awaitable<LoginResult> MemoryAuth::login(std::string user, Secret password, LoginOrigin, std::string) {
  if (password.reveal() != "pw-" + user) throw Error(ErrorCode::Unauthenticated, "The user name or the password is wrong.");
  co_return signIn(user);
}

awaitable<LoginResult> MemoryAuth::issue(std::string user, std::chrono::seconds ttl) { co_return signIn(user, ttl); }

LoginResult MemoryAuth::signIn(const std::string& user, std::chrono::seconds ttl) {
  const auto session = "s" + std::to_string(++next_);
  const auto role = user == "root" ? Role::admin : user == "vic" ? Role::viewer : Role::user;
  sessions_[session] = {
      .user = user, .role = role, .sessionId = session, .expiresAt = clock_.now() + ttl, .mayEnterOthers = adminsMayEnter};
  return {Secret("token-" + session), sessions_[session]};
}

void MemoryAuth::revoke(const std::string& session) {
  sessions_.erase(session);
  noteRevocation();
}

awaitable<void> MemoryAuth::logout(Principal principal) {
  revoke(principal.sessionId);
  co_return;
}

std::optional<Principal> MemoryAuth::verifyApiToken(std::string_view token) const {
  if (!token.starts_with("token-")) return std::nullopt;
  const auto found = sessions_.find(token.substr(6));
  if (found == sessions_.end() || found->second.expiresAt <= clock_.now()) return std::nullopt;
  Principal principal = found->second;
  if (const auto grants = grants_.find(principal.user); grants != grants_.end()) principal.grants = grants->second;
  return principal;
}

void MemoryAuth::share(const std::string& user, Grants grants) {
  grants_[user] = std::make_shared<const Grants>(std::move(grants));
  noteRevocation();
}

std::string MemoryAuth::issueInstanceCookie(const Principal& principal, std::string_view instance_id) {
  return "c." + principal.sessionId + "." + std::string(instance_id);
}

std::optional<Principal> MemoryAuth::verifyInstanceCookie(std::string_view value, std::string_view instance_id) const {
  ++cookiesVerified;
  const auto end = value.find('.', 2);
  if (!value.starts_with("c.") || end == std::string_view::npos || value.substr(end + 1) != instance_id) return std::nullopt;
  return verifyApiToken("token-" + std::string(value.substr(2, end - 2)));
}

std::optional<Principal> MemoryAuth::verifyAnyInstanceCookie(std::string_view value) const {
  const auto end = value.find('.', 2);
  return end == std::string_view::npos ? std::nullopt : verifyInstanceCookie(value, value.substr(end + 1));
}

std::optional<Principal> MemoryAuth::verifySessionCookie(std::string_view value) const {
  return value.starts_with("cookie-") ? verifyApiToken("token-" + std::string(value.substr(7))) : std::nullopt;
}

std::string MemoryAuth::issueCode(const Principal& principal, std::string_view instance_id, std::string_view binding) {
  const auto code = "code-" + std::to_string(++next_);
  codes_[code] = {std::string(instance_id) + " " + std::string(binding), principal};
  return code;
}

std::optional<Principal> MemoryAuth::takeCode(std::string_view code, std::string_view instance_id, std::string_view binding) {
  const auto found = codes_.find(code);
  if (found == codes_.end() || found->second.first != std::string(instance_id) + " " + std::string(binding)) return std::nullopt;
  auto principal = found->second.second;
  codes_.erase(found);
  return stillSignedIn(principal);
}

std::string MemoryAuth::issueLoginLink(const Principal& principal) {
  const auto code = "link-" + std::to_string(++next_);
  links_[code] = principal.user;
  return code;
}

std::optional<std::string> MemoryAuth::userOfLoginLink(std::string_view code) {
  const auto found = links_.find(code);
  return found == links_.end() ? std::nullopt : std::optional(found->second);
}

awaitable<std::optional<LoginResult>> MemoryAuth::takeLoginLink(std::string code, LoginOrigin) {
  const auto user = userOfLoginLink(code);
  links_.erase(code);
  co_return user ? std::optional(signIn(*user)) : std::nullopt;
}

std::optional<std::string> MemoryAccounts::invited(std::string_view code) const {
  const auto found = codes.find(code);
  return found == codes.end() ? std::nullopt : std::optional(found->second);
}

awaitable<std::optional<SignInStep>> MemoryAccounts::acceptInvitation(std::string code, Secret password, LoginOrigin,
                                                                      OfferEnrolment offer) {
  const auto user = invited(code);
  if (!user) co_return std::nullopt;
  if (password.reveal().size() < 8) throw Error(ErrorCode::InvalidArgument, "A password has 8 to 1024 characters.");
  codes.erase(code);
  passwords[*user] = password.reveal();
  if (offer == OfferEnrolment::Yes) co_return SignInStep(MemorySecondFactors::enrolmentOf(*user));
  co_return SignInStep(sign_in_(*user));
}

std::string Response::header(std::string_view name) const {
  net::ResponseHead parsed;
  if (!net::parseResponseHead(head, "GET", parsed)) return {};
  return std::string(parsed.headers.find(name).value_or(""));
}

std::vector<std::string> Response::headers(std::string_view name) const {
  std::vector<std::string> values;
  net::ResponseHead parsed;
  if (!net::parseResponseHead(head, "GET", parsed)) return values;
  for (const auto& field : parsed.headers.all())
    if (net::equalsIgnoreCase(field.name, name)) values.emplace_back(field.value);
  return values;
}

std::string Response::cookie(std::string_view name) const {
  std::string found;
  for (const auto& set : headers("Set-Cookie"))
    if (set.starts_with(std::string(name) + "=")) found = set;
  return found;
}

awaitable<void> Client::send(std::string_view text) {
  const auto sent = co_await stream_->writeAll(text);
  EXPECT_FALSE(sent.error) << sent.error.message();
}

awaitable<Response> Client::receive(std::string_view method) {
  Response response;
  net::ResponseHead head;
  for (;;) {
    const auto size = co_await net::readHead(*stream_, buffer_);
    if (!size || *size == 0) co_return response;
    response.head = std::string(buffer_.data().substr(0, *size));
    head.headers.clear();
    const auto parsed = net::parseResponseHead(response.head, method, head);
    EXPECT_TRUE(parsed) << response.head;
    if (!parsed) co_return response;
    buffer_.consume(*size);
    if (head.status >= 200 || head.status == 101) break;
    ++interim;
  }
  response.status = head.status;
  response.keepAlive = head.keepAlive;
  response.complete = true;
  if (head.status == 101) co_return response;
  net::BodyReader body(*stream_, buffer_, head.body);
  std::vector<char> piece(64 * 1024);
  for (;;) {
    const auto read = co_await body.readSome(asio::buffer(piece));
    if (read.error) response.complete = false;
    if (read.error || read.bytes == 0) co_return response;
    response.body.append(piece.data(), read.bytes);
  }
}

awaitable<Response> Client::ask(std::string request, std::string_view method) {
  co_await send(request);
  co_return co_await receive(method);
}

awaitable<std::string> Client::readExactly(std::size_t bytes) {
  while (buffer_.data().size() < bytes) {
    const auto read = co_await stream_->readSome(buffer_.prepare(4096));
    if (read.error) break;
    buffer_.commit(read.bytes);
  }
  std::string result(buffer_.data().substr(0, bytes));
  buffer_.consume(result.size());
  co_return result;
}

awaitable<std::string> Client::readThrough(std::string_view end) {
  std::string result;
  while (!result.ends_with(end)) {
    const auto next = co_await readExactly(1);
    if (next.empty()) break;
    result += next;
  }
  co_return result;
}

awaitable<bool> Client::isClosed() {
  char byte = 0;
  const auto read = co_await stream_->readSome(asio::buffer(&byte, 1));
  co_return read.error&& read.error != asio::error::timed_out;
}

Application::Application(async::Executor executor) : listener_(net::listenTcp(executor, {"127.0.0.1", 0})), executor_(std::move(executor)) {
  asio::co_spawn(executor_, acceptAll(), asio::detached);
}

void Application::stop() { listener_->close(); }

awaitable<net::StreamPtr> Application::connect(std::shared_ptr<const InstanceRoute>, std::uint16_t port, Deadline deadline) {
  ports.push_back(port);
  if (!refuse.empty()) throw Error(ErrorCode::Unavailable, refuse);
  co_return co_await net::connectTcp({"127.0.0.1", listener_->port()}, deadline);
}

awaitable<void> Application::acceptAll() {
  const auto listener = listener_;
  try {
    for (;;) {
      std::shared_ptr<net::Stream> stream = co_await listener->accept();
      asio::co_spawn(
          executor_,
          [](Application& self, std::shared_ptr<net::Stream> client, int number) -> awaitable<void> {
            net::ReadBuffer buffer;
            ++self.open;
            co_await self.script(*client, buffer, number);
            client->close();
            --self.open;
          }(*this, std::move(stream), ++connections),
          asio::detached);
    }
  } catch (const boost::system::system_error&) {
    // closed
  }
}

awaitable<std::string> Application::readHead(net::Stream& stream, net::ReadBuffer& buffer) {
  const auto size = co_await net::readHead(stream, buffer);
  if (!size || *size == 0) co_return std::string();
  std::string head(buffer.data().substr(0, *size));
  buffer.consume(*size);
  heads.push_back(head);
  co_return head;
}

Application::Script Application::responding(std::string response) {
  return [this, response = std::move(response)](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
    const std::string text = response;
    for (;;) {
      const auto head = co_await readHead(stream, buffer);
      if (head.empty()) co_return;
      co_await stream.writeAll(text);
    }
  };
}

GatewayTest::GatewayTest() {
  publish();
  rebuildGateway({});
  ada_ = auth_.signIn("ada");
}

GatewayTest::~GatewayTest() {
  server_.reset();
  gateway_.reset();
  retired_.clear();
}

void GatewayTest::rebuildGateway(GatewayOptions options) {
  // Coroutines of the first gateway are on the loop: it must stay until the end.
  if (gateway_) retired_.push_back(std::move(gateway_));
  auto application = std::make_unique<Application>(context_.get_executor());
  application_ = application.get();
  application_->script = application_->responding("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  gateway_ = std::make_unique<Gateway>(context_.get_executor(), std::move(options), routes_, auth_, clock_, std::move(application));
  auto handler = [this](net::Exchange& exchange) -> awaitable<void> {
    const auto host = gateway_->parseHost(exchange.head().host);
    if (host.kind() == HostKind::Instance) {
      co_await gateway_->handle(exchange, host);
    } else if (host.kind() == HostKind::Foreign) {
      co_await gateway_->respondForeign(exchange);
    } else if (exchange.head().oddPath) {
      co_await gateway_->respondOddPath(exchange);
    } else if (!co_await gateway_->handlePages(exchange)) {
      co_await exchange.respond(404, {}, "api");
    }
  };
  net::HttpServerOptions server_options;
  server_options.oddPaths = net::OddPaths::Mark;
  server_options.refusal = refusalResponse;
  server_ = std::make_unique<net::HttpServer>(net::listenTcp(context_.get_executor(), {"127.0.0.1", 0}), handler, server_options);
}

void GatewayTest::run(std::function<awaitable<void>()> test) {
  bool done = false;
  std::exception_ptr failure;
  asio::co_spawn(context_, server_->run(), asio::detached);
  asio::co_spawn(context_, test(), [&](std::exception_ptr error) {
    failure = error;
    done = true;
    application_->stop();
    server_->stop();
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done && std::chrono::steady_clock::now() < end) context_.run_one_for(std::chrono::seconds(1));
  ASSERT_TRUE(done) << "the test did not end in time";
  // Closed connections end the remaining coroutines.
  const auto grace = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (gateway_->counters().openExchanges > 0 && std::chrono::steady_clock::now() < grace)
    context_.run_one_for(std::chrono::milliseconds(10));
  context_.poll();
  if (failure) std::rethrow_exception(failure);
}

awaitable<Client> GatewayTest::connect() {
  auto stream = co_await net::connectTcp({"127.0.0.1", server_->port()}, Deadline::after(std::chrono::seconds(5)));
  stream->setDeadline(std::chrono::steady_clock::now() + std::chrono::seconds(20));
  co_return Client(std::move(stream));
}

std::string GatewayTest::hostName(std::string_view label) const {
  return std::string(label.empty() ? "swarm" : label) + ".localhost:" + std::to_string(server_->port());
}

const CookieNames& GatewayTest::names() {
  static const CookieNames names = makeCookieNames("swarm.localhost:7420", true);
  return names;
}

std::string GatewayTest::instanceCookie(const Principal& principal, std::string_view label) {
  const auto host = parseLabel(label);
  const auto& route = current_.at(std::string(host.instance()));
  return names().session + "=" + auth_.issueInstanceCookie(principal, Targets::audienceOf(route, host.port()));
}

std::string GatewayTest::request(std::string_view line, std::string_view fields, std::string_view host) {
  return std::string(line) + " HTTP/1.1\r\nHost: " + hostName(host) + "\r\n" + std::string(fields) + "\r\n";
}

std::string GatewayTest::get(std::string_view path, std::string_view fields, std::string_view host) {
  return request("GET " + std::string(path), "Cookie: " + instanceCookie(ada_.principal, host) + "\r\n" + std::string(fields), host);
}

void GatewayTest::publish(const std::function<void(InstanceRoute&)>& change, const std::string& name) {
  auto [it, made] = current_.try_emplace(name);
  InstanceRoute& route = it->second;
  if (made) {
    route.instanceId = InstanceId("i-" + name);
    route.name = name;
    route.owner = "ada";
    route.status = InstanceStatus::running;
    route.ready = true;
    route.generation = "g1";
    route.epoch = 1;
  }
  if (change) change(route);
  auto table = std::make_shared<RouteTable>();
  for (const auto& [key, value] : current_) (*table)[key] = std::make_shared<const InstanceRoute>(value);
  routes_.publish(std::move(table));
}

void GatewayTest::remove(const std::string& name) {
  current_.erase(name);
  auto table = std::make_shared<RouteTable>();
  for (const auto& [key, value] : current_) (*table)[key] = std::make_shared<const InstanceRoute>(value);
  routes_.publish(std::move(table));
}

awaitable<bool> GatewayTest::eventually(std::function<bool()> condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) co_return false;
    co_await async::sleepFor(std::chrono::milliseconds(1));
  }
  co_return true;
}

}  // namespace swarm::gateway::testing
