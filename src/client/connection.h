// The connection to the server: its URL, one loop and one pooled HTTP client. Converts problem details to Errors.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <stop_token>
#include <string>

#include "async/loop.h"
#include "net/http/http_client.h"
#include "swarm/client.h"

namespace swarm::client {

/// A signal that other threads emit. It belongs to the loop, on which it is also destroyed.
class Cancellation {
 public:
  explicit Cancellation(async::Executor loop) : loop_(std::move(loop)), signal_(std::make_shared<boost::asio::cancellation_signal>()) {}
  ~Cancellation() {
    boost::asio::post(loop_, [signal = std::move(signal_)] {});
  }
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;
  boost::asio::cancellation_slot slot() { return signal_->slot(); }
  void emit() {
    boost::asio::post(loop_, [signal = signal_] { signal->emit(boost::asio::cancellation_type::terminal); });
  }

 private:
  async::Executor loop_;
  std::shared_ptr<boost::asio::cancellation_signal> signal_;
};

/// The time that a call may take beyond the configured timeout, and a token that cancels it.
struct Patience {
  std::chrono::milliseconds extra{0};
  std::stop_token stop{};
};

class Connection {
 public:
  explicit Connection(ClientConfig config);
  ~Connection();

  /// Runs `work` on the loop and waits for its end.
  template <typename T>
  T run(async::awaitable<T> work) {
    return boost::asio::co_spawn(loop_.executor(), std::move(work), boost::asio::use_future).get();
  }
  /// As run(); a request to stop cancels `work`, and Error(Cancelled) is thrown once it has ended.
  template <typename T>
  T run(async::awaitable<T> work, const std::stop_token& stop) {
    if (!stop.stop_possible()) return run(std::move(work));
    Cancellation cancellation(loop_.executor());
    auto result = boost::asio::co_spawn(loop_.executor(), std::move(work),
                                        boost::asio::bind_cancellation_slot(cancellation.slot(), boost::asio::use_future));
    std::stop_callback on_stop(stop, [&cancellation] { cancellation.emit(); });
    try {
      return result.get();
    } catch (...) {
      if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "The call was cancelled by its caller.");
      throw;
    }
  }

  /// One JSON call. Throws the server's Error for a status of 400 and above.
  boost::json::value call(std::string method, std::string target, const boost::json::value* body = nullptr, net::Headers headers = {},
                          const Patience& patience = {});
  /// As call(); nothing for 404.
  std::optional<boost::json::value> find(std::string target, const Patience& patience = {});

  net::HttpClient& http() { return *http_; }
  async::Executor executor() { return loop_.executor(); }
  const net::Connector& connector() const { return connect_; }
  const std::string& hostHeader() const { return host_header_; }
  net::Headers authorization() const;
  const ClientConfig& config() const { return config_; }
  void setToken(Secret token) { config_.token = std::move(token); }

 private:
  ClientConfig config_;
  std::string host_header_;
  net::Connector connect_;
  async::Loop loop_{"swarm-client"};
  std::unique_ptr<net::HttpClient> http_;
};

/// An object that belongs to the thread of the loop, and is destroyed there.
template <typename T>
class OnLoop {
 public:
  OnLoop(Connection& connection, std::unique_ptr<T> thing) : connection_(connection), thing_(std::move(thing)) {}
  ~OnLoop() {
    boost::asio::post(connection_.executor(), [thing = std::shared_ptr<T>(std::move(thing_))] {});
  }
  OnLoop(const OnLoop&) = delete;
  OnLoop& operator=(const OnLoop&) = delete;
  T* operator->() { return thing_.get(); }
  T& operator*() { return *thing_; }

 private:
  Connection& connection_;
  std::unique_ptr<T> thing_;
};

/// The Error behind a response with a status of 400 and above (RFC 9457, or whatever a proxy between us sent).
Error errorFromResponse(int status, const net::Headers& headers, std::string_view body);
/// What is left of the body.
async::awaitable<std::string> readRest(net::HttpExchange& exchange, Deadline deadline);

/// "/api/instances/" + the escaped reference + rest.
std::string instancePath(const std::string& ref, std::string_view rest = {});

}  // namespace swarm::client
