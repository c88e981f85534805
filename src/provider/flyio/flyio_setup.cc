// The Fly.io provider's configuration: [flyio] of swarm.toml, SWARM_FLYIO_* and FLY_API_TOKEN, and the body of a request.
#include "net/url.h"
#include "provider/flyio/flyio_config.h"

namespace swarm {
namespace {

constexpr CandidateForm kFlyForm{.name = "FlyCandidate",
                                 .schema = R"({"type":"object","properties":{
  "apiToken":{"type":"string","format":"password","description":"As `fly tokens create org` prints it"},
  "organization":{"type":"string","description":"\"personal\" when absent"},
  "regions":{"type":"array","items":{"type":"string"}},
  "defaultRegion":{"type":"string"},
  "apiBaseUrl":{"type":"string","description":"The configured one, or Fly's own, when absent"},
  "ca":{"type":"string","description":"PEM; the only authorities to trust; absent: the system's"}
},"required":["apiToken"],"additionalProperties":false})",
                                 .example = R"({"apiToken":"FlyV1 fm2_abc","organization":"personal","regions":["ams","fra"]})"};

std::optional<net::HostPort> addressOf(std::string_view url) {
  const auto parsed = net::parseUrl(url);
  return parsed ? std::optional(parsed->address()) : std::nullopt;
}

class FlyIOSetup final : public ProviderSetup {
 public:
  ProviderType type() const override { return ProviderType::flyio; }

  /// A section enables the provider, unless it contains enabled = false.
  void readSection(ConfigSection section) override {
    FlyIOProviderConfig account;
    bool enabled = true;
    section.read("enabled", enabled);
    section.readMembers(account);
    section.refuseUnknown();
    if (enabled) account_ = std::move(account);
  }

  /// Any of SWARM_FLYIO_* enables the provider, as a section does; FLY_API_TOKEN alone does not, since users set it for Fly's own tools.
  void readVariables(const Variables& variables) override {
    FlyIOProviderConfig account = account_.value_or(FlyIOProviderConfig());
    bool enabled = account_.has_value();
    enabled |= variables.read("SWARM_FLYIO_API_BASE_URL", account.apiBaseUrl);
    enabled |= variables.read("SWARM_FLYIO_APP_URL", account.appUrl);
    enabled |= variables.read("SWARM_FLYIO_CA_FILE", account.caFile);
    enabled |= variables.read("SWARM_FLYIO_API_TOKEN_FILE", account.apiTokenFile);
    enabled |= variables.read("SWARM_FLYIO_ORGANIZATION", account.organization);
    enabled |= variables.read("SWARM_FLYIO_REGIONS", account.regions);
    enabled |= variables.read("SWARM_FLYIO_WORKSPACE_IMAGE", account.workspaceImage);
    if (!enabled) return;
    if (auto token = variables.get("FLY_API_TOKEN")) {
      account.apiToken = Secret(*token);
      account.tokenFromEnvironment = true;
    }
    account_ = std::move(account);
  }

  ProviderPtr make(const ProviderContext& context) const override {
    if (!account_) return nullptr;
    FlyIOProviderConfig account = *account_;
    account.tags = context.tags;
    account.localWorkspaceImage = context.workspaceImage;
    account.allowedImages = context.allowedImages;
    return makeFlyIOProvider(std::move(account), context.swarmId, context.clock);
  }

  std::vector<net::HostPort> endpoints() const override {
    std::vector<net::HostPort> known{*addressOf(FlyIOProviderConfig().apiBaseUrl)};
    if (account_)
      if (auto configured = addressOf(account_->apiBaseUrl)) known.push_back(*configured);
    return known;
  }

  CandidateForm candidateForm() const override { return kFlyForm; }

  ProviderPtr makeCandidate(const boost::json::object& body, Candidate& candidate, const ProviderContext& context) const override {
    const FlyIOProviderConfig known = account_.value_or(FlyIOProviderConfig());
    FlyIOProviderConfig account;
    account.isCandidate = true;
    ObjectReader reader(body);
    Candidate::refusePaths(reader, {"apiTokenFile", "caFile"});
    account.apiToken = Secret(reader.require<std::string>("apiToken"));
    if (account.apiToken.empty()) reader.fail("/apiToken", "must not be empty");
    account.organization = reader.read<std::string>("organization").value_or(account.organization);
    account.regions = reader.read<std::vector<std::string>>("regions").value_or(account.regions);
    account.defaultRegion = reader.read<std::string>("defaultRegion").value_or("");
    account.apiBaseUrl = reader.read<std::string>("apiBaseUrl").value_or(known.apiBaseUrl);
    candidate.readPem(reader, "ca", account.caFile);
    const std::optional<net::HostPort> address = addressOf(account.apiBaseUrl);
    if (!address) reader.fail("/apiBaseUrl", "must be a URL, like https://api.machines.dev");
    reader.finish();
    candidate.requireAllowed(*address, "/apiBaseUrl");
    // The image's source is part of the configuration: a registry is an endpoint, too.
    account.workspaceImage = known.workspaceImage;
    account.appUrl = known.appUrl;
    if (account.caFile.empty() && account.apiBaseUrl == known.apiBaseUrl) account.caFile = known.caFile;
    account.localWorkspaceImage = context.workspaceImage;
    return candidate.make([&] { return makeFlyIOProvider(account, context.swarmId, context.clock); });
  }

 private:
  std::optional<FlyIOProviderConfig> account_;  ///< absent: not enabled
};

}  // namespace

ProviderSetupPtr makeFlyIOSetup() { return std::make_unique<FlyIOSetup>(); }

}  // namespace swarm
