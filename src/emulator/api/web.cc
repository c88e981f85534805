// The routes of Fly's web application that its command line uses besides GraphQL: organizations, builds, releases and logs.
#include <algorithm>
#include <boost/json/array.hpp>

#include "base/format.h"
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::size_t kMaxLogEntries = 100;  // I: the number

json::object organizationFacts(const std::string& slug) {
  return {{"id", slug},        {"internal_numeric_id", 1},       {"slug", slug},     {"raw_slug", slug},           {"name", slug},
          {"paid_plan", true}, {"personal", slug == "personal"}, {"billable", true}, {"billing_status", "CURRENT"}};
}

json::object buildFacts(std::int64_t id, std::string_view status) { return {{"id", id}, {"status", status}, {"wallclock_time_ms", 0}}; }

struct LogLine {
  const Machine* machine = nullptr;
  const MachineEvent* event = nullptr;
};

json::object logEntry(const LogLine& line) {
  const auto& [machine, event] = line;
  SystemTime time{std::chrono::milliseconds(event->timestampMs)};
  json::object meta{{"instance", machine->id}, {"region", machine->region}, {"event", {{"provider", "runner"}}}};
  json::object attributes{{"timestamp", formatTime(time)},
                          {"message", format("Machine {}: {}", event->type, event->status)},  // I: the wording
                          {"level", "info"},
                          {"instance", machine->id},
                          {"region", machine->region},
                          {"meta", std::move(meta)}};
  return {{"id", event->id}, {"type", "log"}, {"attributes", std::move(attributes)}};
}

/// The events after `token`, oldest first; their ids sort by time.
std::vector<LogLine> readLog(const Call& call, const std::string& token) {
  std::string instance = call.parameter("instance").value_or(""), region = call.parameter("region").value_or("");
  std::vector<LogLine> lines;
  for (const auto& [number, machine] : call.app->machines) {
    if ((!instance.empty() && machine->id != instance) || (!region.empty() && machine->region != region)) continue;
    for (const MachineEvent& event : machine->events) {
      if (event.id > token) lines.push_back({machine.get(), &event});
    }
  }
  std::ranges::sort(lines, {}, [](const LogLine& line) -> const std::string& { return line.event->id; });
  return lines;
}

}  // namespace

awaitable<Answer> listWebOrganizations(Core&, Call& call) {
  std::string slug = call.token ? call.token->organization : "";
  co_return jsonAnswer(200, json::object{{"organizations", json::array{organizationFacts(slug)}}});
}

awaitable<Answer> getWebOrganization(Core&, Call& call) {
  if (!call.token || call.token->organization != call.arguments[0]) refuse(404, "organization not found");
  co_return jsonAnswer(200, json::object{{"organization", organizationFacts(call.arguments[0])}});
}

/// A client reports that it resolves an image; the report is not kept.
awaitable<Answer> createBuild(Core& core, Call&) { co_return jsonAnswer(200, buildFacts(core.world.nextNumber(), "started")); }

awaitable<Answer> finishBuild(Core&, Call& call) {
  std::string status = call.fields().text("status");
  co_return jsonAnswer(200, buildFacts(call.fields().integer("build_id").value_or(0), status.empty() ? "completed" : status));
}

/// Deployments, which create releases, are not emulated.
awaitable<Answer> listWebReleases(Core&, Call&) { co_return jsonAnswer(200, json::object{{"releases", json::array()}}); }

/// The log consists of the Machines' events: the backends keep no output of programs. Without a token: the latest events.
awaitable<Answer> listWebLogs(Core&, Call& call) {
  std::string token = call.parameter("next_token").value_or("");
  std::vector<LogLine> lines = readLog(call, token);
  std::size_t first = token.empty() && lines.size() > kMaxLogEntries ? lines.size() - kMaxLogEntries : 0;
  json::array data;
  for (; first < lines.size() && data.size() < kMaxLogEntries; ++first) {
    data.push_back(logEntry(lines[first]));
    token = lines[first].event->id;
  }
  co_return jsonAnswer(200, json::object{{"data", std::move(data)}, {"meta", {{"next_token", token}}}});
}

}  // namespace swarm::emulator
