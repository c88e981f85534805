// `swarm serve`: the program, which links every layer, provides the server.
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

class Serve final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.option("--config", flags_.configFile, "Configuration file (default: swarm.toml beside the credentials)").suggest(fileNames());
    arguments.option("--listen", flags_.listen, "Address and port (default 127.0.0.1:7420)");
    arguments.option("--base-domain", flags_.baseDomain, "Host of API and dashboard (default swarm.localhost)");
    arguments.option("--instance-domain", flags_.instanceDomain,
                     "Domain of workspaces, which are NAME.DOMAIN (default: localhost, or the base domain)");
    arguments.option("--public-url", flags_.publicUrl, "URL of the base host as browsers see it, behind a reverse proxy");
    arguments.option("--tls-certificate", flags_.variables["SWARM_TLS_CERTIFICATE_FILE"], "PEM file with the certificate and its chain")
        .suggest(fileNames());
    arguments.option("--tls-key", flags_.variables["SWARM_TLS_KEY_FILE"], "PEM file with the private key").suggest(fileNames());
    arguments.option("--tls-redirect-listen", flags_.variables["SWARM_TLS_REDIRECT_LISTEN"],
                     "Address and port that send browsers from http to https");
    arguments.flag("--insecure-http", flags_.insecureHttp,
                   "Serve plain HTTP to other machines, although passwords and cookies can be intercepted");
    arguments.option("--data-dir", flags_.dataDir, "Folder for the state of the server").suggest(fileNames());
    arguments.option("--secrets-key-file", flags_.variables["SWARM_SECRETS_KEY_FILE"], "File with the key of the secrets in that folder")
        .suggest(fileNames());
    arguments.option("--docker", flags_.variables["DOCKER_HOST"], "Docker Engine: unix:///path, tcp://host:port or ssh://user@host");
    arguments.option("--threads", flags_.threads, "Number of threads for connections (default: one per core, at most 4)");
    arguments.option("--log-level", flags_.logLevel, "debug, info, warning or error")
        .suggest({.words = {"debug", "info", "warning", "error"}});
    arguments.option("--log-style", flags_.logStyle, "text or json").suggest({.words = {"text", "json"}});
    arguments.flag("--reset-admin-password", flags_.resetAdminPassword,
                   "Give the user admin a new password, print the path of its file, and exit; the server must be stopped");
    arguments.flag("--fake-provider", flags_.fakeProvider, "Keep workspaces in memory only: for benchmarks and for trying the API");
  }

  int run(Context& context) override { return context.program().serve(flags_); }

 private:
  ServeFlags flags_;
};

}  // namespace

void addServe(const AddVerb& add) {
  add({.name = "serve",
       .summary = "Run the server: API, controller and gateway",
       .examples = {"swarm serve --listen 127.0.0.1:7420"},
       .kind = Verb::Kind::Local},
      std::make_unique<Serve>());
}

}  // namespace swarm::cli
