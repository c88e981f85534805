// The JSON codec: what it writes, what it reads, and how it says what is wrong.
#include "model/codec/codec.h"
#include "model/types/usage.h"

#include <boost/json/serialize.hpp>

#include "gmock/gmock.h"
#include "model/operation_parameters.h"

namespace swarm {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

auto fault(std::string pointer, std::string detail) {
  return AllOf(Field(&FieldError::pointer, pointer), Field(&FieldError::detail, HasSubstr(detail)));
}

template <typename T>
std::vector<FieldError> faultsOf(std::string_view text) {
  std::vector<FieldError> faults;
  decode<T>(parseJson(text), T{}, "", faults, UnknownFields::Refuse);
  return faults;
}

template <typename Function>
Error errorOf(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::Internal, "nothing was thrown");
}

TEST(Codec, fillsInDefaultsForAbsentMembers) {
  auto config = fromJson<InstanceConfig>(parseJson(R"({"name":"web"})"));
  EXPECT_EQ(config.name, "web");
  EXPECT_EQ(config.resources.memory.max, 4096);
  EXPECT_EQ(config.resources.cpu.cores, 2);
  EXPECT_FALSE(config.network.docker);
}

TEST(Codec, keepsTheBaseForAbsentMembersAtEveryDepth) {
  ResourceConfig base;
  base.cpu.cores = 7;
  base.memory.max = 512;
  auto merged = fromJson<ResourceConfig>(parseJson(R"({"memory":{"min":64}})"), UnknownFields::Refuse, base);
  EXPECT_EQ(merged.cpu.cores, 7);
  EXPECT_EQ(merged.memory.max, 512);
  EXPECT_EQ(merged.memory.min, 64);
}

TEST(Codec, writesWhatItReads) {
  InstanceConfig config;
  config.name = "web";
  config.command = {"sleep", "1"};
  config.env = {{"A", "1"}, {"B", "zwei ü"}};
  config.resources.cpu.cores = 0.5;
  config.network.exposedPorts = {80, 8080};
  config.network.regions = {"ams"};
  config.network.flyio = FlyNetworkConfig{true, false};
  config.storage = {{5, false, "/data", "vol"}};
  config.labels = {{"team", "a/b~c"}};
  config.metadata = json::object{{"deep", {1, nullptr, json::object{{"x", 2.5}}}}};
  json::value first = toJson(config);
  json::value second = toJson(fromJson<InstanceConfig>(first));
  EXPECT_EQ(first, second);
  EXPECT_FALSE(first.at("network").as_object().contains("docker")) << "an absent optional is left out";
}

/// `network` as read, written.
std::string readNetwork(std::string_view network, NetworkConfig base = {}) {
  return json::serialize(toJson(fromJson<NetworkConfig>(parseJson(network), UnknownFields::Refuse, std::move(base))));
}

TEST(Codec, readsTheRegionsOfEarlierVersions) {
  EXPECT_EQ(readNetwork(R"({"docker":{"networkName":"team","networkDriver":"bridge","host":"box2"}})"),
            R"({"exposedPorts":[],"internalNetwork":false,"regions":["box2"],"docker":{"networkName":"team","networkDriver":"bridge"}})");
  EXPECT_EQ(readNetwork(R"({"flyio":{"privateNetwork":true,"regions":["ams","fra"],"ipv6":false}})"),
            R"({"exposedPorts":[],"internalNetwork":false,"regions":["ams","fra"],"flyio":{"privateNetwork":true,"ipv6":false}})");
  // A request without a provider may name hosts and regions; an update of them replaces the list, and one of other members does not.
  EXPECT_EQ(fromJson<NetworkConfig>(parseJson(R"({"docker":{"host":"box2"},"flyio":{"regions":["ams"]}})")).regions,
            (std::vector<std::string>{"box2", "ams"}));
  NetworkConfig base;
  base.regions = {"fra"};
  const auto updated = [&](std::string_view change) {
    return fromJson<NetworkConfig>(parseJson(change), UnknownFields::Refuse, base).regions;
  };
  EXPECT_EQ(updated(R"({"flyio":{"regions":["ams"]}})"), std::vector<std::string>{"ams"});
  EXPECT_EQ(updated(R"({"docker":{"host":""}})"), std::vector<std::string>{});
  EXPECT_EQ(updated(R"({"regions":["ams"],"docker":{"host":""}})"), std::vector<std::string>{"ams"});
  EXPECT_EQ(updated(R"({"docker":{"networkName":"team"},"flyio":{"ipv6":false}})"), std::vector<std::string>{"fra"});
  EXPECT_THAT(faultsOf<NetworkConfig>(R"({"docker":{"host":5},"flyio":{"region":"ams"}})"),
              UnorderedElementsAre(fault("/regions/0", "must be a string"), fault("/flyio/region", "is not a known field")));
}

