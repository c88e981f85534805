// Every rule of a configuration, at its edges.
#include "model/rules/validation.h"

#include <rapidcheck.h>

#include "gmock/gmock.h"
#include "model/codec/codec.h"
#include "model/rules/schema.h"

namespace swarm {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

InstanceConfig goodConfig() {
  InstanceConfig config;
  config.name = "web";
  config.image = "debian:12";
  config.storage = {{10, true, "/home/coder", ""}};
  return config;
}

void requireValid(const InstanceConfig& config) {
  Faults faults;
  validate(config, faults);
  throwIfAny(std::move(faults));
}

/// "pointer detail" of each fault after `change` was made to a good configuration.
template <typename Change>
std::vector<std::string> faultsAfter(Change change) {
  InstanceConfig config = goodConfig();
  change(config);
  Faults faults;
  validate(config, faults);
  std::vector<std::string> out;
  for (const FieldError& fault : faults) out.push_back(fault.pointer + " " + fault.detail);
  return out;
}

TEST(Validation, acceptsAGoodConfigurationAndAnEmptyOne) {
  EXPECT_THAT(faultsAfter([](auto&) {}), IsEmpty());
  EXPECT_NO_THROW(requireValid(InstanceConfig{})) << "name, image and storage are filled in later";
}

TEST(Validation, reportsEveryFaultAtOnceBelowItsPointer) {
  InstanceConfig config = goodConfig();
  config.name = "-x";
  config.env["SWARM_A"] = "1";
  config.resources.memory.max = 1;
  config.network.exposedPorts = {0};
  config.storage[0].mountPath = "relative";
  Faults faults;
  validate(config, faults, "/config");
  std::vector<std::string> pointers;
  for (const FieldError& fault : faults) pointers.push_back(fault.pointer);
  EXPECT_THAT(pointers, ElementsAre("/config/name", "/config/env/SWARM_A", "/config/resources/memory/max", "/config/network/exposedPorts/0",
                                    "/config/storage/0/mountPath"));
  try {
    requireValid(config);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("The request has 5 invalid fields: /name must be"));
  }
}

TEST(Validation, addsToWhatDecodingFoundButNotTwice) {
  InstanceConfig config;
  config.name = "-x";
  config.storage.emplace_back();  // its mountPath could not be read
  Faults faults{{"/storage/0/mountPath", "must be a string, not a number"}};
  validateDecoded(config, faults);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[0].detail, "must be a string, not a number");
  EXPECT_EQ(faults[1].pointer, "/name");
}

TEST(Validation, wantsNamesThatAreDnsLabels) {
  for (const char* name : {"a", "web", "web-1", "1", "a-b-c", "0123456789012345678901234567890123456789"})
    EXPECT_EQ(nameFault(name), "") << name;
  for (const char* name :
       {"", "Web", "-web", "web-", "w_b", "w.b", "w b", "web\n", "\xc3\xa4", "a/b", "01234567890123456789012345678901234567890"})
    EXPECT_THAT(nameFault(name), HasSubstr("must be 1 to 40")) << name;
  for (const char* name : {"a--b", "8080--web", "xn--a"}) EXPECT_THAT(nameFault(name), HasSubstr("\"--\"")) << name;
  for (const char* name : {"www", "api", "localhost"}) EXPECT_THAT(nameFault(name), HasSubstr("is reserved")) << name;
  EXPECT_THAT(nameFault("i-01jd9qkz4t0123456789abcdef"), HasSubstr("workspace's id"));
  EXPECT_EQ(nameFault("i-am-here"), "");
}

TEST(Validation, acceptsImageReferences) {
  for (const char* image : {"debian", "debian:12", "team/image", "registry.example.com/a/b/c:v1.2_x-y", "registry:5000/image",
                            "localhost/image", "localhost:5000/image:tag", "a__b/c--d.e", "swarm-workspace:latest",
                            "debian@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                            "r.io/debian:12@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})
    EXPECT_TRUE(isImageReference(image)) << image;
}

TEST(Validation, refusesWhatIsNotAnImageReference) {
  for (const char* image : {"",     ":",     "Debian",    "debian:",           "debian:12:13", "/debian",         "debian/",
                            "a//b", "a b",   "a:t ag",    "debian@sha256:abc", "debian@md5:1", "-debian",         "debian-",
                            ".a",   "a..b",  "a___b",     "reg.io:port/x",     "reg.io:/x",    "http://reg.io/x", "a\n",
                            "../a", "$(id)", "debian:-x", "REG.io/Image"})
    EXPECT_FALSE(isImageReference(image)) << image;
  EXPECT_FALSE(isImageReference(std::string(256, 'a')));
  EXPECT_THAT(faultsAfter([](auto& c) { c.image = "No Image"; }), ElementsAre(HasSubstr("/image must be an image reference")));
}

