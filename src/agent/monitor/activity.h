// When a user was last active in this instance. README.md of this folder defines what counts, and why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace swarm::agent {

/// On one loop.
class Activity {
 public:
  explicit Activity(const Clock& clock) : clock_(clock), last_(clock.now()) {}

  void touch() { last_ = clock_.now(); }
  SystemTime lastActivity() const { return last_; }
  std::int64_t connections() const { return connections_; }
  const Clock& clock() const { return clock_; }

  /// One open tunnel or exec session; its lifetime is the session's.
  class Connection {
   public:
    explicit Connection(Activity& activity) : activity_(activity) { ++activity_.connections_; }
    ~Connection() { --activity_.connections_; }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

   private:
    Activity& activity_;
  };

 private:
  const Clock& clock_;
  SystemTime last_;
  std::int64_t connections_ = 0;
};

/// Detects a user in the bytes of one direction of a tunnel. Every plain HTTP request counts. On a WebSocket, and for bytes of a port or
/// of SSH, only a burst within ten seconds counts: keep-alives, acknowledgements and control frames stay below it, however
/// long they continue. README.md has the thresholds and the measurements behind them.
class ActivityDetector {
 public:
  enum class Traffic { Vscode, Port, Ssh };
  explicit ActivityDetector(Traffic traffic)
      : mode_(traffic == Traffic::Vscode ? Mode::Http
              : traffic == Traffic::Port ? Mode::Port
                                         : Mode::Ssh) {}

  /// Whether these bytes, in this order, indicate a user. `now` never decreases.
  bool feed(std::string_view bytes, SteadyTime now);

 private:
  enum class Mode { Http, WebSocket, Port, Ssh };
  bool feedHttp(std::string_view bytes, SteadyTime now);
  bool feedFrames(std::string_view bytes, SteadyTime now);
  bool finishFrameHead(SteadyTime now);
  bool isLonePacket(std::size_t bytes, SteadyTime now);
  void count(std::uint64_t bytes, SteadyTime now);

  Mode mode_;
  std::string head_;                // the request head so far (Http)
  std::string frame_head_;          // the frame head so far (WebSocket)
  std::uint64_t payload_left_ = 0;  // of the current frame
  SteadyTime last_packet_{};
  SteadyTime window_start_{};
  std::uint64_t window_bytes_ = 0;
  int window_messages_ = 0;
};

}  // namespace swarm::agent
