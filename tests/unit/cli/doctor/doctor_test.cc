// `swarm doctor`: what each check finds on a machine, and how the verb reports it.
#include <sys/stat.h>

#include <fstream>

#include "base/text/format.h"
#include "cli/doctor/checks.h"
#include "support/net/test_certificates.h"
#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

using Result = DoctorCheck::Result;

DoctorCheck named(const DoctorChecks& checks, const std::string& name) {
  for (const DoctorCheck& check : checks)
    if (check.name == name) return check;
  ADD_FAILURE() << "no check " << name;
  return {};
}

TEST(DoctorDataFolder, isMadeAtTheFirstStart) {
  test::TempDir folder;
  const DoctorChecks checks = checkDataFolder(folder / "not/yet", folder / "not/yet/secrets.key");
  EXPECT_EQ(named(checks, "data folder").result, Result::Ok);
  EXPECT_NE(named(checks, "data folder").detail.find("first start"), std::string::npos);
  EXPECT_NE(named(checks, "disk").detail.find("are free"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "not")) << "nothing is made";
}

TEST(DoctorDataFolder, mustBePrivateAndHaveItsKey) {
  test::TempDir folder;
  const auto data = folder / "data", key = folder / "data/secrets.key";
  std::filesystem::create_directory(data);
  ::chmod(data.c_str(), 0755);
  EXPECT_EQ(named(checkDataFolder(data, key), "data folder").result, Result::Failed);
  EXPECT_NE(named(checkDataFolder(data, key), "data folder").detail.find("chmod 700 " + data.string()), std::string::npos);
  ::chmod(data.c_str(), 0700);
  EXPECT_EQ(named(checkDataFolder(data, key), "data folder").result, Result::Ok);
  std::ofstream(data / "swarm.db").close();
  EXPECT_EQ(named(checkDataFolder(data, key), "secrets").result, Result::Failed);
  EXPECT_NE(named(checkDataFolder(data, key), "secrets").detail.find("backup"), std::string::npos);
  std::ofstream(key) << "secret";
  ::chmod(key.c_str(), 0640);
  EXPECT_EQ(named(checkDataFolder(data, key), "secrets").result, Result::Failed);
  ::chmod(key.c_str(), 0600);
  EXPECT_EQ(named(checkDataFolder(data, key), "secrets").result, Result::Ok);
}

TEST(DoctorAddress, distinguishesTheServerAnotherProgramAndNone) {
  ApiDouble other;  // responds with 404
  const std::string taken = other.url().substr(std::string("http://").size());
  const AddressState foreign = checkAddress(taken, false);
  EXPECT_EQ(foreign.check.result, Result::Failed);
  EXPECT_NE(foreign.check.detail.find("Another program listens at " + taken), std::string::npos) << foreign.check.detail;
  EXPECT_FALSE(foreign.serves);
  other.on("GET /healthz", 200, {R"({"status":"ok"})"});
  EXPECT_TRUE(checkAddress(taken, false).serves);
  EXPECT_EQ(checkAddress(taken, false).check.result, Result::Ok);
  const AddressState free = checkAddress("127.0.0.1:0", false);
  EXPECT_EQ(free.check.result, Result::Warning) << free.check.detail;
  EXPECT_NE(free.check.detail.find("does not run"), std::string::npos);
  EXPECT_EQ(checkAddress("somewhere", false).check.result, Result::Failed);
  EXPECT_EQ(checkAddress("192.0.2.1:7420", false).check.result, Result::Failed) << "an address of no interface";
}

TEST(DoctorNames, haveAddressesOrAreToBeAdded) {
  for (const DoctorCheck& check : checkNames("swarm.localhost", "localhost")) EXPECT_EQ(check.result, Result::Ok) << check.detail;
  const DoctorChecks unknown = checkNames("swarm.invalid", "swarm.invalid");
  EXPECT_EQ(named(unknown, "base host").result, Result::Failed);
  EXPECT_NE(named(unknown, "workspaces").detail.find("record for *.swarm.invalid"), std::string::npos)
      << named(unknown, "workspaces").detail;
}

