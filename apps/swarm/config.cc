// Merges swarm.toml, environment and flags into ServerConfig. The only file that uses toml++.
#include "config.h"

#include <algorithm>
#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cctype>
#include <cstdlib>

#include "base/text/format.h"
#include "config_section.h"
#include "model/codec/codec.h"
#include "net/connect.h"

namespace swarm {
namespace {

using std::filesystem::path;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

path homeFolder(const char* xdg_name, const char* below_home) {
  if (std::string xdg = environment(xdg_name); !xdg.empty()) return path(xdg) / "swarm";
  std::string home = environment("HOME");
  return path(home.empty() ? "/root" : home) / below_home / "swarm";
}

std::vector<std::string> splitList(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

log::Level parseLevel(const std::string& text) {
  if (text == "debug") return log::Level::Debug;
  if (text == "info") return log::Level::Info;
  if (text == "warning") return log::Level::Warning;
  if (text == "error") return log::Level::Error;
  throw Error(ErrorCode::InvalidArgument, format("\"{}\" is not a log level; expected debug, info, warning or error.", text));
}

log::Style parseStyle(const std::string& text) {
  if (text == "text") return log::Style::Text;
  if (text == "json") return log::Style::Json;
  throw Error(ErrorCode::InvalidArgument, format("\"{}\" is not a log style; expected text or json.", text));
}

net::Url parsePublicUrl(const std::string& text) {
  if (auto url = net::parseUrl(text)) return *url;
  throw Error(ErrorCode::InvalidArgument,
              format("The public URL \"{}\" is not a URL of the base host; expected http://HOST:PORT or https://HOST.", text));
}

/// "unix:///var/run/docker.sock", "tcp://host:2376", or a path, as in DOCKER_HOST.
void applyDockerHost(const std::string& text, DockerProviderConfig& config) {
  if (text.starts_with("unix://")) {
    config.socketPath = text.substr(7);
    config.host.clear();
  } else if (text.starts_with("tcp://")) {
    auto address = net::parseHostPort(text.substr(6));
    config.host = address.host;
    config.port = address.port;
  } else if (text.starts_with("/")) {
    config.socketPath = text;
    config.host.clear();
  } else {
    throw Error(ErrorCode::InvalidArgument,
                format("\"{}\" is not a Docker endpoint; expected unix:///path/docker.sock or tcp://host:port.", text));
  }
}

/// The members of a described type are its keys, and parts of it are tables.
template <typename T>
void readDescribed(Section section, T& value) {
  boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
    auto& part = value.*member.pointer;
    if constexpr (boost::describe::has_describe_members<std::remove_cvref_t<decltype(part)>>::value) {
      if (auto child = section.child(member.name)) readDescribed(*std::move(child), part);
    } else {
      section.read(member.name, part);
    }
  });
  section.refuseUnknown();
}

/// The fields that each Engine has for itself.
void readEngine(Section& section, DockerProviderConfig& docker) {
  section.read("socketPath", docker.socketPath);
  section.read("host", docker.host);
  section.read("port", docker.port);
  section.read("networkName", docker.networkName);
  section.read("volumeDriver", docker.volumeDriver);
  section.read("publishAddress", docker.publishAddress);
  section.read("agentPublishAddress", docker.agentPublishAddress);
  section.read("volumeDriverOptions", docker.volumeDriverOptions);
  section.read("localImages", docker.localImages);
  section.read("allowedImages", docker.allowedImages);
  if (auto tls = section.child("tls")) {
    docker.tls.enabled = true;
    tls->read("ca", docker.tls.ca);
    tls->read("certificate", docker.tls.certificate);
    tls->read("key", docker.tls.key);
    tls->refuseUnknown();
  }
}

void readDocker(Section section, bool& enabled, DockerProviderConfig& docker, std::vector<DockerProviderConfig>& others) {
  section.read("enabled", enabled);
  section.read("name", docker.name);
  section.read("maxInstancesPerUser", docker.maxInstancesPerUser);
  readEngine(section, docker);
  if (auto hosts = section.child("hosts")) {
    for (const std::string& name : hosts->childNames()) {
      Section host = *hosts->child(name);
      DockerProviderConfig& other = others.emplace_back();
      other.name = name;
      readEngine(host, other);
      host.refuseUnknown();
    }
  }
  section.refuseUnknown();
}

/// "box2=tcp://10.0.0.2:2375,box3=unix:///run/box3.sock": adds hosts, or sets the endpoints of those in [docker.hosts].
void applyDockerHosts(const std::string& text, std::vector<DockerProviderConfig>& others) {
  for (const std::string& part : splitList(text)) {
    auto equals = part.find('=');
    if (equals == std::string::npos) {
      throw Error(ErrorCode::InvalidArgument, format("SWARM_DOCKER_HOSTS: \"{}\" is not NAME=ENDPOINT (box2=tcp://box2:2375).", part));
    }
    std::string name = part.substr(0, equals);
    auto found = std::ranges::find(others, name, &DockerProviderConfig::name);
    if (found == others.end()) {
      others.emplace_back().name = name;
      found = others.end() - 1;
    }
    applyDockerHost(part.substr(equals + 1), *found);
  }
}

/// A section enables its provider, unless it contains enabled = false.
bool readFlyIO(Section section, FlyIOProviderConfig& flyio) {
  bool enabled = true;
  std::string token;
  section.read("enabled", enabled);
  section.read("apiToken", token);
  section.read("apiTokenFile", flyio.apiTokenFile);
  section.read("organization", flyio.organization);
  section.read("regions", flyio.regions);
  section.read("defaultRegion", flyio.defaultRegion);
  section.read("apiBaseUrl", flyio.apiBaseUrl);
  section.read("appUrl", flyio.appUrl);
  section.read("caFile", flyio.caFile);
  section.read("appPrefix", flyio.appPrefix);
  section.read("workspaceImage", flyio.workspaceImage);
  section.read("publicAddresses", flyio.publicAddresses);
  section.read("maxInstancesPerUser", flyio.maxInstancesPerUser);
  section.read("volumeSnapshotRetentionDays", flyio.volumeSnapshotRetentionDays);
  section.refuseUnknown();
  if (!token.empty()) flyio.apiToken = Secret(token);
  return enabled;
}

template <typename Enum>
Enum parseChoice(std::string_view key, const std::string& text) {
  if (auto value = enumFromName<Enum>(text)) return *value;
  throw Error(ErrorCode::InvalidArgument, format("{} is \"{}\"; expected one of: {}.", key, text, enumNames<Enum>()));
}

void readFile(const std::string& file, ServerConfig& config) {
  toml::table table;
  try {
    table = toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCode::InvalidArgument, format("{}:{}: {}.", file, error.source().begin.line, error.description()));
  }
  Section root(table, "", file);
  if (auto server = root.child("server")) {
    std::string level, style, public_url;
    std::vector<std::string> proxies;
    server->read("listen", config.listen);
    server->read("baseDomain", config.baseDomain);
    server->read("publicUrl", public_url);
    server->read("dataDir", config.dataDir);
    server->read("threads", config.threads);
    server->read("insecureHttp", config.insecureHttp);
    server->read("instanceDomain", config.instanceDomain);
    server->read("trustedProxies", proxies);
    server->read("logLevel", level);
    server->read("logStyle", style);
    if (!level.empty()) config.logLevel = parseLevel(level);
    if (!style.empty()) config.logStyle = parseStyle(style);
    if (!public_url.empty()) config.publicUrl = parsePublicUrl(public_url);
    config.trustedProxies = TrustedProxies(proxies);
    server->refuseUnknown();
  }
  if (auto api = root.child("api")) {
    api->read("validateAddresses", config.validateAddresses);
    for (std::string& address : config.validateAddresses) address = net::toString(net::parseHostPort(address));
    api->refuseUnknown();
  }
  if (auto common = root.child("common")) {
    common->read("workspaceImage", config.workspaceImage);
    common->read("instanceNamePrefix", config.instanceNamePrefix);
    common->read("tags", config.tags);
    common->read("nameHoldDays", config.nameHoldDays);
    if (auto resources = common->child("defaultResourceLimits")) readDescribed(*resources, config.defaultResources);
    common->refuseUnknown();
  }
  if (auto placement = root.child("placement")) {
    std::string policy, preferred;
    placement->read("policy", policy);
    placement->read("defaultProvider", preferred);
    placement->refuseUnknown();
    if (!policy.empty()) config.placement = parseChoice<PlacementPolicy>("[placement] policy", policy);
    if (!preferred.empty()) config.defaultProvider = parseChoice<ProviderType>("[placement] defaultProvider", preferred);
  }
  if (auto docker = root.child("docker")) readDocker(*docker, config.dockerEnabled, config.docker, config.dockerHosts);
  if (auto flyio = root.child("flyio")) {
    FlyIOProviderConfig section;
    if (readFlyIO(*flyio, section)) config.flyio = std::move(section);
  }
  root.refuseUnknown();
}

