// The Docker provider's configuration: [docker] of swarm.toml, DOCKER_HOST and SWARM_DOCKER_HOSTS, and the body of a request.
#include <algorithm>

#include "base/text/format.h"
#include "engine/transport/ssh_command.h"
#include "model/codec/codec_detail.h"
#include "provider/docker/docker_config.h"

namespace swarm {
namespace {

constexpr CandidateForm kDockerForm{.name = "DockerCandidate",
                                    .schema = R"({"type":"object","properties":{
  "host":{"type":"string","description":"Name or address of a TCP endpoint"},
  "port":{"type":"integer","minimum":1,"maximum":65535,"description":"2376 with TLS, 2375 without, when absent"},
  "tls":{"type":"object","properties":{
    "ca":{"type":"string","description":"PEM; absent: the system's authorities"},
    "certificate":{"type":"string","description":"PEM; client certificate of the server"},
    "key":{"type":"string","format":"password","description":"PEM; its key"}
  },"additionalProperties":false}
},"required":["host"],"additionalProperties":false})",
                                    .example = R"({"host":"box2.example.com","port":2376})"};

/// "unix:///var/run/docker.sock", "tcp://host:2376", "ssh://user@host", or a path, as in DOCKER_HOST.
void applyEndpoint(const std::string& text, DockerProviderConfig& engine) {
  engine.overSsh = false;
  if (text.starts_with(engine::kSshScheme)) {
    static_cast<engine::Endpoint&>(engine) = engine::parseSshUrl(text);
  } else if (text.starts_with("tcp://")) {
    const net::HostPort address = net::parseHostPort(text.substr(6));
    engine.host = address.host;
    engine.port = address.port;
  } else if (text.starts_with("unix://") || text.starts_with("/")) {
    engine.socketPath = text.starts_with("/") ? text : text.substr(7);
    engine.host.clear();
  } else {
    throw Error(ErrorCode::InvalidArgument,
                format("\"{}\" is not a Docker endpoint; expected unix:///path/docker.sock, tcp://host:port or ssh://user@host.", text));
  }
}

template <typename Enum>
void readEnum(ConfigSection& section, std::string_view key, Enum& into) {
  std::string name;
  section.read(key, name);
  if (name.empty()) return;
  const auto value = enumFromName<Enum>(name);
  if (!value)
    throw Error(ErrorCode::InvalidArgument, format("{} of [docker] is \"{}\"; expected one of: {}.", key, name, enumNames<Enum>()));
  into = *value;
}

/// The fields that each Engine has for itself.
void readEngine(ConfigSection& section, DockerProviderConfig& engine) {
  section.read("socketPath", engine.socketPath);
  section.read("host", engine.host);
  section.read("port", engine.port);
  section.readMembers(engine);
  readEnum(section, "isolation", engine.isolation);
  readEnum(section, "egress", engine.egress);
  readEnum(section, "agentTls", engine.agentTls);
  if (auto tls = section.child("tls")) {
    engine.tls.enabled = true;
    tls->read("ca", engine.tls.ca);
    tls->read("certificate", engine.tls.certificate);
    tls->read("key", engine.tls.key);
    tls->refuseUnknown();
  }
  if (!engine.host.starts_with(engine::kSshScheme)) return;
  if (engine.port != 0 || engine.tls.enabled)
    throw Error(ErrorCode::InvalidArgument,
                "A host of [docker] that begins with ssh:// has its port in it (ssh://user@host:port), and takes no tls.");
  applyEndpoint(std::string(engine.host), engine);
}

/// Reports the faults with their place in the whole body.
void readTls(const boost::json::object& body, Candidate& candidate, DockerTlsConfig& tls) {
  ObjectReader reader(body);
  tls.enabled = true;
  candidate.readPem(reader, "ca", tls.ca);
  candidate.readPem(reader, "certificate", tls.certificate);
  candidate.readPem(reader, "key", tls.key);
  try {
    reader.finish();
  } catch (Error& error) {
    for (FieldError& field : error.fields()) field.pointer = "/tls" + field.pointer;
    throw;
  }
}

