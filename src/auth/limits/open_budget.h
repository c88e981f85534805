// OpenBudget: how much of the server one user and one workspace may occupy at a time: open streams and tunnels, and answers that wait for
// their client.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace swarm {

struct OpenLimits {
  std::size_t perUser = 128;                    ///< event and log streams, archives, commands, tunnels
  std::size_t perInstance = 128;                ///< the same, of all users together
  std::size_t total = 2048;                     ///< the same, of the whole server
  std::size_t bytesPerUser = 16 * 1024 * 1024;  ///< of commands' output and large answers, until their client has taken them
};

/// Thread-safe.
class OpenBudget {
  struct State;

 public:
  explicit OpenBudget(OpenLimits limits = {});
  ~OpenBudget();

  /// Something that is open. Its share comes free with its end; it may outlive the budget.
  class Place {
   public:
    Place(Place&& other) noexcept;
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend class OpenBudget;
    Place(std::shared_ptr<State> state, std::string user, std::string instance_id, std::size_t places, std::size_t bytes);

    std::shared_ptr<State> state_;  ///< null: moved from
    std::string user_;
    std::string instance_id_;
    std::size_t places_;
    std::size_t bytes_;
  };

  /// A stream or tunnel of `user`, into `instance_id` where there is one; `bytes` are held for it as long as it is open. Throws
  /// Error(TooManyRequests) that names the limit.
  Place take(const std::string& user, const std::string& instance_id = {}, std::size_t bytes = 0);
  /// A large answer that is sent now: bytes only. Throws Error(TooManyRequests).
  Place holdAnswer(const std::string& user, std::size_t bytes);
  std::size_t open() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace swarm
