// Rendering of Mustache templates.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>

namespace swarm::gateway {

/// Templates by the name with which {{> name}} includes them.
using Partials = std::map<std::string_view, std::string_view>;

/// Renders `text` with `values`: {{name}} is escaped for HTML, {{{name}}} is not; {{#name}}…{{/name}} repeats for each item of an array, or
/// appears once if the value is neither false nor empty; {{^name}}…{{/name}} appears otherwise. Throws Error(Internal) for a malformed
/// template, and for a name that has no value.
std::string renderTemplate(std::string_view text, const boost::json::object& values, const Partials& partials = {});

}  // namespace swarm::gateway
