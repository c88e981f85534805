// The table of the Machines API (§2 - §8), and its lookup.
#include "emulator/api/route.h"

#include "net/http/http.h"

namespace swarm::emulator {
namespace {

constexpr LeaseGate kOpen = LeaseGate::Open;
constexpr LeaseGate kGated = LeaseGate::Gated;
constexpr BodyRule kOptional = BodyRule::Optional;
constexpr BodyRule kRequired = BodyRule::Required;
constexpr Limit kNormal = Limit::Normal;

std::vector<Route> appRoutes() {
  return {
      {"GET", "/v1/apps", "app_list", listApps, Scope::Nothing, Limit::None},
      {"POST", "/v1/apps", "app_create", createApp, Scope::Nothing, Limit::None, kOpen, kRequired, "main.createAppRequest"},
      {"GET", "/v1/apps/{app}", "app_get", getApp, Scope::AppItself},
      {"DELETE", "/v1/apps/{app}", "app_delete", deleteApp, Scope::AppItself, Limit::DeleteApp},
      {"POST", "/v1/apps/{app}/deploy_token", "deploy_token", createDeployToken, Scope::App, kNormal, kOpen, kRequired,
       "main.createDeployTokenRequest"},

      {"GET", "/v1/apps/{app}/ip_assignments", "ip_list", listIps},
      {"POST", "/v1/apps/{app}/ip_assignments", "ip_assign", assignIp, Scope::App, kNormal, kOpen, kRequired, "main.assignIPRequest"},
      {"DELETE", "/v1/apps/{app}/ip_assignments/{ip}", "ip_release", releaseIp},

      {"GET", "/v1/apps/{app}/secrets", "secret_list", listSecrets},
      {"POST", "/v1/apps/{app}/secrets", "secret_update", updateSecrets, Scope::App, kNormal, kOpen, kRequired,
       "main.updateSecretsRequest"},
      {"GET", "/v1/apps/{app}/secrets/{name}", "secret_get", getSecret},
      {"POST", "/v1/apps/{app}/secrets/{name}", "secret_set", setSecret, Scope::App, kNormal, kOpen, kRequired, "main.setSecretRequest"},
      {"DELETE", "/v1/apps/{app}/secrets/{name}", "secret_delete", deleteSecret},

      {"GET", "/v1/apps/{app}/network_policies", "policy_list", listPolicies},
      {"POST", "/v1/apps/{app}/network_policies", "policy_create", createPolicy, Scope::App, kNormal, kOpen, kRequired,
       "main.networkPolicy"},
      {"DELETE", "/v1/apps/{app}/network_policies/{id}", "policy_delete", deletePolicy},
  };
}

std::vector<Route> certificateRoutes() {
  return {
      {"GET", "/v1/apps/{app}/certificates", "certificate_list", listCertificates},
      {"POST", "/v1/apps/{app}/certificates/acme", "certificate_request", requestCertificate, Scope::App, kNormal, kOpen, kRequired,
       "main.createAcmeCertificateRequest"},
      {"POST", "/v1/apps/{app}/certificates/custom", "certificate_upload", uploadCertificate, Scope::App, kNormal, kOpen, kRequired,
       "main.createCustomCertificateRequest"},
      {"GET", "/v1/apps/{app}/certificates/{hostname}", "certificate_get", getCertificate},
      {"DELETE", "/v1/apps/{app}/certificates/{hostname}", "certificate_delete", deleteCertificate},
      {"DELETE", "/v1/apps/{app}/certificates/{hostname}/acme", "certificate_stop_acme", stopAcme},
      {"DELETE", "/v1/apps/{app}/certificates/{hostname}/custom", "certificate_delete_custom", deleteUploaded},
      {"POST", "/v1/apps/{app}/certificates/{hostname}/check", "certificate_check", checkCertificate},
  };
}

std::vector<Route> secretKeyRoutes() {
  return {
      {"GET", "/v1/apps/{app}/secretkeys", "secret_key_list", listSecretKeys},
      {"GET", "/v1/apps/{app}/secretkeys/{name}", "secret_key_get", getSecretKey},
      {"POST", "/v1/apps/{app}/secretkeys/{name}", "secret_key_set", setSecretKey, Scope::App, kNormal, kOpen, kRequired,
       "main.setSecretkeyRequest"},
      {"DELETE", "/v1/apps/{app}/secretkeys/{name}", "secret_key_delete", deleteSecretKey},
      {"POST", "/v1/apps/{app}/secretkeys/{name}/generate", "secret_key_generate", generateSecretKey, Scope::App, kNormal, kOpen, kRequired,
       "main.setSecretkeyRequest"},
      {"POST", "/v1/apps/{app}/secretkeys/{name}/encrypt", "secret_key_encrypt", encryptBySecretKey, Scope::App, kNormal, kOpen, kRequired,
       "main.encryptSecretkeyRequest"},
      {"POST", "/v1/apps/{app}/secretkeys/{name}/decrypt", "secret_key_decrypt", decryptBySecretKey, Scope::App, kNormal, kOpen, kRequired,
       "main.decryptSecretkeyRequest"},
      {"POST", "/v1/apps/{app}/secretkeys/{name}/sign", "secret_key_sign", signBySecretKey, Scope::App, kNormal, kOpen, kRequired,
       "main.signSecretkeyRequest"},
      {"POST", "/v1/apps/{app}/secretkeys/{name}/verify", "secret_key_verify", verifyBySecretKey, Scope::App, kNormal, kOpen, kRequired,
       "main.verifySecretkeyRequest"},
  };
}

std::vector<Route> machineRoutes() {
  return {
      {"GET", "/v1/apps/{app}/machines", "machine_list", listMachines},
      {"POST", "/v1/apps/{app}/machines", "machine_create", createMachine, Scope::App, kNormal, kOpen, kRequired,
       "main.createMachineRequest"},
      {"GET", "/v1/apps/{app}/machines/{machine}", "machine_get", getMachine, Scope::Machine, Limit::GetMachine},
      {"POST", "/v1/apps/{app}/machines/{machine}", "machine_update", updateMachine, Scope::Machine, kNormal, kGated, kRequired,
       "main.updateMachineRequest"},
      {"DELETE", "/v1/apps/{app}/machines/{machine}", "machine_delete", deleteMachine, Scope::Machine, kNormal, kGated},
      {"POST", "/v1/apps/{app}/machines/{machine}/start", "machine_start", startMachine, Scope::Machine, kNormal, kGated},
      {"POST", "/v1/apps/{app}/machines/{machine}/stop", "machine_stop", stopMachine, Scope::Machine, kNormal, kGated, kOptional,
       "main.stopRequest"},
      {"POST", "/v1/apps/{app}/machines/{machine}/suspend", "machine_suspend", suspendMachine, Scope::Machine, kNormal, kGated},
      {"POST", "/v1/apps/{app}/machines/{machine}/restart", "machine_restart", restartMachine, Scope::Machine, kNormal, kGated},
      {"POST", "/v1/apps/{app}/machines/{machine}/signal", "machine_signal", signalMachine, Scope::Machine, kNormal, kOpen, kRequired,
       "main.signalRequest"},
      {"POST", "/v1/apps/{app}/machines/{machine}/cordon", "machine_cordon", cordonMachine, Scope::Machine, kNormal, kGated},
      {"POST", "/v1/apps/{app}/machines/{machine}/uncordon", "machine_uncordon", uncordonMachine, Scope::Machine, kNormal, kGated},
      {"GET", "/v1/apps/{app}/machines/{machine}/wait", "machine_wait", waitForMachine, Scope::Machine},
      // §1: exec was observed to accept about 5 calls a second.
      {"POST", "/v1/apps/{app}/machines/{machine}/exec", "machine_exec", execInMachine, Scope::Machine, Limit::GetMachine, kOpen, kRequired,
       "main.execRequest"},
      {"GET", "/v1/apps/{app}/machines/{machine}/ps", "machine_ps", listProcesses, Scope::Machine},
      {"GET", "/v1/apps/{app}/machines/{machine}/events", "machine_events", listEvents, Scope::Machine},
      {"GET", "/v1/apps/{app}/machines/{machine}/versions", "machine_versions", listVersions, Scope::Machine},
  };
}

/// Calls about a Machine that do not affect the running process.
std::vector<Route> annotationRoutes() {
  return {
      {"GET", "/v1/apps/{app}/machines/{machine}/lease", "lease_get", getLease, Scope::Machine},
      {"POST", "/v1/apps/{app}/machines/{machine}/lease", "lease_acquire", acquireLease, Scope::Machine, kNormal, kOpen, kOptional,
       "main.createLeaseRequest"},
      {"DELETE", "/v1/apps/{app}/machines/{machine}/lease", "lease_release", releaseLease, Scope::Machine},
      {"GET", "/v1/apps/{app}/machines/{machine}/metadata", "metadata_get", getMetadata, Scope::Machine},
      {"PATCH", "/v1/apps/{app}/machines/{machine}/metadata", "metadata_patch", patchMetadata, Scope::Machine, kNormal, kOpen, kRequired,
       "main.updateMetadataRequest"},
      {"PUT", "/v1/apps/{app}/machines/{machine}/metadata", "metadata_patch", patchMetadata, Scope::Machine, kNormal, kOpen, kRequired,
       "main.updateMetadataRequest"},
      {"GET", "/v1/apps/{app}/machines/{machine}/metadata/{key}", "metadata_key_get", getMetadataKey, Scope::Machine},
      {"POST", "/v1/apps/{app}/machines/{machine}/metadata/{key}", "metadata_key_set", setMetadataKey, Scope::Machine, kNormal, kOpen,
       kRequired, "main.upsertMetadataKeyRequest"},
      {"DELETE", "/v1/apps/{app}/machines/{machine}/metadata/{key}", "metadata_key_delete", deleteMetadataKey, Scope::Machine},
      {"GET", "/v1/apps/{app}/machines/{machine}/memory", "memory_get", getMemory, Scope::Machine},
      {"PUT", "/v1/apps/{app}/machines/{machine}/memory", "memory_set", setMemory, Scope::Machine, kNormal, kOpen, kRequired,
       "main.setMemoryLimitRequest"},
      {"POST", "/v1/apps/{app}/machines/{machine}/memory/reclaim", "memory_reclaim", reclaimMemory, Scope::Machine, kNormal, kOpen,
       kRequired, "main.reclaimMemoryRequest"},
  };
}

std::vector<Route> volumeRoutes() {
  return {
      {"GET", "/v1/apps/{app}/volumes", "volume_list", listVolumes},
      {"POST", "/v1/apps/{app}/volumes", "volume_create", createVolume, Scope::App, kNormal, kOpen, kRequired, "main.createVolumeRequest"},
      {"GET", "/v1/apps/{app}/volumes/{volume}", "volume_get", getVolume, Scope::Volume},
      {"PUT", "/v1/apps/{app}/volumes/{volume}", "volume_update", updateVolume, Scope::Volume, kNormal, kOpen, kRequired,
       "main.updateVolumeRequest"},
      {"DELETE", "/v1/apps/{app}/volumes/{volume}", "volume_delete", deleteVolume, Scope::Volume},
      {"PUT", "/v1/apps/{app}/volumes/{volume}/extend", "volume_extend", extendVolume, Scope::Volume, kNormal, kOpen, kRequired,
       "main.extendVolumeRequest"},
      {"GET", "/v1/apps/{app}/volumes/{volume}/snapshots", "snapshot_list", listSnapshots, Scope::Volume},
      {"POST", "/v1/apps/{app}/volumes/{volume}/snapshots", "snapshot_create", createSnapshot, Scope::Volume},
  };
}

std::vector<Route> platformRoutes() {
  return {
      {"GET", "/v1/orgs/{org}/machines", "org_machines", listOrganizationMachines, Scope::Nothing, Limit::None},
      {"GET", "/v1/orgs/{org}/volumes", "org_volumes", listOrganizationVolumes, Scope::Nothing, Limit::None},
      {"GET", "/v1/platform/regions", "regions", listRegions, Scope::Nothing, Limit::None},
      {"POST", "/v1/platform/placements", "placements", probePlacements, Scope::Nothing, Limit::None, kOpen, kRequired,
       "main.getPlacementsRequest"},
      {"GET", "/v1/tokens/current", "token_current", currentToken, Scope::Nothing, Limit::None},
  };
}

/// The additional routes for Fly's command line; the real Fly serves them from another host.
std::vector<Route> webRoutes() {
  return {
      {"POST", "/graphql", "graphql", queryGraph, Scope::Nothing, Limit::None, kOpen, kRequired, "graphql.request"},
      {"GET", "/api/v1/organizations", "web_organizations", listWebOrganizations, Scope::Nothing, Limit::None},
      {"GET", "/api/v1/organizations/{org}", "web_organization", getWebOrganization, Scope::Nothing, Limit::None},
      {"POST", "/api/v1/builds", "web_build_create", createBuild, Scope::Nothing, Limit::None, kOpen, kOptional, "builds.createRequest"},
      {"POST", "/api/v1/builds/finish", "web_build_finish", finishBuild, Scope::Nothing, Limit::None, kOpen, kOptional,
       "builds.finishRequest"},
      {"GET", "/api/v1/apps/{app}/releases", "web_releases", listWebReleases, Scope::App, Limit::None},
      {"GET", "/api/v1/apps/{app}/logs", "web_logs", listWebLogs, Scope::App, Limit::None},
  };
}

std::string_view takeSegment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

bool matchesPath(std::string_view pattern, std::string_view path, std::vector<std::string>& arguments) {
  arguments.clear();
  while (!pattern.empty() && !path.empty()) {
    std::string_view wanted = takeSegment(pattern);
    std::string_view found = takeSegment(path);
    if (!wanted.starts_with('{')) {
      if (wanted != found) return false;
      continue;
    }
    std::optional<std::string> decoded = net::percentDecode(found);
    if (!decoded || decoded->empty()) return false;
    arguments.push_back(std::move(*decoded));
  }
  return pattern.empty() && path.empty();
}

const std::vector<Route>& routes() {
  static const std::vector<Route> kRoutes = [] {
    std::vector<Route> all;
    for (const auto& part : {appRoutes(), certificateRoutes(), secretKeyRoutes(), machineRoutes(), annotationRoutes(), volumeRoutes(),
                             platformRoutes(), webRoutes()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kRoutes;
}

const Route* findRoute(std::string_view method, std::string_view path, std::vector<std::string>& arguments) {
  if (!path.starts_with('/')) return nullptr;
  for (const Route& route : routes()) {
    if (route.method == method && matchesPath(route.pattern, path, arguments)) return &route;
  }
  return nullptr;
}

}  // namespace swarm::emulator
