// Floods of wrong passwords, and the users who sign in concurrently.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "async/attempt.h"
#include "unit/auth/fixture.h"

namespace swarm {
namespace {

using namespace test;

class SignInFloods : public AuthTest {};

/// Where all places of unknown clients are taken, who has signed in there before gets in at once.
TEST_F(SignInFloods, aFloodFromManyAddressesKeepsNoKnownDeviceOut) {
  open(AuthOptions{.passwordCost = {.passes = 1, .kibibytes = 16 * 1024}});
  run(auth_->putUser("ann", Secret("correct horse"), Role::user));
  Principal user;
  user.user = "ann";
  const std::string device = auth_->issueDevice(user, "");
  int refused = 0;
  std::optional<LoginResult> ann;
  boost::asio::io_context context;
  const auto guess = [&](int number) -> awaitable<void> {
    const std::string address = "10.1." + std::to_string(number / 250) + "." + std::to_string(number % 250);
    const auto result = co_await async::attempt(auth_->login("user" + std::to_string(number), Secret("wrong horse"), LoginOrigin{address}));
    if (!result && result.error().code() == ErrorCode::TooManyRequests) ++refused;
  };
  const auto sign_in = [&]() -> awaitable<void> {
    ann = co_await auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1", device});
  };
  for (int number = 0; number < 400; ++number) boost::asio::co_spawn(context, guess(number), boost::asio::detached);
  boost::asio::co_spawn(context, sign_in(), [&](std::exception_ptr error) { EXPECT_FALSE(error) << "refused like the others"; });
  context.run();
  EXPECT_GT(refused, 0) << "the places of unknown clients are taken";
  ASSERT_TRUE(ann);
  EXPECT_EQ(ann->principal.user, "ann");
}

/// All addresses of a flood may be new ones, of networks that are not.
TEST_F(SignInFloods, aFloodFromSomeNetworksLeavesRoomForANewDeviceInAnother) {
  open(AuthOptions{.passwordCost = {.passes = 1, .kibibytes = 16 * 1024}});
  run(auth_->putUser("ann", Secret("correct horse"), Role::user));
  int refused = 0;
  std::optional<LoginResult> ann;
  boost::asio::io_context context;
  const auto guess = [&](int number) -> awaitable<void> {
    const std::string address = number % 2 ? "10.1.0." + std::to_string(number) : "2001:db8:" + std::to_string(number) + "::1";
    const auto result = co_await async::attempt(auth_->login("user" + std::to_string(number), Secret("wrong horse"), LoginOrigin{address}));
    if (!result && result.error().code() == ErrorCode::TooManyRequests) ++refused;
  };
  const auto sign_in = [&]() -> awaitable<void> { ann = co_await auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.2.0.1"}); };
  for (int number = 0; number < 250; ++number) boost::asio::co_spawn(context, guess(number), boost::asio::detached);
  boost::asio::co_spawn(context, sign_in(), [&](std::exception_ptr error) { EXPECT_FALSE(error) << "refused like the others"; });
  context.run();
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(ann);
}

}  // namespace
}  // namespace swarm
