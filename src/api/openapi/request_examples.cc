// Valid bodies of requests. tests/integration/openapi sends every one of them.
#include <boost/json/parse.hpp>

#include "api/openapi/schema_parts.h"
#include "model/codec/codec.h"

namespace swarm::api::schema {
namespace {

struct Example {
  std::string_view schema;
  std::string_view name;
  std::string_view body;
};

constexpr Example kExamples[] = {
    {"CreateInstance", "smallest", R"({})"},
    {"CreateInstance", "named", R"({"name":"dev"})"},
    {"CreateInstance", "sized",
     R"({"name":"big","resources":{"cpu":{"cores":4},"memory":{"max":8192}},"env":{"TZ":"Europe/Berlin"},"labels":{"team":"web"}})"},
    {"CreateInstance", "volumes", R"({"name":"data","storage":[{"mountPath":"/home/coder"},{"mountPath":"/data","size":50}]})"},
    {"UpdateInstance", "moreMemory", R"({"resources":{"memory":{"max":6144}}})"},
    {"UpdateInstance", "otherLabels", R"({"labels":{"team":"data"}})"},
    {"UpdateInstance", "noSudo", R"({"security":{"noNewPrivileges":true}})"},
    {"PatchInstance", "oneVariable", R"({"env":{"LANG":"C.UTF-8","TZ":null}})"},
    {"PatchInstance", "defaultLimit", R"({"resources":{"cpu":{"limit":null}}})"},
    {"MigrateInstance", "plan", R"({"targetProvider":"flyio","region":"ams","dryRun":true})"},
    {"MigrateInstance", "keepingTheSource", R"({"region":"box2","keepSource":true,"keepHours":48})"},
    {"PutPort", "withColleagues", R"({"level":"shared"})"},
    {"CreateGroup", "named", R"({"name":"devs"})"},
    {"HandOver", "toAColleague", R"({"owner":"rita"})"},
    {"PutShare", "forADay", R"({"access":"editor","expiresAt":"2126-01-01T00:00:00Z"})"},
    {"PutShare", "viewer", R"({})"},
    {"TakeSnapshot", "named", R"({"name":"before-upgrade"})"},
    {"TakeSnapshot", "byTime", R"({})"},
    {"RestoreSnapshot", "byName", R"({"snapshot":"before-upgrade"})"},
    {"ExecuteCommand", "short", R"({"command":["uname","-a"]})"},
    {"ExecuteCommand", "withInput", R"({"command":["wc","-c"],"stdin":"hello","timeout":10})"},
    {"IssueToken", "forAPort", R"({"scope":"port","ttl":60})"},
    {"SetGitIdentity", "person", R"({"name":"Ada Lovelace","email":"ada@example.com"})"},
    {"CreateInstance", "withSetup", R"({"name":"ready","setup":"#!/bin/sh\nsudo apt-get update && sudo apt-get install -y ruby\n"})"},
    {"AddSshKey", "aLaptops", R"({"key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS ann@laptop"})"},
    {"CreateAccessToken", "forCi", R"({"name":"ci","scopes":["read","write"],"days":30,"namePrefix":"ci-","maxInstances":5})"},
    {"CreateLoginLink", "toAWorkspace", R"({"instance":"dev"})"},
    {"CreateUser", "invited", R"({"name":"ben","role":"user"})"},
    {"ChangeUser", "operator", R"({"role":"operator"})"},
    {"SetPassword", "own", R"({"password":"correct horse battery staple","oldPassword":"another horse"})"},
    {"SetProviderToken", "ofFly", R"({"token":"FlyV1 fm2_abc"})"},
    {"ProgramCode", "fromABrowser", R"({"code":"qL8n_0b3","verifier":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"})"},
    {"DeviceCode", "begun", R"({"deviceCode":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"})"},
    {"Credentials", "person", R"({"user":"ann","password":"correct horse battery staple"})"},
};

}  // namespace

json::object requestExamples(std::string_view schema, const CandidateForms& candidates) {
  json::object examples;
  for (const Example& example : kExamples)
    if (example.schema == schema) examples[example.name] = json::object{{"value", json::parse(example.body)}};
  if (schema == "ProviderCandidate")
    for (const auto& [type, form] : candidates) examples[enumName(type)] = json::object{{"value", json::parse(form.example)}};
  return examples;
}

}  // namespace swarm::api::schema