TEST(Codec, readsTheRegionsOfTheProviderWhereAnInstanceOfAnEarlierVersionIs) {
  const std::string network = R"("config":{"network":{"docker":{"host":"box2"},"flyio":{"regions":["ams"]}}})";
  const auto regions = [&](std::string_view provider) {
    return fromJson<Instance>(parseJson(R"({"provider":")" + std::string(provider) + R"(",)" + network + "}")).config.network.regions;
  };
  EXPECT_EQ(regions("docker"), std::vector<std::string>{"box2"}) << "after a move, both are there";
  EXPECT_EQ(regions("flyio"), std::vector<std::string>{"ams"});
}

TEST(Codec, collectsEveryFaultWithItsPointer) {
  EXPECT_THAT(
      faultsOf<InstanceConfig>(R"({
    "name": 7,
    "command": ["ok", 1],
    "env": {"A": true, "x/y~z": 2},
    "resources": {"cpu": {"cores": "two", "core": 1}, "memory": {"max": 1.5, "min": 18446744073709551615}, "storage": []},
    "network": {"exposedPorts": [80, "81", null], "docker": 3},
    "storage": [{"persistent": "yes"}],
    "metadata": [],
    "unknownThing": 1
  })"),
      UnorderedElementsAre(fault("/name", "must be a string, not a number"), fault("/command/1", "must be a string"),
                           fault("/env/A", "must be a string, not a boolean"), fault("/env/x~1y~0z", "must be a string"),
                           fault("/resources/cpu/cores", "must be a number, not a string"),
                           fault("/resources/cpu/core", "did you mean \"cores\"?"), fault("/resources/memory/max", "without a fraction"),
                           fault("/resources/memory/min", "out of range"), fault("/resources/storage", "must be an object, not an array"),
                           fault("/network/exposedPorts/1", "must be an integer, not a string"),
                           fault("/network/exposedPorts/2", "must be an integer, not null"), fault("/network/docker", "must be an object"),
                           fault("/storage/0/persistent", "must be true or false"), fault("/metadata", "must be an object"),
                           fault("/unknownThing", "is not a known field")));
}

TEST(Codec, namesTheWholeBodyWhenItIsNotAnObject) {
  Error error = errorOf([] { fromJson<InstanceConfig>(parseJson("[1]")); });
  EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(error.message(), "The request has 1 invalid field: the whole body must be an object, not an array.");
  EXPECT_THAT(error.fields(), ElementsAre(fault("", "must be an object")));
}

