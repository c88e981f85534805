// Events: follows the Engine's event stream until it is closed: reconnects with growing pauses, and continues where it was.
#pragma once

#include <functional>
#include <string>

#include "async/background/background_task.h"
#include "engine/client.h"

namespace swarm::engine {

/// One loop owns it; its listener must outlive it.
class Events {
 public:
  struct Listener {
    json::object filters;
    /// The stream is open, and events before it were missed: the listener inspects what concerns it. May be empty. An error that it throws
    /// counts as a loss.
    std::function<awaitable<void>(Deadline deadline)> catchUp;
    std::function<void()> connected;                                       ///< after that; may be empty
    std::function<void(const json::value&)> event;                         ///< one after the other
    std::function<void(const std::string& why, bool was_connected)> lost;  ///< the stream broke, or could not be opened (again)
  };
  /// A stream of `stream_age` is opened again where it ended, so that a TCP peer that died silently is noticed.
  Events(Client& engine, std::chrono::milliseconds longest_pause, std::chrono::milliseconds stream_age = std::chrono::minutes(5))
      : engine_(engine), longest_pause_(longest_pause), stream_age_(stream_age) {}

  void follow(async::Executor executor, Listener listener);
  awaitable<void> close() { return task_.close(); }  ///< returns when nothing of the listener is called any more

  bool connected() const { return connected_; }
  const std::string& trouble() const { return trouble_; }  ///< why it is not connected; empty: never tried
  void noteTrouble(std::string why) { trouble_ = std::move(why); }

 private:
  awaitable<void> run();
  awaitable<void> read();
  void handle(std::string_view line);

  Client& engine_;
  std::chrono::milliseconds longest_pause_;
  std::chrono::milliseconds stream_age_;
  Listener listener_;
  async::BackgroundTask task_;
  bool connected_ = false;
  std::string resume_at_;  ///< "seconds.nanoseconds", behind the last event since the loss; empty: there was none
  std::string trouble_;
};

/// An attribute of the actor (its labels are among them); empty: none.
std::string eventAttribute(const json::value& event, std::string_view name);

}  // namespace swarm::engine
