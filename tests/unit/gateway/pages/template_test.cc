// Templates: escaping, sections, and faults that must not stay unnoticed.
#include "gateway/pages/template.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace swarm::gateway {
namespace {

using ::testing::HasSubstr;

TEST(Template, escapesValues) {
  EXPECT_EQ(renderTemplate("<a href=\"{{x}}\">{{x}}</a>", {{"x", "\"<'&>"}}),
            "<a href=\"&quot;&lt;&apos;&amp;&gt;\">&quot;&lt;&apos;&amp;&gt;</a>");
  EXPECT_EQ(renderTemplate("{{x}}", {{"x", "{{y}} {{{y}}} {{> y}}"}}), "{{y}} {{{y}}} {{&gt; y}}") << "a value is not a template";
}

TEST(Template, showsSectionsForItemsAndForValuesThatAreNotEmpty) {
  EXPECT_EQ(renderTemplate("{{#rows}}{{name}}-{{of}} {{/rows}}", {{"rows", {{{"name", "a"}}, {{"name", "b"}}}}, {"of", 2}}), "a-2 b-2 ");
  const std::string_view text = "{{#x}}yes {{x}}{{/x}}{{^x}}no{{/x}}";
  EXPECT_EQ(renderTemplate(text, {{"x", "text"}}), "yes text");
  EXPECT_EQ(renderTemplate(text, {{"x", ""}}), "no");
  EXPECT_EQ(renderTemplate(text, {{"x", false}}), "no");
  EXPECT_EQ(renderTemplate(text, {{"x", nullptr}}), "no");
  EXPECT_EQ(renderTemplate(text, {{"x", boost::json::array{}}}), "no");
}

TEST(Template, includesPartialsWithTheSameValues) {
  EXPECT_EQ(renderTemplate("<{{> part}}>", {{"x", "&"}}, {{"part", "{{x}}"}}), "<&amp;>");
}

TEST(Template, refusesNamesWithoutAValueAndMalformedText) {
  const auto fault = [](std::string_view text) -> std::string {
    try {
      return renderTemplate(text, {{"x", "1"}}, {{"bad", "{{#x}}"}});
    } catch (const Error& error) {
      return error.message();
    }
  };
  for (const auto* text : {"{{y}}", "{{{y}}}", "{{#y}}{{/y}}", "{{^y}}{{/y}}", "{{> y}}", "{{#x}}{{y}}{{/x}}"})
    EXPECT_THAT(fault(text), HasSubstr("\"y\"")) << text;
  for (const auto* text : {"{{#x}}", "{{x", "{{/x}}", "{{> bad}}"}) EXPECT_THAT(fault(text), HasSubstr("malformed")) << text;
}

}  // namespace
}  // namespace swarm::gateway
