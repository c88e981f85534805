#include "doctor.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "async/loop.h"
#include "config.h"
#include "providers.h"

namespace swarm {
namespace {

using Result = cli::DoctorCheck::Result;

constexpr std::chrono::seconds kProviderPatience{20};

/// The provider ends on the loop of its connections.
async::awaitable<std::vector<ValidationCheck>> validate(ProviderPtr provider) {
  auto checks = co_await provider->validate(Deadline::after(kProviderPatience));
  provider.reset();
  co_return checks;
}

cli::DoctorChecks checkProvider(ProviderPtr provider) {
  const std::string type(enumName(provider->type()));
  async::Loop loop("swarm-doctor");
  cli::DoctorChecks checks;
  for (ValidationCheck& check : boost::asio::co_spawn(loop.executor(), validate(std::move(provider)), boost::asio::use_future).get())
    checks.push_back({type + ": " + check.name, check.ok ? Result::Ok : Result::Failed, std::move(check.detail)});
  return checks;
}

/// With a swarm id that no server has: nothing is found, and nothing is made.
void checkProviders(const ServerConfig& config, cli::DoctorChecks& checks) {
  const RealClock clock;
  ProviderContext context{"doctor", {}, config.workspaceImage, clock, config.allowedImages, true};
  for (const ProviderSetupPtr& setup : config.providers) {
    const std::string type(enumName(setup->type()));
    try {
      ProviderPtr provider = setup->make(context);
      if (!provider) {
        checks.push_back({type, Result::Ok, "not enabled"});
        continue;
      }
      for (cli::DoctorCheck& check : checkProvider(std::move(provider))) checks.push_back(std::move(check));
    } catch (const Error& error) {
      checks.push_back({type, Result::Failed, error.message()});
    }
  }
}

void append(cli::DoctorChecks& checks, cli::DoctorChecks more) {
  for (cli::DoctorCheck& check : more) checks.push_back(std::move(check));
}

}  // namespace

cli::MachineReport examineMachine(const cli::ServeFlags& flags) {
  cli::MachineReport report;
  append(report.checks, cli::checkMachine());
  report.checks.push_back(cli::checkClock());
  ServerConfig config;
  try {
    config = loadServerConfig(flags);
    report.checks.push_back({"configuration", Result::Ok, "valid"});
  } catch (const Error& error) {
    report.checks.push_back({"configuration", Result::Failed, error.message()});
    return report;  // what follows depends on it
  }
  append(report.checks,
         cli::checkDataFolder(config.dataDir, config.secretsKeyFile.empty() ? config.dataDir / "secrets.key" : config.secretsKeyFile));
  cli::AddressState address = cli::checkAddress(config.listen, config.tls.isOn());
  report.serves = address.serves;
  report.checks.push_back(std::move(address.check));
  append(report.checks, cli::checkNames(config.baseDomain, config.instanceDomain));
  if (config.tls.isOn())
    report.checks.push_back(cli::checkCertificate(config.tls.certificateFile, config.tls.keyFile,
                                                  {config.baseDomain, "x." + config.instanceDomain}, RealClock()));
  if (!report.serves) checkProviders(config, report.checks);
  return report;
}

}  // namespace swarm
