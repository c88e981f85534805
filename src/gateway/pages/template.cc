// The only use of kainjow's Mustache library. It is header-only and escapes by default; Debian's other candidate, ctemplate, needs a
// run-time library with global state and a mode per template for escaping.
#include "gateway/pages/template.h"

#include <boost/json/serialize.hpp>
#include <kainjow/mustache.hpp>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::gateway {
namespace {

namespace json = boost::json;
namespace mustache = kainjow::mustache;

mustache::data dataOf(const json::value& value) {
  switch (value.kind()) {
    case json::kind::object: {
      mustache::data data(mustache::data::type::object);
      for (const auto& [name, member] : value.get_object()) data.set(name, dataOf(member));
      return data;
    }
    case json::kind::array: {
      mustache::data data(mustache::data::type::list);
      for (const auto& item : value.get_array()) data.push_back(dataOf(item));
      return data;
    }
    case json::kind::string:
      // The library's sections would show an empty string.
      return value.get_string().empty() ? mustache::data(false) : mustache::data(std::string(value.get_string()));
    case json::kind::null:
      return {false};
    case json::kind::bool_:
      return {value.get_bool()};
    default:
      return {json::serialize(value)};
  }
}

/// The library renders names without a value as nothing: a misspelt name would stay unnoticed.
class StrictContext final : public mustache::context<std::string> {
 public:
  StrictContext(const mustache::data& values, const Partials& partials) : mustache::context<std::string>(&values) {
    for (const auto& [name, text] : partials) partials_.set(std::string(name), std::string(text));
  }
  const mustache::data* get(const std::string& name) const override { return required(mustache::context<std::string>::get(name), name); }
  const mustache::data* get_partial(const std::string& name) const override { return required(partials_.get(name), name); }

 private:
  static const mustache::data* required(const mustache::data* found, const std::string& name) {
    if (found == nullptr) throw Error(ErrorCode::Internal, format("A page's template uses \"{}\", which the page does not define.", name));
    return found;
  }
  mustache::data partials_;
};

}  // namespace

std::string renderTemplate(std::string_view text, const json::object& values, const Partials& partials) {
  mustache::mustache compiled{std::string(text)};
  const auto data = dataOf(values);
  StrictContext context(data, partials);
  auto rendered = compiled.is_valid() ? compiled.render(context) : std::string();
  if (!compiled.is_valid()) throw Error(ErrorCode::Internal, format("A page's template is malformed: {}.", compiled.error_message()));
  return rendered;
}

}  // namespace swarm::gateway
