// Verbs on workspaces as a whole: their flags and help texts.
#include "base/text/format.h"
#include "cli/command_line.h"

namespace swarm::cli {

void CommandLine::addServe() {
  CLI::App* made = verb("serve", "Run the server: API, controller and gateway", "swarm serve --listen 127.0.0.1:7420");
  made->add_option("--config", serve_flags_.configFile, "Configuration file (default: swarm.toml beside the credentials)");
  made->add_option("--listen", serve_flags_.listen, "Address and port (default 127.0.0.1:7420)");
  made->add_option("--base-domain", serve_flags_.baseDomain, "Host of API and dashboard (default swarm.localhost)");
  made->add_option("--instance-domain", serve_flags_.instanceDomain, "Workspaces are NAME.DOMAIN (default: localhost, or the base domain)");
  made->add_option("--public-url", serve_flags_.publicUrl, "The base host's URL as browsers see it, when a proxy stands before it");
  made->add_flag("--insecure-http", serve_flags_.insecureHttp,
                 "Serve plain HTTP to other machines: passwords and cookies can be read on the way");
  made->add_option("--data-dir", serve_flags_.dataDir, "Where the server keeps its state");
  made->add_option("--docker", serve_flags_.dockerHost, "Docker Engine: unix:///path or tcp://host:port");
  made->add_option("--threads", serve_flags_.threads, "Threads that carry connections (default: one per core, at most 4)");
  made->add_option("--log-level", serve_flags_.logLevel, "debug, info, warning or error");
  made->add_option("--log-style", serve_flags_.logStyle, "text or json");
  made->add_flag("--fake-provider", serve_flags_.fakeProvider, "Workspaces in memory only: for benchmarks and trying the API");
  made->callback([this] { action_ = [this] { return serve_(serve_flags_); }; });
}

void CommandLine::addSession() {
  CLI::App* made =
      verb("login", "Sign in and keep the token for later commands", "swarm login --url http://swarm.localhost:7420 --user admin");
  made->add_option("--user", login_.user, "User name (default admin)");
  made->add_flag("--password-stdin", login_.passwordFromStdin, "Read the password from standard input");
  onRun(made, [this](Context& context) { return login(context, login_); });
  onRun(verb("logout", "Revoke the token and remove it from this machine", "swarm logout"),
        [](Context& context) { return logout(context); });
  onRun(verb("whoami", "Show the signed-in user", "swarm whoami -o json"), [](Context& context) { return whoami(context); });
  CLI::App* git =
      verb("git-identity", "Show or set who your commits are by in new workspaces", "swarm git-identity \"Ada Lovelace\" ada@example.com");
  git->add_option("name", git_.name, "Author name; none: show what is set");
  git->add_option("email", git_.email, "E-mail address");
  git->add_flag("--clear", git_.clear, "Remove it")->excludes("name");
  onRun(git, [this](Context& context) { return gitIdentity(context, git_); });

  made = verb("login-link", "Print a link that signs a browser in, once, within 10 minutes", "swarm login-link dev");
  made->add_option("name", name_, "Workspace that it opens (default: the list of workspaces)");
  onRun(made, [this](Context& context) { return loginLink(context, name_); });

  made = verb("sessions", "Live sessions: list, end", "swarm sessions end 1.abc");
  made->require_subcommand(0, 1);
  onRun(made, [](Context& context) { return sessionsList(context); });
  CLI::App* part = made->add_subcommand("end", "End sessions: their tokens and cookies become void");
  part->add_option("ids", names_, "Ids of sessions")->required();
  onRun(part, [this](Context& context) { return sessionsEnd(context, names_); });
}

void CommandLine::addCreate() {
  CLI::App* made =
      verb("create", "Create a workspace and wait until VS Code answers", "swarm create web1 --cpus 2 --memory 4g --port 3000");
  made->add_option("name", create_.name, "Name: a DNS label; one is made when absent");
  addCreateOptions(made);
  made->add_flag("--ephemeral", create_.ephemeral, "Its volumes are deleted with it");
  made->add_option("--setup", create_.setupFile, "Script that each new container runs once, as the user (- for standard input)");
  made->add_flag("--open", create_.open, "Open the browser when it runs");
  addWait(made, create_.wait);
  made->footer("What stands behind -- is a command to run beside VS Code.\nExample:\n  swarm create web1 --cpus 2 --memory 4g --port 3000");
  onRun(made, [this](Context& context) {
    create_.command = command_;
    return create(context, create_);
  });
}

/// What the instance is made with, by create and by import.
void CommandLine::addCreateOptions(CLI::App* made) {
  made->add_option("--provider", create_.provider, "docker or flyio (default: the server places it)");
  made->add_option("--image", create_.image, "Image (default: the workspace image)");
  addResources(made, create_.resources);
  made->add_option("-e,--env", create_.env, "KEY=VALUE in its environment; may be repeated");
  made->add_option("-l,--label", create_.labels, "KEY=VALUE label; may be repeated");
  made->add_option("--region", create_.regions, "Where it runs: Fly.io's region, like ams, or a Docker host; several are tried in order")
      ->delimiter(',');
  made->add_option("-p,--port", create_.ports,
                   "Port to publish; may be repeated. Ports inside are reachable at PORT.NAME.localhost without it");
  made->add_option("-v,--volume", create_.volumes, "[NAME:]/path[:GiB]; may be repeated (default: one at /home/coder)");
  made->add_flag("--internal-network", create_.internalNetwork, "No way out to the internet");
}

void CommandLine::addArchive() {
  CLI::App* made = verb("export", "Write a workspace's files as one archive (POSIX tar, Zstandard)", "");
  made->add_option("name", export_.name, "Name or id; it must run")->required();
  made->add_option("-o,--output", export_.file, "File to write, which gets its name when it is whole; - for standard output (the default)");
  made->footer(
      "It holds the persistent storages, with owners, modes, times, attributes, links and holes. What changes meanwhile, and sockets, "
      "are told.\n"
      "A whole archive ends with exit code 0; one that was cut is known to zstd, tar and `swarm import` too.\n"
      "Examples:\n  swarm export web1 > web1.tar.zst\n  swarm export web1 -o web1.tar.zst\n  zstd -dc web1.tar.zst | tar -t");
  onRun(made, [this](Context& context) { return exportArchive(context, export_); });

  made = verb("import", "Make a workspace from an archive of `swarm export`", "");
  made->add_option("file", import_.file, "The archive; - for standard input")->required();
  made->add_option("--name", create_.name, "Name: a DNS label; one is made when absent");
  addCreateOptions(made);
  made->add_flag("--force", import_.force, "Into the workspace of that name, if there is one: what is in its storages is replaced");
  made->add_option_function<int>(
          "--timeout", [this](int seconds) { create_.wait.timeout = std::chrono::seconds(seconds); },
          format("Seconds to wait for its creation (default {})", create_.wait.timeout.count()))
      ->check(CLI::Range(1, 86400));
  made->footer(
      "It needs a storage for each in the archive (--volume). Whatever fails says what is left, and how to remove it.\n"
      "Examples:\n  swarm import web1.tar.zst --name web2\n  swarm import web1.tar.zst --name web2 --provider flyio --region ams\n"
      "  swarm export web1 | swarm import - --name web2");
  onRun(made, [this](Context& context) {
    import_.create = create_;
    return importArchive(context, import_);
  });
}

void CommandLine::addListAndShow() {
  CLI::App* made = verb("list", "List workspaces", "swarm list --status running -o json");
  made->alias("ls")->alias("ps");
  made->add_option("--status", list_.status, "Only these: creating, running, stopped, failed …");
  made->add_option("--provider", list_.provider, "Only of this provider");
  made->add_option("--owner", list_.owner, "Only of this owner (admins)");
  made->add_option("-l,--label", list_.labels, "Only with this KEY=VALUE label; may be repeated");
  onRun(made, [this](Context& context) { return list(context, list_); });

  made = verb("show", "Show one workspace", "swarm show web1 -o yaml");
  made->add_option("name", name_, "Name or id")->required();
  onRun(made, [this](Context& context) { return show(context, name_); });
}

void CommandLine::addLifecycle() {
  struct Row {
    const char* name;
    const char* what;
    LifecycleVerb verb;
  };
  for (const Row& row : {Row{"start", "Start stopped workspaces", LifecycleVerb::Start},
                         Row{"stop", "Stop workspaces; their files stay", LifecycleVerb::Stop},
                         Row{"restart", "Stop and start workspaces", LifecycleVerb::Restart}}) {
    CLI::App* made = verb(row.name, row.what, format("swarm {} web1", row.name));
    made->add_option("names", names_, "Names or ids")->required();
    addWait(made, wait_);
    if (row.verb == LifecycleVerb::Start)
      made->add_flag("--empty-volumes", empty_volumes_, "Where a volume is gone with its files, start with an empty one");
    onRun(made, [this, verb = row.verb](Context& context) { return lifecycle(context, verb, names_, wait_, empty_volumes_); });
  }
}

void CommandLine::addUpdateAndDelete() {
  CLI::App* made = verb("update", "Change resources, environment, ports or labels", "swarm update web1 --cpus 4 --memory 8g --env DEBUG=1");
  made->add_option("name", update_.name, "Name or id")->required();
  addResources(made, update_.resources);
  made->add_option("-e,--env", update_.env, "KEY=VALUE sets, KEY removes; may be repeated");
  made->add_option("-l,--label", update_.labels, "KEY=VALUE sets, KEY removes; may be repeated");
  CLI::Option* ports = made->add_option("-p,--port", update_.ports, "Published ports; replaces the list");
  made->add_flag("--refresh-image", update_.refreshImage, "Recreate it from its image as it is now (`list` marks an older one with *)");
  made->add_flag("-y,--yes", update_.yes, "Do not ask before a restart");
  addWait(made, update_.wait);
  onRun(made, [this, ports](Context& context) {
    update_.portsGiven = ports->count() > 0;
    return update(context, update_);
  });

  made = verb("delete", "Delete workspaces; their files stay in volumes", "swarm delete web1 --volumes");
  made->alias("rm");
  made->add_option("names", delete_.names, "Names or ids")->required();
  made->add_flag("--volumes", delete_.volumes, "Delete their volumes with all files too");
  made->add_flag("-y,--yes", delete_.yes, "Do not ask");
  addWait(made, delete_.wait);
  onRun(made, [this](Context& context) { return remove(context, delete_); });
}

void CommandLine::addMigrate() {
  CLI::App* made = verb("migrate", "Move a workspace to another provider, region or host; its files and its URL stay",
                        "swarm migrate web1 --to flyio --region ams");
  made->add_option("name", migrate_.name, "Name or id")->required();
  CLI::Option* to = made->add_option("--to", migrate_.to, "Provider: docker or flyio (default: the one where it is)");
  CLI::Option* region = made->add_option("--region", migrate_.region, "Fly.io's region, like ams, or the name of a Docker host");
  made->add_flag("--back", migrate_.back, "To the place that --keep-source kept")->excludes(to)->excludes(region);
  made->add_flag("--keep-source", migrate_.keepSource, "Keep the old place, stopped, for a day; --keep-source=HOURS for as long");
  made->add_option("--limit", migrate_.limit, "Maximum bytes per second, like 10M or 500K");
  addResources(made, migrate_.resources);
  made->add_flag("--dry-run", migrate_.dryRun, "Only tell what fits, what changes and how long it takes; exit code 1 when it does not fit");
  addWait(made, migrate_.wait);
  made->footer(
      "It works on while most is copied; the pause at the end is short. Until it switches, whatever fails leaves it where it was.\n"
      "Examples:\n  swarm migrate web1 --to flyio --region ams --dry-run\n  swarm migrate web1 --to flyio --region ams --keep-source\n"
      "  swarm migrate web1 --back");
  onRun(made, [this](Context& context) { return migrate(context, migrate_); });
}

}  // namespace swarm::cli
