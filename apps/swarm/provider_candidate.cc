// Parses the bodies that request_schemas.cc of the API describes.
#include "provider_candidate.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <list>

#include "base/text/format.h"
#include "model/codec/codec.h"
#include "net/url.h"

namespace swarm {
namespace {

constexpr std::string_view kFlyApi = "https://api.machines.dev";

/// Makes contents available under a path, for code that reads files; they are never written to disk.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& content) : file_(::memfd_create("swarm-candidate", MFD_CLOEXEC)) {
    if (file_ < 0 || ::write(file_, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
      throw Error(ErrorCode::OutOfResources, "Cannot hold the configuration in memory for the check.");
  }
  ~MemoryFile() {
    if (file_ >= 0) ::close(file_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::filesystem::path path() const { return format("/proc/self/fd/{}", file_); }

 private:
  int file_;
};

/// Reads one PEM text; `into` is a path to it for the lifetime of `files`.
void readPem(ObjectReader& reader, std::string_view name, std::list<MemoryFile>& files, std::filesystem::path& into) {
  auto text = reader.read<std::string>(name);
  if (!text) return;
  if (text->find("-----BEGIN ") == std::string::npos) return reader.fail(pointerStep(name), "must be PEM: its contents, not a path");
  into = files.emplace_back(*text).path();
}

/// Members of swarm.toml that are paths of files on this machine: a request must not make the server read them.
void refusePaths(ObjectReader& reader, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    if (!reader.has(name)) continue;
    reader.accept(name);
    reader.fail(pointerStep(name), "is a path on the server, which a request must not contain");
  }
}

std::optional<net::HostPort> addressOf(std::string_view url) {
  const auto parsed = net::parseUrl(url);
  return parsed ? std::optional(parsed->address()) : std::nullopt;
}

std::uint16_t portOf(const DockerProviderConfig& engine) {
  if (engine.port != 0) return engine.port;
  return engine.tls.enabled ? 2376 : 2375;
}

bool isAllowed(const net::HostPort& address, const ServerConfig& config) {
  std::vector<std::string> allowed = config.validateAddresses;
  auto add_url = [&](std::string_view url) {
    if (auto known = addressOf(url)) allowed.push_back(net::toString(*known));
  };
  add_url(kFlyApi);
  if (config.flyio) add_url(config.flyio->apiBaseUrl);
  auto add_engine = [&](const DockerProviderConfig& engine) {
    if (!engine.host.empty()) allowed.push_back(net::toString({engine.host, portOf(engine)}));
  };
  add_engine(config.docker);
  for (const DockerProviderConfig& engine : config.dockerHosts) add_engine(engine);
  return std::ranges::find(allowed, net::toString(address)) != allowed.end();
}

void requireAllowed(const net::HostPort& address, const ServerConfig& config, std::string_view pointer) {
  if (isAllowed(address, config)) return;
  throw Error(
      ErrorCode::Unprocessable,
      format("{} is not an endpoint of this server's configuration, so it is not contacted. validateAddresses in [api] of swarm.toml "
             "lists further ones.",
             net::toString(address)))
      .withField(std::string(pointer), "is not an allowed endpoint");
}

/// Reports the faults in the part of a body at `pointer`.
void readTls(const boost::json::object& body, std::list<MemoryFile>& files, DockerTlsConfig& tls) {
  ObjectReader reader(body);
  tls.enabled = true;
  readPem(reader, "ca", files, tls.ca);
  readPem(reader, "certificate", files, tls.certificate);
  readPem(reader, "key", files, tls.key);
  try {
    reader.finish();
  } catch (Error& error) {
    for (FieldError& field : error.fields()) field.pointer = "/tls" + field.pointer;
    throw;
  }
}

/// Replaces a provider's errors about files that do not exist for the caller.
ProviderPtr made(const std::function<ProviderPtr()>& make, bool has_pem) {
  try {
    return make();
  } catch (const Error& error) {
    if (!has_pem || error.code() != ErrorCode::InvalidArgument || error.message().find("/proc/self/fd/") == std::string::npos) throw;
  }
  throw Error(ErrorCode::InvalidArgument, "A certificate or key is not valid PEM, or they do not belong together.");
}

ProviderPtr makeDocker(const boost::json::object& body, const ServerConfig& config, const std::string& swarm_id) {
  DockerProviderConfig engine;
  engine.isCandidate = true;
  std::list<MemoryFile> files;
  ObjectReader reader(body);
  refusePaths(reader, {"socketPath"});
  engine.host = reader.require<std::string>("host");
  auto port = reader.read<std::int64_t>("port").value_or(0);
  if (reader.has("port") && (port < 1 || port > 65'535)) reader.fail("/port", "must be from 1 to 65535");
  auto tls = reader.read<boost::json::object>("tls");
  reader.finish();
  if (tls) readTls(*tls, files, engine.tls);
  engine.port = static_cast<std::uint16_t>(port);
  requireAllowed({engine.host, portOf(engine)}, config, "/host");
  engine.localImages = config.docker.localImages;
  return made([&] { return makeDockerProvider(engine, swarm_id); }, !files.empty());
}

ProviderPtr makeFly(const boost::json::object& body, const ServerConfig& config, const std::string& swarm_id, const Clock& clock) {
  FlyIOProviderConfig account;
  account.isCandidate = true;
  std::list<MemoryFile> files;
  ObjectReader reader(body);
  refusePaths(reader, {"apiTokenFile", "caFile"});
  account.apiToken = Secret(reader.require<std::string>("apiToken"));
  account.organization = reader.read<std::string>("organization").value_or(account.organization);
  account.regions = reader.read<std::vector<std::string>>("regions").value_or(account.regions);
  account.defaultRegion = reader.read<std::string>("defaultRegion").value_or("");
  account.apiBaseUrl = reader.read<std::string>("apiBaseUrl").value_or(config.flyio ? config.flyio->apiBaseUrl : std::string(kFlyApi));
  readPem(reader, "ca", files, account.caFile);
  std::optional<net::HostPort> address = addressOf(account.apiBaseUrl);
  if (!address) reader.fail("/apiBaseUrl", "must be a URL, like https://api.machines.dev");
  reader.finish();
  requireAllowed(*address, config, "/apiBaseUrl");
  // The image's source is part of the configuration: a registry is an endpoint, too.
  if (config.flyio) {
    account.workspaceImage = config.flyio->workspaceImage;
    account.appUrl = config.flyio->appUrl;
    if (account.caFile.empty() && account.apiBaseUrl == config.flyio->apiBaseUrl) account.caFile = config.flyio->caFile;
  }
  account.localWorkspaceImage = config.workspaceImage;
  return made([&] { return makeFlyIOProvider(account, swarm_id, clock); }, !files.empty());
}

}  // namespace

ProviderPtr makeCandidate(ProviderType type, const boost::json::object& body, const ServerConfig& config, const std::string& swarm_id,
                          const Clock& clock) {
  switch (type) {
    case ProviderType::docker:
      return makeDocker(body, config, swarm_id);
    case ProviderType::flyio:
      return makeFly(body, config, swarm_id, clock);
    case ProviderType::fake:
      break;
  }
  throw Error(ErrorCode::NotFound, "The fake provider has no configuration.");
}

}  // namespace swarm