/// Any of SWARM_FLYIO_* enables the provider, as a section does; FLY_API_TOKEN alone does not, since users set it for Fly's own tools.
void readFlyIOEnvironment(std::optional<FlyIOProviderConfig>& flyio) {
  auto read = [&](const char* name, auto store) {
    std::string value = environment(name);
    if (value.empty()) return;
    if (!flyio) flyio.emplace();
    store(*flyio, value);
  };
  read("SWARM_FLYIO_API_BASE_URL", [](auto& section, const std::string& value) { section.apiBaseUrl = value; });
  read("SWARM_FLYIO_APP_URL", [](auto& section, const std::string& value) { section.appUrl = value; });
  read("SWARM_FLYIO_CA_FILE", [](auto& section, const std::string& value) { section.caFile = value; });
  read("SWARM_FLYIO_API_TOKEN_FILE", [](auto& section, const std::string& value) { section.apiTokenFile = value; });
  read("SWARM_FLYIO_ORGANIZATION", [](auto& section, const std::string& value) { section.organization = value; });
  read("SWARM_FLYIO_REGIONS", [](auto& section, const std::string& value) { section.regions = splitList(value); });
  read("SWARM_FLYIO_WORKSPACE_IMAGE", [](auto& section, const std::string& value) { section.workspaceImage = value; });
  if (std::string token = environment("FLY_API_TOKEN"); !token.empty() && flyio) flyio->apiToken = Secret(token);
}

