// JSON Schemas: complete, closed where requests are, and true to the codec.
#include "model/rules/schema.h"
#include "model/types/usage.h"

#include <boost/json/serialize.hpp>
#include <set>

#include "gmock/gmock.h"
#include "model/codec/codec.h"
#include "model/requests.h"

namespace swarm {
namespace {

namespace json = boost::json;

void collectRefs(const json::value& value, std::vector<std::string>& out) {
  if (value.is_array()) {
    for (const json::value& element : value.get_array()) collectRefs(element, out);
  } else if (value.is_object()) {
    for (const auto& entry : value.get_object()) {
      if (entry.key() == "$ref") out.emplace_back(entry.value().as_string());
      collectRefs(entry.value(), out);
    }
  }
}

TEST(Schema, referencesOnlySchemasThatExist) {
  json::object schemas = jsonSchemas();
  std::vector<std::string> refs;
  collectRefs(schemas, refs);
  EXPECT_GT(refs.size(), 10u);
  for (const std::string& ref : refs) {
    std::string prefix = "#/components/schemas/";
    ASSERT_TRUE(ref.starts_with(prefix)) << ref;
    EXPECT_TRUE(schemas.contains(ref.substr(prefix.size()))) << ref;
  }
}

template <typename T>
void expectSameMembers(std::string_view name, const T& value) {
  json::object schema = jsonSchemaFor(name);
  json::object written = toJson(value).as_object();
  for (const auto& entry : written) EXPECT_TRUE(schema["properties"].as_object().contains(entry.key())) << name << "." << entry.key();
  if (auto* required = schema.if_contains("required")) {
    for (const json::value& member : required->as_array()) EXPECT_TRUE(written.contains(member.as_string())) << name << "." << member;
  }
}

TEST(Schema, hasTheMembersThatTheCodecWrites) {
  InstanceConfig config;
  config.network.docker.emplace();
  config.network.flyio.emplace();
  expectSameMembers("InstanceConfig", config);
  expectSameMembers("NetworkConfig", config.network);
  expectSameMembers("Instance", Instance{});
  expectSameMembers("CommandResult", CommandResult{});
  expectSameMembers("SwarmStatus", SwarmStatus{});
  Operation operation;
  operation.error = Error(ErrorCode::Internal, "x");
  expectSameMembers("Operation", operation);
  OperationStep step;
  step.bytesTotal = 1;
  expectSameMembers("OperationStep", step);
}

TEST(Schema, closesRequestsAndGivesTheirDefaultsInWordsOnly) {
  json::object schema = jsonSchemaFor("CreateInstance");
  EXPECT_EQ(schema["additionalProperties"], json::value(false));
  EXPECT_FALSE(schema.contains("required"));
  json::object max = jsonSchemaFor("MemoryPatch")["properties"].at("max").as_object();
  EXPECT_EQ(max["description"], json::value("MiB, hard limit. When an instance is created: 4096 by default"));
  EXPECT_EQ(max["minimum"].to_number<double>(), 6);
  EXPECT_EQ(jsonSchemaFor("ResourceConfig")["properties"].at("shmSize").at("description"),
            json::value("MiB of /dev/shm; 0: the provider's default; at most memory.max; an update replaces the container or Machine"));
  EXPECT_FALSE(jsonSchemaFor("Instance").contains("additionalProperties")) << "a newer server may say more";
  EXPECT_EQ(json::serialize(jsonSchemas()).find("\"default\":"), std::string::npos)
      << "generated clients would send it, and an update would change members that were not named";
}

TEST(Schema, saysThatAnAnswerIsWholeAndThatARequestNeedNotBe) {
  for (const char* whole : {"InstanceConfig", "ResourceConfig", "MemoryConfig", "StorageConfig"}) {
    json::object schema = jsonSchemaFor(whole);
    ASSERT_TRUE(schema.contains("required")) << whole;
    EXPECT_FALSE(schema.contains("additionalProperties")) << whole;
  }
  for (const char* part : {"ResourcePatch", "MemoryPatch", "NetworkPatch", "InstanceSelection"})
    EXPECT_FALSE(jsonSchemaFor(part).contains("required")) << part;
  EXPECT_EQ(jsonSchemaFor("NewStorage")["required"], json::value(json::array{"mountPath"}));
}

TEST(Schema, distinguishesTimesThatMayBeNull) {
  auto type_of = [](const char* type, const char* member) {
    return json::serialize(jsonSchemaFor(type)["properties"].at(member).at("type"));
  };
  EXPECT_EQ(type_of("Instance", "createdAt"), R"("string")");
  EXPECT_EQ(type_of("Operation", "updatedAt"), R"("string")");
  EXPECT_EQ(type_of("Operation", "endedAt"), R"(["string","null"])");
  EXPECT_EQ(type_of("OperationStep", "startedAt"), R"(["string","null"])");
}

TEST(Schema, admitsNullForEachMemberOfAMergePatch) {
  const json::object egress = jsonSchemaFor("NetworkMergePatch").at("properties").at("egress").at("properties").as_object();
  EXPECT_EQ(json::serialize(egress.at("policy").at("anyOf")), R"([{"$ref":"#/components/schemas/EgressPolicy"},{"type":"null"}])");
  EXPECT_FALSE(egress.at("policy").as_object().contains("type"));
  for (const auto& [name, schema] : egress)
    if (const json::value* type = schema.as_object().if_contains("type"))
      EXPECT_EQ(type->as_array().back(), json::value("null")) << std::string(name);
}

TEST(Schema, listsEveryErrorCode) {
  EXPECT_EQ(jsonSchemaFor("ErrorCode")["enum"].as_array().size(), errorCodes().size());
  EXPECT_EQ(json::serialize(jsonSchemaFor("Instance")["properties"].at("desired").at("enum")), R"(["running","stopped","deleted"])");
}

/// The members of a schema, and those of the schemas that it refers to.
void collectMembers(const json::object& schema, const std::string& prefix, std::set<std::string>& out) {
  for (const auto& [name, member] : schema.at("properties").as_object()) {
    out.insert(prefix + std::string(name));
    if (const json::value* ref = member.as_object().if_contains("$ref")) {
      std::string target(ref->as_string());
      const json::object& target_schema = jsonSchemaFor(target.substr(target.rfind('/') + 1));
      if (target_schema.contains("properties")) collectMembers(target_schema, prefix + std::string(name) + ".", out);
    }
  }
}

void collectMembers(const json::object& value, std::set<std::string>& out, const std::string& prefix) {
  for (const auto& [name, member] : value) {
    out.insert(prefix + std::string(name));
    if (member.is_object()) collectMembers(member.get_object(), out, prefix + std::string(name) + ".");
  }
}

TEST(Patches, haveTheMembersOfWhatTheyChange) {
  ResourcePatch resources{.cpu = CpuPatch{.cores = 1, .limit = 1000},
                          .memory = MemoryPatch{.min = 1, .max = 2},
                          .storage = StorageResourcePatch{.size = 1, .persistent = true},
                          .pids = 100,
                          .shmSize = 64};
  NetworkPatch network{.exposedPorts = std::vector<std::int64_t>{80},
                       .internalNetwork = true,
                       .regions = std::vector<std::string>{"ams"},
                       .docker = DockerNetworkPatch{.networkName = "a", .networkDriver = "b"},
                       .flyio = FlyNetworkPatch{.privateNetwork = true, .ipv6 = false},
                       .egress = EgressPatch{.policy = EgressPolicy::none, .allow = std::vector<std::string>{"10.0.0.1"}}};
  std::set<std::string> described, written;
  collectMembers(jsonSchemaFor("ResourcePatch"), "", described);
  collectMembers(toJson(resources).as_object(), written, "");
  EXPECT_EQ(described, written);
  described.clear(), written.clear();
  collectMembers(jsonSchemaFor("NetworkPatch"), "", described);
  collectMembers(toJson(network).as_object(), written, "");
  EXPECT_EQ(described, written);
  described.clear(), written.clear();
  collectMembers(jsonSchemaFor("SecurityPatch"), "", described);
  collectMembers(toJson(SecurityPatch{.noNewPrivileges = true, .readOnlyRoot = false}).as_object(), written, "");
  EXPECT_EQ(described, written);
}

TEST(Patches, writeOnlyWhatTheyChange) {
  EXPECT_EQ(json::serialize(toJson(ResourcePatch{.memory = MemoryPatch{.max = 512}})), R"({"memory":{"max":512}})");
  EXPECT_EQ(json::serialize(toJson(NetworkPatch{})), "{}");
}

TEST(Patches, leaveAloneWhatTheyDoNotName) {
  ResourceConfig resources;
  resources.cpu.limit = 1500;
  resources.memory.min = 64;
  resources.pids = 99;
  apply({.cpu = CpuPatch{.cores = 3}, .memory = MemoryPatch{.max = 512}}, resources);
  EXPECT_EQ(
      json::serialize(toJson(resources)),
      R"({"cpu":{"cores":3E0,"limit":1500},"memory":{"min":64,"max":512},"storage":{"size":10,"persistent":true},"pids":99,"shmSize":0})");
}

TEST(Schema, namesEnumValuesAsJsonDoes) {
  EXPECT_EQ(json::serialize(jsonSchemaFor("OperationKind")["enum"]),
            R"(["create","start","stop","restart","update","delete","migrate","snapshot","restore"])");
}

TEST(Schema, refersByName) { EXPECT_EQ(json::serialize(schemaRef("Instance")), R"({"$ref":"#/components/schemas/Instance"})"); }

}  // namespace
}  // namespace swarm
