// Iterates over every operation of Fly's document: a valid request generated from it is accepted, and each single mutation of it is refused
// at its place.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <set>

#include "emulator/openapi/checker.h"
#include "emulator/openapi/document.h"
#include "unit/emulator/openapi/samples.h"

namespace swarm::emulator::openapi {
namespace {

namespace json = boost::json;
using test::Operation;
using test::Sample;

std::vector<Finding> checked(const Sample& sample) {
  return check({sample.method, sample.path, sample.query, sample.contentType, sample.hasBody ? sample.bodyText() : ""});
}

/// One finding, at `pointer`.
void expectRefused(const Sample& sample, Location location, const std::string& pointer, const std::string& what) {
  const std::string body = sample.bodyText();
  const std::vector<Finding> found = check({sample.method, sample.path, sample.query, sample.contentType, body});
  ASSERT_EQ(found.size(), 1u) << what << "\n" << describe(found) << "\n" << body;
  EXPECT_EQ(found[0].location, location) << what << ": " << found[0].message;
  EXPECT_EQ(found[0].pointer, pointer) << what << ": " << found[0].message;
  EXPECT_TRUE(found[0].message.contains(pointer) && found[0].message.ends_with('.')) << found[0].message;
}

/// A documented extra: signals and durations may be numbers.
bool takesAnotherType(const Operation& operation, const std::string& pointer) {
  if (operation.route.ends_with("/signal") && pointer == "/signal") return true;
  if (pointer.ends_with("/stop_config/timeout") || pointer.ends_with("/stop/timeout")) return true;
  const bool is_duration = pointer.ends_with("/interval") || pointer.ends_with("/timeout") || pointer.ends_with("/grace_period");
  return is_duration && pointer.contains("/checks/");
}

/// No schema of the document accepts it where it requires `schema`.
json::value wrongTyped(const Operation& operation, const json::object& schema) {
  // Bytes of secret keys are a list of numbers or, as Go writes them, base64.
  if (schema.at("type") == "array" && operation.route.contains("/secretkeys/")) return true;
  return schema.at("type") == "string" ? json::value(json::array()) : json::value("text");
}

TEST(FlyDocument, isTheWholePublicDocument) {
  const auto operations = test::allOperations();
  EXPECT_EQ(document().at("openapi").as_string(), "3.0.1");
  EXPECT_EQ(document().at("paths").as_object().size(), 68u + 2u) << "two paths are documented elsewhere only";
  EXPECT_EQ(operations.size(), 98u);
}

TEST(FlyDocument, hasNoKeywordThatTheCheckerDoesNotKnow) {
  const std::set<std::string> known = {"type",           "properties",           "required", "items", "enum",        "minimum",
                                       "maximum",        "additionalProperties", "$ref",     "allOf", "description", "example",
                                       "x-enum-varnames"};
  for (const Operation& operation : test::allOperations()) {
    const json::object* schema = test::bodySchema(operation);
    if (!schema) continue;
    test::walkBody(*schema, "", [&](const json::object& node, const std::string& pointer) {
      for (const auto& member : node)
        EXPECT_TRUE(known.contains(std::string(member.key()))) << operation.name() << pointer << ": " << member.key();
    });
  }
}

TEST(EveryOperation, takesAValidRequest) {
  for (const Operation& operation : test::allOperations()) {
    const Sample sample = test::sampleOf(operation);
    EXPECT_EQ(describe(checked(sample)), "") << operation.name() << "?" << sample.query << "\n" << sample.bodyText();
  }
}

TEST(EveryOperation, takesAnEmptyObjectUnlessSomethingIsRequired) {
  for (const Operation& operation : test::allOperations()) {
    const json::object* schema = test::bodySchema(operation);
    if (!schema) continue;
    Sample sample = test::sampleOf(operation);
    sample.body = json::object();
    const std::size_t required = schema->contains("required") ? schema->at("required").as_array().size() : 0;
    EXPECT_EQ(checked(sample).size(), required) << operation.name();
  }
}

TEST(EveryOperation, refusesAnUnknownQueryParameter) {
  for (const Operation& operation : test::allOperations()) {
    Sample sample = test::sampleOf(operation);
    sample.query += (sample.query.empty() ? "" : "&") + std::string("no_such=1");
    expectRefused(sample, Location::Query, "/no_such", operation.name());
  }
}

TEST(EveryOperation, refusesEachQueryParameterWithAWrongValueAndTwice) {
  int wrong_values = 0;
  for (const Operation& operation : test::allOperations()) {
    if (!operation.tree.contains("parameters")) continue;
    for (const json::value& parameter : operation.tree.at("parameters").as_array()) {
      if (parameter.at("in").as_string() != "query") continue;
      const std::string name(parameter.at("name").as_string());
      Sample sample = test::sampleOf(operation);
      if (name != "state" || !operation.route.ends_with("/wait")) {
        const std::string given = name == "metadata.{key}" ? "metadata.x1" : name;
        const auto at = ("&" + sample.query).find("&" + given + "=");
        Sample twice = sample;
        twice.query += "&" + sample.query.substr(at, sample.query.find('&', at) - at);
        expectRefused(twice, Location::Query, "/" + given, operation.name() + ": twice " + given);
      }
      const json::object& schema = parameter.at("schema").as_object();
      if (schema.at("type").as_string() == "string" && !schema.contains("enum")) continue;
      const std::string before = "&" + sample.query;
      const auto value = before.find("&" + name + "=") + name.size() + 2;
      sample.query = (before.substr(0, value) + "7x" + before.substr(std::min(before.find('&', value), before.size()))).substr(1);
      expectRefused(sample, Location::Query, "/" + name, operation.name());
      ++wrong_values;
    }
  }
  EXPECT_GT(wrong_values, 20);
}

TEST(EveryOperation, refusesAMissingRequiredQueryParameter) {
  for (const Operation& operation : test::allOperations()) {
    if (!operation.tree.contains("parameters")) continue;
    for (const json::value& parameter : operation.tree.at("parameters").as_array()) {
      if (parameter.at("in").as_string() != "query" || !parameter.as_object().contains("required")) continue;
      Sample sample = test::sampleOf(operation);
      sample.query.clear();
      expectRefused(sample, Location::Query, "/" + std::string(parameter.at("name").as_string()), operation.name());
    }
  }
}

TEST(EveryOperation, refusesAMethodThatItsPathLacks) {
  for (const Operation& operation : test::allOperations()) {
    Sample sample = test::sampleOf(operation);
    sample.method = "TRACE";
    const auto found = checked(sample);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].location, Location::Path);
    EXPECT_TRUE(found[0].message.contains(operation.method)) << found[0].message;
  }
}

