// The closed list of error codes, and converting exceptions to Errors.
#include "base/error.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <set>

#include "gmock/gmock.h"

namespace swarm {
namespace {

constexpr ErrorCode kAll[] = {ErrorCode::InvalidArgument,    ErrorCode::Unauthenticated,  ErrorCode::PermissionDenied,
                              ErrorCode::NotFound,           ErrorCode::AlreadyExists,    ErrorCode::Conflict,
                              ErrorCode::PreconditionFailed, ErrorCode::PayloadTooLarge,  ErrorCode::UnsupportedMedia,
                              ErrorCode::Unprocessable,      ErrorCode::TooManyRequests,  ErrorCode::Cancelled,
                              ErrorCode::Internal,           ErrorCode::Unsupported,      ErrorCode::UpstreamFailed,
                              ErrorCode::Unavailable,        ErrorCode::DeadlineExceeded, ErrorCode::OutOfResources};

TEST(ErrorCode, hasAUniqueSnakeCaseNameThatReadsBack) {
  std::set<std::string_view> names;
  for (ErrorCode code : kAll) {
    std::string_view name = toString(code);
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(errorCodeFromString(name), code);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::OutOfResources) + 1) << "a code is missing here or in the table";
  EXPECT_FALSE(errorCodeFromString("NotFound"));
  EXPECT_FALSE(errorCodeFromString(""));
}

TEST(ErrorCode, answersWithAnErrorStatus) {
  for (ErrorCode code : kAll) {
    EXPECT_GE(httpStatus(code), 400);
    EXPECT_LE(httpStatus(code), 599);
  }
  EXPECT_EQ(httpStatus(ErrorCode::NotFound), 404);
  EXPECT_EQ(httpStatus(ErrorCode::OutOfResources), 507);
}

TEST(ErrorCode, isRetryableOnlyWhereTheSameCallMaySucceedLater) {
  std::set<ErrorCode> retryable{ErrorCode::TooManyRequests, ErrorCode::Cancelled, ErrorCode::Unavailable, ErrorCode::DeadlineExceeded};
  for (ErrorCode code : kAll) EXPECT_EQ(isRetryableByDefault(code), retryable.contains(code)) << toString(code);
}

TEST(Error, carriesWhatItWasGiven) {
  Error error = Error(ErrorCode::UpstreamFailed, "The Engine answered 500.")
                    .withCause("private")
                    .withRetryable(true)
                    .withUpstream({500, "rq"})
                    .withField("/a", "is wrong")
                    .withInstance("i-1");
  EXPECT_EQ(error.code(), ErrorCode::UpstreamFailed);
  EXPECT_STREQ(error.what(), "The Engine answered 500.");
  EXPECT_EQ(error.cause(), "private");
  EXPECT_TRUE(error.retryable());
  EXPECT_EQ(error.upstream().status, 500);
  EXPECT_EQ(error.instance(), "i-1");
  ASSERT_EQ(error.fields().size(), 1u);
  EXPECT_EQ(error.fields()[0].pointer, "/a");
  EXPECT_FALSE(Error(ErrorCode::Internal, "x").retryable());
}

template <typename Exception>
Error asError(const Exception& exception) {
  try {
    throw exception;
  } catch (...) {
    return currentExceptionAsError();
  }
}

TEST(Error, isMadeOfAnyExceptionWithoutShowingItsText) {
  EXPECT_EQ(asError(Error(ErrorCode::Conflict, "Busy.")).message(), "Busy.");
  Error unknown = asError(std::runtime_error("password=hunter2"));
  EXPECT_EQ(unknown.code(), ErrorCode::Internal);
  EXPECT_THAT(unknown.message(), testing::Not(testing::HasSubstr("hunter2")));
  EXPECT_EQ(unknown.cause(), "password=hunter2");
  EXPECT_EQ(asError(std::bad_alloc()).code(), ErrorCode::OutOfResources);
  EXPECT_EQ(asError(boost::system::system_error(boost::asio::error::operation_aborted)).code(), ErrorCode::Cancelled);
  EXPECT_EQ(asError(boost::system::system_error(boost::asio::error::connection_refused)).code(), ErrorCode::Internal);
  EXPECT_EQ(asError(42).code(), ErrorCode::Internal);
  Error no_thread = asError(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)));
  EXPECT_EQ(no_thread.code(), ErrorCode::OutOfResources);
  EXPECT_THAT(no_thread.message(), testing::HasSubstr("raise the limit (pids)"));
  EXPECT_EQ(asError(std::system_error(std::make_error_code(std::errc::io_error))).code(), ErrorCode::Internal);
}

TEST(Error, isDescribedForTheLogWithItsCause) {
  try {
    throw Error(ErrorCode::Unavailable, "Down.").withCause("errno 111");
  } catch (...) {
    EXPECT_EQ(describeCurrentException(), "unavailable: Down. (errno 111)");
  }
  try {
    throw 1;
  } catch (...) {
    EXPECT_EQ(describeCurrentException(), "unknown exception");
  }
}

}  // namespace
}  // namespace swarm
