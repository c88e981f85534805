// `swarm tokens` and its parts
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

const std::vector<std::string> kScopeNames{"read", "write", "inside", "admin"};

std::string scopesOf(const boost::json::value& token) {
  std::string text;
  for (const auto& scope : token.at("scopes").as_array()) text += (text.empty() ? "" : ", ") + std::string(scope.as_string());
  return text;
}

/// "ci-* (at most 5)"
std::string limitsOf(const boost::json::value& token) {
  const std::string prefix = memberText(token, "namePrefix"), most = memberText(token, "maxInstances");
  std::string text = prefix.empty() ? "" : prefix + "*";
  if (most != "0") text += format("{}at most {}", text.empty() ? "" : ", ", most);
  return text;
}

int listTokens(Context& context) {
  const boost::json::array tokens = context.client().listAccessTokens();
  std::vector<Listed> rows;
  for (const auto& token : tokens) {
    const std::string id = memberText(token, "id"), used = momentText(token, "lastUsedAt");
    rows.push_back({id,
                    {id, memberText(token, "name"), scopesOf(token), limitsOf(token), used.empty() ? "never" : used,
                     momentText(token, "expiresAt"), memberText(token, "owner")}});
  }
  printList(context, tokens, {copied("TOKEN"), "NAME", "SCOPES", "LIMITS", copied("LAST USE"), copied("ENDS"), extra("OWNER")}, rows);
  return kDone;
}

class TokensCreate final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", request_.name, "Name of the token").sets("/name");
    arguments.option("--scope", scopes_, "read, write, inside, admin (default read)").commaSeparated().oneOf(kScopeNames).sets("/scopes");
    arguments.option("--days", request_.days, "Life in days (default 90)").range(1, 3650).sets("/days");
    arguments.option("--prefix", request_.namePrefix, "Limit it to workspaces whose names begin with this").sets("/namePrefix");
    arguments.option("--max-workspaces", request_.maxInstances, "Workspaces, with this prefix, beyond which it creates none")
        .range(1, 10'000)
        .sets("/maxInstances");
    arguments.option("--owner", request_.owner, "Service account for which it is (default: yourself)").suggest(userNames()).sets("/owner");
  }

  int run(Context& context) override {
    for (const std::string& name : scopes_) request_.scopes.push_back(*enumFromName<AccessScope>(name));
    const boost::json::object token = context.client().createAccessToken(request_);
    if (printStructured(context, token)) return kDone;
    print(memberText(token, "token") + "\n");
    report(
        format("It ends {}. Store it now: it is not shown again. Programs send it as \"Authorization: Bearer\"; `swarm` reads it from "
               "SWARM_TOKEN.\n",
               momentText(token, "expiresAt")));
    return kDone;
  }

 private:
  CreateAccessTokenRequest request_;
  std::vector<std::string> scopes_;
};

void revokeToken(Context& context, const std::string& id) {
  context.client().revokeAccessToken(id);
  report(format("{} was revoked.\n", id));
}

}  // namespace

void addTokens(const AddVerb& add) {
  addListVerb(add,
              {.name = "tokens",
               .summary = "List access tokens, with which programs act for you; create, revoke",
               .examples = {"swarm tokens", "swarm tokens create ci --scope write"}},
              listTokens);
  add({.name = "tokens create",
       .summary = "Create an access token, and print its secret once",
       .examples = {"swarm tokens create ci --scope write,inside --prefix ci-",
                    "swarm tokens create deploy --owner build-bot --scope write"},
       .notes =
           "Scopes: read is always included; write creates, changes and deletes; inside runs commands and reaches ports and files; admin "
           "manages users, tokens, shares and providers. A token never permits more than your role does at the moment of its use."},
      std::make_unique<TokensCreate>());
  add({.name = "tokens revoke",
       .summary = "Revoke access tokens, with those that they created, and end what they opened",
       .examples = {"swarm tokens revoke t-01h…"}},
      eachVerb({"ids", "Ids of tokens", {.command = "swarm tokens -o name"}}, revokeToken));
}

}  // namespace swarm::cli
