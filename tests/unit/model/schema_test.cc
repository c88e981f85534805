// JSON Schemas: complete, closed where requests are, and true to the codec.
#include "model/schema.h"

#include <boost/json/serialize.hpp>

#include "gmock/gmock.h"
#include "model/codec.h"

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

TEST(Schema, closesRequestsAndGivesTheirDefaults) {
  json::object schema = jsonSchemaFor("InstanceConfig");
  EXPECT_EQ(schema["additionalProperties"], json::value(false));
  EXPECT_FALSE(schema.contains("required"));
  EXPECT_EQ(jsonSchemaFor("MemoryConfig")["properties"].at("max").at("default"), json::value(4096));
  EXPECT_EQ(jsonSchemaFor("MemoryConfig")["properties"].at("max").at("minimum").to_number<double>(), 6);
  EXPECT_FALSE(jsonSchemaFor("Instance").contains("additionalProperties")) << "a newer server may say more";
}

TEST(Schema, namesEnumValuesAsJsonDoes) {
  EXPECT_EQ(json::serialize(jsonSchemaFor("OperationKind")["enum"]),
            R"(["create","start","stop","restart","update","delete","migrate","snapshot","restore"])");
}

TEST(Schema, refersByName) { EXPECT_EQ(json::serialize(schemaRef("Instance")), R"({"$ref":"#/components/schemas/Instance"})"); }

}  // namespace
}  // namespace swarm