class DockerSetup final : public ProviderSetup {
 public:
  ProviderType type() const override { return ProviderType::docker; }

  void readSection(ConfigSection section) override {
    section.read("enabled", enabled_);
    section.read("name", main().name);
    section.read("maxInstancesPerUser", main().maxInstancesPerUser);
    readEngine(section, main());
    if (auto hosts = section.child("hosts")) {
      for (const std::string& name : hosts->childNames()) {
        ConfigSection host = *hosts->child(name);
        readEngine(host, named(name));
        host.refuseUnknown();
      }
    }
    section.refuseUnknown();
  }

  /// SWARM_DOCKER_HOSTS ("box2=tcp://10.0.0.2:2375,box3=ssh://ops@box3") adds hosts, or sets the endpoints of those in
  /// [docker.hosts].
  void readVariables(const Variables& variables) override {
    if (auto endpoint = variables.get("DOCKER_HOST")) applyEndpoint(*endpoint, main());
    std::vector<std::string> hosts;
    variables.read("SWARM_DOCKER_HOSTS", hosts);
    for (const std::string& host : hosts) {
      const auto equals = host.find('=');
      if (equals == std::string::npos)
        throw Error(ErrorCode::InvalidArgument, format("SWARM_DOCKER_HOSTS: \"{}\" is not NAME=ENDPOINT (box2=tcp://box2:2375).", host));
      applyEndpoint(host.substr(equals + 1), named(host.substr(0, equals)));
    }
  }

  ProviderPtr make(const ProviderContext& context) const override {
    if (!enabled_) return nullptr;
    std::vector<DockerProviderConfig> engines = engines_;
    for (DockerProviderConfig& engine : engines) {
      engine.tags = context.tags;
      engine.looksOnly = context.looksOnly;
      engine.workspaceImage = context.workspaceImage;
      engine.allowedImages.insert(engine.allowedImages.end(), context.allowedImages.begin(), context.allowedImages.end());
    }
    return makeDockerProvider(std::move(engines), context.swarmId);
  }

  std::vector<net::HostPort> endpoints() const override {
    std::vector<net::HostPort> remote;
    for (const DockerProviderConfig& engine : engines_)
      if (!engine.host.empty() && !engine.overSsh) remote.push_back({engine.host, portOf(engine)});
    return remote;
  }

  CandidateForm candidateForm() const override { return kDockerForm; }

  ProviderPtr makeCandidate(const boost::json::object& body, Candidate& candidate, const ProviderContext& context) const override {
    DockerProviderConfig engine;
    engine.isCandidate = true;
    ObjectReader reader(body);
    Candidate::refusePaths(reader, {"socketPath"});
    engine.host = reader.require<std::string>("host");
    const auto port = reader.read<std::int64_t>("port").value_or(0);
    if (reader.has("port") && (port < 1 || port > 65'535)) reader.fail("/port", "must be from 1 to 65535");
    const auto tls = reader.read<boost::json::object>("tls");
    reader.finish();
    if (tls) readTls(*tls, candidate, engine.tls);
    engine.port = static_cast<std::uint16_t>(port);
    candidate.requireAllowed({engine.host, portOf(engine)}, "/host");
    engine.localImages = engines_.front().localImages;
    engine.workspaceImage = context.workspaceImage;
    return candidate.make([&] { return makeDockerProvider(engine, context.swarmId); });
  }

 private:
  DockerProviderConfig& main() { return engines_.front(); }
  DockerProviderConfig& named(const std::string& name) {
    auto found = std::find_if(engines_.begin() + 1, engines_.end(), [&](const DockerProviderConfig& one) { return one.name == name; });
    if (found != engines_.end()) return *found;
    engines_.emplace_back().name = name;
    return engines_.back();
  }

  bool enabled_ = true;
  std::vector<DockerProviderConfig> engines_ =
      std::vector<DockerProviderConfig>(1);  ///< the main one, and those of [docker.hosts], each with its name
};

}  // namespace

ProviderSetupPtr makeDockerSetup() { return std::make_unique<DockerSetup>(); }

}  // namespace swarm
