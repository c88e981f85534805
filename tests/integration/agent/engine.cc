// Bare Engine calls.
#include "integration/agent/engine.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "net/http/http_client.h"

namespace swarm::test {
namespace {

constexpr std::size_t kBlock = 512;

/// A file as ustar has it.
std::string tarEntry(const FileInContainer& file) {
  std::string header(kBlock, '\0');
  auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  auto octal = [](std::size_t digits, std::size_t value) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*zo", static_cast<int>(digits), value);
    return std::string(text);
  };
  put(0, file.path);
  put(100, octal(7, file.mode));
  put(108, octal(7, 0));
  put(116, octal(7, 0));
  put(124, octal(11, file.content.size()));
  put(136, octal(11, 0));
  put(148, std::string(8, ' '));
  put(156, "0");
  put(257, std::string("ustar\00000", 8));
  std::size_t sum = 0;
  for (unsigned char byte : header) sum += byte;
  put(148, octal(6, sum) + std::string("\0 ", 2));
  std::string padding((kBlock - file.content.size() % kBlock) % kBlock, '\0');
  return header + file.content + padding;
}

std::string engineSocket() {
  const char* host = std::getenv("DOCKER_HOST");
  std::string_view text = host ? host : "";
  return text.starts_with("unix://") ? std::string(text.substr(7)) : "/var/run/docker.sock";
}

awaitable<net::HttpResponse> askEngine(net::HttpRequest request) {
  net::HttpClientOptions options;
  options.host = "docker";
  net::HttpClient client([](Deadline deadline) { return net::connectUnix(engineSocket(), deadline); }, options);
  co_return co_await client.send(std::move(request), Deadline::after(std::chrono::seconds(40)));
}

boost::json::value callEngine(TestLoop& loop, std::string method, std::string path, std::string body, std::string type) {
  net::HttpRequest request;
  request.method = method;
  request.target = "/v1.41" + path;
  request.body = std::move(body);
  request.contentType = std::move(type);
  auto response = loop.run(askEngine(std::move(request)), std::chrono::seconds(45));
  if (response.status >= 400) throw std::runtime_error(method + " " + path + ": " + response.body);
  boost::system::error_code not_json;
  auto value = boost::json::parse(response.body, not_json);
  return not_json ? boost::json::value(response.body) : value;
}

}  // namespace

boost::json::value Container::call(std::string method, std::string path, std::string body, std::string type) {
  return callEngine(loop_, std::move(method), std::move(path), std::move(body), std::move(type));
}

Container::Container(TestLoop& loop, boost::json::object config, const std::vector<FileInContainer>& files) : loop_(loop) {
  id_ = call("POST", "/containers/create", boost::json::serialize(config)).at("Id").as_string();
  std::string archive;
  for (const auto& file : files) archive += tarEntry(file);
  archive.append(2 * kBlock, '\0');
  try {
    call("PUT", "/containers/" + id_ + "/archive?path=/", std::move(archive), "application/x-tar");
  } catch (...) {
    call("DELETE", "/containers/" + id_ + "?force=true&v=true");
    throw;
  }
}

Container::~Container() {
  try {
    call("DELETE", "/containers/" + id_ + "?force=true&v=true");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the container %s was left behind: %s\n", id_.c_str(), error.what());
  }
}

void Container::start() { call("POST", "/containers/" + id_ + "/start"); }
void Container::stop(int seconds) { call("POST", "/containers/" + id_ + "/stop?t=" + std::to_string(seconds)); }
awaitable<void> Container::kill() {
  for (const char* action : {"/kill", "/wait"}) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1.41/containers/" + id_ + action;
    co_await askEngine(std::move(request));
  }
}
std::int64_t Container::exitCode() { return call("GET", "/containers/" + id_ + "/json").at("State").at("ExitCode").as_int64(); }

std::uint16_t Container::publishedPort(int internal) {
  auto facts = call("GET", "/containers/" + id_ + "/json");
  auto& bindings = facts.at("NetworkSettings").at("Ports").at(std::to_string(internal) + "/tcp").as_array();
  return static_cast<std::uint16_t>(std::stoi(std::string(bindings.at(0).at("HostPort").as_string())));
}

std::string Container::logs() {
  auto text = call("GET", "/containers/" + id_ + "/logs?stdout=true&stderr=true");
  std::string printable;
  // Each piece has a binary head of the Engine's before it.
  for (char byte : text.is_string() ? std::string(text.as_string()) : "") {
    if (byte == '\n' || (byte >= ' ' && byte <= '~')) printable.push_back(byte);
  }
  return printable;
}

std::vector<std::string> Container::processes() {
  auto top = call("GET", "/containers/" + id_ + "/top?ps_args=-eo%20pid,args");
  std::vector<std::string> found;
  for (const auto& row : top.at("Processes").as_array()) found.emplace_back(row.as_array().back().as_string());
  return found;
}

void Container::execDetached(std::vector<std::string> command) {
  boost::json::object wanted{{"Cmd", boost::json::array(command.begin(), command.end())}};
  std::string exec(call("POST", "/containers/" + id_ + "/exec", boost::json::serialize(wanted)).at("Id").as_string());
  call("POST", "/exec/" + exec + "/start", R"({"Detach":true})");
}

void removeVolume(TestLoop& loop, const std::string& name) { callEngine(loop, "DELETE", "/volumes/" + name, "", ""); }

}  // namespace swarm::test
