// The verbs' flags and help texts. The one place that names CLI11.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/format.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace swarm::cli {
namespace {

/// One command line: its options' storage, and what the chosen verb runs.
class CommandLine {
 public:
  explicit CommandLine(const std::function<int(const ServeFlags&)>& serve) : serve_(serve) {
    app_.require_subcommand(1);
    app_.fallthrough(false);
    app_.get_formatter()->column_width(34);
    addServe();
    addSession();
    addCreate();
    addListAndShow();
    addLifecycle();
    addUpdateAndDelete();
    addMigrate();
    addArchive();
    addInside();
    addSwarm();
    addCompletion();
    app_.footer(
        "Every verb has --help with an example.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 not allowed, 5 timed out.");
  }

  int run(int argc, char** argv) {
    // What stands behind "--" belongs to the command that exec or create runs, whatever it looks like.
    char** end = std::find_if(argv, argv + argc, [](const char* argument) { return std::string_view(argument) == "--"; });
    if (end != argv + argc) command_.assign(end + 1, argv + argc);
    try {
      app_.parse(static_cast<int>(end - argv), argv);
      if (!command_.empty() && !app_.got_subcommand("exec") && !app_.got_subcommand("create")) {
        throw CLI::ExtrasError(command_);
      }
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return app_.exit(error);
      std::fputs(format("swarm: {}\n", error.what()).c_str(), stderr);
      std::fputs(format("See `{}`.\n", helpCommand()).c_str(), stderr);
      return kWrongUse;
    }
    try {
      return action_();
    } catch (const Error& error) {
      printError(error);
      return exitCodeOf(error);
    } catch (const std::exception& error) {
      std::fputs(format("swarm: {}\n", error.what()).c_str(), stderr);
      return kFailed;
    }
  }

 private:
  std::string helpCommand() {
    for (const CLI::App* verb : app_.get_subcommands()) return "swarm " + verb->get_name() + " --help";
    return "swarm --help";
  }

  CLI::App* verb(const std::string& name, const std::string& what, const std::string& example) {
    CLI::App* made = app_.add_subcommand(name, what);
    made->footer("Example:\n  " + example);
    return made;
  }

  /// Options of every verb that talks to the server.
  void addCommon(CLI::App* made) {
    made->add_option("--url", common_.url, "Address of the server (SWARM_URL; default: what serve or login wrote)");
    made->add_option("--ca", common_.caFile, "PEM file to trust for https");
    if (made->get_option_no_throw("--output")) return;  // a verb whose output is a file
    made->add_option_function<std::string>(
            "-o,--output",
            [this](const std::string& text) {
              common_.output = text == "json"   ? OutputFormat::Json
                               : text == "yaml" ? OutputFormat::Yaml
                               : text == "name" ? OutputFormat::Name
                                                : OutputFormat::Table;
            },
            "table, json, yaml or name")
        ->check(CLI::IsMember({"table", "json", "yaml", "name"}));
  }

  void onRun(CLI::App* made, std::function<int(Context&)> action) {
    addCommon(made);
    made->callback([this, made, action = std::move(action)] {
      // The callbacks of a verb's parts run before its own: the part was chosen.
      if (!made->get_subcommands().empty()) return;
      action_ = [this, action] {
        Context context(common_);
        return action(context);
      };
    });
  }

  static void addWait(CLI::App* made, WaitOptions& wait) {
    const std::string what = format("Seconds to wait (default {})", wait.timeout.count());
    made->add_flag_callback("--no-wait", [&wait] { wait.wait = false; }, "Return at once; the operation goes on");
    made->add_option_function<int>(
            "--timeout", [&wait](int seconds) { wait.timeout = std::chrono::seconds(seconds); }, what)
        ->check(CLI::Range(1, 86400));
  }

  static void addResources(CLI::App* made, ResourceFlags& flags) {
    made->add_option("--cpus", flags.cpus, "Cores, like 2 or 0.5");
    made->add_option("--memory", flags.memory, "Memory limit, like 4g or 512m");
    made->add_option("--memory-min", flags.memoryMin, "Memory that is kept for it");
    made->add_option("--disk,--storage", flags.disk, "Size of its volumes in GiB");
    made->add_option("--pids", flags.pids, "Most processes and threads");
  }

