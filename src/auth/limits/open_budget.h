// OpenBudget: limits of what one user and one workspace may occupy at the same time: open streams and tunnels, requests in progress,
// large requests, and responses that wait for their client.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "model/types/ids.h"

namespace swarm {

struct OpenLimits {
  std::size_t perUser = 128;                             ///< event and log streams, archives, commands, tunnels
  std::size_t perInstance = 128;                         ///< the same, of all users together
  std::size_t total = 2048;                              ///< the same, of the whole server
  std::size_t bytesPerUser = 16 * 1024 * 1024;           ///< of large requests, and command output and large responses not yet received
  std::string_view things = "open streams and tunnels";  ///< what is counted, for messages
  std::string_view reservedFor = {};                     ///< what a quarter of each number is reserved for; empty: nothing
};

/// Thread-safe.
class OpenBudget {
  struct State;

 public:
  explicit OpenBudget(OpenLimits limits = {});
  ~OpenBudget();

  /// The share of one open stream, tunnel, request or response; its destructor releases it. It may outlive the budget.
  class Share {
   public:
    Share(Share&&) noexcept = default;
    Share& operator=(Share&&) = delete;
    ~Share();

   private:
    friend class OpenBudget;
    Share(std::shared_ptr<State> state, std::string user, InstanceId instance, std::size_t streams, std::size_t bytes);

    std::shared_ptr<State> state_;  ///< null: moved from
    std::string user_;
    InstanceId instance_;
    std::size_t streams_;
    std::size_t bytes_;
  };

  enum class Claim { Usual, Reserved };
  /// A stream or tunnel of `user`, into `instance` where there is one, with `bytes` held while it is open. Throws
  /// Error(TooManyRequests) that names the limit.
  Share take(const std::string& user, const InstanceId& instance = {}, std::size_t bytes = 0, Claim claim = Claim::Usual);
  /// A large request that is received, or response that is sent: bytes only. `user`: or, before a sign-in, the client's address. Throws
  /// Error(TooManyRequests).
  Share takeBytes(const std::string& user, std::size_t bytes);
  std::size_t open() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace swarm
