// A tokenizer and a parser in two small passes.
#include "emulator/memory/shell_syntax.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace swarm::emulator {
namespace {

struct Token {
  bool isWord = false;
  std::string text;
};

/// The end of a word that starts at `start`: quotes and backslashes protect white space.
std::size_t endOfWord(std::string_view script, std::size_t start) {
  char quote = 0;
  std::size_t index = start;
  for (; index < script.size(); ++index) {
    char letter = script[index];
    if (letter == '\\' && quote != '\'') {
      ++index;
    } else if (quote != 0) {
      if (letter == quote) quote = 0;
    } else if (letter == '\'' || letter == '"') {
      quote = letter;
    } else if (std::string_view(" \t\n;&|<>()").find(letter) != std::string_view::npos) {
      break;
    }
  }
  return std::min(index, script.size());
}

std::string_view operatorAt(std::string_view rest) {
  for (std::string_view known : {"2>&1", "1>&2", "&&", "||", "2>>", ">>", ">&2", "2>", "1>", ";", "\n", "&", "|", "<", ">", "(", ")"}) {
    if (rest.starts_with(known)) return rest.substr(0, known.size());
  }
  return {};
}

std::vector<Token> tokenize(std::string_view script) {
  std::vector<Token> tokens;
  std::size_t index = 0;
  while (index < script.size()) {
    if (script[index] == ' ' || script[index] == '\t') {
      ++index;
      continue;
    }
    std::string_view found = operatorAt(script.substr(index));
    if (!found.empty()) {
      tokens.push_back({false, std::string(found)});
      index += found.size();
      continue;
    }
    std::size_t end = endOfWord(script, index);
    tokens.push_back({true, std::string(script.substr(index, end - index))});
    index = end;
  }
  return tokens;
}

bool isKeyword(const std::string& word) {
  static const std::vector<std::string> kWords = {"while", "until", "for", "if", "case", "{", "do", "then", "function"};
  return std::ranges::find(kWords, word) != kWords.end();
}

std::optional<Redirection> redirectionOf(const std::string& text) {
  if (text == "2>&1") return Redirection{2, false, true, "1"};
  if (text == ">&2" || text == "1>&2") return Redirection{1, false, true, "2"};
  if (text == ">" || text == "1>") return Redirection{1, false, false, ""};
  if (text == ">>") return Redirection{1, true, false, ""};
  if (text == "2>") return Redirection{2, false, false, ""};
  if (text == "2>>") return Redirection{2, true, false, ""};
  if (text == "<") return Redirection{0, false, false, ""};
  return std::nullopt;
}

}  // namespace

Script parseScript(std::string_view script) {
  std::vector<Token> tokens = tokenize(script);
  Script result;
  Pipeline current;
  SimpleCommand command;
  auto end_command = [&] {
    if (!command.words.empty() || !command.redirections.empty()) current.commands.push_back(std::move(command));
    command = {};
  };
  auto end_pipeline = [&](Joint next) {
    end_command();
    if (!current.commands.empty()) result.pipelines.push_back(std::move(current));
    current = {};
    current.joint = next;
  };
  auto stop_here = [&] {
    command = {};
    current = {};
    result.complete = false;
    return result;
  };
  for (std::size_t index = 0; index < tokens.size(); ++index) {
    const Token& token = tokens[index];
    if (token.isWord) {
      if (command.words.empty() && isKeyword(token.text)) return stop_here();
      command.words.push_back(token.text);
    } else if (auto redirection = redirectionOf(token.text)) {
      if (!redirection->toOther) {
        if (index + 1 >= tokens.size() || !tokens[index + 1].isWord) return stop_here();
        redirection->target = tokens[++index].text;
      }
      command.redirections.push_back(*redirection);
    } else if (token.text == "|") {
      end_command();
    } else if (token.text == "(" || token.text == ")") {
      return stop_here();
    } else {
      current.inBackground = token.text == "&";
      end_pipeline(token.text == "&&" ? Joint::AndThen : token.text == "||" ? Joint::OrElse : Joint::Always);
    }
  }
  end_pipeline(Joint::Always);
  return result;
}

std::string expandWord(std::string_view raw, const std::map<std::string, std::string>& variables, int last_exit_code) {
  std::string result;
  char quote = 0;
  auto is_name = [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_'; };
  for (std::size_t index = 0; index < raw.size(); ++index) {
    char letter = raw[index];
    if (quote == '\'') {
      if (letter == '\'')
        quote = 0;
      else
        result += letter;
    } else if (letter == '\\' && index + 1 < raw.size()) {
      result += raw[++index];
    } else if (letter == quote && quote != 0) {
      quote = 0;
    } else if (quote == 0 && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else if (letter == '$' && index + 1 < raw.size()) {
      char next = raw[index + 1];
      std::string name;
      if (next == '?') {
        result += std::to_string(last_exit_code);
        ++index;
      } else if (next == '$') {
        result += '1';
        ++index;
      } else if (next == '{') {
        std::size_t end = std::min(raw.find('}', index), raw.size());
        name = std::string(raw.substr(index + 2, end - index - 2));
        index = end;
      } else {
        std::size_t end = index + 1;
        while (end < raw.size() && is_name(raw[end])) ++end;
        name = std::string(raw.substr(index + 1, end - index - 1));
        if (name.empty()) result += letter;
        index = end - 1;
      }
      if (auto value = variables.find(name); value != variables.end()) result += value->second;
    } else {
      result += letter;
    }
  }
  return result;
}

}  // namespace swarm::emulator