  void addServe() {
    CLI::App* made = verb("serve", "Run the server: API, controller and gateway", "swarm serve --listen 127.0.0.1:7420");
    made->add_option("--config", serve_flags_.configFile, "Configuration file (default: swarm.toml beside the credentials)");
    made->add_option("--listen", serve_flags_.listen, "Address and port (default 127.0.0.1:7420)");
    made->add_option("--base-domain", serve_flags_.baseDomain, "Host of API and dashboard (default swarm.localhost)");
    made->add_option("--instance-domain", serve_flags_.instanceDomain,
                     "Workspaces are NAME.DOMAIN (default: localhost, or the base domain)");
    made->add_option("--public-url", serve_flags_.publicUrl, "The base host's URL as browsers see it, when a proxy stands before it");
    made->add_option("--data-dir", serve_flags_.dataDir, "Where the server keeps its state");
    made->add_option("--docker", serve_flags_.dockerHost, "Docker Engine: unix:///path or tcp://host:port");
    made->add_option("--threads", serve_flags_.threads, "Threads that carry connections (default: one per core, at most 4)");
    made->add_option("--log-level", serve_flags_.logLevel, "debug, info, warning or error");
    made->add_option("--log-style", serve_flags_.logStyle, "text or json");
    made->add_flag("--fake-provider", serve_flags_.fakeProvider, "Instances in memory only: for benchmarks and trying the API");
    made->callback([this] { action_ = [this] { return serve_(serve_flags_); }; });
  }

  void addSession() {
    CLI::App* made =
        verb("login", "Sign in and keep the token for later commands", "swarm login --url http://swarm.localhost:7420 --user admin");
    made->add_option("--user", login_.user, "User name (default admin)");
    made->add_flag("--password-stdin", login_.passwordFromStdin, "Read the password from standard input");
    onRun(made, [this](Context& context) { return login(context, login_); });
    onRun(verb("logout", "Void the token and forget it", "swarm logout"), [](Context& context) { return logout(context); });
    onRun(verb("whoami", "Who the server takes you for", "swarm whoami -o json"), [](Context& context) { return whoami(context); });
  }

  void addCreate() {
    CLI::App* made =
        verb("create", "Create a workspace and wait until VS Code answers", "swarm create web1 --cpus 2 --memory 4g --port 3000");
    made->add_option("name", create_.name, "Name: a DNS label; one is made when absent");
    addCreateOptions(made);
    made->add_flag("--ephemeral", create_.ephemeral, "Its volumes are deleted with it");
    made->add_flag("--open", create_.open, "Open the browser when it runs");
    addWait(made, create_.wait);
    made->footer(
        "What stands behind -- is a command to run beside VS Code.\nExample:\n  swarm create web1 --cpus 2 --memory 4g --port 3000");
    onRun(made, [this](Context& context) {
      create_.command = command_;
      return create(context, create_);
    });
  }