TEST(EveryOperation, refusesItsPathWithSomethingBehindIt) {
  for (const Operation& operation : test::allOperations()) {
    for (const char* behind : {"/", "/no-such/thing/at/all"}) {
      Sample sample = test::sampleOf(operation);
      sample.path += behind;
      const auto found = checked(sample);
      ASSERT_EQ(found.size(), 1u) << sample.path;
      EXPECT_EQ(found[0].location, Location::Path) << sample.path;
    }
  }
}

TEST(EveryOperation, refusesABodyWhereThereIsNoneAndNoneWhereItIsRequired) {
  int required = 0;
  for (const Operation& operation : test::allOperations()) {
    Sample sample = test::sampleOf(operation);
    const bool has_body = sample.hasBody;
    // A policy's body and a lease's without one are documented extras.
    if (has_body && (!operation.tree.at("requestBody").at("required").as_bool() || operation.route.ends_with("/lease"))) continue;
    required += has_body ? 1 : 0;
    sample.hasBody = !has_body;
    sample.contentType = "application/json";
    sample.body = json::object();
    expectRefused(sample, Location::Body, "", operation.name());
  }
  EXPECT_GT(required, 30);
}

TEST(EveryOperation, refusesAnotherContentType) {
  for (const Operation& operation : test::allOperations()) {
    Sample sample = test::sampleOf(operation);
    if (!sample.hasBody) continue;
    for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded"}) {
      sample.contentType = type;
      expectRefused(sample, Location::ContentType, "", operation.name());
    }
    sample.contentType = "Application/JSON; charset=utf-8";
    EXPECT_EQ(describe(checked(sample)), "");
  }
}

TEST(EveryProperty, isRefusedWithAWrongType) {
  int mutated = 0;
  for (const Operation& operation : test::allOperations()) {
    const json::object* body = test::bodySchema(operation);
    if (!body) continue;
    test::walkBody(*body, "", [&](const json::object& schema, const std::string& pointer) {
      Sample sample = test::sampleOf(operation);
      const json::value wrong = wrongTyped(operation, schema);
      test::setAt(sample.body, pointer, wrong);
      expectRefused(sample, Location::Body, pointer, operation.name() + " with " + json::serialize(wrong));
      ++mutated;
    });
  }
  EXPECT_GT(mutated, 500);
}

