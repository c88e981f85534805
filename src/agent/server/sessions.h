// Sessions: ended sign-ins, whose tokens are invalid, and the active requests of each sign-in.
#pragma once

#include <functional>
#include <map>
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

  using Cuts = std::multimap<std::string, std::function<void()>>;  ///< by session: what closes the connection of an active request

  /// One request; its lifetime is the request's. An empty session is the server's own, which never ends.
  class Request {
   public:
    Request(Sessions& sessions, const std::string& session, std::function<void()> cut)
        : cuts_(sessions.cuts_), place_(cuts_.emplace(session, std::move(cut))) {}
    ~Request() { cuts_.erase(place_); }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

   private:
    Cuts& cuts_;
    Cuts::iterator place_;
  };

 private:
  void forgetOld();

  const Clock& clock_;
  std::map<std::string, SteadyTime> ended_;  ///< when the record expires
  Cuts cuts_;
};

}  // namespace swarm::agent
