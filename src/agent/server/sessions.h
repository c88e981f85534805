// Sessions: ended sign-ins, whose tokens are invalid, and the active requests of each sign-in.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/clock.h"

namespace swarm::agent {

/// On one loop. In memory only: a restarted agent has lost them, and accepts a token until it expires (kLongestIssuedLife).
class Sessions {
 public:
  explicit Sessions(const Clock& clock) : clock_(clock) {}

  /// From now on hasEnded() is true for it, for longer than a token is valid; closes its requests. Idempotent.
  void end(const std::string& session);
  bool hasEnded(const std::string& session) const { return ended_.contains(session); }

  /// One request; its lifetime is the request's; `cut` closes its connection.
  class Request {
   public:
    /// An empty session is the server's own, which never ends.
    Request(Sessions& sessions, const std::string& session, std::function<void()> cut);
    ~Request();
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

   private:
    friend class Sessions;
    Sessions& sessions_;
    std::string session_;
    std::function<void()> cut_;
  };

 private:
  void forgetOld();

  const Clock& clock_;
  std::map<std::string, SteadyTime> ended_;  ///< when the record expires
  std::multimap<std::string, Request*> requests_;
};

}  // namespace swarm::agent
