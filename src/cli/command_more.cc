// Verbs on what is inside workspaces and around them: their flags and help texts.
#include <algorithm>
#include <cctype>

#include "base/text/format.h"
#include "cli/command_line.h"

namespace swarm::cli {

void CommandLine::addInside() {
  CLI::App* made = verb("open", "Open VS Code in the browser", "swarm open web1");
  made->add_option("name", open_.name, "Name or id")->required();
  made->add_flag("--print", open_.printOnly, "Print the URL only");
  made->add_flag("--sign-in", open_.signIn, "By a one-time link that signs the browser in");
  onRun(made, [this](Context& context) { return open(context, open_); });

  made = verb("exec", "Run a command inside; stdin, stdout, stderr and the exit code pass through", "swarm exec web1 -- git status");
  made->add_option("name", exec_.name, "Name or id")->required();
  made->add_option("--user", exec_.user, "User inside (default coder)");
  made->add_option("--cwd", exec_.cwd, "Folder to run it in (default: home)");
  made->add_option("-e,--env", exec_.env, "KEY=VALUE; may be repeated");
  made->add_flag("-t,--tty", exec_.tty, "With a terminal");
  made->add_flag("-T,--no-tty", exec_.noTty, "Without a terminal");
  made->prefix_command();  // the command may stand there without "--", too
  onRun(made, [this, made](Context& context) {
    exec_.command = made->remaining();
    exec_.command.insert(exec_.command.end(), command_.begin(), command_.end());
    return exec(context, exec_);
  });

  made = verb("logs", "Show what a workspace printed", "swarm logs web1 --since 5m --follow");
  made->add_option("name", logs_.name, "Name or id")->required();
  made->add_flag("-f,--follow", logs_.follow, "Wait for more");
  made->add_option("--tail", logs_.tail, "Only the last lines");
  made->add_option("--since", logs_.since, "Only what is younger, like 5m, 2h or 1d, or than a time (RFC 3339)");
  onRun(made, [this](Context& context) { return logs(context, logs_); });

  made = verb("forward", "Make ports inside reachable on this machine", "swarm forward web1 8080:3000");
  made->add_option("name", name_, "Name or id")->required();
  made->add_option("ports", names_, "PORT or LOCAL:REMOTE; may be repeated")->required();
  onRun(made, [this](Context& context) { return forward(context, name_, names_); });

  made = verb("usage", "CPU, memory and storage in use", "swarm usage web1");
  made->add_option("name", name_, "Name or id")->required();
  onRun(made, [this](Context& context) { return usage(context, name_); });
}

void CommandLine::addProviders() {
  onRun(verb("status", "The whole swarm and its providers", "swarm status"), [](Context& context) { return status(context); });

  CLI::App* made = verb("providers", "Providers: list, regions, show, validate", "swarm providers validate docker");
  made->require_subcommand(0, 1);
  onRun(made, [](Context& context) { return providersList(context); });
  CLI::App* part = made->add_subcommand("regions", "Where workspaces can be: regions of Fly.io, names of Docker hosts");
  onRun(part, [](Context& context) { return providersRegions(context); });
  part = made->add_subcommand("show", "Capabilities, health, workspaces");
  part->add_option("type", name_, "docker")->required();
  onRun(part, [this](Context& context) { return providersShow(context, name_); });
  part = made->add_subcommand("validate", "Check its configuration against the real endpoint");
  part->add_option("type", name_, "docker")->required();
  onRun(part, [this](Context& context) { return providersValidate(context, name_); });
}

void CommandLine::addVolumes() {
  CLI::App* made = verb("volumes", "Volumes, also those of deleted workspaces: list, delete", "swarm volumes delete swarm-i-01h…-home");
  made->require_subcommand(0, 1);
  onRun(made, [](Context& context) { return volumesList(context); });
  CLI::App* part = made->add_subcommand("delete", "Delete volumes with their files");
  part->add_option("names", names_, "Names of volumes")->required();
  part->add_flag("-y,--yes", delete_.yes, "Do not ask");
  onRun(part, [this](Context& context) { return volumesDelete(context, names_, delete_.yes); });

  made = verb("names", "Names of deleted workspaces that are kept for their owners: list, free", "swarm names free web1");
  made->require_subcommand(0, 1);
  onRun(made, [](Context& context) { return namesList(context); });
  part = made->add_subcommand("free", "Let anyone take them again");
  part->add_option("names", names_, "Names")->required();
  onRun(part, [this](Context& context) { return namesFree(context, names_); });
}

void CommandLine::addSnapshots() {
  CLI::App* made = verb("snapshot", "Snapshots of a workspace's files: create, list, restore, delete",
                        "swarm snapshot create web1 --name before-upgrade");
  made->require_subcommand(1, 1);
  CLI::App* part = made->add_subcommand("create", "Keep the files as they are now; what runs goes on");
  part->add_option("instance", snapshot_.instance, "Name or id")->required();
  part->add_option("--name", snapshot_.name, "What it is called (default: the time)");
  addWait(part, snapshot_.wait);
  onRun(part, [this](Context& context) { return snapshotCreate(context, snapshot_); });
  part =
      made->add_subcommand("list", "Snapshots, also those of deleted workspaces; of one workspace, also those that Fly.io takes by itself");
  part->add_option("instance", instance_, "Only of this one");
  onRun(part, [this](Context& context) { return snapshotList(context, instance_); });
  part = made->add_subcommand("restore", "Bring the files of a snapshot back; what they were becomes a snapshot, too");
  part->add_option("instance", snapshot_.instance, "Name or id of the workspace")->required();
  part->add_option("snapshot", snapshot_.name, "Its name, INSTANCE/NAME, or its id (also one of Fly.io's own)")->required();
  addWait(part, snapshot_.wait);
  onRun(part, [this](Context& context) { return snapshotRestore(context, snapshot_); });
  part = made->add_subcommand("delete", "Delete snapshots with their files");
  part->add_option("names", names_, "Names, INSTANCE/NAME, or ids")->required();
  part->add_flag("-y,--yes", delete_.yes, "Do not ask");
  onRun(part, [this](Context& context) { return snapshotDelete(context, names_, delete_.yes); });
}

void CommandLine::addOperations() {
  CLI::App* made = verb("operations", "Operations: list, show, follow, cancel", "swarm operations show op-…");
  made->require_subcommand(0, 1);
  made->add_option("--instance", instance_, "Only of this workspace");
  onRun(made, [this](Context& context) { return operationsList(context, instance_); });
  CLI::App* part = made->add_subcommand("show", "One operation with its steps");
  part->add_option("id", name_, "Operation id")->required();
  onRun(part, [this](Context& context) { return operationsShow(context, name_, false); });
  part = made->add_subcommand("follow", "Wait for its end with progress");
  part->add_option("id", name_, "Operation id")->required();
  onRun(part, [this](Context& context) { return operationsShow(context, name_, true); });
  part = made->add_subcommand("cancel", "Cancel it, where that is still possible");
  part->add_option("id", name_, "Operation id")->required();
  onRun(part, [this](Context& context) { return operationsCancel(context, name_); });
}

void CommandLine::addApi() {
  CLI::App* made = verb("api", "Call the server's API and print its answer", "swarm api GET /api/instances?status=running");
  made->add_option("method", api_.method, "GET, POST, PUT, PATCH or DELETE")
      ->required()
      ->transform([](std::string text) {
        std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        return text;
      })
      ->check(CLI::IsMember({"GET", "POST", "PUT", "PATCH", "DELETE"}));
  made->add_option("path", api_.path, "Path and query, like /api/instances; /api may be left out")->required();
  made->add_option("--data", api_.data, "JSON to send; @FILE or @- reads it");
  onRun(made, [this](Context& context) { return callApi(context, api_); });
}

}  // namespace swarm::cli
