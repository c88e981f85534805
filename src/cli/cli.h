// The `swarm` command line: parses it and runs one verb. The program provides `serve`, because only it links every layer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cli/doctor/checks.h"

namespace swarm::cli {

/// The flags of `swarm serve`; absent members were not given.
struct ServeFlags {
  std::optional<std::string> configFile;
  std::optional<std::string> listen;
  std::optional<std::string> baseDomain;
  std::optional<std::string> instanceDomain;
  bool insecureHttp = false;
  std::optional<std::string> publicUrl;
  std::optional<std::string> dataDir;
  std::map<std::string, std::optional<std::string>> variables;  ///< flags that replace a variable of the environment
  std::optional<std::string> logLevel;
  std::optional<std::string> logStyle;
  std::optional<int> threads;
  bool resetAdminPassword = false;  ///< and exit
  bool fakeProvider = false;        ///< instances that exist in memory only: for benchmarks and for trying the API
};

/// Exit codes of `swarm`.
enum ExitCode { kDone = 0, kFailed = 1, kWrongUse = 2, kNotFound = 3, kNotAllowed = 4, kTimedOut = 5 };

/// What `swarm doctor` finds on the server's machine.
struct MachineReport {
  DoctorChecks checks;
  bool serves = false;  ///< the server responds
};
using Doctor = std::function<MachineReport(const ServeFlags&)>;

/// Runs the command line to its end and returns the exit code. Errors are printed on stderr.
int run(int argc, char** argv, const std::function<int(const ServeFlags&)>& serve, const Doctor& doctor = {});

}  // namespace swarm::cli
