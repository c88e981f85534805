// Verbs that are one function.
#include "cli/verbs/verb.h"

#include "cli/verbs/results.h"

namespace swarm::cli {
namespace {

class WordVerb final : public Verb {
 public:
  WordVerb(std::optional<Word> word, std::function<int(Context&, const std::string&)> run) : word_(std::move(word)), run_(std::move(run)) {}
  void declare(Arguments& arguments) override {
    if (!word_) return;
    Argument& argument = arguments.word(word_->name, given_, word_->help).suggest(word_->values);
    if (word_->optional) argument.optional();
  }
  int run(Context& context) override { return run_(context, given_); }

 private:
  std::optional<Word> word_;
  std::function<int(Context&, const std::string&)> run_;
  std::string given_;
};

class EachVerb final : public Verb {
 public:
  enum class Deletes { Nothing, Files };
  EachVerb(Word words, std::function<void(Context&, const std::string&)> act, Deletes deletes)
      : words_(std::move(words)), act_(std::move(act)), deletes_(deletes) {}

  void declare(Arguments& arguments) override {
    arguments.word(words_.name, given_, words_.help).suggest(words_.values);
    if (deletes_ == Deletes::Files) arguments.flag("-y,--yes", yes_, "Do not ask for confirmation");
  }

  int run(Context& context) override {
    if (deletes_ == Deletes::Files && !confirmDeletion(given_, yes_)) return kFailed;
    for (const std::string& word : given_) act_(context, word);
    return kDone;
  }

 private:
  Word words_;
  std::function<void(Context&, const std::string&)> act_;
  Deletes deletes_;
  std::vector<std::string> given_;
  bool yes_ = false;
};

}  // namespace

VerbPtr plainVerb(std::function<int(Context&)> run) {
  return std::make_unique<WordVerb>(std::nullopt, [run = std::move(run)](Context& context, const std::string&) { return run(context); });
}

VerbPtr wordVerb(Word word, std::function<int(Context&, const std::string&)> run) {
  return std::make_unique<WordVerb>(std::move(word), std::move(run));
}

VerbPtr eachVerb(Word words, std::function<void(Context&, const std::string&)> act) {
  return std::make_unique<EachVerb>(std::move(words), std::move(act), EachVerb::Deletes::Nothing);
}

void addListVerb(const AddVerb& add, const Verb::About& about, const std::function<int(Context&)>& list) {
  add(about, plainVerb(list));
  const std::string name = about.name + " list";
  add({.name = name, .summary = about.summary.substr(0, about.summary.find(';')), .examples = {"swarm " + name + " -o json"}},
      plainVerb(list));
}

VerbPtr deletionVerb(Word words, std::function<void(Context&, const std::string&)> act) {
  return std::make_unique<EachVerb>(std::move(words), std::move(act), EachVerb::Deletes::Files);
}

}  // namespace swarm::cli
