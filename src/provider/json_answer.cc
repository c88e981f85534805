// One thread for each large answer: they are rare, and a thread is cheap beside them.
#include "provider/json_answer.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "model/codec/untrusted_json.h"

namespace swarm {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Parsed = std::expected<json::value, std::string>;

constexpr JsonLimits kAnswerLimits{.bytes = kMaxJsonAnswer, .values = kMaxAnswerValues, .depth = 32};

Parsed parseNow(std::string_view text, json::storage_ptr storage) {
  try {
    UntrustedJson document(kAnswerLimits, std::move(storage));
    document.add(text);
    return document.finish();
  } catch (const Error& error) {
    return std::unexpected(error.message());
  }
}

/// The caller's half; lives and dies on the caller's loop.
struct Waiting {
  explicit Waiting(const asio::any_io_executor& executor) : wake(executor) {}
  asio::steady_timer wake;
  std::optional<Parsed> result;
};

std::thread parserThread(std::string_view text, asio::any_io_executor home, std::weak_ptr<Waiting> waiting) {
  return std::thread([text, home = std::move(home), waiting = std::move(waiting)]() mutable {
    pthread_setname_np(pthread_self(), "json");
    // Without it, giving back millions of small parts would stall the caller instead.
    json::storage_ptr storage = json::make_shared_resource<json::monotonic_resource>(text.size());
    asio::post(home, [waiting = std::move(waiting), parsed = parseNow(text, std::move(storage))]() mutable {
      std::shared_ptr<Waiting> still = waiting.lock();
      if (!still) return;
      still->result = std::move(parsed);
      still->wake.cancel();
    });
  });
}

/// Joins also when the caller's loop ends first: the thread reads the caller's text.
class Joined {
 public:
  explicit Joined(std::thread thread) : thread_(std::move(thread)) {}
  ~Joined() { thread_.join(); }
  Joined(const Joined&) = delete;
  Joined& operator=(const Joined&) = delete;

 private:
  std::thread thread_;
};

}  // namespace

asio::awaitable<Parsed> parseAnswer(std::string_view text) {
  if (text.size() <= kParsedInPlace) co_return parseNow(text, {});
  const asio::any_io_executor home = co_await asio::this_coro::executor;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  auto waiting = std::make_shared<Waiting>(home);
  std::optional<Joined> thread;
  try {
    thread.emplace(parserThread(text, home, waiting));
  } catch (const std::system_error&) {
    throw Error(ErrorCode::OutOfResources, "No thread could be started to read an answer.").withRetryable(true);
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!waiting->result) {
    waiting->wake.expires_at(SteadyTime::max());
    boost::system::error_code woken;
    co_await waiting->wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return std::move(*waiting->result);
}

}  // namespace swarm
