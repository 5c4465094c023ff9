// SPDX-License-Identifier: Apache-2.0
// The schema against itself, the loader and docs/scenario.md.
#include "scenario/schema.h"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/scenario_testing.h"

namespace scmi_vp::scenario {
namespace {

using testing::HasSubstr;
using testing_tools::scenario_error;

/// One element in every list, with what it must have.
constexpr const char* one_of_each = R"(
[[platform.agent]]
name = "a"
[[platform.clock]]
name = "c"
rate = 1
[[platform.sensor]]
name = "s"
[[platform.power_domain]]
name = "p"
[[platform.performance_domain]]
name = "q"
levels = [ { level = 0 } ]
[[platform.service]]
latency = "1us"
[[workload.context]]
name = "x"
[[workload.context]]
name = "y"
[[workload.sequence]]
context = "x"
call = "base_version"
[[workload.loop]]
context = "y"
calls = [ { call = "base_version" } ]
[[workload.context]]
name = "z"
[[workload.open]]
contexts = ["z"]
interarrival = "1s"
calls = [ { call = "base_version" } ]
[[platform.pause]]
every = "1s"
length = "1s"
[[platform.loss]]
probability = 0.5
[[platform.fault]]
kind = "rewrite"
new = { token = 1 }
[[platform.change]]
at = "1s"
what = "sensor_reading"
values = [ 1 ]
[[platform.unsolicited]]
at = "1s"
protocol = "base"
[[check]]
number = "requests"
at_most = 5
[[check]]
message = "x"
)";

std::string first_element(std::string path) {
    for (std::size_t at = path.find("[]"); at != std::string::npos; at = path.find("[]")) {
        path.replace(at, 2, ".0");
    }
    return path;
}

// A date is no value of any key: the answer shows that the key is read, and that it names itself.
TEST(every_key, is_read_by_the_loader) {
    for (const key_info& k : schema()) {
        const std::string key = first_element(k.path);
        const std::string option = "--set " + key + "=1979-05-27";
        const std::string what = scenario_error(one_of_each, {key + "=1979-05-27"});
        EXPECT_EQ(what.rfind(option + ": " + key, 0), 0u) << what;
        EXPECT_THAT(what, HasSubstr("a date is not ")) << key;
    }
}

TEST(every_key, accepts_its_own_default) {
    unsigned with_default = 0;
    for (const key_info& k : schema()) {
        if (!k.has_default() || k.type == key_type::tables) continue;
        ++with_default;
        const std::string option = first_element(k.path) + "=" + k.default_text;
        EXPECT_EQ(scenario_error(one_of_each, {option}), "no error") << option;
    }
    EXPECT_GT(with_default, 50u);
}

TEST(every_key, is_documented) {
    std::ostringstream list;
    print_keys(list);
    for (const key_info& k : schema()) {
        EXPECT_GT(k.meaning.size(), 5u) << k.path;
        EXPECT_FALSE(k.default_text.empty()) << k.path;
        EXPECT_TRUE(k.apply) << k.path;
        EXPECT_NE(list.str().find("\n" + k.path + " "), std::string::npos) << k.path;
        EXPECT_NE(list.str().find("  " + k.meaning), std::string::npos) << k.path;
    }
}

TEST(schema, has_each_key_once) {
    std::set<std::string> seen;
    for (const key_info& k : schema()) EXPECT_TRUE(seen.insert(k.path).second) << k.path;
}

// DESIGN: each hop is an injection point.
TEST(schema, has_a_key_for_each_hop) {
    for (const hop_info& h : hop_table) {
        EXPECT_NE(find_key("hops." + std::string(h.name)), nullptr) << h.name;
    }
}

TEST(schema, knows_sections) {
    EXPECT_TRUE(is_section("guest"));
    EXPECT_TRUE(is_section("guest.cost"));
    EXPECT_TRUE(is_section("platform.clock[].rates"));
    EXPECT_FALSE(is_section("guest.hz"));
    EXPECT_FALSE(is_section("gue"));
    EXPECT_THAT(names_below("output"),
                testing::ElementsAre("ftrace", "dmesg", "registers", "requests", "summary", "vcd"));
}

std::string file_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(schema, the_tables_of_the_documentation_are_up_to_date) {
    const std::string text = file_text(std::string(SCMI_VP_SOURCE_DIR) + "/docs/scenario.md");
    const std::string begin = "<!-- scmi-vp list keys --markdown -->\n", end = "\n<!-- end -->";
    const std::size_t from = text.find(begin), to = text.find(end);
    ASSERT_NE(from, std::string::npos);
    ASSERT_NE(to, std::string::npos);
    std::ostringstream tables;
    print_keys_markdown(tables);
    const auto wanted = lines_of(tables.str());
    const auto found = lines_of(text.substr(from + begin.size(), to - from - begin.size()));
    const std::string advice =
        "put the output of `scmi-vp list keys --markdown` between the two comments";
    ASSERT_EQ(found.size(), wanted.size()) << advice;
    for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_EQ(found[i], wanted[i]) << advice;
}

/// The fenced TOML examples of the documentation.
std::vector<std::string> toml_examples(const std::string& text) {
    std::vector<std::string> examples;
    const std::string fence = "```toml\n";
    for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
        at += fence.size();
        examples.push_back(text.substr(at, text.find("```", at) - at));
    }
    return examples;
}

TEST(schema, the_examples_of_the_documentation_load) {
    const std::string folder = std::string(SCMI_VP_SOURCE_DIR) + "/docs";
    const auto examples = toml_examples(file_text(folder + "/scenario.md"));
    ASSERT_GE(examples.size(), 3u);
    for (const std::string& e : examples) {
        EXPECT_EQ(testing_tools::error_of([&] { parse_scenario(e, folder + "/s.toml"); }),
                  "no error")
            << e;
    }
}

TEST(schema, columns_line_up) {
    std::ostringstream out;
    print_columns(out, {{"a", "b", "c"}, {"long", "x", "y"}});
    EXPECT_EQ(out.str(), "a     b  c\nlong  x  y\n");
}

}  // namespace
}  // namespace scmi_vp::scenario
