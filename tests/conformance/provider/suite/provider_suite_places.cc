// What moves need of a provider: a preview that makes nothing, and a second place of the same workspace beside the first.
#include <boost/json/parse.hpp>

#include "base/id.h"
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {
namespace {

boost::json::object parsed(const std::string& text) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  return !error && value.is_object() ? value.as_object() : boost::json::object();
}

/// The same workspace at another place: another id for the provider, the same for the agent.
InstanceSpec secondPlaceOf(InstanceSpec spec) {
  spec.placeId = PlaceId(newId("i"));
  spec.newVolumes = true;
  return spec;
}

}  // namespace

TEST_P(ProviderSuite, aPreviewReportsWhatACreateMakesAndMakesNothing) {
  InstanceSpec wanted = spec();
  PlacementPreview preview = runner_.run(provider().previewInstance(wanted, soon()));
  EXPECT_EQ(preview.problems, std::vector<std::string>{});
  EXPECT_TRUE(preview.imageFound) << preview.imageDetail;
  EXPECT_FALSE(preview.image.empty());
  EXPECT_FALSE(preview.imageDetail.empty());
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  EXPECT_EQ(list().size(), 0u);
  ProviderInstance made = create(wanted);
  EXPECT_EQ(preview.region, made.region);
  EXPECT_EQ(preview.resources.cpu.limit, made.resources.cpu.limit);
  EXPECT_EQ(preview.resources.memory.max, made.resources.memory.max);
}

TEST_P(ProviderSuite, aPreviewSaysWhyACreateWouldFailInsteadOfThrowing) {
  InstanceSpec wanted = spec();
  wanted.config.resources.memory.max = 1;
  PlacementPreview preview = runner_.run(provider().previewInstance(wanted, soon()));
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  ASSERT_EQ(preview.problems.size(), 1u);
  EXPECT_EQ(preview.problems[0], error->message());
  remove(wanted.placeId);
}

TEST_P(ProviderSuite, aPreviewSaysThatAnImageIsNotThere) {
  if (!deviations_.seesUnknownImages) GTEST_SKIP() << "declared: does not know which images exist";
  if (!deviations_.previewsImages) GTEST_SKIP() << "declared: cannot check images beforehand here";
  InstanceSpec wanted = spec();
  wanted.config.image = fixture_->unknownImage();
  PlacementPreview preview = runner_.run(provider().previewInstance(wanted, soon()));
  EXPECT_FALSE(preview.imageFound);
  ASSERT_EQ(preview.problems.size(), 1u);
  EXPECT_NE(preview.problems[0].find(fixture_->unknownImage()), std::string::npos) << preview.problems[0];
  EXPECT_FALSE(preview.imageDetail.empty());
}

TEST_P(ProviderSuite, aPreviewReportsThatAVolumeBelongsToAnotherOwner) {
  if (!deviations_.guardsVolumes) GTEST_SKIP() << "declared: volumes have no owner";
  InstanceSpec first = spec("one", "ada");
  first.config.storage[0].volumeName = "files" + first.placeId.str().substr(first.placeId.str().size() - 8);
  create(first);
  InstanceSpec other = spec("two", "bob");
  other.config.storage = first.config.storage;
  PlacementPreview preview = runner_.run(provider().previewInstance(other, soon()));
  ASSERT_FALSE(preview.problems.empty());
  EXPECT_NE(preview.problems[0].find("belong"), std::string::npos) << preview.problems[0];
}

TEST_P(ProviderSuite, twoPlacesOfOneWorkspaceLiveSideBySide) {
  InstanceSpec source = spec();
  source.config.network.exposedPorts = {8080};
  InstanceSpec target = secondPlaceOf(source);
  create(source);
  writeFile(source.placeId, "/home/coder/note", "source");
  ProviderInstance made = create(target);
  EXPECT_EQ(made.status, InstanceStatus::running) << made.reason;
  EXPECT_EQ(made.placeId, target.placeId);
  EXPECT_EQ(made.name, source.name);
  EXPECT_EQ(readFile(target.placeId, "/home/coder/note"), "") << "a place begins empty";
  writeFile(target.placeId, "/home/coder/note", "target");
  EXPECT_EQ(readFile(source.placeId, "/home/coder/note"), "source");
  EXPECT_EQ(list().size(), 2u);

  stop(source.placeId);
  EXPECT_EQ(status(target.placeId), InstanceStatus::running);
  restartServer();
  EXPECT_EQ(status(source.placeId), InstanceStatus::stopped);
  remove(source.placeId);
  EXPECT_EQ(status(source.placeId), InstanceStatus::deleted);
  EXPECT_EQ(readFile(target.placeId, "/home/coder/note"), "target");
  remove(target.placeId);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, theAgentsSettingsComeThroughWithMembersThatTheProviderDoesNotKnow) {
  InstanceSpec wanted = spec();
  wanted.agentBoot = R"({"instanceId":"i-of-the-workspace","publicKey":"00","hold":"op-1","more":{"list":[1,2]}})";
  create(wanted);
  boost::json::object seen = parsed(execute(wanted.placeId, {"printenv", "SWARM_AGENT"}).stdoutText);
  EXPECT_EQ(seen["instanceId"], "i-of-the-workspace");
  EXPECT_EQ(seen["hold"], "op-1");
  EXPECT_EQ(seen["more"], boost::json::parse(R"({"list":[1,2]})"));
  // Another start finds the same ones.
  stop(wanted.placeId);
  start(wanted.placeId);
  EXPECT_EQ(parsed(execute(wanted.placeId, {"printenv", "SWARM_AGENT"}).stdoutText)["hold"], "op-1");
}

TEST_P(ProviderSuite, aReplaceForTheSakeOfTheAgentsSettingsAloneTakesPlace) {
  InstanceSpec wanted = spec();
  wanted.agentBoot = R"({"instanceId":"i-1","publicKey":"00","hold":"op-1"})";
  create(wanted);
  writeFile(wanted.placeId, "/home/coder/note", "kept");
  wanted.agentBoot = R"({"instanceId":"i-1","publicKey":"00"})";
  ProviderInstance now = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_EQ(now.status, InstanceStatus::running);
  boost::json::object seen = parsed(execute(wanted.placeId, {"printenv", "SWARM_AGENT"}).stdoutText);
  EXPECT_EQ(seen["instanceId"], "i-1");
  EXPECT_FALSE(seen.contains("hold"));
  stop(wanted.placeId);
  start(wanted.placeId);
  EXPECT_FALSE(parsed(execute(wanted.placeId, {"printenv", "SWARM_AGENT"}).stdoutText).contains("hold"));
  EXPECT_EQ(readFile(wanted.placeId, "/home/coder/note"), "kept");
}

TEST_P(ProviderSuite, theTargetOfAMoveTakesNoVolumeThatIsThereAlready) {
  InstanceSpec first = spec();
  first.config.storage[0].volumeName = "files" + first.placeId.str().substr(first.placeId.str().size() - 8);
  create(first);
  writeFile(first.placeId, "/home/coder/note", "first");
  InstanceSpec target = secondPlaceOf(first);
  auto error = errorOf([&] { create(target); });
  if (error) {  // where names are unique
    EXPECT_EQ(error->code(), ErrorCode::Conflict) << error->message();
  } else {
    EXPECT_EQ(readFile(target.placeId, "/home/coder/note"), "");
    writeFile(target.placeId, "/home/coder/note", "target");
  }
  remove(target.placeId);
  EXPECT_EQ(readFile(first.placeId, "/home/coder/note"), "first");
  remove(first.placeId);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

}  // namespace swarm::testing
