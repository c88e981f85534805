// Fault points act at the requested pass. Each case runs in a child: the setting is read once per process.
#include "base/diagnostics/fault.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "gtest/gtest.h"

namespace swarm {
namespace {

/// How a child that passes `first` twice and `second` once ends: its exit code (the number of passes that threw), or 128 + its signal.
int endWith(const char* setting) {
  pid_t child = ::fork();
  if (child == 0) {
    ::setenv("SWARM_FAULT", setting, 1);
    int thrown = 0;
    for (const char* name : {"first", "first", "second"}) {
      try {
        faultPoint(name);
      } catch (const Error&) {
        ++thrown;
      }
    }
    ::_exit(thrown);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(FaultPoint, doesNothingByDefault) {
  EXPECT_EQ(endWith(""), 0);
  EXPECT_EQ(endWith("other=kill"), 0);
  EXPECT_EQ(endWith("first:3=kill"), 0);
}

TEST(FaultPoint, killsOrThrowsAtTheRequestedPass) {
  EXPECT_EQ(endWith("second=kill"), 128 + SIGKILL);
  EXPECT_EQ(endWith("first:2=kill"), 128 + SIGKILL);
  EXPECT_EQ(endWith("first=error"), 1);
  EXPECT_EQ(endWith("first:2=error,second=error"), 2);
}

TEST(FaultPoint, stopsUntilItIsContinued) {
  pid_t child = ::fork();
  if (child == 0) {
    ::setenv("SWARM_FAULT", "here=stop", 1);
    faultPoint("here");
    ::_exit(7);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace swarm
