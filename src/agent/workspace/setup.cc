// Setup of a new container.
#include "agent/workspace/setup.h"

#include <errno.h>
#include <string.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>

#include "base/diagnostics/log.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kScript = "/.config/swarm/setup.sh";

// As the user: links in the home can only lead to what the user may access anyway.
constexpr std::string_view kFillHome = R"sh(
absent() { [ ! -e "$1" ] && [ ! -L "$1" ]; }
if [ -n "$GIT_CONFIG_TEXT" ] && absent "$HOME/.gitconfig"; then printf %s "$GIT_CONFIG_TEXT" >"$HOME/.gitconfig"; fi
folder=$HOME/.config/swarm
if [ -n "$SETUP_TEXT" ] && absent "$folder/setup.sh"; then
  mkdir -p "$folder" && printf %s "$SETUP_TEXT" >"$folder/setup.sh" && chmod 0755 "$folder/setup.sh"
fi
)sh";
constexpr std::string_view kRunScript = R"sh(if [ -x "$0" ]; then exec "$0"; else exec sh "$0"; fi)sh";

ServiceOptions serviceOptions(const SetupOptions& options) {
  ServiceOptions service;
  service.name = "setup";
  service.title = "The setup script";
  service.command = {"/bin/sh", "-c", std::string(kRunScript), options.home + std::string(kScript)};
  service.user = options.user;
  service.restart = Restart::Never;
  service.logFd = options.logFd;
  return service;
}

std::string gitQuoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') out += c;
  }
  return out + "\"";
}

}  // namespace

std::string gitConfigText(const GitIdentity& git) {
  if (git.name.empty() || git.email.empty()) return {};
  return "[user]\n\tname = " + gitQuoted(git.name) + "\n\temail = " + gitQuoted(git.email) + "\n";
}

Setup::Setup(Executor executor, Children& children, Environment base, SetupOptions options, UserDatabase users)
    : children_(children),
      base_(std::move(base)),
      options_(std::move(options)),
      users_(users),
      service_(executor, children, base_, serviceOptions(options_), std::move(users)) {
  readMark();
}

awaitable<void> Setup::run() {
  if (done_ || running_) co_return;
  running_ = true;
  stopping_ = false;
  std::exception_ptr failure;
  try {
    co_await work();
  } catch (...) {
    failure = std::current_exception();
  }
  running_ = false;
  if (failure) std::rethrow_exception(failure);
}

awaitable<void> Setup::stop(Deadline deadline) {
  stopping_ = true;
  co_await service_.stop(deadline);
}

awaitable<void> Setup::work() {
  co_await fillHome();
  if (stopping_) co_return;
  std::error_code error;
  if (!fs::exists(options_.home + std::string(kScript), error)) {
    state_ = SetupState::None;
  } else {
    state_ = SetupState::Running;
    co_await service_.run();
    if (stopping_ || service_.state() != ServiceState::Ended) co_return;  // stopped, for a move or with the container
    exit_code_ = service_.exitCode();
    state_ = exit_code_ == 0 ? SetupState::Succeeded : SetupState::Failed;
  }
  done_ = true;
  writeMark();
}

awaitable<void> Setup::fillHome() {
  auto user = users_.find(options_.user);
  std::string git = gitConfigText(options_.git);
  if (!user || (git.empty() && options_.script.empty())) co_return;
  SpawnRequest request;
  request.argv = {"/bin/sh", "-c", std::string(kFillHome)};
  request.env = toLines(loginEnvironment(base_, *user, {{"GIT_CONFIG_TEXT", git}, {"SETUP_TEXT", options_.script}}));
  request.user = std::move(*user);
  auto child = children_.spawn(request);
  if (!child) {
    log::warning("failed to fill the home", {{"reason", child.error().message}});
    co_return;
  }
  co_await (*child)->wait();
  if ((*child)->exitCode() != 0) log::warning("failed to fill the home", {{"exitCode", (*child)->exitCode()}});
}

boost::json::object Setup::toJson() const { return {{"state", toString(state_)}, {"exitCode", exit_code_}}; }

void Setup::readMark() {
  std::ifstream file(options_.mark);
  if (!file) return;
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}), error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* code = object ? object->if_contains("exitCode") : nullptr;
  if (!object) return;  // interrupted: the script runs again
  done_ = true;
  exit_code_ = code && code->is_int64() ? static_cast<int>(code->as_int64()) : 0;
  bool ran = object->contains("exitCode");
  state_ = !ran ? SetupState::None : exit_code_ == 0 ? SetupState::Succeeded : SetupState::Failed;
}

void Setup::writeMark() {
  boost::json::object mark;
  if (state_ != SetupState::None) mark["exitCode"] = exit_code_;
  std::error_code error;
  fs::create_directories(options_.mark.parent_path(), error);
  fs::path unfinished = options_.mark.string() + ".new";
  std::ofstream file(unfinished);
  file << boost::json::serialize(mark) << std::flush;
  if (file.good()) fs::rename(unfinished, options_.mark, error);
  if (!file.good() || error) log::warning("failed to record that the container is set up", {{"error", ::strerror(errno)}});
}

}  // namespace swarm::agent