  /// What the instance is made with, by create and by import.
  void addCreateOptions(CLI::App* made) {
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

  void addArchive() {
    CLI::App* made = verb("export", "Write a workspace's files as one archive (POSIX tar, Zstandard)", "");
    made->add_option("name", export_.name, "Name or id; it must run")->required();
    made->add_option("-o,--output", export_.file,
                     "File to write, which gets its name when it is whole; - for standard output (the default)");
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

  void addListAndShow() {
    CLI::App* made = verb("list", "List instances", "swarm list --status running -o json");
    made->alias("ls");
    made->add_option("--status", list_.status, "Only these: creating, running, stopped, failed …");
    made->add_option("--provider", list_.provider, "Only of this provider");
    made->add_option("--owner", list_.owner, "Only of this owner (admins)");
    made->add_option("-l,--label", list_.labels, "Only with this KEY=VALUE label; may be repeated");
    onRun(made, [this](Context& context) { return list(context, list_); });

    made = verb("show", "Show one instance", "swarm show web1 -o yaml");
    made->add_option("name", name_, "Name or id")->required();
    onRun(made, [this](Context& context) { return show(context, name_); });
  }

  void addLifecycle() {
    struct Row {
      const char* name;
      const char* what;
      LifecycleVerb verb;
    };
    for (const Row& row : {Row{"start", "Start stopped instances", LifecycleVerb::Start},
                           Row{"stop", "Stop instances; their files stay", LifecycleVerb::Stop},
                           Row{"restart", "Stop and start instances", LifecycleVerb::Restart}}) {
      CLI::App* made = verb(row.name, row.what, format("swarm {} web1", row.name));
      made->add_option("names", names_, "Names or ids")->required();
      addWait(made, wait_);
      onRun(made, [this, verb = row.verb](Context& context) { return lifecycle(context, verb, names_, wait_); });
    }
  }

  void addUpdateAndDelete() {
    CLI::App* made =
        verb("update", "Change resources, environment, ports or labels", "swarm update web1 --cpus 4 --memory 8g --env DEBUG=1");
    made->add_option("name", update_.name, "Name or id")->required();
    addResources(made, update_.resources);
    made->add_option("-e,--env", update_.env, "KEY=VALUE sets, KEY removes; may be repeated");
    made->add_option("-l,--label", update_.labels, "KEY=VALUE sets, KEY removes; may be repeated");
    CLI::Option* ports = made->add_option("-p,--port", update_.ports, "Published ports; replaces the list");
    addWait(made, update_.wait);
    onRun(made, [this, ports](Context& context) {
      update_.portsGiven = ports->count() > 0;
      return update(context, update_);
    });

    made = verb("delete", "Delete instances; persistent volumes stay", "swarm delete web1 --volumes");
    made->alias("rm");
    made->add_option("names", delete_.names, "Names or ids")->required();
    made->add_flag("--volumes", delete_.volumes, "Delete their files too");
    made->add_flag("-y,--yes", delete_.yes, "Do not ask");
    addWait(made, delete_.wait);
    onRun(made, [this](Context& context) { return remove(context, delete_); });
  }

  void addMigrate() {
    CLI::App* made = verb("migrate", "Move a workspace to another provider, region or host; its files and its URL stay",
                          "swarm migrate web1 --to flyio --region ams");
    made->add_option("name", migrate_.name, "Name or id")->required();
    CLI::Option* to = made->add_option("--to", migrate_.to, "Provider: docker or flyio (default: the one where it is)");
    CLI::Option* region = made->add_option("--region", migrate_.region, "Fly.io's region, like ams, or the name of a Docker host");
    made->add_flag("--back", migrate_.back, "To the place that --keep-source kept")->excludes(to)->excludes(region);
    made->add_flag("--keep-source", migrate_.keepSource, "Keep the old place, stopped, for a day; --keep-source=HOURS for as long");
    made->add_option("--limit", migrate_.limit, "Most bytes per second, like 10M or 500K");
    addResources(made, migrate_.resources);
    made->add_flag("--dry-run", migrate_.dryRun,
                   "Only tell what fits, what changes and how long it takes; exit code 1 when it does not fit");
    addWait(made, migrate_.wait);
    made->footer(
        "It works on while most is copied; the pause at the end is short. Until it switches, whatever fails leaves it where it was.\n"
        "Examples:\n  swarm migrate web1 --to flyio --region ams --dry-run\n  swarm migrate web1 --to flyio --region ams --keep-source\n"
        "  swarm migrate web1 --back");
    onRun(made, [this](Context& context) { return migrate(context, migrate_); });
  }

  void addInside() {
    CLI::App* made = verb("open", "Open VS Code in the browser", "swarm open web1");
    made->add_option("name", name_, "Name or id")->required();
    made->add_flag("--print", print_only_, "Print the URL only");
    onRun(made, [this](Context& context) { return open(context, name_, print_only_); });

    made = verb("exec", "Run a command inside; stdin, stdout, stderr and the exit code pass through", "swarm exec web1 -- git status");
    made->add_option("name", exec_.name, "Name or id")->required();
    made->add_option("--user", exec_.user, "User inside (default coder)");
    made->add_option("--cwd", exec_.cwd, "Folder to run it in (default: home)");
    made->add_option("-e,--env", exec_.env, "KEY=VALUE; may be repeated");
    made->add_flag("-t,--tty", exec_.tty, "With a terminal");
    made->add_flag("-T,--no-tty", exec_.noTty, "Without a terminal");
    onRun(made, [this](Context& context) {
      exec_.command = command_;
      return exec(context, exec_);
    });

    made = verb("logs", "What an instance printed", "swarm logs web1 --follow --tail 100");
    made->add_option("name", logs_.name, "Name or id")->required();
    made->add_flag("-f,--follow", logs_.follow, "Wait for more");
    made->add_option("--tail", logs_.tail, "Only the last lines");
    made->add_option("--since", logs_.since, "Only after this time (RFC 3339)");
    onRun(made, [this](Context& context) { return logs(context, logs_); });

    made = verb("forward", "Make ports inside reachable on this machine", "swarm forward web1 8080:3000");
    made->add_option("name", name_, "Name or id")->required();
    made->add_option("ports", names_, "PORT or LOCAL:REMOTE; may be repeated")->required();
    onRun(made, [this](Context& context) { return forward(context, name_, names_); });

    made = verb("usage", "CPU, memory and storage in use", "swarm usage web1");
    made->add_option("name", name_, "Name or id")->required();
    onRun(made, [this](Context& context) { return usage(context, name_); });
  }

  void addSwarm() {
    onRun(verb("status", "The whole swarm and its providers", "swarm status"), [](Context& context) { return status(context); });

    CLI::App* made = verb("providers", "Providers: list, regions, show, validate", "swarm providers validate docker");
    made->require_subcommand(0, 1);
    onRun(made, [](Context& context) { return providersList(context); });
    CLI::App* part = made->add_subcommand("regions", "Where workspaces can be: regions of Fly.io, names of Docker hosts");
    onRun(part, [](Context& context) { return providersRegions(context); });
    part = made->add_subcommand("show", "Capabilities, health, instances");
    part->add_option("type", name_, "docker")->required();
    onRun(part, [this](Context& context) { return providersShow(context, name_); });
    part = made->add_subcommand("validate", "Check its configuration against the real endpoint");
    part->add_option("type", name_, "docker")->required();
    onRun(part, [this](Context& context) { return providersValidate(context, name_); });

    made = verb("volumes", "Volumes, also those that deleted instances left: list, delete", "swarm volumes delete swarm-i-01h…-home");
    made->require_subcommand(0, 1);
    onRun(made, [](Context& context) { return volumesList(context); });
    part = made->add_subcommand("delete", "Delete volumes with their files");
    part->add_option("names", names_, "Names of volumes")->required();
    part->add_flag("-y,--yes", delete_.yes, "Ask nothing");
    onRun(part, [this](Context& context) { return volumesDelete(context, names_, delete_.yes); });

    made = verb("snapshot", "Snapshots of a workspace's files: create, list, restore, delete",
                "swarm snapshot create web1 --name before-upgrade");
    made->require_subcommand(1, 1);
    part = made->add_subcommand("create", "Keep the files as they are now; what runs goes on");
    part->add_option("instance", snapshot_.instance, "Name or id")->required();
    part->add_option("--name", snapshot_.name, "What it is called (default: the time)");
    addWait(part, snapshot_.wait);
    onRun(part, [this](Context& context) { return snapshotCreate(context, snapshot_); });
    part = made->add_subcommand("list",
                                "Snapshots, also those of deleted workspaces; of one workspace, also those that Fly.io takes by itself");
    part->add_option("instance", instance_, "Only of this one");
    onRun(part, [this](Context& context) { return snapshotList(context, instance_); });
    part = made->add_subcommand("restore", "Bring the files of a snapshot back; what they were becomes a snapshot, too");
    part->add_option("instance", snapshot_.instance, "Name or id of the workspace")->required();
    part->add_option("snapshot", snapshot_.name, "Its name, INSTANCE/NAME, or its id (also one of Fly.io's own)")->required();
    addWait(part, snapshot_.wait);
    onRun(part, [this](Context& context) { return snapshotRestore(context, snapshot_); });
    part = made->add_subcommand("delete", "Delete snapshots with their files");
    part->add_option("names", names_, "Names, INSTANCE/NAME, or ids")->required();
    part->add_flag("-y,--yes", delete_.yes, "Ask nothing");
    onRun(part, [this](Context& context) { return snapshotDelete(context, names_, delete_.yes); });

    made = verb("operations", "Operations: list, show, follow, cancel", "swarm operations show op-…");
    made->require_subcommand(0, 1);
    made->add_option("--instance", instance_, "Only of this instance");
    onRun(made, [this](Context& context) { return operationsList(context, instance_); });
    part = made->add_subcommand("show", "One operation with its steps");
    part->add_option("id", name_, "Operation id")->required();
    onRun(part, [this](Context& context) { return operationsShow(context, name_, false); });
    part = made->add_subcommand("follow", "Wait for its end with progress");
    part->add_option("id", name_, "Operation id")->required();
    onRun(part, [this](Context& context) { return operationsShow(context, name_, true); });
    part = made->add_subcommand("cancel", "Cancel it, where that is still possible");
    part->add_option("id", name_, "Operation id")->required();
    onRun(part, [this](Context& context) { return operationsCancel(context, name_); });
  }

  void addCompletion() {
    CLI::App* made = verb("completion", "Print the completion script of a shell", "source <(swarm completion bash)");
    made->add_option("shell", name_, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
    made->callback([this] {
      action_ = [this] {
        std::vector<std::string> verbs;
        for (const CLI::App* one : app_.get_subcommands({})) verbs.push_back(one->get_name());
        print(completionScript(name_, verbs));
        return static_cast<int>(kDone);
      };
    });
    onRun(verb("version", "Versions of this command and of the server", "swarm version"),
          [](Context& context) { return version(context); });
  }

  const std::function<int(const ServeFlags&)>& serve_;
  CLI::App app_{"VS Code workspaces on Docker, wherever you want them to run", "swarm"};
  std::function<int()> action_;
  CommonOptions common_;
  ServeFlags serve_flags_;
  LoginFlags login_;
  CreateFlags create_;
  ListFlags list_;
  UpdateFlags update_;
  MigrateFlags migrate_;
  SnapshotFlags snapshot_;
  ExportFlags export_;
  ImportFlags import_;
  DeleteFlags delete_;
  ExecFlags exec_;
  LogFlags logs_;
  WaitOptions wait_;
  std::string name_, instance_;
  std::vector<std::string> names_;
  std::vector<std::string> command_;
  bool print_only_ = false;
};

}  // namespace

int run(int argc, char** argv, const std::function<int(const ServeFlags&)>& serve) { return CommandLine(serve).run(argc, argv); }

}  // namespace swarm::cli
