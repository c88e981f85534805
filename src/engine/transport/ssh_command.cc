#include "engine/transport/ssh_command.h"

#include <algorithm>

#include "base/text/format.h"
#include "base/text/number.h"
#include "base/text/untrusted_text.h"

namespace swarm::engine {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kShownErrors = 400;
constexpr int kNoCommand = 127;  // of a shell

bool consistsOf(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) { return kLetters.contains(c) || kDigits.contains(c) || others.contains(c); });
}

/// No name begins with a dash, which ssh would read as an option.
bool isName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && consistsOf(text, "._-") && text.front() != '-' && text.front() != '.';
}

bool isAddressInBrackets(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos &&
         text.contains(':');
}

[[noreturn]] void refuse(std::string_view why) {
  throw Error(ErrorCode::InvalidArgument,
              format("A Docker endpoint that begins with ssh:// is not valid: {}. Expected ssh://user@host or ssh://user@host:port.", why));
}

std::string destination(const Endpoint& endpoint) {
  return endpoint.sshUser.empty() ? endpoint.host : endpoint.sshUser + "@" + endpoint.host;
}

std::string portOption(const Endpoint& endpoint) { return endpoint.port == 0 ? "" : format("-p {} ", endpoint.port); }

struct Explanation {
  std::string reason;
  std::string advice;
};

Explanation explain(const Endpoint& endpoint, const SshEnd& end) {
  const auto has = [&](std::string_view part) { return end.errors.contains(part); };
  const std::string login = format("ssh {}{}", portOption(endpoint), destination(endpoint));
  const std::string user = endpoint.sshUser.empty() ? "the user" : endpoint.sshUser;
  if (!end.output.empty()) {
    return {format("it sent \"{}\" in place of an Engine's response", printable(end.output, 100)),
            "Commands by ssh must print nothing of their own there: look into the shell's startup files (.bashrc) and forced commands."};
  }
  if (has("REMOTE HOST IDENTIFICATION HAS CHANGED")) {
    return {"its host key is not the one that this server knows",
            format("Someone may be intercepting the connection. When the machine was set up again, remove the former key as the server's "
                   "user (ssh-keygen -R) and run once: {}",
                   login)};
  }
  if (has("Host key verification failed")) {
    return {"its host key is unknown here",
            format("As the user that runs the server, run once and compare the fingerprint: {} (the key is then in ~/.ssh/known_hosts)",
                   login)};
  }
  if (has("connect: permission denied") || has("Got permission denied")) {
    return {format("{} may not use the Docker Engine's socket there", user),
            format("On that machine: sudo usermod -aG docker {}", endpoint.sshUser.empty() ? "USER" : endpoint.sshUser)};
  }
  if (has("Permission denied") || has("Too many authentication failures")) {
    return {
        "the SSH server refused our key",
        format("Add a public key of the user that runs the server to ~/.ssh/authorized_keys of {} there. A key with a passphrase must be "
               "in an ssh-agent that the server finds by SSH_AUTH_SOCK; passwords cannot be used.",
               user)};
  }
  if (has("is not a docker command")) return {"the docker program there is too old", "Upgrade it to version 20.10 or newer."};
  if (has("Cannot connect to the Docker daemon") || has("dial unix"))
    return {"the Docker Engine there does not respond", "Is it running? (systemctl start docker)"};
  if (end.exitCode == kNoCommand || has("command not found") || has("docker: not found")) {
    return {"the program docker is missing there",
            format("Install it (docker-ce-cli, docker.io) where commands by ssh find it: {} docker version", login)};
  }
  if (has("Could not resolve hostname")) return {"its name is unknown", "Check the name in the endpoint and in ~/.ssh/config."};
  if (has("Connection refused") || has("timed out") || has("No route to host") || has("Network is unreachable"))
    return {"the SSH server cannot be reached", "Check host and port of the endpoint, that sshd listens there, and firewalls between."};
  return {"ssh opened no connection to it", "Compare with: " + sshCommandLine(endpoint)};
}

}  // namespace

Endpoint parseSshUrl(std::string_view url) {
  if (!url.starts_with(kSshScheme)) refuse("it has another scheme");
  std::string_view rest = url.substr(kSshScheme.size());
  Endpoint endpoint;
  endpoint.overSsh = true;
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = rest.substr(0, at);
    if (user.contains(':')) refuse("a password cannot be given; use a key");
    if (!isName(user)) refuse("the user's name may have letters, digits, \".\", \"_\" and \"-\"");
    endpoint.sshUser = user;
    rest.remove_prefix(at + 1);
  }
  if (rest.contains('/')) refuse("a path cannot be given");
  const bool in_brackets = rest.starts_with('[');
  const auto colon = rest.find(':', in_brackets ? std::min(rest.find(']'), rest.size()) : 0);
  std::string_view host = rest.substr(0, colon);
  if (in_brackets) host = host.ends_with(']') ? host.substr(1, host.size() - 2) : std::string_view();
  if (in_brackets ? !isAddressInBrackets(host) : !isName(host)) refuse("the host is a name, an address, or an IPv6 address in []");
  endpoint.host = host;
  if (colon != std::string_view::npos) {
    const auto port = parseNumber<std::uint16_t>(rest.substr(colon + 1));
    if (!port || *port == 0) refuse("the port is a number from 1 to 65535");
    endpoint.port = *port;
  }
  return endpoint;
}

std::string sshUrl(const Endpoint& endpoint) {
  std::string host = endpoint.host.contains(':') ? "[" + endpoint.host + "]" : endpoint.host;
  if (!endpoint.sshUser.empty()) host = endpoint.sshUser + "@" + host;
  return std::string(kSshScheme) + (endpoint.port == 0 ? host : format("{}:{}", host, endpoint.port));
}

std::vector<std::string> sshArguments(const Endpoint& endpoint) {
  std::vector<std::string> arguments{"ssh", "-T", "-a", "-x", "-e", "none"};
  for (const char* option : {"BatchMode=yes", "ConnectTimeout=10", "ControlMaster=no", "ClearAllForwardings=yes", "PermitLocalCommand=no",
                             "RemoteCommand=none", "LogLevel=ERROR", "ServerAliveInterval=15", "ServerAliveCountMax=3"}) {
    arguments.insert(arguments.end(), {"-o", option});
  }
  if (!endpoint.sshUser.empty()) arguments.insert(arguments.end(), {"-l", endpoint.sshUser});
  if (endpoint.port != 0) arguments.insert(arguments.end(), {"-p", std::to_string(endpoint.port)});
  arguments.insert(arguments.end(), {"--", endpoint.host, "docker", "system", "dial-stdio"});
  return arguments;
}

std::string sshCommandLine(const Endpoint& endpoint) {
  return format("ssh -o BatchMode=yes {}{} docker version", portOption(endpoint), destination(endpoint));
}

Error sshFailure(const Endpoint& endpoint, const SshEnd& end) {
  const Explanation what = explain(endpoint, end);
  std::string_view errors = end.errors;
  while (!errors.empty() && (errors.back() == '\n' || errors.back() == '\r')) errors.remove_suffix(1);
  const std::string shown = errors.empty() ? "" : format(" (ssh: {})", printable(errors, kShownErrors));
  return Error(ErrorCode::Unavailable, format("{}{}. {}", what.reason, shown, what.advice));
}

}  // namespace swarm::engine
