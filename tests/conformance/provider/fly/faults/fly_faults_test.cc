// Every fault of docs/reference/fly-machines.md §12 at every request of every operation: it finishes, or fails with an error that says what
// to do; made again after the fault is over it finishes; there are never two Machines, and nothing is left over.
#include <set>

#include "base/text/format.h"
#include "conformance/provider/fly/faults/fly_faults.h"

namespace swarm::testing {
namespace {

struct NamedFault {
  const char* name;
  const char* effect;
  bool lasts = false;  ///< also tried from one request on until the operation ends
};

constexpr NamedFault kFaults[] = {
    {"E1 bad token", R"({"error":"E1"})", true},
    {"E2 bad token", R"({"error":"E2"})"},
    {"E3 another organization", R"({"error":"E3"})"},
    {"E4 quota", R"({"error":"E4"})", true},
    {"E5 unrouted", R"({"error":"E5"})"},
    {"E6 no app", R"({"error":"E6"})", true},
    {"E7 no machine", R"({"error":"E7"})", true},
    {"E8 not in time", R"({"error":"E8"})"},
    {"E9 bad timeout", R"({"error":"E9"})"},
    {"E10 from created", R"({"error":"E10"})"},
    {"E11 getting replaced", R"({"error":"E11"})"},
    {"E12 still active", R"({"error":"E12"})", true},
    {"E13 still starting", R"({"error":"E13"})"},
    {"E14 not stopped", R"({"error":"E14"})"},
    {"E15 name taken by a Machine", R"({"error":"E15"})"},
    {"E16 lease held", R"({"error":"E16"})", true},
    {"E17 version conflict", R"({"error":"E17"})"},
    {"E18 concurrent update", R"({"error":"E18"})"},
    {"E19 no room on the host", R"({"error":"E19"})", true},
    {"E20 no addresses on the host", R"({"error":"E20"})"},
    {"E21 no room in the region", R"({"error":"E21"})"},
    {"E22 no host in the region", R"({"error":"E22"})", true},
    {"E22 no host, 503", R"({"error":"E22.503"})"},
    {"E23 the volume's host is full", R"({"error":"E23"})", true},
    {"E23 in old words", R"({"error":"E23.old"})"},
    {"E24 no room for a volume", R"({"error":"E24"})"},
    {"E25 volume bound", R"({"error":"E25"})"},
    {"E26 volume claimed", R"({"error":"E26"})"},
    {"E27 name taken", R"({"error":"E27"})"},
    {"E27 no card", R"({"error":"E27.card"})"},
    {"E28 bad size", R"({"error":"E28"})"},
    {"E31 too many requests", R"({"status":429,"body":"","headers":{"Retry-After":"0"}})", true},
    {"E32 bad gateway in HTML", R"({"status":502,"body":"<html><title>Bad</title></html>","content_type":"text/html"})", true},
    {"E32 bad gateway after the work", R"({"status":502,"body":"<html></html>","content_type":"text/html","commit":true})"},
    {"E32 500 without a body", R"({"status":500,"body":""})"},
    {"E32 500 after the work", R"({"status":500,"body":"","commit":true})", true},
    {"E33 no body", R"({"error":"E33"})"},
    {"E34 408 before the work", R"({"status":408,"body":{"error":"deadline_exceeded: x"}})"},
    {"E34 408 after the work", R"({"status":408,"body":{"error":"deadline_exceeded: x"},"commit":true})", true},
    {"cut before the work", R"({"cut":"before"})", true},
    {"cut after the work", R"({"cut":"after"})", true},
    {"a good response that is not JSON", R"({"status":200,"body":"<html>"})"},
    {"an empty list", R"({"empty_list":true})", true},
    {"a list without a region", R"({"error_regions":["ams"]})"},
    {"slow propagation", R"({"propagation_ms":2})"},
    {"latency", R"({"latency_ms":1})"},
};

bool isClear(const Error& error) {
  static const std::set<ErrorCode> kClear{ErrorCode::Unavailable,   ErrorCode::UpstreamFailed, ErrorCode::PermissionDenied,
                                          ErrorCode::Conflict,      ErrorCode::OutOfResources, ErrorCode::DeadlineExceeded,
                                          ErrorCode::Unprocessable, ErrorCode::TooManyRequests};
  return kClear.contains(error.code()) && error.message().size() > 20 && error.message().find("fm2_") == std::string::npos;
}

class FlyFaults : public ::testing::TestWithParam<FlyOperation> {
 protected:
  /// The fault at requests `first` to `first + count - 1` of the operation; then the same again without it.
  void strike(const NamedFault& fault, int first, int count) {
    SCOPED_TRACE(format("{} at {} requests from {} of {}", fault.name, count, first, toString(GetParam())));
    FlyLife life(runner_);
    life.prepare(GetParam());
    life.world().fault(format(R"({{"skip":{},"count":{},"effect":{}}})", first, count, fault.effect));
    // One that never ends is waited for until the deadline.
    std::chrono::milliseconds limit = count < 0 ? std::chrono::milliseconds(100) : std::chrono::seconds(20);
    auto error = errorOf([&] { runner_.run(life.perform(GetParam(), life.recorded(), limit)); });
    if (error) {
      EXPECT_TRUE(isClear(*error)) << error->message();
      ++failed_;
    }
    life.world().clearFaults();
    EXPECT_LE(life.world().count("machines"), 2) << "while one is moved there are two, of which one runs";
    life.restartServer();
    auto later = errorOf([&] {
      runner_.run(life.perform(GetParam(), life.recorded()));
      life.expectOutcome(GetParam());
      life.expectNothingAfterDelete();
    });
    EXPECT_FALSE(later) << later->message();
  }

  CoroutineRunner runner_;
  int failed_ = 0;
};

TEST_P(FlyFaults, onceAtEachRequest) {
  int requests = FlyLife::requestsOf(runner_, GetParam());
  ASSERT_GT(requests, 2);
  for (const NamedFault& fault : kFaults) {
    for (int at = 0; at < requests && !HasFatalFailure(); ++at) strike(fault, at, 1);
  }
  EXPECT_GT(failed_, 0) << "some faults are final";
}

TEST_P(FlyFaults, fromOneRequestOnUntilTheOperationEnds) {
  int requests = FlyLife::requestsOf(runner_, GetParam());
  for (const NamedFault& fault : kFaults) {
    if (!fault.lasts) continue;
    for (int at = 0; at < requests; at += 2) strike(fault, at, -1);
  }
}

INSTANTIATE_TEST_SUITE_P(Fly, FlyFaults, ::testing::ValuesIn(kFlyOperations),
                         [](const ::testing::TestParamInfo<FlyOperation>& info) { return std::string(toString(info.param)); });

}  // namespace
}  // namespace swarm::testing
