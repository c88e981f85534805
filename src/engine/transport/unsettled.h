// Unsettled: requests that continue when their caller is gone. Cancelling a request does not cancel its effect: the Engine finishes a
// create whose client has disconnected, and a removal of what it makes must wait until it is there.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/notifier.h"
#include "net/http/http_client.h"

namespace swarm::engine {

using boost::asio::awaitable;

/// One loop only. May be destroyed while requests continue; they end on their own.
class Unsettled {
 public:
  /// The response. The caller may be cancelled, or time out at its deadline: the request continues until the endpoint has responded, and
  /// `held` is kept until then.
  awaitable<net::HttpResponse> send(net::HttpClient client, net::HttpRequest request, std::string subject, Deadline deadline,
                                    std::shared_ptr<void> held);
  /// Waits until no request for `subject` continues. Throws Error(Unavailable) at the deadline.
  awaitable<void> wait(std::string subject, Deadline deadline);

 private:
  struct State {
    std::map<std::string, int> pending;  ///< requests, by subject
    async::Notifier changed;
  };
  struct Request;
  static awaitable<void> perform(std::shared_ptr<Request> request);

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace swarm::engine
