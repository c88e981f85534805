// One keep-alive connection, request by request, with the real parser.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "base/text/format.h"
#include "emulator/memory/guest.h"
#include "net/http/http.h"
#include "protocol/agent.h"

namespace swarm::emulator {
namespace {

namespace json = boost::json;

std::string message(int status, std::string_view type, std::string_view body) {
  return format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", status, net::reasonPhrase(status), type, body.size(),
                body);
}

std::string jsonMessage(const json::value& body) { return message(200, "application/json", json::serialize(body)); }

json::object size(std::int64_t used, std::int64_t total) { return {{"used", used}, {"total", total}}; }

awaitable<std::string> runExec(GuestPtr guest, std::string body) {
  GuestExec request;
  try {
    const json::object document = json::parse(body).as_object();
    for (const json::value& word : document.at("command").as_array()) request.command.emplace_back(word.as_string());
    if (const json::value* input = document.if_contains("stdin"); input && input->is_string()) request.stdinText = input->get_string();
  } catch (const std::exception&) {
    co_return message(400, "application/json", "{\"code\":\"invalid_argument\",\"message\":\"The command is malformed.\"}");
  }
  ShellResult result;
  try {
    result = co_await runCommand({.guest = guest, .deadline = Deadline::after(std::chrono::minutes(10))}, std::move(request.command),
                                 std::move(request.stdinText));
  } catch (const Error&) {
    result = {124, "", ""};
  }
  co_return jsonMessage(json::object{{"exitCode", result.exitCode},
                                     {"stdout", result.out},
                                     {"stderr", result.err},
                                     {"truncated", false},
                                     {"timedOut", result.exitCode == 124}});
}

awaitable<std::string> responseTo(GuestPtr guest, std::string method, std::string path, std::string body) {
  if (path == agent::kHealthPath) {
    co_return jsonMessage(json::object{
        {"ready", true}, {"reason", ""}, {"generation", std::to_string(guest->generation)}, {"vscode", "simulated"}, {"uptime", 1}});
  }
  if (path == agent::kUsagePath) {
    co_return jsonMessage(json::object{
        {"cpu", {{"percent", 1.0}, {"cores", guest->plan.cpus}}}, {"memory", size(64, guest->plan.memoryMb)}, {"storage", size(1, 1024)}});
  }
  if (path == agent::kActivityPath) co_return jsonMessage(json::object{{"lastActivity", nullptr}, {"connections", 0}});
  if (path == agent::kExecPath && method == "POST") co_return co_await runExec(guest, std::move(body));
  co_return message(200, "text/html",
                    format("<!doctype html><title>{}</title><p>A simulated Machine of {}.\n", guest->plan.machineId, guest->plan.app));
}

}  // namespace

awaitable<void> serveSimulatedAgent(net::StreamPtr stream, GuestPtr guest) {
  net::ReadBuffer buffer;
  bool in_tunnel = false;
  for (;;) {
    auto bytes = co_await net::readHead(*stream, buffer);
    if (!bytes || *bytes == 0) co_return;
    net::RequestHead head;
    if (!net::parseRequestHead(buffer.data().substr(0, *bytes), head)) co_return;
    std::string method(head.method), path(head.path());
    bool upgrades = !head.upgrade.empty(), keeps = head.keepAlive;
    net::BodyFraming framing = head.body;
    buffer.consume(*bytes);
    if (!in_tunnel && upgrades) {
      co_await stream->writeAll(agent::tunnelOpened());
      in_tunnel = true;
      continue;
    }
    net::BodyReader reader(*stream, buffer, framing);
    std::string body = co_await net::readAll(reader, 16 * 1024 * 1024);
    std::string response = co_await responseTo(guest, method, in_tunnel ? "/" : path, std::move(body));
    net::IoResult written = co_await stream->writeAll(response);
    if (written.error || !keeps) break;
  }
  co_await stream->shutdownWrite();
}

}  // namespace swarm::emulator