TEST(EveryProperty, takesNoNumberForAString) {
  for (const Operation& operation : test::allOperations()) {
    const json::object* body = test::bodySchema(operation);
    if (!body) continue;
    test::walkBody(*body, "", [&](const json::object& schema, const std::string& pointer) {
      if (schema.at("type").as_string() != "string" || takesAnotherType(operation, pointer)) return;
      Sample sample = test::sampleOf(operation);
      test::setAt(sample.body, pointer, 1);
      expectRefused(sample, Location::Body, pointer, operation.name());
    });
  }
}

TEST(EveryProperty, isRefusedAsFractionWhereAnIntegerIsMeant) {
  for (const Operation& operation : test::allOperations()) {
    const json::object* body = test::bodySchema(operation);
    if (!body) continue;
    test::walkBody(*body, "", [&](const json::object& schema, const std::string& pointer) {
      if (schema.at("type").as_string() != "integer") return;
      Sample sample = test::sampleOf(operation);
      test::setAt(sample.body, pointer, 1.5);
      expectRefused(sample, Location::Body, pointer, operation.name());
    });
  }
}

TEST(EveryProperty, withAnEnumTakesEachOfItsValuesAndNoOther) {
  int enums = 0;
  for (const Operation& operation : test::allOperations()) {
    const json::object* body = test::bodySchema(operation);
    if (!body) continue;
    test::walkBody(*body, "", [&](const json::object& schema, const std::string& pointer) {
      if (!schema.contains("enum")) return;
      ++enums;
      Sample sample = test::sampleOf(operation);
      for (const json::value& value : schema.at("enum").as_array()) {
        test::setAt(sample.body, pointer, value);
        EXPECT_EQ(describe(checked(sample)), "") << operation.name();
      }
      test::setAt(sample.body, pointer, "no-such-value");
      expectRefused(sample, Location::Body, pointer, operation.name());
    });
  }
  EXPECT_GT(enums, 15);
}

TEST(EveryProperty, hasNoUnknownNeighbour) {
  for (const Operation& operation : test::allOperations()) {
    const json::object* body = test::bodySchema(operation);
    if (!body) continue;
    test::walkBody(*body, "", [&](const json::object& schema, const std::string& pointer) {
      if (!schema.contains("properties")) return;
      Sample sample = test::sampleOf(operation);
      test::setAt(sample.body, pointer + "/no_such", 1);
      expectRefused(sample, Location::Body, pointer + "/no_such", operation.name());
    });
  }
}

TEST(EveryProperty, isMissedWhereItIsRequired) {
  int required = 0;
  for (const Operation& operation : test::allOperations()) {
    const json::object* body = test::bodySchema(operation);
    if (!body) continue;
    test::walkBody(*body, "", [&](const json::object& schema, const std::string& pointer) {
      if (!schema.contains("required")) return;
      for (const json::value& name : schema.at("required").as_array()) {
        Sample sample = test::sampleOf(operation);
        sample.body.at_pointer(pointer).as_object().erase(name.as_string());
        expectRefused(sample, Location::Body, pointer + "/" + std::string(name.as_string()), operation.name());
        ++required;
      }
    });
  }
  EXPECT_GE(required, 10);
}

TEST(EveryProperty, keepsItsRange) {
  int bounds = 0;
  for (const Operation& operation : test::allOperations()) {
    const json::object* body = test::bodySchema(operation);
    if (!body) continue;
    test::walkBody(*body, "", [&](const json::object& schema, const std::string& pointer) {
      if (!schema.contains("minimum")) return;
      Sample sample = test::sampleOf(operation);
      test::setAt(sample.body, pointer, schema.at("minimum").to_number<int>() - 1);
      expectRefused(sample, Location::Body, pointer, operation.name());
      test::setAt(sample.body, pointer, schema.at("maximum").to_number<int>() + 1);
      expectRefused(sample, Location::Body, pointer, operation.name());
      ++bounds;
    });
  }
  EXPECT_EQ(bounds, 1);
}

}  // namespace
}  // namespace swarm::emulator::openapi
