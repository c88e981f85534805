#include "oidc/provider/claim_mapping.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "auth/accounts/names.h"
#include "auth/sharing/groups.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"

namespace swarm::oidc {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxEmail = 254;
constexpr std::size_t kMaxValues = 1000;
constexpr std::size_t kMaxShownBytes = 8 * 1024;
constexpr std::size_t kMaxShownText = 256;
constexpr std::size_t kMaxShownElements = 100;
constexpr int kMaxShownDepth = 4;
constexpr std::string_view kOfSignIn[] = {"nonce", "at_hash", "c_hash", "s_hash", "jti", "sid"};

/// A claim by its whole name, which may have dots, or by a path into objects ("realm_access.roles").
const json::value* claimAt(const json::object& claims, const std::string& name) {
  if (const json::value* found = claims.if_contains(name)) return found->is_null() ? nullptr : found;
  const auto dot = name.find('.');
  const json::value* outer = dot == std::string::npos ? nullptr : claims.if_contains(name.substr(0, dot));
  return outer != nullptr && outer->is_object() ? claimAt(outer->get_object(), name.substr(dot + 1)) : nullptr;
}

/// The values of a claim that is a text or a list of texts; nothing: absent, or something else.
std::optional<std::vector<std::string>> valuesAt(const json::object& claims, const std::string& name) {
  const json::value* claim = claimAt(claims, name);
  if (claim == nullptr) return std::nullopt;
  if (claim->is_string()) return std::vector{std::string(claim->get_string())};
  if (!claim->is_array() || claim->get_array().size() > kMaxValues) return std::nullopt;
  std::vector<std::string> values;
  for (const json::value& value : claim->get_array()) {
    if (!value.is_string()) return std::nullopt;
    values.emplace_back(value.get_string());
  }
  return values;
}

/// Some providers write the flag as a text.
bool isVerified(const json::object& claims) {
  const json::value* flag = claims.if_contains("email_verified");
  return flag != nullptr && ((flag->is_bool() && flag->get_bool()) || (flag->is_string() && flag->get_string() == "true"));
}

/// Only a plain address: others could be read as one of another domain.
std::string emailOf(const json::object& claims) {
  const std::string email = stringIn(claims, "email");
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("@.!#$%&'*+-/=?^_`{|}~").contains(c);
  };
  const auto at = email.find('@');
  if (email.size() > kMaxEmail || at == 0 || at == std::string::npos || at + 1 == email.size() ||
      email.find('@', at + 1) != std::string::npos)
    return {};
  return std::ranges::all_of(email, is_plain) ? lowerCase(email) : std::string();
}

std::string_view domainOf(std::string_view email) { return email.substr(email.find('@') + 1); }

/// "Ada Lovelace" → "ada-lovelace", "ada@example.com" → "ada"; empty: nothing of it can be used.
std::string nameFrom(std::string text) {
  std::string name;
  for (const char c : lowerCase(text.substr(0, text.find('@')))) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_letter || ((c == '_' || c == '.' || c == '-') && !name.empty()))
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
    if (name.size() == kMaxUserName) break;
  }
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name == "me" ? "me-1" : name;
}

std::optional<std::string> refusalOf(const json::object& claims, const MappedClaims& mapped, const ProviderConfig& config) {
  if (!config.allowedDomains.empty()) {
    if (mapped.email.empty()) return "The provider names no verified e-mail address, and only some domains are allowed.";
    if (std::ranges::find(config.allowedDomains, domainOf(mapped.email)) == config.allowedDomains.end())
      return format("The domain {} of the e-mail address is not one of the allowed ones.", domainOf(mapped.email));
  }
  if (config.allowedGroups.empty()) return std::nullopt;
  const auto values = valuesAt(claims, config.groupsClaim);
  if (!values) return format("The claim \"{}\" is missing, and only some groups are allowed.", config.groupsClaim);
  const bool is_member = std::ranges::any_of(
      *values, [&](const auto& value) { return std::ranges::find(config.allowedGroups, value) != config.allowedGroups.end(); });
  if (!is_member) return "None of the groups of this person is allowed to sign in.";
  return std::nullopt;
}

