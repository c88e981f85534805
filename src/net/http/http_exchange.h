// Internal: one connection of HttpServer, which is also the Exchange of its current request.
#pragma once

#include <boost/asio/cancellation_signal.hpp>

#include "net/http/connection_table.h"
#include "net/http/http_server.h"

namespace swarm::net {

class ServerConnection final : public Exchange, public ConnectionTable::Member, private HeadObserver, private BodyObserver {
 public:
  ServerConnection(StreamPtr stream, const HttpHandler& handler, const HttpServerOptions& options, ConnectionTable& table);

  /// Serves requests until the connection ends or is taken over. Never throws a handler's exception.
  awaitable<void> serve();
  /// Closes the stream, if the connection still owns it, and cancels the handler.
  void stop();
  void giveWay() override { stop(); }
  boost::asio::cancellation_slot slot() { return cancel_.slot(); }
  void cancel() { cancel_.emit(boost::asio::cancellation_type::terminal); }

  const RequestHead& head() const override { return head_; }
  BodyReader& body() override { return *body_; }
  Stream& stream() override { return *stream_; }
  ReadBuffer& buffer() override { return buffer_; }
  awaitable<void> respond(int status, Headers headers, std::string body) override;
  awaitable<void> begin(int status, Headers headers) override;
  awaitable<bool> write(std::string_view piece) override;
  awaitable<void> finish() override;
  bool responded() const override { return responded_; }
  void respondedRaw(Reuse reuse) override;
  awaitable<StreamPtr> upgrade(Headers headers) override;
  StreamPtr takeStream() override;

 private:
  enum class Streaming { No, Chunked, UntilClose };
  awaitable<bool> secure();
  awaitable<bool> readRequest();
  awaitable<bool> readFirstByte();
  void beginRequest();
  bool mayRead() override { return table_.hold(*this, buffer_.memory() - initial_memory_); }
  void bodyProgressed() override { table_.wait(*this); }
  void bodyEnded() override;
  awaitable<void> handle();
  awaitable<void> refuse(HeadError error);
  RefusalResponse refusalOf(HeadError error, std::string_view bytes) const;
  bool countForClient();
  awaitable<bool> settleBody();
  awaitable<void> closeGently();
  void startHead(int status, const Headers& headers);
  void endHead();

  StreamPtr stream_;
  const HttpHandler& handler_;
  const HttpServerOptions& options_;
  ConnectionTable& table_;
  ReadBuffer buffer_;
  const std::size_t initial_memory_ = buffer_.memory();  // which every connection has
  RequestHead head_;
  std::optional<BodyReader> body_;  // set once a head was read
  std::string out_;                 // the response's head; keeps its capacity
  boost::asio::cancellation_signal cancel_;
  Streaming streaming_ = Streaming::No;
  bool behind_proxy_ = false;
  bool first_request_ = true;
  bool responded_ = false;
  bool reusable_ = true;
  bool stopped_ = false;
};

}  // namespace swarm::net
