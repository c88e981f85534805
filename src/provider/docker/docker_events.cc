// Following the Engine's events: what happens by itself drives the observed state. Reconnects with growing pauses, for ever.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include "base/format.h"
#include "base/log.h"
#include "net/deadline.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine_errors.h"
#include "provider/docker/engine_stream.h"

namespace swarm::docker {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{5'000};
constexpr std::chrono::seconds kConnectTime{10};
/// A stream this old is opened anew where it ended: a TCP peer that died without a word is noticed at last.
constexpr std::chrono::minutes kStreamAge{5};

std::string eventsTarget(const std::string& swarm_id, const std::string& since) {
  // What exec does inside is none of our business, and there is much of it.
  json::array actions{"create", "start", "die", "oom", "stop", "kill", "destroy", "pause", "unpause", "update", "rename"};
  json::object filters{{"type", json::array{"container"}},
                       {"event", std::move(actions)},
                       {"label", json::array{json::string(format("{}={}", kLabelSwarm, swarm_id))}}};
  std::string target = "/events?" + filterQuery(filters);
  if (!since.empty()) target += "&since=" + since;
  return target;
}

}  // namespace

void DockerProvider::tell(ProviderEvent::Kind kind, std::string instance_id, std::string detail) {
  if (sink_) sink_({kind, std::move(instance_id), std::move(detail)});
}

void DockerProvider::handleEvent(std::string_view line) {
  boost::system::error_code error;
  json::value event = json::parse(line, error);
  if (error) return;
  std::int64_t nanoseconds = integerAt(event, "timeNano");
  if (nanoseconds > 0) last_event_ = format("{}.{:09}", nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000 + 1);
  std::string action = stringAt(event, "Action");
  std::string container = stringAt(event, "Actor.ID");
  inspected_.erase(container);
  const json::value* attributes = member(event, "Actor.Attributes");
  const json::object* labels = attributes ? attributes->if_object() : nullptr;
  auto attribute = [&](std::string_view name) {
    const json::value* found = labels ? labels->if_contains(name) : nullptr;
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
  };
  std::string instance = attribute(kLabelInstance);
  if (instance.empty()) return;
  std::string detail = action;
  if (std::string code = attribute("exitCode"); !code.empty()) detail += " exitCode=" + code;
  bool removed = action == "destroy";
  auto primary = primary_.find(instance);
  if (removed) {
    bool was_aside = set_aside_.erase(container) != 0 || (primary != primary_.end() && primary->second != container);
    if (was_aside) removed = false;  // replaced by another container, which is the instance now
    if (primary != primary_.end() && primary->second == container) forgetInstance(instance);
  }
  tell(removed ? ProviderEvent::Kind::Removed : ProviderEvent::Kind::Changed, instance, detail);
}

awaitable<void> DockerProvider::readEvents() {
  co_await engine_.connect(Deadline::after(kConnectTime));
  bool resumed = connected_;
  auto exchange =
      co_await engine_.open({.target = eventsTarget(swarm_id_, resumed ? last_event_ : ""), .doing = "tell its events", .body = {}},
                            Deadline::after(kConnectTime));
  connected_ = true;
  trouble_.clear();
  if (!resumed) {
    inspected_.clear();  // what happened meanwhile is unknown
    tell(ProviderEvent::Kind::Reconnected, "", endpointText(engine_.config()));
  }
  LineReader lines;
  Deadline age = Deadline::after(kStreamAge);
  try {
    for (;;) {
      std::string piece = co_await exchange->read(age);
      if (piece.empty()) break;
      lines.add(piece);
      while (auto line = lines.next()) handleEvent(*line);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::DeadlineExceeded && age.hasPassed() && !last_event_.empty()) co_return;  // opened anew, nothing lost
    throw;
  }
  throw Error(ErrorCode::Unavailable,
              format("The Docker Engine at {} closed its event stream (it was stopped or restarted).", endpointText(engine_.config())));
}

awaitable<void> DockerProvider::followEvents() {
  std::chrono::milliseconds pause = kFirstPause;
  while (!closing_) {
    std::string trouble;
    try {
      co_await readEvents();
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
    engine_.forget();
    primary_.clear();
    inspected_.clear();
    known_networks_.clear();
    known_images_.clear();
    last_event_.clear();
    if (was_connected) tell(ProviderEvent::Kind::Disconnected, "", trouble);
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    pause = std::min(pause * 2, kLongestPause);
  }
}

awaitable<void> DockerProvider::open(ProviderEventSink sink) {
  sink_ = std::move(sink);
  auto executor = co_await asio::this_coro::executor;
  try {
    co_await engine_.connect(Deadline::after(std::chrono::seconds(5)));
  } catch (const Error& error) {
    trouble_ = error.message();
  }
  closing_ = false;
  following_ = true;
  events_ended_ = std::make_unique<asio::steady_timer>(executor, SteadyTime::max());
  auto ended = [this](std::exception_ptr) {
    following_ = false;
    events_ended_->cancel();
  };
  asio::co_spawn(executor, followEvents(), asio::bind_cancellation_slot(stop_events_.slot(), std::move(ended)));
}

awaitable<void> DockerProvider::close() {
  closing_ = true;
  if (!following_) co_return;
  stop_events_.emit(asio::cancellation_type::terminal);
  co_await events_ended_->async_wait(asio::as_tuple(asio::use_awaitable));
  sink_ = nullptr;
}

}  // namespace swarm::docker
