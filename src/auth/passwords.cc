#include "auth/passwords.h"

#include <sodium.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "base/diagnostics/check.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/thread_priority.h"

namespace swarm {
namespace {

namespace asio = boost::asio;

constexpr int kMaxWaiting = 64;
constexpr std::size_t kMinPasswordBytes = 8;

std::string hashNow(const std::string& password, PasswordCost cost) {
  char out[crypto_pwhash_STRBYTES] = {};
  if (crypto_pwhash_str_alg(out, password.data(), password.size(), cost.passes, cost.kibibytes * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw Error(ErrorCode::OutOfResources, "There is not enough memory to check a password (64 MiB).");
  return out;
}

bool verifyNow(const std::string& hash, const std::string& password, PasswordCost cost) {
  if (hash.empty()) {
    hashNow(password, cost);  // the same work, so that the time does not depend on whether the user exists
    return false;
  }
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

/// A flood of wrong passwords must not slow down other requests: one core at least has none to hash, and the loops go first on the others.
/// Known callers are few, and each device may fail 10 times.
std::size_t hashingThreads() { return std::thread::hardware_concurrency() > 2 ? 2 : 1; }

void giveWayToLoops() {
  thread_local const bool done = (setNiceOfThread(kNiceOfLaterWork), true);
  static_cast<void>(done);
}

}  // namespace

Passwords::Passwords(PasswordCost cost) : cost_(cost), known_(1), unknown_(hashingThreads()) { SWARM_CHECK(sodium_init() >= 0); }

Passwords::~Passwords() {
  known_.pool.join();
  unknown_.pool.join();
}

/// Counts those that wait, and refuses too many: each holds a connection.
class Passwords::Place {
 public:
  Place(Queue& queue, const Caller& caller) : queue_(queue) {
    const std::lock_guard lock(queue_.mutex);
    of_network_ = queue_.waitingOf.try_emplace(caller.network().value_or("")).first;
    const int free = kMaxWaiting - queue_.waiting, most = caller.network() ? free : kMaxWaiting;
    if (free <= 0 || of_network_->second >= most) {
      if (of_network_->second == 0) queue_.waitingOf.erase(of_network_);
      throw Error(ErrorCode::TooManyRequests, "Too many sign-ins are waiting. Try again in 5 seconds.")
          .withRetryAfter(std::chrono::seconds(5));
    }
    ++queue_.waiting, ++of_network_->second;
  }
  ~Place() {
    const std::lock_guard lock(queue_.mutex);
    --queue_.waiting;
    if (--of_network_->second == 0) queue_.waitingOf.erase(of_network_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  Queue& queue_;
  std::map<std::string, int>::iterator of_network_;
};

asio::awaitable<std::string> Passwords::hash(Secret password) {
  const Place place(known_, Caller::known());
  auto work = [](const Secret& secret, PasswordCost cost) -> asio::awaitable<std::string> {
    giveWayToLoops();
    co_return hashNow(secret.reveal(), cost);
  };
  co_return co_await asio::co_spawn(known_.pool, work(password, cost_), asio::use_awaitable);
}

asio::awaitable<bool> Passwords::verify(std::string hash, Secret password, Caller caller) {
  Queue& queue = caller.network() ? unknown_ : known_;
  const Place place(queue, caller);
  auto work = [](const std::string& text, const Secret& secret, PasswordCost cost) -> asio::awaitable<bool> {
    giveWayToLoops();
    co_return verifyNow(text, secret.reveal(), cost);
  };
  co_return co_await asio::co_spawn(queue.pool, work(hash, password, cost_), asio::use_awaitable);
}

void requirePassword(const Secret& password) {
  if (password.reveal().size() < kMinPasswordBytes || password.reveal().size() > kMaxPasswordBytes)
    throw Error(ErrorCode::InvalidArgument, format("A password has {} to {} characters.", kMinPasswordBytes, kMaxPasswordBytes))
        .withField("/password", "has the wrong length");
}

Secret makePassword() {
  constexpr std::string_view digits = "abcdefghjkmnpqrstuvwxyz23456789";
  std::string out;
  int letters = 0;
  while (letters < 20) {
    auto byte = static_cast<unsigned char>(randomBytes(1)[0]);
    if (byte >= 256 / digits.size() * digits.size()) continue;  // keeps all digits equally likely
    if (letters > 0 && letters % 5 == 0) out.push_back('-');
    out.push_back(digits[byte % digits.size()]);
    ++letters;
  }
  return Secret(std::move(out));
}

}  // namespace swarm
