// Each request is a coroutine of its own; its caller waits for it and may leave.
#include "engine/transport/unsettled.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::engine {
namespace {

/// A later response is not expected; a restart of the server would not know of the request either.
constexpr std::chrono::minutes kRequestTime{10};

}  // namespace

struct Unsettled::Request {
  Request(net::HttpClient its_client, net::HttpRequest its_request, std::string its_subject, std::shared_ptr<State> its_state)
      : client(its_client), request(std::move(its_request)), subject(std::move(its_subject)), state(std::move(its_state)) {
    ++state->pending[subject];
  }
  ~Request() { leave(); }  // also when the loop is destroyed first: nothing waits then
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void leave() {
    if (std::exchange(settled, true)) return;
    auto count = state->pending.find(subject);
    if (--count->second == 0) state->pending.erase(count);
    held.reset();
  }

  net::HttpClient client;
  net::HttpRequest request;
  std::string subject;
  std::shared_ptr<State> state;
  std::shared_ptr<void> held;
  bool settled = false;
  std::optional<net::HttpResponse> response;
  std::optional<Error> failure;
};

awaitable<void> Unsettled::perform(std::shared_ptr<Request> request) {
  try {
    request->response = co_await request->client.send(request->request, Deadline::after(kRequestTime));
  } catch (...) {
    request->failure = currentExceptionAsError();
  }
  request->leave();
  request->state->changed.notifyAll();
}

awaitable<net::HttpResponse> Unsettled::send(net::HttpClient client, net::HttpRequest request, std::string subject, Deadline deadline,
                                             std::shared_ptr<void> held) {
  auto sent = std::make_shared<Request>(std::move(client), std::move(request), std::move(subject), state_);
  sent->held = std::move(held);
  boost::asio::co_spawn(co_await boost::asio::this_coro::executor, perform(sent), boost::asio::detached);
  while (!sent->settled) {
    auto seen = sent->state->changed.version();
    if (!co_await sent->state->changed.wait(seen, deadline) && !sent->settled)
      throw Error(ErrorCode::DeadlineExceeded, "There was no complete response in time.");
  }
  if (sent->failure) throw *sent->failure;
  co_return std::move(*sent->response);
}

awaitable<void> Unsettled::wait(std::string subject, Deadline deadline) {
  std::shared_ptr<State> state = state_;
  while (state->pending.contains(subject)) {
    auto seen = state->changed.version();
    if (!co_await state->changed.wait(seen, deadline) && state->pending.contains(subject))
      throw Error(ErrorCode::Unavailable, format("An earlier request for {} has not ended yet.", subject));
  }
}

}  // namespace swarm::engine
