// Unsettled: requests that go on when their caller is gone. Cancelling a request does not cancel its effect: the Engine finishes a create
// whose client has hung up, and whoever removes what it made must know that it is still to come.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/notifier.h"
#include "net/http/http_client.h"

namespace swarm::docker {

using boost::asio::awaitable;

/// One loop only. May be destroyed while requests go on; they end by themselves.
class Unsettled {
 public:
  /// The answer. The caller may be cancelled, or give up at its deadline: the request goes on until the endpoint has answered, and `held`
  /// is kept until then.
  awaitable<net::HttpResponse> send(net::HttpClient client, net::HttpRequest request, std::string subject, Deadline deadline,
                                    std::shared_ptr<void> held);
  /// Waits until nothing goes on for `subject`. Throws Error(Unavailable) at the deadline.
  awaitable<void> wait(std::string subject, Deadline deadline);

 private:
  struct State {
    std::map<std::string, int> goingOn;  ///< requests, by subject
    async::Notifier changed;
  };
  struct Request;
  static awaitable<void> perform(std::shared_ptr<Request> request);

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace swarm::docker
