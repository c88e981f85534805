// One stream after the other.
#include "provider/docker/engine/engine_events.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/engine/engine_stream.h"

namespace swarm::docker {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::seconds kConnectTime{10};
/// A stream this old is opened anew where it ended: a TCP peer that died without a word is noticed at last.
constexpr std::chrono::minutes kStreamAge{5};

}  // namespace

std::string eventAttribute(const json::value& event, std::string_view name) {
  const json::value* attributes = member(event, "Actor.Attributes");
  const json::value* found = attributes && attributes->is_object() ? attributes->as_object().if_contains(name) : nullptr;
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

void EngineEvents::handle(std::string_view line) {
  boost::system::error_code error;
  json::value event = json::parse(line, error);
  if (error) return;
  std::int64_t nanoseconds = integerAt(event, "timeNano");
  if (nanoseconds > 0) last_event_ = format("{}.{:09}", nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000 + 1);
  listener_.event(event);
}

awaitable<void> EngineEvents::read() {
  Deadline connecting = Deadline::after(kConnectTime);
  co_await engine_.connect(connecting);
  std::string target = "/events?" + filterQuery(listener_.filters);
  if (connected_ && !last_event_.empty()) target += "&since=" + last_event_;
  auto exchange = co_await engine_.open({.target = std::move(target), .doing = "tell its events", .body = {}}, connecting);
  if (!connected_) {
    if (listener_.catchUp) co_await listener_.catchUp(connecting);
    connected_ = true;
    trouble_.clear();
    if (listener_.connected) listener_.connected();
  }
  LineReader lines;
  Deadline age = Deadline::after(kStreamAge);
  try {
    for (;;) {
      std::string piece = co_await exchange->read(age);
      if (piece.empty()) break;
      lines.add(piece);
      while (auto line = lines.next()) handle(*line);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::DeadlineExceeded && age.hasPassed() && !last_event_.empty()) co_return;  // opened anew, nothing lost
    throw;
  }
  throw Error(ErrorCode::Unavailable,
              format("The Docker Engine at {} closed its event stream (it was stopped or restarted).", endpointText(engine_.config())));
}

awaitable<void> EngineEvents::run() {
  std::chrono::milliseconds pause = kFirstPause;
  while (!closing_) {
    std::string trouble;
    try {
      co_await read();
      pause = kFirstPause;
      continue;
    } catch (const Error& error) {
      trouble = error.message();
    } catch (const boost::system::system_error& error) {
      trouble = error.what();
    }
    if (closing_) break;
    if (connected_ || trouble != trouble_) log::warning("the Docker Engine can't be reached", {{"reason", trouble}});
    if (connected_) pause = kFirstPause;
    bool was_connected = std::exchange(connected_, false);
    trouble_ = trouble;
    last_event_.clear();
    engine_.forget();
    listener_.lost(trouble, was_connected);
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    pause = std::min(pause * 2, longest_pause_);
  }
}

void EngineEvents::follow(async::Executor executor, Listener listener) {
  listener_ = std::move(listener);
  closing_ = false;
  following_ = true;
  ended_ = std::make_unique<asio::steady_timer>(executor, SteadyTime::max());
  auto ended = [this](std::exception_ptr) {
    following_ = false;
    ended_->cancel();
  };
  asio::co_spawn(executor, run(), asio::bind_cancellation_slot(stop_.slot(), std::move(ended)));
}

awaitable<void> EngineEvents::close() {
  closing_ = true;
  if (!following_) co_return;
  stop_.emit(asio::cancellation_type::terminal);
  co_await ended_->async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace swarm::docker
