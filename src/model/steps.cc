// Steps by their names.
#include "model/steps.h"

namespace swarm {

std::string_view wordsOfStep(std::string_view name) {
  for (int i = 0;; ++i) {  // enumerators are numbered from 0, and past the last one there is no text
    StepText text = textOf(static_cast<Step>(i));
    if (text.name.empty()) return name;
    if (text.name == name) return text.words.empty() ? name : text.words;
  }
}

}  // namespace swarm
