#include "engine/events.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "engine/format/streams.h"

namespace swarm::engine {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::seconds kConnectTime{10};

}  // namespace

std::string eventAttribute(const json::value& event, std::string_view name) { return stringIn(event, "Actor.Attributes", name); }

void Events::handle(std::string_view line) {
  boost::system::error_code error;
  json::value event = json::parse(line, error);
  if (error) return;
  if (std::int64_t time = integerAt(event, "timeNano"); time > 0) {
    const std::uint64_t after = static_cast<std::uint64_t>(time) + 1;
    resume_at_ = format("{}.{:09}", after / 1'000'000'000, after % 1'000'000'000);
  }
  listener_.event(event);
}

awaitable<void> Events::read() {
  Deadline connecting = Deadline::after(kConnectTime);
  co_await engine_.connect(connecting);
  auto exchange = co_await engine_.openEvents(listener_.filters, resume_at_, connecting);
  if (resume_at_.empty()) {
    if (listener_.catchUp) co_await listener_.catchUp(connecting);
    connected_ = true;
    trouble_.clear();
    if (listener_.connected) listener_.connected();
  }
  LineReader lines;
  Deadline age = Deadline::after(stream_age_);
  try {
    for (;;) {
      std::string piece = co_await exchange->read(age);
      if (piece.empty()) break;
      lines.add(piece);
      while (auto line = lines.next()) handle(*line);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::DeadlineExceeded && age.hasPassed()) co_return;  // opened again
    throw;
  }
  throw Error(ErrorCode::Unavailable,
              format("The Docker Engine at {} closed its event stream (it was stopped or restarted).", toString(engine_.endpoint())));
}

awaitable<void> Events::run() {
  std::chrono::milliseconds pause = kFirstPause;
  while (!task_.isClosing()) {
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
    if (task_.isClosing()) break;
    if (connected_ || trouble != trouble_) log::warning("the Docker Engine cannot be reached", {{"reason", trouble}});
    if (connected_) pause = kFirstPause;
    bool was_connected = std::exchange(connected_, false);
    trouble_ = trouble;
    resume_at_.clear();
    engine_.forget();
    listener_.lost(trouble, was_connected);
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    pause = std::min(pause * 2, longest_pause_);
  }
}

void Events::follow(async::Executor executor, Listener listener) {
  listener_ = std::move(listener);
  task_.start(executor, run());
}

}  // namespace swarm::engine
