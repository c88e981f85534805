// `swarm second-factor` with its parts: codes of an authenticator app in addition to the password.
#include "base/text/untrusted_text.h"
#include "cli/output/prompt.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/verb.h"
#include "model/requests.h"
#include "swarm/client.h"

namespace swarm::cli {
namespace {

class Show final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.option("--user", user_, "Another user (administrators and auditors)").suggest(userNames());
  }

  int run(Context& context) override {
    const boost::json::object factor = context.client().secondFactor(user_);
    if (printStructured(context, factor)) return kDone;
    if (factor.at("enabled").as_bool())
      printLine(format("enabled, {} recovery codes left", memberText(factor, "recoveryCodes")));
    else
      printLine(factor.at("required").as_bool() ? "disabled; the next sign-in in a browser sets it up" : "disabled");
    return kDone;
  }

 private:
  std::string user_ = "me";
};

class Enable final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.flag("--password-stdin", from_stdin_, "Read password and code from standard input, one line each");
  }

  int run(Context& context) override {
    SwarmClient& client = context.client();
    const auto enrolment = client.setUpSecondFactor(readSecret("Password", from_stdin_));
    report(format("Add this secret to an authenticator app, or open its address on the device with the app:\n  {}\n  {}\n",
                  printable(enrolment.secret.reveal()), printable(enrolment.uri.reveal())));
    const Secret code = readSecret("Code that the app shows", from_stdin_);
    const std::vector<std::string> codes = client.confirmSecondFactor(enrolment.ticket, code.reveal());
    boost::json::array list(codes.begin(), codes.end());
    if (printStructured(context, boost::json::object{{"recoveryCodes", std::move(list)}})) return kDone;
    report("The second factor is enabled. Each of these recovery codes replaces a code once; they are not shown again:\n");
    for (const std::string& one : codes) printLine(printable(one));
    return kDone;
  }

 private:
  bool from_stdin_ = false;
};

class Disable final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.flag("--password-stdin", from_stdin_, "Read password and code from standard input, one line each");
  }

  int run(Context& context) override {
    Secret password = readSecret("Password", from_stdin_);
    const Secret code = readSecret("Code, or a recovery code", from_stdin_);
    context.client().disableSecondFactor(std::move(password), code.reveal());
    report("The second factor is disabled.\n");
    return kDone;
  }

 private:
  bool from_stdin_ = false;
};

void reset(Context& context, const std::string& name) {
  context.client().resetSecondFactor(name);
  report(format("{} has no second factor now, and is signed out everywhere.\n", name));
}

}  // namespace

void addSecondFactor(const AddVerb& add) {
  add({.name = "second-factor",
       .summary = "Show whether sign-in requires a code; enable, disable, reset",
       .examples = {"swarm second-factor", "swarm second-factor --user ben"}},
      std::make_unique<Show>());
  add({.name = "second-factor enable",
       .summary = "Require a code of an authenticator app at each sign-in with the password",
       .examples = {"swarm second-factor enable"}},
      std::make_unique<Enable>());
  add({.name = "second-factor disable",
       .summary = "Require no code any more; needs the password and a code",
       .examples = {"swarm second-factor disable"}},
      std::make_unique<Disable>());
  add({.name = "second-factor reset",
       .summary = "Remove the second factor of users who lost it (administrators); their sessions end",
       .examples = {"swarm second-factor reset ben"}},
      eachVerb({"names", "User names", userNames()}, reset));
}

}  // namespace swarm::cli