TEST(Codec, countsAllFaultsButSpellsOutFive) {
  Error error = errorOf([] { fromJson<InstanceConfig>(parseJson(R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1})")); });
  EXPECT_THAT(error.message(), HasSubstr("The request has 7 invalid fields: /a is not a known field; "));
  EXPECT_THAT(error.message(), HasSubstr("; and 2 more."));
  EXPECT_EQ(error.fields().size(), 7u);
}

TEST(Codec, collectsAtMostAHundredFaults) {
  json::array ports(1000, json::value("x"));
  std::vector<FieldError> faults;
  decode<std::vector<std::int64_t>>(ports, {}, "/ports", faults, UnknownFields::Refuse);
  EXPECT_EQ(faults.size(), 100u);
  EXPECT_EQ(faults.back().pointer, "/ports/99");
}

TEST(Codec, skipsUnknownFieldsOnRequest) {
  auto config = fromJson<InstanceConfig>(parseJson(R"({"name":"a","future":{"x":1},"resources":{"gpu":1}})"), UnknownFields::Ignore);
  EXPECT_EQ(config.name, "a");
}

TEST(Codec, readsIntegersThatAreWrittenWithAPointOrExponent) {
  EXPECT_EQ(fromJson<std::int64_t>(parseJson("80.0")), 80);
  EXPECT_EQ(fromJson<std::int64_t>(parseJson("8e1")), 80);
  EXPECT_EQ(fromJson<std::int64_t>(parseJson("-9223372036854775808")), std::numeric_limits<std::int64_t>::min());
  EXPECT_THAT(faultsOf<std::int64_t>("9223372036854775808"), ElementsAre(fault("", "out of range")));
  EXPECT_THAT(faultsOf<std::int64_t>("1e300"), ElementsAre(fault("", "out of range")));
}

TEST(Codec, namesEnumsInBothDirections) {
  EXPECT_EQ(enumName(ProviderType::flyio), "flyio");
  EXPECT_EQ(enumFromName<InstanceStatus>("stopping"), InstanceStatus::stopping);
  EXPECT_FALSE(enumFromName<InstanceStatus>("Running"));
  EXPECT_EQ(enumName(OperationKind::remove), "delete");
  EXPECT_EQ(enumFromName<OperationKind>("delete"), OperationKind::remove);
  EXPECT_FALSE(enumFromName<OperationKind>("remove"));
  EXPECT_EQ(enumNames<ProviderType>(), "docker, flyio, fake");
  EXPECT_THAT(faultsOf<ProviderType>(R"("podman")"), ElementsAre(fault("", "must be one of docker, flyio, fake")));
}

TEST(Codec, writesTimesAsRfc3339AndNoTimeAsNull) {
  EXPECT_EQ(toJson(parseTime("2026-11-23T19:04:36.5Z")), json::value("2026-11-23T19:04:36.500Z"));
  EXPECT_TRUE(toJson(SystemTime{}).is_null());
  EXPECT_EQ(fromJson<SystemTime>(nullptr), SystemTime{});
  EXPECT_THAT(faultsOf<SystemTime>(R"("yesterday")"), ElementsAre(fault("", "RFC 3339")));
  EXPECT_THAT(faultsOf<SystemTime>("5"), ElementsAre(fault("", "not a number")));
}

TEST(Codec, writesAnInstanceWithTheNamesOfTheOriginalDesign) {
  Instance instance;
  instance.id = InstanceId("i-1");
  instance.config.metadata = {{"k", 1}};
  instance.createdAt = parseTime("2026-11-23T19:04:36Z");
  json::object out = toJson(instance).as_object();
  for (std::string_view name :
       {"id", "provider", "status", "createdAt", "lastActive", "config", "resources", "network", "metadata", "owner", "url", "statusReason",
        "desired", "version", "stale", "observedAt", "operationId", "imageOutdated"})
    EXPECT_TRUE(out.contains(name)) << name;
  EXPECT_EQ(out.size(), 19u);
  EXPECT_EQ(out.at("metadata"), (json::value{{"k", 1}}));
  EXPECT_EQ(toJson(fromJson<Instance>(out)), json::value(out)) << "its own JSON is accepted, strictly";
}

TEST(Codec, callsACommandsOutputStdoutAndStderr) {
  EXPECT_EQ(json::serialize(toJson(CommandResult{3, "out", "err", false})),
            R"({"exitCode":3,"stdout":"out","stderr":"err","truncated":false})");
  EXPECT_EQ(fromJson<CommandResult>(parseJson(R"({"exitCode":1,"stdout":"a","stderr":"b"})")).stderrText, "b");
}

TEST(Codec, leavesAnOperationsParametersToTheServer) {
  OperationRecord operation;
  operation.id = "op-1";
  operation.kind = OperationKind::remove;
  UpdateParameters parameters;
  parameters.config.env["A"] = "private";
  operation.parameters = parameters;
  operation.steps = {{"pull image", OperationStatus::running, {}, {}, "layer 3 of 7", 50, 200}};
  operation.error = Error(ErrorCode::Unprocessable, "The image was not found.").withCause("private");
  json::object out = toJson<Operation>(operation).as_object();
  EXPECT_THAT(json::serialize(out), testing::Not(HasSubstr("private")));
  EXPECT_EQ(out.at("kind"), json::value("delete"));
  EXPECT_EQ(out.at("steps").at(0).at("percent"), json::value(25));
  auto back = fromJson<Operation>(out);
  ASSERT_TRUE(back.error);
  EXPECT_EQ(back.error->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(toJson(back), json::value(out));
}

TEST(Codec, carriesAnErrorsPublicPartOnly) {
  Error error =
      Error(ErrorCode::UpstreamFailed, "The Engine answered 500.").withCause("secret").withUpstream({500, "req-9"}).withField("/a", "b");
  json::object out = errorToJson(error);
  EXPECT_THAT(json::serialize(out), testing::Not(HasSubstr("secret")));
  Error back = errorFromJson(out);
  EXPECT_EQ(back.code(), ErrorCode::UpstreamFailed);
  EXPECT_EQ(back.message(), error.message());
  EXPECT_EQ(back.upstream().status, 500);
  EXPECT_EQ(back.upstream().requestId, "req-9");
  EXPECT_THAT(back.fields(), ElementsAre(fault("/a", "b")));
  EXPECT_EQ(errorFromJson("nonsense").code(), ErrorCode::UpstreamFailed);
  EXPECT_EQ(errorFromJson(json::object{{"code", "???"}, {"detail", "Why."}}).message(), "Why.");
}

TEST(ParseJson, saysWhereMalformedTextGoesWrong) {
  Error error = errorOf([] { parseJson("{\n  \"a\": 1,\n  \"b\" 2\n}"); });
  EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("The request body is not valid JSON"));
  EXPECT_THAT(error.message(), HasSubstr("line 3, column"));
  EXPECT_THAT(errorOf([] { parseJson("{\"a\":"); }).message(), HasSubstr("ends too early (line 1, column 6)"));
  EXPECT_THAT(errorOf([] { parseJson("{} {}"); }).message(), HasSubstr("something after its end"));
  EXPECT_THAT(errorOf([] { parseJson(" \n"); }).message(), HasSubstr("is empty"));
}

TEST(ParseJson, refusesBadUtf8AndLoneSurrogates) {
  for (std::string_view text :
       {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\"\\ud800\"", "\"\\udc00x\"", "\"\xe2\x82"})
    EXPECT_EQ(errorOf([&] { parseJson(text); }).code(), ErrorCode::InvalidArgument) << text;
  EXPECT_EQ(parseJson("\"\xf0\x9f\x90\x9d\""), json::value("\xf0\x9f\x90\x9d"));
}

TEST(ParseJson, boundsItsDepth) {
  std::string deep(31, '['), deeper(33, '[');
  EXPECT_NO_THROW(parseJson(deep + std::string(31, ']')));
  EXPECT_THAT(errorOf([&] { parseJson(deeper + std::string(33, ']')); }).message(), HasSubstr("nested deeper than 32 levels"));
}

TEST(ParseJson, refusesWhatIsNotJson) {
  for (std::string_view text : {"{'a':1}", "[1,]", "// c\n1", "NaN", "01", "+1", "\"\t\"", "tru", "{\"a\":1,}", "\xef\xbb\xbf{}"})
    EXPECT_EQ(errorOf([&] { parseJson(text); }).code(), ErrorCode::InvalidArgument) << text;
}

TEST(ObjectReader, readsHandMadeShapesAndCollectsTheirFaults) {
  ObjectReader body(parseJson(R"({"user":"ann","ttl":"x","resources":{"cpu":{"cores":"y"}},"usr":1})"));
  EXPECT_EQ(body.require<std::string>("user"), "ann");
  EXPECT_EQ(body.require<std::string>("password"), "");
  EXPECT_FALSE(body.read<std::int64_t>("ttl"));
  EXPECT_FALSE(body.read<ResourceConfig>("resources"));
  Error error = errorOf([&] { body.finish(); });
  EXPECT_THAT(error.fields(),
              UnorderedElementsAre(fault("/password", "is required"), fault("/ttl", "must be an integer"),
                                   fault("/resources/cpu/cores", "must be a number"), fault("/usr", "did you mean \"user\"?")));
}

TEST(ObjectReader, refusesWhatIsNotAnObject) { EXPECT_THROW(ObjectReader(parseJson("3")), Error); }

TEST(PointerStep, escapesAsInRfc6901) {
  EXPECT_EQ(pointerStep("a/b~c"), "/a~1b~0c");
  EXPECT_EQ(pointerStep(""), "/");
  EXPECT_EQ(pointerStep(std::size_t{3}), "/3");
}

}  // namespace
}  // namespace swarm