TEST(Validation, keepsResourcesWithinTheirRanges) {
  for (double cores : {0.1, 1024.0}) EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.cpu.cores = cores; }), IsEmpty());
  for (double cores : {0.0, 0.09, -1.0, 1024.1, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.cpu.cores = cores; }),
                ElementsAre(HasSubstr("/resources/cpu/cores must be 0.1 to 1024")));
  for (std::int64_t limit : {0, 10, 1'024'000}) EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.cpu.limit = limit; }), IsEmpty());
  for (std::int64_t limit : {-1, 9, 1'024'001})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.cpu.limit = limit; }), ElementsAre(HasSubstr("/resources/cpu/limit must be 10 to")));
  for (std::int64_t max : {-1, 0, 5, 16'777'217})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.memory.max = max; }), ElementsAre(HasSubstr("/resources/memory/max must be 6 to")));
  EXPECT_THAT(faultsAfter([](auto& c) { c.resources.memory = {6, 6}; }), IsEmpty());
  EXPECT_THAT(faultsAfter([](auto& c) { c.resources.memory = {5, 100}; }), ElementsAre(HasSubstr("/resources/memory/min must be 6 to")));
  EXPECT_THAT(faultsAfter([](auto& c) { c.resources.memory = {101, 100}; }),
              ElementsAre(HasSubstr("/resources/memory/min must not be above max, which is 100")));
  for (std::int64_t pids : {-1, 0, 15, 4'194'305})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.pids = pids; }), ElementsAre(HasSubstr("/resources/pids must be 16 to")));
  for (std::int64_t shm : {0, 1, 4096}) EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.shmSize = shm; }), IsEmpty());
  EXPECT_THAT(faultsAfter([](auto& c) { c.resources.shmSize = -1; }), ElementsAre(HasSubstr("/resources/shmSize must be 1 to")));
  EXPECT_THAT(faultsAfter([](auto& c) { c.resources.shmSize = 4097; }),
              ElementsAre("/resources/shmSize must not be above memory.max, which is 4096 MiB"));
  for (std::int64_t size : {-1, 0, 65'537})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.resources.storage.size = size; }),
                ElementsAre(HasSubstr("/resources/storage/size must be 1 to")));
}

TEST(Validation, distinguishesMembersThatOnlyAnotherContainerHas) {
  const ResourceConfig before;
  ResourceConfig after;
  EXPECT_FALSE(differInFixed(before, after));
  after.memory.max = 100;
  after.pids = 100;
  EXPECT_FALSE(differInFixed(before, after));
  after.shmSize = 64;
  EXPECT_TRUE(differInFixed(before, after));
}

TEST(Validation, hasTheRangesOfTheSchema) {
  for (auto [type, member] : {std::pair("CpuPatch", "cores"), std::pair("MemoryPatch", "max"), std::pair("ResourcePatch", "pids"),
                              std::pair("StorageResourcePatch", "size")}) {
    boost::json::object schema = jsonSchemaFor(type)["properties"].as_object()[member].as_object();
    for (const char* edge : {"minimum", "maximum"}) {
      double value = schema[edge].to_number<double>();
      auto set = [&](InstanceConfig& c, double v) {
        std::string name = member;
        if (name == "cores") c.resources.cpu.cores = v;
        if (name == "max") c.resources.memory.max = static_cast<std::int64_t>(v);
        if (name == "pids") c.resources.pids = static_cast<std::int64_t>(v);
        if (name == "size") c.resources.storage.size = static_cast<std::int64_t>(v);
      };
      double beyond = std::string(edge) == "minimum" ? (value < 1 ? value / 2 : value - 1) : value + 1;
      EXPECT_THAT(faultsAfter([&](auto& c) { set(c, value); }), IsEmpty()) << type << "." << member << " " << edge;
      EXPECT_THAT(faultsAfter([&](auto& c) { set(c, beyond); }), testing::SizeIs(1)) << type << "." << member << " " << edge;
    }
  }
}

