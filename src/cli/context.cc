// Finds the server and its token, and inspects the terminal.
#include "cli/context.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "cli/replace_file.h"

namespace swarm::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Whether less than a third of the life of a token, as its claims state it, is left.
bool isDue(std::string_view token, SystemTime now) {
  const auto begin = token.find('.'), end = token.rfind('.');
  if (begin == end) return false;
  const boost::json::value claims = parseOrNull(fromBase64Url(token.substr(begin + 1, end - begin - 1)).value_or(""));
  const std::int64_t issued = integerAt(claims, "iat"), expires = integerAt(claims, "exp");
  const std::int64_t left = expires - std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return issued > 0 && expires > issued && left > 0 && left < (expires - issued) / 3;
}

}  // namespace

std::filesystem::path credentialsPath() {
  if (std::string xdg = environment("XDG_CONFIG_HOME"); !xdg.empty()) return std::filesystem::path(xdg) / "swarm" / "credentials.json";
  std::string home = environment("HOME");
  return std::filesystem::path(home.empty() ? "/root" : home) / ".config" / "swarm" / "credentials.json";
}

std::optional<Credentials> readCredentials(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::string text((std::istreambuf_iterator<char>(file)), {});
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  const boost::json::object* object = error ? nullptr : value.if_object();
  if (!object) {
    throw Error(ErrorCode::InvalidArgument,
                format("The credentials in {} are damaged. Remove the file and run `swarm login`.", path.string()));
  }
  auto member = [&](std::string_view name) -> std::string {
    const boost::json::value* found = object->if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  return Credentials{member("url"), Secret(member("token")), member("user"), member("server"), member("caFile")};
}

void writeCredentials(const std::filesystem::path& path, const Credentials& credentials) {
  std::filesystem::create_directories(path.parent_path());
  ::chmod(path.parent_path().c_str(), 0700);
  boost::json::object object{{"url", credentials.url}, {"user", credentials.user}, {"token", credentials.token.reveal()}};
  if (!credentials.server.empty()) object["server"] = credentials.server;
  if (!credentials.caFile.empty()) object["caFile"] = credentials.caFile;
  std::string text = boost::json::serialize(object) + "\n";
  if (const int problem = replaceFile(path, text, 0600); problem != 0)
    throw Error(ErrorCode::OutOfResources,
                format("The credentials could not be written to {}: {}.", path.string(), std::strerror(problem)));
}

void removeCredentials(const std::filesystem::path& path) { ::unlink(path.c_str()); }

Context::Context(CommonOptions options, const Program& program, const Arguments& arguments)
    : options_(std::move(options)),
      program_(program),
      arguments_(arguments),
      output_(options_.format == "json"   ? OutputFormat::Json
              : options_.format == "yaml" ? OutputFormat::Yaml
              : options_.format == "name" ? OutputFormat::Name
                                          : OutputFormat::Table) {
  stderr_terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool stdout_terminal = ::isatty(STDOUT_FILENO) == 1;
  colour_ = stdout_terminal && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  if (winsize size{}; stdout_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) columns_ = size.ws_col;
}

SwarmClient& Context::client() {
  if (client_) return *client_;
  url_ = !options_.url.empty() ? options_.url : environment("SWARM_URL");
  ca_file_ = !options_.caFile.empty() ? options_.caFile : environment("SWARM_CA_FILE");
  Secret token(environment("SWARM_TOKEN"));
  uses_token_of_environment_ = !token.empty();
  auto credentials = url_.empty() || token.empty() ? readCredentials(credentialsPath()) : std::nullopt;
  if (credentials) {
    if (url_.empty()) url_ = credentials->url;
    // A token is only sent to the server that issued it.
    const bool same_server = credentials->url == url_;
    if (same_server && ca_file_.empty()) ca_file_ = credentials->caFile;
    if (same_server && token.empty())
      token = credentials->token;
    else
      credentials.reset();
  }
  if (url_.empty()) {
    throw Error(
        ErrorCode::Unauthenticated,
        "This machine is not signed in to a server. Sign in with `swarm login --url URL`, or start a server here with `swarm serve`.");
  }
  client_ = std::make_unique<SwarmClient>(ClientConfig{.url = url_, .token = token, .caFile = ca_file_});
  if (credentials) refresh(*credentials);
  return *client_;
}

/// Keeps the user signed in. The server renews the credentials that it wrote.
void Context::refresh(const Credentials& credentials) {
  if (!credentials.server.empty() || !isDue(credentials.token.reveal(), RealClock().now())) return;
  try {
    const SwarmClient::Login login = client_->refresh();
    // Another command may have signed in or out in the meantime.
    const auto present = readCredentials(credentialsPath());
    if (!present || present->url != credentials.url || present->token.reveal() != credentials.token.reveal()) return;
    writeCredentials(credentialsPath(), {credentials.url, login.token, credentials.user, {}, credentials.caFile});
  } catch (const Error&) {
    // The token is valid for some time, and what prevents the refresh may be temporary.
  }
}

std::vector<std::string> Context::serverFlags() {
  client();
  std::vector<std::string> flags{"--url", url_};
  if (!ca_file_.empty()) flags.insert(flags.end(), {"--ca", std::filesystem::absolute(ca_file_)});
  return flags;
}

}  // namespace swarm::cli
