#include "oidc/provider/provider_config.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include "auth/accounts/names.h"
#include "base/error.h"
#include "base/text/format.h"
#include "oidc/provider/endpoints.h"

namespace swarm::oidc {
namespace {

constexpr std::size_t kMaxSecretBytes = 4096;
constexpr std::string_view kAssigned = "user, operator, auditor, admin";

[[noreturn]] void refuse(const ProviderConfig& config, std::string_view key, std::string_view what) {
  throw Error(ErrorCode::InvalidArgument, format("[oidc.{}] {} {}.", config.name, key, what));
}

Role roleOf(const ProviderConfig& config, std::string_view key, const std::string& name) {
  const auto role = roleFromName(name);
  if (!role || *role == Role::viewer) refuse(config, key, format("is \"{}\"; expected one of: {}", name, kAssigned));
  return *role;
}

Secret readSecretFile(const ProviderConfig& config, const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse(config, "clientSecretFile", format("({}) cannot be read", file.string()));
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  if (text.empty() || text.size() > kMaxSecretBytes)
    refuse(config, "clientSecretFile", format("({}) must have 1 to {} bytes", file.string(), kMaxSecretBytes));
  return Secret(std::move(text));
}

void readSecret(ProviderConfig& config, ConfigSection& section, const Variables& variables) {
  std::filesystem::path file;
  section.read("clientSecret", config.clientSecret);
  section.read("clientSecretFile", file);
  if (!file.empty()) {
    if (!config.clientSecret.empty()) refuse(config, "clientSecretFile", "and clientSecret exclude each other");
    config.clientSecret = readSecretFile(config, file);
  }
  std::string name = config.name;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
  if (auto secret = variables.get(format("SWARM_OIDC_{}_CLIENT_SECRET", name))) config.clientSecret = Secret(std::move(*secret));
}

void readTables(ProviderConfig& config, ConfigSection& section) {
  std::map<std::string, std::string> roles, links;
  std::string default_role(nameOf(config.defaultRole));
  section.read("roles", roles);
  section.read("groups", config.groups);
  section.read("links", links);
  section.read("defaultRole", default_role);
  config.defaultRole = roleOf(config, "defaultRole", default_role);
  for (const auto& [value, group] : config.groups)
    if (!isAccountName(group)) refuse(config, "groups", format("has \"{}\", which is not a name that a group can have", group));
  for (const auto& [value, role] : roles) config.roles[value] = roleOf(config, format("roles: \"{}\"", value), role);
  for (const auto& [address, user] : links) {
    if (address.find('@') == std::string::npos) refuse(config, "links", format("has \"{}\"; expected an e-mail address", address));
    config.links[lowerCase(address)] = user;
  }
}

void check(ProviderConfig& config) {
  const auto issuer = net::parseUrl(config.issuer);
  if (!issuer || issuer->target.find('?') != std::string::npos)
    refuse(config, "issuer", "must be the URL of the provider as its tokens name it, like https://login.example.com");
  config.issuerUrl = *issuer;
  if (!issuer->tls && !isLoopback(issuer->host))
    refuse(config, "issuer", "must begin with https://; http:// is accepted on this machine only");
  if (config.clientId.empty()) refuse(config, "clientId", "is missing: the name that the provider gave this server");
  if (std::ranges::find(config.scopes, "openid") == config.scopes.end()) config.scopes.insert(config.scopes.begin(), "openid");
  for (std::string& domain : config.allowedDomains) domain = lowerCase(domain.starts_with('@') ? domain.substr(1) : domain);
  for (std::string& host : config.endpointHosts) host = lowerCase(host);
  if (config.createUsers && config.allowedDomains.empty() && config.allowedGroups.empty())
    refuse(config, "createUsers", "requires allowedDomains or allowedGroups: otherwise each account of the provider could sign in");
}

ProviderConfig readProvider(std::string name, ConfigSection& section, const Variables& variables) {
  ProviderConfig config;
  config.name = std::move(name);
  config.scopes = {"openid", "profile", "email"};
  const auto wrong = [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'); };
  if (config.name.size() > 32 || std::ranges::any_of(config.name, wrong))
    refuse(config, "", "has a wrong name: expected up to 32 of a-z, 0-9 and \"-\"");
  section.read("title", config.title);
  section.read("issuer", config.issuer);
  section.read("clientId", config.clientId);
  readSecret(config, section, variables);
  section.read("endpointHosts", config.endpointHosts);
  section.read("caFile", config.caFile);
  section.read("scopes", config.scopes);
  section.read("userClaim", config.userClaim);
  section.read("groupsClaim", config.groupsClaim);
  section.read("roleClaim", config.roleClaim);
  readTables(config, section);
  section.read("allowedDomains", config.allowedDomains);
  section.read("allowedGroups", config.allowedGroups);
  section.read("createUsers", config.createUsers);
  section.read("linkByEmail", config.linkByEmail);
  section.read("signOutAtProvider", config.signOutAtProvider);
  section.refuseUnknown();
  if (config.title.empty()) config.title = config.name;
  check(config);
  return config;
}

}  // namespace

std::string lowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::vector<ProviderConfig> readProviders(ConfigSection& section, const Variables& variables) {
  std::vector<ProviderConfig> providers;
  for (const std::string& name : section.childNames()) {
    auto table = section.child(name);
    providers.push_back(readProvider(name, *table, variables));
    for (std::size_t i = 0; i + 1 < providers.size(); ++i)
      if (providers[i].issuer == providers.back().issuer && providers[i].clientId == providers.back().clientId)
        refuse(providers.back(), "issuer", format("is that of [oidc.{}], too", providers[i].name));
  }
  return providers;
}

}  // namespace swarm::oidc
