// The routes of Fly's web application that its command line uses besides GraphQL: organizations, builds, releases and logs.
#include <algorithm>
#include <boost/json/array.hpp>

#include "base/text/format.h"
#include "base/text/utf8.h"
#include "emulator/api/facade/facade.h"
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::size_t kMaxLogEntries = 100;  // I: the number
constexpr int kMaxProgramLines = 1000;       ///< of one Machine
constexpr std::chrono::seconds kReadTime{30};

json::object organizationFacts(const std::string& slug) {
  return {{"id", slug},        {"internal_numeric_id", 1},       {"slug", slug},     {"raw_slug", slug},           {"name", slug},
          {"paid_plan", true}, {"personal", slug == "personal"}, {"billable", true}, {"billing_status", "CURRENT"}};
}

json::object buildFacts(std::int64_t id, std::string_view status) { return {{"id", id}, {"status", status}, {"wallclock_time_ms", 0}}; }

struct LogLine {
  std::string key;  ///< its time, and what distinguishes it from others of that time: in order as text; the token for what follows
  std::string time;
  std::string message;
  std::string_view source;  ///< Fly's word: "runner" for events, "app" for the program
  const Machine* machine = nullptr;
};

json::object logEntry(const LogLine& line) {
  json::object meta{{"instance", line.machine->id}, {"region", line.machine->region}, {"event", {{"provider", line.source}}}};
  json::object attributes{{"timestamp", line.time},       {"message", line.message},        {"level", "info"},
                          {"instance", line.machine->id}, {"region", line.machine->region}, {"meta", std::move(meta)}};
  return {{"id", line.key}, {"type", "log"}, {"attributes", std::move(attributes)}};
}

/// As precise as the backends' times.
std::string nanosecondTime(std::int64_t milliseconds) {
  std::string time = formatTime(SystemTime{std::chrono::milliseconds(milliseconds)});
  return time.insert(time.size() - 1, "000000");
}

awaitable<void> addLines(Core& core, MachinePtr machine, std::vector<LogLine>& lines) {
  for (const MachineEvent& event : machine->events) {
    std::string time = nanosecondTime(event.timestampMs);
    std::string message = format("Machine {}: {}", event.type, event.status);  // I: the wording
    lines.push_back({format("{}-{}", time, event.id), time, std::move(message), "runner", machine.get()});
  }
  for (GuestLine& line : co_await core.backend->log(machine->id, kMaxProgramLines, Deadline::after(kReadTime))) {
    lines.push_back({format("{}-{}", line.time, machine->id), line.time, toValidUtf8(line.text), "app", machine.get()});
  }
}

/// What the Machines' programs wrote and what happened to the Machines, after `token`, oldest first.
awaitable<std::vector<LogLine>> readLog(Core& core, const Call& call, const std::string& token) {
  std::string instance = call.parameter("instance").value_or(""), region = call.parameter("region").value_or("");
  std::vector<MachinePtr> machines;
  for (const auto& [number, machine] : call.app->machines) {
    if ((instance.empty() || machine->id == instance) && (region.empty() || machine->region == region)) machines.push_back(machine);
  }
  std::vector<LogLine> lines;
  for (const MachinePtr& machine : machines) co_await addLines(core, machine, lines);
  std::erase_if(lines, [&](const LogLine& line) { return line.key <= token; });
  std::ranges::sort(lines, {}, &LogLine::key);
  co_return lines;
}

awaitable<Response> listWebOrganizations(Core&, Call& call) {
  std::string slug = call.token ? call.token->organization : "";
  co_return jsonResponse(200, json::object{{"organizations", json::array{organizationFacts(slug)}}});
}

awaitable<Response> getWebOrganization(Core&, Call& call) {
  if (!call.token || call.token->organization != call.arguments[0]) refuse(404, "organization not found");
  co_return jsonResponse(200, json::object{{"organization", organizationFacts(call.arguments[0])}});
}

/// A client reports that it resolves an image; the report is not kept.
awaitable<Response> createBuild(Core& core, Call&) { co_return jsonResponse(200, buildFacts(core.world.nextNumber(), "started")); }

awaitable<Response> finishBuild(Core&, Call& call) {
  std::string status = call.fields().text("status");
  co_return jsonResponse(200, buildFacts(call.fields().integer("build_id").value_or(0), status.empty() ? "completed" : status));
}

/// Deployments, which create releases, are not emulated.
awaitable<Response> listWebReleases(Core&, Call&) { co_return jsonResponse(200, json::object{{"releases", json::array()}}); }

/// Without a token: the latest ones.
awaitable<Response> listWebLogs(Core& core, Call& call) {
  std::string token = call.parameter("next_token").value_or("");
  std::vector<LogLine> lines = co_await readLog(core, call, token);
  std::size_t first = token.empty() && lines.size() > kMaxLogEntries ? lines.size() - kMaxLogEntries : 0;
  json::array data;
  for (; first < lines.size() && data.size() < kMaxLogEntries; ++first) {
    data.push_back(logEntry(lines[first]));
    token = lines[first].key;
  }
  co_return jsonResponse(200, json::object{{"data", std::move(data)}, {"meta", {{"next_token", token}}}});
}

}  // namespace

std::vector<Route> webRoutes() {
  return {
      {"POST", "/graphql", "graphql", queryGraph, Scope::Nothing, required("graphql.request")},
      {"GET", "/api/v1/organizations", "web_organizations", listWebOrganizations, Scope::Nothing},
      {"GET", "/api/v1/organizations/{org}", "web_organization", getWebOrganization, Scope::Nothing},
      {"POST", "/api/v1/builds", "web_build_create", createBuild, Scope::Nothing, optional("builds.createRequest")},
      {"POST", "/api/v1/builds/finish", "web_build_finish", finishBuild, Scope::Nothing, optional("builds.finishRequest")},
      {"GET", "/releases", "web_releases", listWebReleases, Scope::WebApp},
      {"GET", "/logs", "web_logs", listWebLogs, Scope::WebApp},
  };
}

}  // namespace swarm::emulator