TEST(Validation, checksExposedPorts) {
  EXPECT_THAT(faultsAfter([](auto& c) { c.network.exposedPorts = {1, 65'535, 8080}; }), IsEmpty());
  EXPECT_THAT(faultsAfter([](auto& c) { c.network.exposedPorts = {0, 65'536, -5, 7777, 80, 80}; }),
              ElementsAre(HasSubstr("/network/exposedPorts/0 must be 1 to 65535, not 0"), HasSubstr("/network/exposedPorts/1"),
                          HasSubstr("/network/exposedPorts/2"), HasSubstr("/network/exposedPorts/3 must not be 7777"),
                          HasSubstr("/network/exposedPorts/5 is there twice")));
  EXPECT_THAT(faultsAfter([](auto& c) {
                for (int i = 0; i < 65; ++i) c.network.exposedPorts.push_back(100 + i);
              }),
              ElementsAre(HasSubstr("at most 64")));
}

TEST(Validation, checksRegions) {
  EXPECT_THAT(faultsAfter([](auto& c) { c.network.regions = {"ams", "box-2"}; }), IsEmpty());
  for (const char* wrong : {"Box2", "-box", "box-", "box_2", "a.b", "Ams", ""}) {
    EXPECT_THAT(faultsAfter([&](auto& c) { c.network.regions = {"ams", wrong}; }),
                ElementsAre(HasSubstr("/network/regions/1 must be a region, like ams, or the name of a Docker host")));
  }
  EXPECT_THAT(faultsAfter([](auto& c) { c.network.regions.assign(17, "ams"); }),
              ElementsAre(HasSubstr("/network/regions must have at most 16")));
}

TEST(Validation, leavesTheOptionsOfAProviderToIt) {
  EXPECT_THAT(faultsAfter([](auto& c) { c.network.docker = DockerNetworkConfig{"host", "null"}; }), IsEmpty());
}

TEST(Validation, keepsVolumesAwayFromWhatTheInstanceNeeds) {
  for (const char* path : {"/data", "/home/coder", "/home", "/srv/a-b_c.d", "/tmp", "/mnt/x", "/opt/tools", "/optional", "/runner",
                           "/var/lib/docker", "/rooted"})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.storage[0].mountPath = path; }), IsEmpty()) << path;
  for (const char* path :
       {"/proc",        "/proc/1",    "/sys/fs",  "/dev",       "/dev/shm",       "/run",   "/run/x",     "/etc/swarm",
        "/etc/swarm/x", "/etc",       "/opt",     "/opt/swarm", "/opt/swarm/bin", "/usr",   "/usr/local", "/usr/local/bin",
        "/root",        "/root/.ssh", "/etc/ssh", "/bin",       "/lib",           "/lib/x", "/var",       "/var/run"})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.storage[0].mountPath = path; }), ElementsAre(HasSubstr("/storage/0/mountPath must not cover")))
        << path;
}

TEST(Validation, wantsNormalMountPaths) {
  for (const char* path :
       {"/", "data", "./data", "/data/", "//data", "/a//b", "/a/./b", "/a/../b", "/..", "/a/..", "/a:b", "/a,b", "/a\nb", "C:\\x", "~"})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.storage[0].mountPath = path; }),
                ElementsAre(HasSubstr("/storage/0/mountPath must be an absolute path")))
        << path;
  EXPECT_THAT(faultsAfter([](auto& c) { c.storage[0].mountPath = ""; }), ElementsAre("/storage/0/mountPath is required"));
  EXPECT_THAT(faultsAfter([](auto& c) { c.storage[0].mountPath = "/" + std::string(255, 'a'); }), ElementsAre(HasSubstr("absolute path")));
}

TEST(Validation, wantsEachVolumeOnce) {
  EXPECT_THAT(faultsAfter([](auto& c) { c.storage = {{1, true, "/a", "one"}, {1, true, "/a", "two"}, {1, true, "/b", "one"}}; }),
              ElementsAre("/storage/1/mountPath is there twice", "/storage/2/volumeName is there twice"));
  EXPECT_THAT(faultsAfter([](auto& c) { c.storage = {{1, true, "/a", ""}, {1, true, "/b", ""}}; }), IsEmpty())
      << "made from the instance's id";
  EXPECT_THAT(faultsAfter([](auto& c) { c.storage[0].size = 0; }), ElementsAre(HasSubstr("/storage/0/size must be 1 to")));
  for (const std::string& name : {std::string("a"), std::string("-ab"), std::string("a/b"), std::string("../x"), std::string("a b"),
                                  std::string("vol\n"), std::string("/host/path"), std::string(129, 'a')})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.storage[0].volumeName = name; }),
                ElementsAre(HasSubstr("/storage/0/volumeName must be 2 to 128")))
        << name;
}

TEST(Validation, takesTheNameOfAVolumeThatADeletedInstanceLeft) {
  // The longest that the Docker provider makes: an id, 40 characters of the mount path, and a hash.
  const std::string kept = "swarm-i-01m8tsf8qb01dcpcvf256t0242-" + std::string(40, 'a') + "-dc8f97c3";
  EXPECT_THAT(faultsAfter([&](auto& c) { c.storage[0].volumeName = kept; }), IsEmpty());
}

