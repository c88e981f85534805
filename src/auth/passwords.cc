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

/// Counts the waiting sign-ins and refuses more than kMaxWaiting: each holds a connection.
class WaitingSignIn {
 public:
  explicit WaitingSignIn(std::atomic<int>& waiting) : waiting_(waiting) {
    if (waiting_.fetch_add(1) >= kMaxWaiting) {
      waiting_.fetch_sub(1);
      throw Error(ErrorCode::TooManyRequests, format("Limit of {} concurrent sign-ins reached. Try again in 5 seconds.", kMaxWaiting))
          .withRetryAfter(std::chrono::seconds(5));
    }
  }
  ~WaitingSignIn() { waiting_.fetch_sub(1); }
  WaitingSignIn(const WaitingSignIn&) = delete;
  WaitingSignIn& operator=(const WaitingSignIn&) = delete;

 private:
  std::atomic<int>& waiting_;
};

}  // namespace

Passwords::Passwords(PasswordCost cost) : cost_(cost), known_(1), unknown_(hashingThreads()) { SWARM_CHECK(sodium_init() >= 0); }

Passwords::~Passwords() {
  known_.pool.join();
  unknown_.pool.join();
}

asio::awaitable<std::string> Passwords::hash(Secret password, Caller caller) {
  Queue& queue = queueOf(caller);
  WaitingSignIn waiting(queue.waiting);
  auto work = [](const Secret& secret, PasswordCost cost) -> asio::awaitable<std::string> {
    giveWayToLoops();
    co_return hashNow(secret.reveal(), cost);
  };
  co_return co_await asio::co_spawn(queue.pool, work(password, cost_), asio::use_awaitable);
}

asio::awaitable<bool> Passwords::verify(std::string hash, Secret password, Caller caller) {
  Queue& queue = queueOf(caller);
  WaitingSignIn waiting(queue.waiting);
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
