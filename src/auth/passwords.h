// argon2id through libsodium, on threads of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/password_cost.h"
#include "base/secret.h"
#include "net/ip_address.h"

namespace swarm {

/// Who waits for the check of a password. Known: a signed-in user, or a device from which this user has signed in before.
class Caller {
 public:
  static Caller known() { return Caller({}); }
  static Caller unknown(std::string_view address) { return Caller(net::networkGroup(address)); }
  const std::optional<std::string>& network() const { return network_; }  ///< nothing: known

 private:
  explicit Caller(std::optional<std::string> network) : network_(std::move(network)) {}
  std::optional<std::string> network_;
};

/// Two queues, so that a flood of sign-ins by unknown clients delays no known one. Each computes one hash at a time (with more than two
/// cores, that of unknown clients two), with a lower priority than other threads and with memory that is released afterwards; callers
/// resume on their own executor. Of unknown clients, no network may have more that wait than there are free places, so that a flood from
/// some networks leaves room for the others. Thread-safe. Throws Error(TooManyRequests) when too many are waiting.
class Passwords {
 public:
  explicit Passwords(PasswordCost cost);
  ~Passwords();

  boost::asio::awaitable<std::string> hash(Secret password);  ///< for a known caller
  /// Whether the password belongs to the hash. An empty hash never matches, and takes the same time.
  boost::asio::awaitable<bool> verify(std::string hash, Secret password, Caller caller);

 private:
  struct Queue {
    explicit Queue(std::size_t threads) : pool(threads) {}
    std::mutex mutex;
    int waiting = 0;
    std::map<std::string, int> waitingOf;  ///< by network
    boost::asio::thread_pool pool;
  };
  class Place;

  PasswordCost cost_;
  Queue known_, unknown_;
};

inline constexpr std::size_t kMaxPasswordBytes = 1024;
/// Throws Error(InvalidArgument) for a new password that is too short or too long.
void requirePassword(const Secret& password);

/// 20 letters and digits without look-alikes, in groups of five: about 98 bits.
Secret makePassword();

}  // namespace swarm