TEST(Validation, checksTheEnvironment) {
  EXPECT_THAT(faultsAfter([](auto& c) { c.env = {{"PATH_X", "a=b\nc"}, {"lower.dot-dash", ""}}; }), IsEmpty());
  for (std::string name :
       {std::string(""), std::string("A=B"), std::string("A B"), std::string("A\0B", 3), std::string("A\nB"), std::string(257, 'A')})
    EXPECT_THAT(faultsAfter([&](auto& c) { c.env[name] = "x"; }), ElementsAre(HasSubstr("must have a name"))) << name;
  EXPECT_THAT(faultsAfter([](auto& c) { c.env["SWARM_TOKEN"] = "x"; }),
              ElementsAre(HasSubstr("/env/SWARM_TOKEN must not begin with SWARM_")));
  EXPECT_THAT(faultsAfter([](auto& c) { c.env["A"] = std::string("\0", 1); }), ElementsAre("/env/A must not contain a NUL character"));
  EXPECT_THAT(faultsAfter([](auto& c) { c.env["A"] = std::string(32 * 1024 + 1, 'x'); }), ElementsAre("/env/A must have at most 32 KiB"));
  EXPECT_THAT(faultsAfter([](auto& c) {
                for (int i = 0; i < 9; ++i) c.env["A" + std::to_string(i)] = std::string(30 * 1024, 'x');
              }),
              ElementsAre(HasSubstr("/env must have at most 256 KiB in all")));
}

TEST(Validation, checksCommandLabelsAndMetadata) {
  EXPECT_THAT(faultsAfter([](auto& c) { c.command = {"", std::string("\0", 1)}; }),
              UnorderedElementsAre(HasSubstr("/command/0 must not be empty"), HasSubstr("/command/1 must not contain a NUL")));
  EXPECT_THAT(faultsAfter([](auto& c) { c.command = {std::string(64 * 1024 + 1, 'x')}; }),
              ElementsAre(HasSubstr("/command must have at most 64 KiB")));
  EXPECT_THAT(faultsAfter([](auto& c) { c.labels = {{"team", "blue"}, {"example.com/x", ""}, {"swarming", "ok"}}; }), IsEmpty());
  EXPECT_THAT(faultsAfter([](auto& c) { c.labels = {{"swarm.id", "x"}, {"", "y"}, {"a b", "z"}, {"ok", "a\nb"}}; }),
              UnorderedElementsAre(HasSubstr("/labels/swarm.id must not begin"), HasSubstr("/labels/ must have a key"),
                                   HasSubstr("/labels/a b must have a key"), HasSubstr("/labels/ok must have at most 1024")));
  EXPECT_THAT(faultsAfter([](auto& c) { c.metadata["x"] = std::string(64 * 1024, 'x'); }),
              ElementsAre(HasSubstr("/metadata must have at most 64 KiB")));
}

TEST(Validation, boundsTheFaultsOfHugeMaps) {
  EXPECT_LE(faultsAfter([](auto& c) {
              for (int i = 0; i < 5000; ++i) c.env["=" + std::to_string(i)] = "x";
            }).size(),
            150u);
}

TEST(Defaults, fillInWhatTheRequestLeftOut) {
  InstanceConfig config;
  ConfigDefaults defaults;
  defaults.image = "swarm-workspace:latest";
  fillInDefaults(config, defaults, [](auto) { return false; });
  EXPECT_THAT(config.name, testing::MatchesRegex("ws-[a-z]+-[a-z]+-[0-9]+"));
  EXPECT_EQ(config.image, "swarm-workspace:latest");
  ASSERT_EQ(config.storage.size(), 1u);
  EXPECT_EQ(config.storage[0].mountPath, "/home/coder");
  EXPECT_TRUE(config.storage[0].persistent);
  EXPECT_NO_THROW(requireValid(config));
}

TEST(Defaults, keepWhatTheRequestSaid) {
  InstanceConfig config = goodConfig();
  config.storage[0].mountPath = "/data";
  fillInDefaults(config, {}, [](auto) { return true; });
  EXPECT_EQ(config.name, "web");
  EXPECT_EQ(config.storage.size(), 1u);
}

TEST(Defaults, findAFreeNameEvenWhenNearlyAllAreTaken) {
  int calls = 0;
  std::string name = makeInstanceName("ws-", [&](std::string_view) { return ++calls < 70; });
  EXPECT_EQ(nameFault(name), "") << name;
  EXPECT_EQ(calls, 70);
}

TEST(Defaults, makeOnlyValidNames) {
  for (int i = 0; i < 2000; ++i) {
    std::string name = makeInstanceName("ws-", [](auto) { return false; });
    ASSERT_EQ(nameFault(name), "") << name;
  }
}

TEST(Validation, neverCrashesOnArbitraryText) {
  rc::check([](const std::string& text) {
    InstanceConfig config;
    config.name = config.image = text;
    config.command = {text};
    config.env[text] = text;
    config.labels[text] = text;
    config.storage = {{1, true, text, text}};
    config.network.regions = {text};
    Faults faults;
    validate(config, faults);
    RC_ASSERT(text.empty() || nameFault(text).empty() || !faults.empty());
  });
}

}  // namespace
}  // namespace swarm
