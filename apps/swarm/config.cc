// Merges swarm.toml, environment and flags into ServerConfig.
#include "config.h"

#include <algorithm>
#include <boost/describe/enum_from_string.hpp>
#include <cctype>

#include "base/text/format.h"
#include "controller/limits/limits_section.h"
#include "model/codec/codec.h"
#include "net/connect.h"
#include "providers.h"

namespace swarm {
namespace {

using std::filesystem::path;

path homeFolder(const char* xdg_name, const char* below_home) {
  const Variables variables;
  if (auto xdg = variables.get(xdg_name)) return path(*xdg) / "swarm";
  return path(variables.get("HOME").value_or("/root")) / below_home / "swarm";
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

template <typename Enum>
Enum parseChoice(std::string_view key, const std::string& text) {
  if (auto value = enumFromName<Enum>(text)) return *value;
  throw Error(ErrorCode::InvalidArgument, format("{} is \"{}\"; expected one of: {}.", key, text, enumNames<Enum>()));
}

void readAudit(ConfigSection& section, AuditRules& rules) {
  constexpr std::int64_t mebibyte = 1024 * 1024;
  int entry_minutes = static_cast<int>(rules.entryInterval.count());
  std::int64_t max_mebibytes = rules.maxBytes / mebibyte;
  section.read("keepDays", rules.keepDays);
  section.read("maxMiB", max_mebibytes);
  section.read("entryMinutes", entry_minutes);
  section.refuseUnknown();
  const auto check = [](std::string_view key, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most)
      throw Error(ErrorCode::InvalidArgument, format("[audit] {} is {}; expected {} to {}.", key, value, least, most));
  };
  check("keepDays", rules.keepDays, 1, 36'500);
  check("maxMiB", max_mebibytes, 10, 1'048'576);
  check("entryMinutes", entry_minutes, 1, 1440);
  rules.maxBytes = max_mebibytes * mebibyte;
  rules.entryInterval = std::chrono::minutes(entry_minutes);
}

void readFile(const std::string& file, const Variables& variables, ServerConfig& config) {
  ConfigSection root = ConfigSection::parse(file);
  if (auto server = root.child("server")) {
    std::string level, style, public_url;
    std::vector<std::string> proxies;
    server->read("listen", config.listen);
    server->read("baseDomain", config.baseDomain);
    server->read("publicUrl", public_url);
    server->read("dataDir", config.dataDir);
    server->read("secretsKeyFile", config.secretsKeyFile);
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
  if (auto tls = root.child("tls")) {
    tls->read("certificateFile", config.tls.certificateFile);
    tls->read("keyFile", config.tls.keyFile);
    tls->read("redirectListen", config.tls.redirectListen);
    tls->refuseUnknown();
  }
  if (auto ssh = root.child("ssh")) {
    ssh->read("listen", config.ssh.listen);
    ssh->read("programFile", config.ssh.programFile);
    ssh->read("trustedUserCAKeys", config.ssh.trust.trustedUserCAKeys);
    ssh->read("revokedKeys", config.ssh.trust.revokedKeys);
    ssh->refuseUnknown();
  }
  if (auto api = root.child("api")) {
    api->read("validateAddresses", config.validateAddresses);
    for (std::string& address : config.validateAddresses) address = net::toString(net::parseHostPort(address));
    api->refuseUnknown();
  }
  if (auto access = root.child("access")) {
    access->read("adminsMayEnter", config.access.adminsMayEnter);
    access->read("publicPorts", config.access.publicPorts);
    access->read("tokenKeyDays", config.tokenKeyDays);
    access->read("maxTokenDays", config.maxTokenDays);
    std::string policy;
    access->read("requireSecondFactor", policy);
    if (!policy.empty() && !boost::describe::enum_from_string(policy.c_str(), config.access.requireSecondFactor))
      throw Error(ErrorCode::InvalidArgument,
                  format("[access] requireSecondFactor is \"{}\"; expected one of: none, admins, all.", policy));
    access->refuseUnknown();
  }
  if (auto providers = root.child("oidc")) config.identityProviders = oidc::readProviders(*providers, variables);
  if (auto audit = root.child("audit")) readAudit(*audit, config.audit);
  if (auto monitoring = root.child("monitoring")) {
    std::int64_t seconds = config.usageInterval.count();
    monitoring->read("interval", seconds);
    if (seconds != 0 && (seconds < 5 || seconds > 120))
      throw Error(ErrorCode::InvalidArgument,
                  format("[monitoring] interval is {}; expected 5 to 120 seconds, or 0 for no samples.", seconds));
    config.usageInterval = std::chrono::seconds(seconds);
    monitoring->refuseUnknown();
  }
  if (auto limits = root.child("limits")) config.limits = readLimits(*std::move(limits));
  if (auto common = root.child("common")) {
    common->read("workspaceImage", config.workspaceImage);
    common->read("allowedImages", config.allowedImages);
    common->read("instanceNamePrefix", config.instanceNamePrefix);
    common->read("tags", config.tags);
    common->read("nameHoldDays", config.nameHoldDays);
    if (auto resources = common->child("defaultResourceLimits")) {
      resources->readMembers(config.defaultResources);
      resources->refuseUnknown();
    }
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
  for (const ProviderSetupPtr& provider : config.providers)
    if (auto section = root.child(enumName(provider->type()))) provider->readSection(*std::move(section));
  root.refuseUnknown();
}

void readVariables(const Variables& variables, ServerConfig& config) {
  variables.read("SWARM_LISTEN", config.listen);
  variables.read("SWARM_BASE_DOMAIN", config.baseDomain);
  variables.read("SWARM_INSTANCE_DOMAIN", config.instanceDomain);
  if (std::vector<std::string> proxies; variables.read("SWARM_TRUSTED_PROXIES", proxies)) config.trustedProxies = TrustedProxies(proxies);
  if (auto url = variables.get("SWARM_PUBLIC_URL")) config.publicUrl = parsePublicUrl(*url);
  variables.read("SWARM_TLS_CERTIFICATE_FILE", config.tls.certificateFile);
  variables.read("SWARM_TLS_KEY_FILE", config.tls.keyFile);
  variables.read("SWARM_TLS_REDIRECT_LISTEN", config.tls.redirectListen);
  variables.read("SWARM_SSH_LISTEN", config.ssh.listen);
  variables.read("SWARM_DATA_DIR", config.dataDir);
  variables.read("SWARM_SECRETS_KEY_FILE", config.secretsKeyFile);
  if (auto level = variables.get("SWARM_LOG_LEVEL")) config.logLevel = parseLevel(*level);
  if (auto style = variables.get("SWARM_LOG_STYLE")) config.logStyle = parseStyle(*style);
  variables.read("SWARM_WORKSPACE_IMAGE", config.workspaceImage);
  for (const ProviderSetupPtr& provider : config.providers) provider->readVariables(variables);
}

void applyFlags(const cli::ServeFlags& flags, ServerConfig& config) {
  if (flags.listen) config.listen = *flags.listen;
  if (flags.baseDomain) config.baseDomain = *flags.baseDomain;
  if (flags.insecureHttp) config.insecureHttp = true;
  if (flags.instanceDomain) config.instanceDomain = *flags.instanceDomain;
  if (flags.publicUrl && !flags.publicUrl->empty()) config.publicUrl = parsePublicUrl(*flags.publicUrl);
  if (flags.dataDir) config.dataDir = *flags.dataDir;
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

void checkTls(const ServerConfig& config) {
  const TlsConfig& tls = config.tls;
  if (tls.certificateFile.empty() != tls.keyFile.empty())
    throw Error(ErrorCode::InvalidArgument,
                format("[tls] has no {}; certificateFile and keyFile belong together.", tls.isOn() ? "keyFile" : "certificateFile"));
  if (!tls.redirectListen.empty() && !tls.isOn())
    throw Error(ErrorCode::InvalidArgument, "[tls] redirectListen sends browsers to https, which requires certificateFile and keyFile.");
  if (!tls.redirectListen.empty()) net::parseHostPort(tls.redirectListen);
  if (tls.isOn() && config.publicUrl && !config.publicUrl->tls)
    throw Error(
        ErrorCode::InvalidArgument,
        format("The public URL {} begins with http://, but [tls] has a certificate; expected https://HOST.", config.publicUrl->origin()));
}

}  // namespace

ServerConfig loadServerConfig(const cli::ServeFlags& flags) {
  ServerConfig config;
  config.providers = makeProviderSetups();
  config.dataDir = homeFolder("XDG_DATA_HOME", ".local/share");
  config.credentialsDir = homeFolder("XDG_CONFIG_HOME", ".config");
  const Variables variables(flags.variables);
  // An explicitly given file must exist; the default one may be absent.
  if (flags.configFile) {
    readFile(*flags.configFile, variables, config);
  } else if (path file = config.credentialsDir / "swarm.toml"; std::filesystem::exists(file)) {
    readFile(file.string(), variables, config);
  }
  readVariables(variables, config);
  applyFlags(flags, config);
  completeDomains(config);
  net::parseHostPort(config.listen);  // refuse a bad address before anything is opened
  checkTls(config);
  if (!config.ssh.listen.empty()) net::parseHostPort(config.ssh.listen);
  if (config.nameHoldDays < 0 || config.nameHoldDays > 3650)
    throw Error(ErrorCode::InvalidArgument,
                format("nameHoldDays is {}; expected 0 (names are free at once) to 3650.", config.nameHoldDays));
  for (const auto& [key, days] : {std::pair{"tokenKeyDays", config.tokenKeyDays}, std::pair{"maxTokenDays", config.maxTokenDays}})
    if (days < 1 || days > 3650) throw Error(ErrorCode::InvalidArgument, format("{} is {}; expected 1 to 3650.", key, days));
  if (config.threads < 0 || config.threads > 64) {
    throw Error(ErrorCode::InvalidArgument, format("threads is {}; expected 0 (one per core) to 64.", config.threads));
  }
  return config;
}

}  // namespace swarm
