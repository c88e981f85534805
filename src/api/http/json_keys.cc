// A walk over the tokens of well-formed JSON: only strings, brackets, colons and commas matter.
#include "api/http/json_keys.h"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "model/codec/codec.h"

namespace swarm::api {
namespace {

/// An array or object that is open at this position of the text.
struct Level {
  bool isObject = false;
  std::vector<std::string> keys;
  std::string key;        ///< the member that is being read
  std::size_t index = 0;  ///< the element that is being read
};

std::string pointerOf(const std::vector<Level>& levels) {
  std::string pointer;
  for (const Level& level : levels) pointer += level.isObject ? pointerStep(level.key) : pointerStep(level.index);
  return pointer;
}

/// From quote to quote.
std::string_view takeString(std::string_view text, std::size_t& at) {
  std::size_t begin = at++;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return text.substr(begin, at - begin + 1);
}

/// The decoded string: "a" and "\u0061" are one key.
std::string decoded(std::string_view string) {
  if (string.find('\\') == std::string_view::npos) return std::string(string.substr(1, string.size() - 2));
  return std::string(boost::json::parse(string).as_string());
}

}  // namespace

std::vector<std::string> duplicateKeys(std::string_view text) {
  constexpr std::size_t max = 20;
  std::vector<std::string> found;
  std::vector<Level> levels;
  bool expect_key = false;
  for (std::size_t at = 0; at < text.size() && found.size() < max; ++at) {
    switch (text[at]) {
      case '{':
      case '[':
        levels.push_back({text[at] == '{', {}, {}, 0});
        expect_key = text[at] == '{';
        break;
      case '}':
      case ']': {
        Level& level = levels.back();
        std::sort(level.keys.begin(), level.keys.end());
        for (auto key = std::adjacent_find(level.keys.begin(), level.keys.end()); key != level.keys.end() && found.size() < max;
             key = std::adjacent_find(std::upper_bound(key, level.keys.end(), *key), level.keys.end())) {
          level.key = *key;
          found.push_back(pointerOf(levels));
        }
        levels.pop_back();
        expect_key = false;
        break;
      }
      case ',':
        ++levels.back().index;
        expect_key = levels.back().isObject;
        break;
      case '"': {
        std::string_view string = takeString(text, at);
        if (expect_key) {
          levels.back().key = decoded(string);
          levels.back().keys.push_back(levels.back().key);
        }
        expect_key = false;
        break;
      }
      default:
        break;
    }
  }
  return found;
}

}  // namespace swarm::api
