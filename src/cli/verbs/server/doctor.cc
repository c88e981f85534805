// `swarm doctor`
#include <algorithm>

#include "cli/doctor/checks.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

using Result = DoctorCheck::Result;

constexpr std::string_view kTexts[] = {"ok", "warning", "failed"};
constexpr const char* kColours[] = {"32", "33", "31"};

std::size_t indexOf(Result result) { return static_cast<std::size_t>(result); }

/// What the server reports of itself and its providers.
DoctorChecks checkServer(Context& context) {
  DoctorChecks checks;
  try {
    const std::string version = memberText(context.client().serverVersion(), "version");
    checks.push_back(version == SWARM_VERSION
                         ? DoctorCheck{"version", Result::Ok, format("{} at {}", version, context.url())}
                         : DoctorCheck{"version", Result::Warning,
                                       format("The server at {} is of version {}, this command of {}. Upgrade the older one.",
                                              context.url(), version, SWARM_VERSION)});
    for (const ProviderStatus& provider : context.client().getSwarmStatus().providers) {
      const std::string type(enumName(provider.type));
      for (const auto& check : context.client().validateProvider(type).at("checks").as_array())
        checks.push_back({type + ": " + memberText(check, "name"), memberText(check, "ok") == "true" ? Result::Ok : Result::Failed,
                          memberText(check, "detail")});
    }
  } catch (const Error& error) {
    checks.push_back({"server", Result::Failed, error.message()});
  }
  return checks;
}

class DoctorVerb final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.option("--config", flags_.configFile, "Configuration file of the server (default: as swarm serve)").suggest(fileNames());
    arguments.option("--data-dir", flags_.dataDir, "Folder for the state of the server").suggest(fileNames());
    arguments.option("--listen", flags_.listen, "Address and port of the server");
    arguments.option("--docker", flags_.variables["DOCKER_HOST"], "Docker Engine: unix:///path, tcp://host:port or ssh://user@host");
  }

  int run(Context& context) override {
    MachineReport report = context.program().doctor(flags_);
    if (report.serves)
      for (DoctorCheck& check : checkServer(context)) report.checks.push_back(std::move(check));
    show(context, report.checks);
    return std::ranges::any_of(report.checks, [](const DoctorCheck& check) { return check.result == Result::Failed; }) ? kFailed : kDone;
  }

 private:
  static void show(Context& context, const DoctorChecks& checks) {
    boost::json::array items;
    std::vector<Listed> rows;
    std::size_t counts[std::size(kTexts)] = {};
    for (const DoctorCheck& check : checks) {
      const std::size_t index = indexOf(check.result);
      ++counts[index];
      items.push_back({{"name", check.name}, {"result", kTexts[index]}, {"detail", check.detail}});
      rows.push_back({check.name, {check.name, Cell(std::string(kTexts[index]), kColours[index]), check.detail}});
    }
    printList(context, items, {copied("CHECK"), copied("RESULT"), "DETAIL"}, rows);
    if (context.output() != OutputFormat::Table) return;
    const std::size_t failed = counts[indexOf(Result::Failed)], warnings = counts[indexOf(Result::Warning)];
    report(failed + warnings == 0 ? "\nNothing is wrong.\n" : format("\nChecks that failed: {}. Warnings: {}.\n", failed, warnings));
  }

  ServeFlags flags_;
};

}  // namespace

void addDoctor(const AddVerb& add) {
  add({.name = "doctor",
       .summary = "Check this machine, the configuration and the providers",
       .examples = {"swarm doctor", "swarm doctor --config /etc/swarm/swarm.toml -o json"},
       .notes =
           "Run it on the server's machine, as the user of the server; it changes nothing. It also works while the server does not run. "
           "Exit code 1: a check has failed."},
      std::make_unique<DoctorVerb>());
}

}  // namespace swarm::cli
