// Parsing of the command line: few flags, each "--name value" or "--name=value".
#include "emulator/program/options.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::emulator {
namespace {

constexpr std::string_view kHelp = R"(fly-emulator: Fly.io's Machines API on this machine, for trying and testing without an account.

Usage: fly-emulator --token TOKEN [flags]

  --listen HOST:PORT     address of the API (127.0.0.1:4280; port 0: any free one)
  --edge HOST:PORT       address of the apps, as <app>.fly.localhost (127.0.0.1:4281)
  --api-tls              use TLS for the API, with a certificate created by the emulator (stored below --data; its path is printed)
  --edge-tls             use TLS for the edge, with the same certificate
  --data DIR             folder for persistent state; without it, Machines and volumes are removed at the end
  --backend docker|memory  docker: Machines are containers, with real volumes; memory: simulated, for thousands
  --docker-socket PATH   the Engine's socket (/var/run/docker.sock, or DOCKER_HOST if it is unix://…)
  --guest-tool PATH      the program fly-guest-tool (default: beside this one)
  --token TOKEN          a token that clients may present; repeatable
  --token-file FILE      a file with one token per line; empty lines and lines that start with # are skipped
  --organization SLUG    the organization of the tokens (personal)
  --regions A,B,…        the available regions; the first is the nearest (ams,fra,iad)
  --strict               refuse requests that Fly's OpenAPI document does not allow
  --transitions none|fly duration of the Machines' transient states (none: as short as possible)
  --no-rate-limits       never return 429
  --help, --version

Examples:
  fly-emulator --token secret --data ~/.local/state/fly-emulator
  curl -H 'Authorization: Bearer secret' http://127.0.0.1:4280/v1/apps?org_slug=personal
  curl http://my-app.fly.localhost:4281/
  fly-emulator --backend memory --token secret --listen 127.0.0.1:0 --edge 127.0.0.1:0
  fly-emulator --token secret --data DIR --api-tls --edge-tls     # then: SWARM_FLYIO_CA_FILE=DIR/edge.pem

SIGTERM and SIGINT end the emulator; with the docker backend, Machines continue to run and are found again with the same --data.
)";

[[noreturn]] void wrong(std::string message) { throw Error(ErrorCode::InvalidArgument, message + " Try: fly-emulator --help"); }

std::vector<std::string> splitList(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) parts.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

net::HostPort parseAddress(const std::string& flag, const std::string& text) {
  try {
    return net::parseHostPort(text);
  } catch (const Error& error) {
    wrong(format("{}: {}", flag, error.message()));
  }
}

void readTokens(const std::string& path, std::vector<Secret>& tokens) {
  std::ifstream file(path);
  if (!file) wrong(format("--token-file: cannot read {}.", path));
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && line.front() != '#') tokens.emplace_back(std::move(line));
  }
  if (tokens.empty()) wrong(format("--token-file: {} contains no token.", path));
}

template <typename Value>
Value choose(const std::string& flag, const std::string& text, const std::map<std::string, Value>& choices) {
  auto found = choices.find(text);
  if (found != choices.end()) return found->second;
  std::string names;
  for (const auto& [name, value] : choices) names += (names.empty() ? "" : " or ") + name;
  wrong(format("{} must be {}, not \"{}\".", flag, names, text));
}

using Setter = std::function<void(const std::string& value)>;

std::map<std::string, Setter> flagsWithValue(ProgramOptions& options) {
  return {
      {"--listen", [&](const std::string& value) { options.listen = parseAddress("--listen", value); }},
      {"--edge", [&](const std::string& value) { options.edge = parseAddress("--edge", value); }},
      {"--data", [&](const std::string& value) { options.data = value; }},
      {"--backend",
       [&](const std::string& value) {
         options.backend = choose<BackendKind>("--backend", value, {{"docker", BackendKind::Docker}, {"memory", BackendKind::Memory}});
       }},
      {"--docker-socket", [&](const std::string& value) { options.dockerSocket = value; }},
      {"--guest-tool", [&](const std::string& value) { options.guestTool = value; }},
      {"--token", [&](const std::string& value) { options.tokens.emplace_back(value); }},
      {"--token-file", [&](const std::string& value) { readTokens(value, options.tokens); }},
      {"--organization", [&](const std::string& value) { options.organization = value; }},
      {"--regions", [&](const std::string& value) { options.regions = splitList(value); }},
      {"--transitions",
       [&](const std::string& value) {
         options.transitions = choose<Transitions>("--transitions", value, {{"none", Transitions::None}, {"fly", Transitions::LikeFly}});
       }},
  };
}

std::map<std::string, bool*> switches(ProgramOptions& options) {
  return {{"--api-tls", &options.apiTls}, {"--edge-tls", &options.edgeTls}, {"--strict", &options.strict}, {"--help", &options.help},
          {"-h", &options.help},          {"--version", &options.version}};
}

void check(const ProgramOptions& options) {
  if (options.tokens.empty()) wrong("No token given: use --token TOKEN (any text; clients must present it), or --token-file FILE.");
  if (options.regions.empty()) wrong("--regions needs at least one region, such as ams.");
  if (options.organization.empty()) wrong("--organization must not be empty.");
  for (const std::string& region : options.regions) {
    bool plain = region.size() == 3 && std::ranges::all_of(region, [](char c) { return c >= 'a' && c <= 'z'; });
    if (!plain) wrong(format("--regions: \"{}\" is not a region; regions have three letters, such as ams.", region));
  }
}

}  // namespace

std::string helpText() { return std::string(kHelp); }

ProgramOptions parseOptions(const std::vector<std::string>& arguments) {
  ProgramOptions options;
  if (const char* host = std::getenv("DOCKER_HOST"); host && std::string_view(host).starts_with("unix://")) options.dockerSocket = host + 7;
  auto values = flagsWithValue(options);
  auto bools = switches(options);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    auto equals = argument.find('=');
    std::string name = argument.substr(0, equals);
    if (auto flag = bools.find(name); flag != bools.end() && equals == std::string::npos) {
      *flag->second = true;
    } else if (name == "--no-rate-limits" && equals == std::string::npos) {
      options.rateLimits = false;
    } else if (auto setter = values.find(name); setter != values.end()) {
      bool next = equals == std::string::npos;
      if (next && (i + 1 == arguments.size() || arguments[i + 1].starts_with("--"))) wrong(format("{} needs a value.", name));
      std::string value = next ? arguments[++i] : argument.substr(equals + 1);
      if (value.empty()) wrong(format("{} needs a value.", name));
      setter->second(value);
    } else {
      wrong(format("Unknown {} \"{}\".", argument.starts_with("-") ? "flag" : "argument", name));
    }
  }
  if (!options.help && !options.version) check(options);
  return options;
}

}  // namespace swarm::emulator
