// Reading the agent's settings, and protecting its file.
#include "agent/server/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>

#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "protocol/ed25519.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kShortestSecret = 16;

std::string readText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorCode::InvalidArgument,
                format("Cannot read the agent's file {}: {}. The server that creates the workspace writes it; without it no "
                       "request can be authorised.",
                       path.string(), ::strerror(errno)));
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

bool isPlainPath(const std::filesystem::path& path) {
  return path.is_absolute() && path != "/" && path.has_filename() && path == path.lexically_normal();
}

/// Empty: there is no such text.
std::string textOf(const boost::json::object& object, std::string_view name) {
  const auto* text = object.if_contains(name);
  return text && text->is_string() ? std::string(text->as_string()) : std::string();
}

std::vector<StorageBind> readBinds(const boost::json::value& document, ObjectReader& reader) {
  std::vector<StorageBind> binds;
  const auto* object = document.if_object();
  const auto* list = object ? object->if_contains("binds") : nullptr;
  if (!list || list->is_null()) return binds;
  bool good = list->is_array();
  for (std::size_t i = 0; good && i < list->as_array().size(); ++i) {
    const auto* entry = list->as_array()[i].if_object();
    StorageBind bind;
    if (entry) bind = {textOf(*entry, "from"), textOf(*entry, "to")};
    auto same = [&](const StorageBind& other) { return other.to == bind.to || other.from == bind.from; };
    good = isPlainPath(bind.from) && isPlainPath(bind.to) && bind.from != bind.to && std::ranges::none_of(binds, same);
    binds.push_back(std::move(bind));
  }
  if (!good) reader.fail("/binds", "must be a list of {\"from\", \"to\"}: absolute paths, each listed once");
  return binds;
}

/// `source` is the start of the sentence that describes the error.
AgentConfig parseConfig(const std::string& text, const std::string& source, const std::function<VerifyingKey(ObjectReader&)>& readKey) {
  AgentConfig config;
  try {
    boost::json::value document = parseJson(text, source);
    ObjectReader reader(document, UnknownFields::Ignore);
    config.binds = readBinds(document, reader);
    config.instanceId = reader.require<std::string>("instanceId");
    config.key = readKey(reader);
    if (config.instanceId.empty()) reader.fail("/instanceId", "must not be empty");
    for (auto& mount : reader.read<std::vector<std::string>>("mounts").value_or(std::vector<std::string>{})) {
      if (!mount.starts_with('/')) reader.fail("/mounts", "must be absolute paths");
      config.mounts.emplace_back(std::move(mount));
    }
    if (auto user = reader.read<std::string>("user"); user && !user->empty()) config.user = std::move(*user);
    config.shmSize = reader.read<std::int64_t>("shmSize").value_or(0);
    config.setup = reader.read<std::string>("setup").value_or("");
    const auto git = reader.read<boost::json::object>("git").value_or(boost::json::object());
    config.git = {textOf(git, "name"), textOf(git, "email")};
    config.hold = reader.read<std::string>("hold").value_or("");
    reader.finish();
  } catch (const Error& error) {
    std::string detail = error.message();
    for (const auto& field : error.fields()) detail += format(" {} {}.", field.pointer, field.detail);
    throw Error(ErrorCode::InvalidArgument, format("{} is wrong: {}", source, detail));
  }
  return config;
}
}  // namespace

AgentConfig readSettings(const std::string& text) {
  Secret tls_key;
  AgentConfig config = parseConfig(text, "The value of SWARM_AGENT", [&tls_key](ObjectReader& reader) {
    auto key = fromHex(reader.require<std::string>("publicKey"));
    if (!key || key->size() != ed25519::kPublicKeyBytes)
      reader.fail("/publicKey", format("must be {} bytes in hexadecimal", ed25519::kPublicKeyBytes));
    if (reader.read<std::string>("secret")) reader.fail("/secret", "must not be in the environment");
    if (const auto hex = reader.read<std::string>("tlsKey")) tls_key = Secret(fromHex(*hex).value_or(""));
    if (reader.has("tlsKey") && tls_key.reveal().size() != ed25519::kSeedBytes)
      reader.fail("/tlsKey", format("must be {} bytes in hexadecimal", ed25519::kSeedBytes));
    return VerifyingKey{TokenAlgorithm::Ed25519, Secret(std::move(key).value_or(""))};
  });
  config.tlsKey = std::move(tls_key);
  return config;
}

AgentConfig loadConfig(const std::filesystem::path& path) {
  return parseConfig(readText(path), format("The agent's file {}", path.string()), [](ObjectReader& reader) {
    auto secret = fromHex(reader.require<std::string>("secret"));
    if (!secret || secret->size() < kShortestSecret)
      reader.fail("/secret", format("must be at least {} bytes in hexadecimal", kShortestSecret));
    return VerifyingKey{TokenAlgorithm::Hmac, Secret(std::move(secret).value_or(""))};
  });
}

void requireRoot(uid_t user) {
  if (user == 0) return;
  throw Error(ErrorCode::InvalidArgument,
              format("swarm-agent runs as user {}, and needs root to start VS Code as its own user. End the image with USER root.", user));
}

void protectConfig(const std::filesystem::path& path) {
  bool own = ::geteuid() != 0 || ::chown(path.c_str(), 0, 0) == 0;
  if (!own || ::chmod(path.c_str(), 0400) != 0) {
    log::warning("failed to restrict access to the agent's file", {{"path", path.string()}, {"error", ::strerror(errno)}});
  }
}

}  // namespace swarm::agent
