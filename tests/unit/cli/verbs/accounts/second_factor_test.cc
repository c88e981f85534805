// `swarm second-factor`, and `swarm login` with one.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

/// Standard input of a command.
class Typed {
 public:
  explicit Typed(const std::string& text) : kept_(::dup(0)) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    ::dup2(ends[0], 0);
    ::close(ends[0]);
    std::cin.clear();
  }
  ~Typed() {
    ::dup2(kept_, 0);
    ::close(kept_);
  }

 private:
  int kept_;
};

TEST(SecondFactorVerb, showsWhetherThereIsOne) {
  ApiDouble api;
  api.on("GET /api/users/me/second-factor", 200,
         {R"({"enabled":false,"required":false,"recoveryCodes":0})", R"({"enabled":true,"required":true,"recoveryCodes":7})"});
  EXPECT_EQ(runCommand(api, {"second-factor"}).out, "disabled\n");
  EXPECT_EQ(runCommand(api, {"second-factor"}).out, "enabled, 7 recovery codes left\n");
  api.on("GET /api/users/ben/second-factor", 200, {R"({"enabled":false,"required":true,"recoveryCodes":0})"});
  EXPECT_EQ(runCommand(api, {"second-factor", "--user", "ben"}).out, "disabled; the next sign-in in a browser sets it up\n");
}

TEST(SecondFactorVerb, enablesWithACodeAndPrintsTheRecoveryCodes) {
  ApiDouble api;
  api.on("POST /api/users/me/second-factor", 201, {R"({"ticket":"t","secret":"JBSWY3DP","uri":"otpauth://totp/x"})"});
  api.on("POST /api/users/me/second-factor/confirm", 200, {R"({"recoveryCodes":["aaaa-bbbb","cccc-dddd"]})"});
  const Typed typed("a password\n123456\n");
  const Ran ran = runCommand(api, {"second-factor", "enable", "--password-stdin"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "aaaa-bbbb\ncccc-dddd\n");
  EXPECT_NE(ran.err.find("JBSWY3DP"), std::string::npos) << ran.err;
  EXPECT_EQ(api.bodyOf("POST /api/users/me/second-factor"), boost::json::parse(R"({"password":"a password"})"));
  EXPECT_EQ(api.bodyOf("POST /api/users/me/second-factor/confirm"), boost::json::parse(R"({"ticket":"t","code":"123456"})"));
}

TEST(SecondFactorVerb, disablesAndResets) {
  ApiDouble api;
  api.on("POST /api/users/me/second-factor/disable", 204, {""});
  api.on("DELETE /api/users/ben/second-factor", 204, {""});
  {
    const Typed typed("a password\n123456\n");
    EXPECT_EQ(runCommand(api, {"second-factor", "disable", "--password-stdin"}).code, 0);
  }
  EXPECT_EQ(api.bodyOf("POST /api/users/me/second-factor/disable"), boost::json::parse(R"({"password":"a password","code":"123456"})"));
  EXPECT_EQ(runCommand(api, {"second-factor", "reset", "ben"}).code, 0);
}

}  // namespace
}  // namespace swarm::cli::testing