TEST(DoctorCertificate, thatCannotBeReadIsExplained) {
  const DoctorCheck check = checkCertificate("/absent/swarm.pem", "/absent/swarm.key", {"swarm.example.com"}, RealClock());
  EXPECT_EQ(check.result, Result::Failed);
  EXPECT_NE(check.detail.find("/absent/swarm.pem"), std::string::npos) << check.detail;
}

TEST(DoctorCertificate, mustCoverTheHostsAndLast) {
  test::TestAuthority authority;
  const auto good = authority.issue("swarm.example.com", std::chrono::days(90));
  const RealClock clock;
  EXPECT_EQ(checkCertificate(good.certificate, good.key, {"swarm.example.com"}, clock).result, Result::Ok);
  const DoctorCheck wildcard = checkCertificate(good.certificate, good.key, {"swarm.example.com", "x.swarm.example.com"}, clock);
  EXPECT_EQ(wildcard.result, Result::Failed);
  EXPECT_NE(wildcard.detail.find("not valid for x.swarm.example.com"), std::string::npos) << wildcard.detail;
  const auto ending = authority.issue("swarm.example.com", std::chrono::days(5));
  const DoctorCheck soon = checkCertificate(ending.certificate, ending.key, {"swarm.example.com"}, clock);
  EXPECT_EQ(soon.result, Result::Warning);
  EXPECT_NE(soon.detail.find("Renew it"), std::string::npos) << soon.detail;
}

class DoctorVerbTest : public ::testing::Test {
 protected:
  Ran runDoctor(MachineReport report, std::vector<std::string> words = {"doctor"}) {
    return runCommand(api_, std::move(words), "t", [&](const ServeFlags&) { return report; });
  }
  ApiDouble api_;
};

TEST_F(DoctorVerbTest, failsWhenACheckFailsAndNotForAWarning) {
  const Ran warned = runDoctor({{{"machine", Result::Ok, "8 cores"}, {"clock", Result::Warning, "no program keeps it right."}}, false});
  EXPECT_EQ(warned.code, kDone);
  EXPECT_NE(warned.out.find("warning"), std::string::npos) << warned.out;
  EXPECT_NE(warned.err.find("Checks that failed: 0. Warnings: 1."), std::string::npos) << warned.err;
  const Ran failed = runDoctor({{{"disk", Result::Failed, "full"}}, false});
  EXPECT_EQ(failed.code, kFailed);
  EXPECT_TRUE(api_.received().empty()) << "no server responds";
  EXPECT_NE(runDoctor({{{"machine", Result::Ok, ""}}, false}).err.find("Nothing is wrong"), std::string::npos);
}

TEST_F(DoctorVerbTest, requestsTheProvidersChecksFromARunningServer) {
  api_.on("GET /api/version", 200, {R"({"name":"vscode-remote-swarm","version":"0.0.1"})"});
  api_.on("GET /api/swarm/status", 200, {R"({"providers":[{"type":"docker","status":"unavailable","instances":0,"detail":"gone"}]})"});
  api_.on("POST /api/providers/docker/validate", 200,
          {R"({"checks":[{"name":"endpoint","ok":false,"detail":"Start the Docker Engine."}]})"});
  const Ran ran = runDoctor({{}, true}, {"doctor", "-o", "json"});
  EXPECT_EQ(ran.code, kFailed) << ran.err;
  const auto checks = boost::json::parse(ran.out).as_array();
  ASSERT_EQ(checks.size(), 2U) << ran.out;
  EXPECT_EQ(checks[0].at("result"), "warning") << "another version";
  EXPECT_EQ(checks[1].at("name"), "docker: endpoint");
  EXPECT_EQ(checks[1].at("result"), "failed");
  EXPECT_EQ(checks[1].at("detail"), "Start the Docker Engine.");
}

TEST_F(DoctorVerbTest, reportsAServerThatRefuses) {
  api_.on("GET /api/version", 503, {R"({"code":"unavailable","detail":"The server is stopping."})"});
  const Ran ran = runDoctor({{}, true});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_NE(ran.out.find("The server is stopping."), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace swarm::cli::testing
