// Reading and protecting the agent's file.
#include "agent/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "base/format.h"
#include "base/id.h"
#include "base/log.h"
#include "model/codec.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kShortestSecret = 16;

std::string readText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorCode::InvalidArgument,
                format("The agent's file {} can't be read: {}. It is written by the server that creates the instance; without it nobody "
                       "could sign in.",
                       path.string(), ::strerror(errno)));
  }
  return {std::istreambuf_iterator<char>(file), {}};
}
}  // namespace

AgentConfig loadConfig(const std::filesystem::path& path) {
  std::string text = readText(path);
  AgentConfig config;
  try {
    ObjectReader reader(parseJson(text, "The agent's file"), UnknownFields::Ignore);
    config.instanceId = reader.require<std::string>("instanceId");
    auto secret = fromHex(reader.require<std::string>("secret"));
    if (!secret || secret->size() < kShortestSecret) {
      reader.fail("/secret", format("must be at least {} bytes in hexadecimal", kShortestSecret));
    } else {
      config.secret = Secret(std::move(*secret));
    }
    if (config.instanceId.empty()) reader.fail("/instanceId", "must not be empty");
    for (auto& mount : reader.read<std::vector<std::string>>("mounts").value_or(std::vector<std::string>{})) {
      if (!mount.starts_with('/')) reader.fail("/mounts", "must be absolute paths");
      config.mounts.emplace_back(std::move(mount));
    }
    if (auto user = reader.read<std::string>("user"); user && !user->empty()) config.user = std::move(*user);
    reader.finish();
  } catch (const Error& error) {
    std::string detail = error.message();
    for (const auto& field : error.fields()) detail += format(" {} {}.", field.pointer, field.detail);
    throw Error(ErrorCode::InvalidArgument, format("The agent's file {} is wrong: {}", path.string(), detail));
  }
  return config;
}

void protectConfig(const std::filesystem::path& path) {
  bool own = ::geteuid() != 0 || ::chown(path.c_str(), 0, 0) == 0;
  if (!own || ::chmod(path.c_str(), 0400) != 0) {
    log::warning("the agent's file could not be protected", {{"path", path.string()}, {"error", ::strerror(errno)}});
  }
}

}  // namespace swarm::agent