void mapRole(const json::object& claims, const ProviderConfig& config, MappedClaims& mapped) {
  if (!config.managesRoles()) return;
  const auto values = valuesAt(claims, config.claimOfRoles());
  if (!values) {
    mapped.notes.push_back(
        format("The claim \"{}\" is missing or has another form than a list of texts: the role stays.", config.claimOfRoles()));
    return;
  }
  for (const std::string& value : *values) {
    const auto found = config.roles.find(value);
    if (found != config.roles.end() && (!mapped.role || *mapped.role < found->second)) mapped.role = found->second;
  }
  if (mapped.role) return;
  mapped.role = config.defaultRole;
  mapped.notes.push_back(format("No value of \"{}\" has a role: the default role applies.", config.claimOfRoles()));
}

void mapGroups(const json::object& claims, const ProviderConfig& config, MappedClaims& mapped) {
  const auto values = valuesAt(claims, config.groupsClaim);
  if (!values) {
    if (!config.groups.empty())
      mapped.notes.push_back(
          format("The claim \"{}\" is missing or has another form than a list of texts: the groups stay.", config.groupsClaim));
    return;
  }
  std::vector<std::string>& groups = mapped.groups.emplace();
  for (const std::string& value : *values) {
    const auto found = config.groups.find(value);
    if (!config.groups.empty() && found == config.groups.end()) continue;
    const std::string& group = found == config.groups.end() ? value : found->second;
    // Without a table, a provider may have groups whose names no group here can have.
    if (!isAccountName(group) || std::ranges::find(groups, group) != groups.end()) continue;
    if (groups.size() < kMaxManagedGroupsOfUser) groups.push_back(group);
  }
}

json::value shown(const json::value& value, int depth) {
  if (value.is_string()) return json::string(printable(value.get_string(), kMaxShownText));
  if (!value.is_structured()) return value;
  if (depth >= kMaxShownDepth) return json::string("…");
  std::size_t count = 0;
  if (const json::array* array = value.if_array()) {
    json::array out;
    for (const json::value& element : *array)
      if (count++ < kMaxShownElements) out.push_back(shown(element, depth + 1));
    return out;
  }
  json::object out;
  for (const auto& [name, member] : value.get_object())
    if (count++ < kMaxShownElements) out[printable(name, kMaxShownText)] = shown(member, depth + 1);
  return out;
}

}  // namespace

MappedClaims mapClaims(const json::object& claims, const ProviderConfig& config) {
  MappedClaims mapped;
  mapped.subject = stringIn(claims, "sub");
  if (isVerified(claims)) mapped.email = emailOf(claims);
  const json::value* name = claimAt(claims, config.userClaim);
  if (name != nullptr && name->is_string()) mapped.userName = nameFrom(std::string(name->get_string()));
  if (mapped.userName.empty()) mapped.userName = nameFrom(mapped.email);
  mapRole(claims, config, mapped);
  mapGroups(claims, config, mapped);
  mapped.refusal = refusalOf(claims, mapped, config);
  return mapped;
}

json::object shownClaims(const json::object& claims) {
  json::object out;
  std::size_t left = kMaxShownBytes;
  for (const auto& [name, member] : claims) {
    if (std::ranges::find(kOfSignIn, std::string_view(name)) != std::end(kOfSignIn)) continue;
    json::string shown_name(printable(name, kMaxShownText));
    json::value value = shown(member, 0);
    const auto size = [&] { return json::serialize(shown_name).size() + json::serialize(value).size() + 2; };
    if (size() > left) value = json::string("…");
    if (size() > left) break;
    left -= size();
    out[shown_name] = std::move(value);
  }
  return out;
}

}  // namespace swarm::oidc