void readEnvironment(ServerConfig& config) {
  if (auto value = environment("SWARM_LISTEN"); !value.empty()) config.listen = value;
  if (auto value = environment("SWARM_BASE_DOMAIN"); !value.empty()) config.baseDomain = value;
  if (auto value = environment("SWARM_INSTANCE_DOMAIN"); !value.empty()) config.instanceDomain = value;
  if (auto value = environment("SWARM_TRUSTED_PROXIES"); !value.empty()) config.trustedProxies = TrustedProxies(splitList(value));
  if (auto value = environment("SWARM_PUBLIC_URL"); !value.empty()) config.publicUrl = parsePublicUrl(value);
  if (auto value = environment("SWARM_DATA_DIR"); !value.empty()) config.dataDir = value;
  if (auto value = environment("SWARM_LOG_LEVEL"); !value.empty()) config.logLevel = parseLevel(value);
  if (auto value = environment("SWARM_LOG_STYLE"); !value.empty()) config.logStyle = parseStyle(value);
  if (auto value = environment("SWARM_WORKSPACE_IMAGE"); !value.empty()) config.workspaceImage = value;
  if (auto value = environment("DOCKER_HOST"); !value.empty()) applyDockerHost(value, config.docker);
  if (auto value = environment("SWARM_DOCKER_HOSTS"); !value.empty()) applyDockerHosts(value, config.dockerHosts);
  readFlyIOEnvironment(config.flyio);
}

void applyFlags(const cli::ServeFlags& flags, ServerConfig& config) {
  if (flags.listen) config.listen = *flags.listen;
  if (flags.baseDomain) config.baseDomain = *flags.baseDomain;
  if (flags.insecureHttp) config.insecureHttp = true;
  if (flags.instanceDomain) config.instanceDomain = *flags.instanceDomain;
  if (flags.publicUrl && !flags.publicUrl->empty()) config.publicUrl = parsePublicUrl(*flags.publicUrl);
  if (flags.dataDir) config.dataDir = *flags.dataDir;
  if (flags.dockerHost) applyDockerHost(*flags.dockerHost, config.docker);
  if (flags.logLevel) config.logLevel = parseLevel(*flags.logLevel);
  if (flags.logStyle) config.logStyle = parseStyle(*flags.logStyle);
  if (flags.threads) config.threads = *flags.threads;
  config.fakeProvider = flags.fakeProvider;
}

/// Host names are compared in lower case. A bare "localhost", the former default, is replaced by the current default.
void completeDomains(ServerConfig& config) {
  auto lower = [](std::string& text) { std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); }); };
  lower(config.baseDomain);
  lower(config.instanceDomain);
  if (config.publicUrl) {
    lower(config.publicUrl->host);
    if (config.baseDomain.empty()) config.baseDomain = config.publicUrl->host;
  }
  if (config.baseDomain.empty() || config.baseDomain == "localhost") {
    config.baseDomain = "swarm.localhost";
    if (config.publicUrl && config.publicUrl->host == "localhost") config.publicUrl->host = config.baseDomain;
  }
  if (config.instanceDomain.empty()) config.instanceDomain = config.baseDomain == "swarm.localhost" ? "localhost" : config.baseDomain;
}

}  // namespace

ServerConfig loadServerConfig(const cli::ServeFlags& flags) {
  ServerConfig config;
  config.dataDir = homeFolder("XDG_DATA_HOME", ".local/share");
  config.credentialsDir = homeFolder("XDG_CONFIG_HOME", ".config");
  // An explicitly given file must exist; the default one may be absent.
  if (flags.configFile) {
    readFile(*flags.configFile, config);
  } else if (path file = config.credentialsDir / "swarm.toml"; std::filesystem::exists(file)) {
    readFile(file.string(), config);
  }
  readEnvironment(config);
  applyFlags(flags, config);
  if (config.flyio) {
    config.flyio->tags = config.tags;
    config.flyio->localWorkspaceImage = config.workspaceImage;
  }
  completeDomains(config);
  net::parseHostPort(config.listen);  // refuse a bad address before anything is opened
  if (config.nameHoldDays < 0 || config.nameHoldDays > 3650)
    throw Error(ErrorCode::InvalidArgument,
                format("nameHoldDays is {}; expected 0 (names are free at once) to 3650.", config.nameHoldDays));
  if (config.threads < 0 || config.threads > 64) {
    throw Error(ErrorCode::InvalidArgument, format("threads is {}; expected 0 (one per core) to 64.", config.threads));
  }
  return config;
}

}  // namespace swarm
