// Auth on the real store, with a clock that the test moves, and one user.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>

#include "auth/accounts/accounts.h"
#include "auth/auth.h"
#include "auth/session/api_token.h"
#include "base/id.h"
#include "store/sqlite/sqlite_store.h"
#include "support/auth/low_cost.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"

namespace swarm::test {

class AuthTest : public testing::Test {
 protected:
  AuthTest() {
    open();
    run(auth_->putUser("ann", Secret("correct horse"), Role::user));
  }
  ~AuthTest() override {
    auth_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  template <typename T>
  T run(awaitable<T> work) {
    return loop_.run(std::move(work));
  }
  template <typename T>
  Error errorOf(awaitable<T> work) {
    try {
      run(std::move(work));
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::Internal, "nothing was thrown");
  }
  void open(AuthOptions options = {.passwordCost = kLowCost}) {
    auth_.reset();
    store_.reset();
    store_ = openSqliteStore(folder_);
    auth_ = makeAuth(*store_, clock_, std::move(options));
    password_ = run(auth_->initialise());
  }
  /// The key that signs, read from the store.
  ApiTokenKey signingKey() { return ApiTokenKey(Secret(*fromHex(run(store_->loadTokenKeys()).back().seed.reveal()))); }
  LoginResult login() { return run(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1"})); }

  TestLoop loop_;  // the thread that hashed a password may use it until auth_ has ended
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("swarm-auth-" + toHex(randomBytes(8)));
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Auth> auth_;
  std::optional<Secret> password_;
};

}  // namespace swarm::test
