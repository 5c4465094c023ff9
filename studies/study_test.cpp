// SPDX-License-Identifier: Apache-2.0
// Study files: what they become, and one clear error with its place for everything else.
#include "studies/study.h"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/scenario_testing.h"
#include "studies/study_keys.h"
#include "studies/toml_text.h"

namespace scmi_vp::studies {
namespace {

using scenario::testing_tools::error_of;
using scenario::testing_tools::scratch_folder;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* scenario_text = R"(
[[platform.sensor]]
name = "t"
[[workload.context]]
name = "a"
[[workload.loop]]
context = "a"
count = 20
think = "1ms"
calls = [ { call = "sensor_read", id = 0 } ]
)";

constexpr const char* head = "[study]\nscenario = \"scenario.toml\"\n";

class studies_of_a_folder : public testing::Test {
protected:
    studies_of_a_folder() { folder.write("scenario.toml", scenario_text); }
    study parse(const std::string& text, const study_overrides& o = {}) {
        return parse_study(text, folder.path() / "s.toml", o);
    }
    std::string failure(const std::string& text, const study_overrides& o = {}) {
        std::string what = error_of([&] { parse(text, o); });
        const std::string path = (folder.path() / "").string();
        for (std::size_t at = what.find(path); at != std::string::npos; at = what.find(path)) {
            what.erase(at, path.size());
        }
        return what;
    }
    scratch_folder folder;
};

TEST_F(studies_of_a_folder, points_are_all_combinations_of_the_axes) {
    const study s = parse(std::string(head) + R"(
title = "t"
replications = 3
seed = 9
notes = ["n"]
[[axis]]
name = "hz"
values = [ { label = "slow", set = { "guest.hz" = 100 } }, { label = "fast", set = { guest = { hz = 1000 } } } ]
[[axis]]
name = "timeout"
values = [ { label = "30ms", set = { "guest.max_rx_timeout" = "30ms" } },
           { label = "1s", set = { "guest.max_rx_timeout" = "1s" } } ]
)");
    EXPECT_EQ(s.title, "t");
    EXPECT_EQ(s.replications, 3u);
    EXPECT_EQ(s.seed, 9u);
    EXPECT_THAT(s.notes, ElementsAre("n"));
    ASSERT_EQ(s.points.size(), 4u);
    EXPECT_EQ(s.points[0].name(), "hz slow, timeout 30ms");
    EXPECT_EQ(s.points[1].name(), "hz slow, timeout 1s");
    EXPECT_EQ(s.points[2].name(), "hz fast, timeout 30ms");
    EXPECT_THAT(s.points[3].set, ElementsAre("guest.hz=1000", "guest.max_rx_timeout=1s"));
    EXPECT_EQ(s.points[3].scenario.system.guest.hz, 1000u);
    EXPECT_EQ(s.points[3].scenario.system.guest.profile.max_rx_timeout, seconds(1));
    EXPECT_EQ(s.points[0].scenario.system.guest.hz, 100u);
}

TEST_F(studies_of_a_folder, without_axes_there_is_one_point) {
    const study s = parse(head);
    ASSERT_EQ(s.points.size(), 1u);
    EXPECT_EQ(s.points[0].name(), "the scenario");
    EXPECT_EQ(s.replications, 10u);
    EXPECT_EQ(s.title, "s");
}

TEST_F(studies_of_a_folder, the_command_line_has_the_last_word) {
    const study s = parse(head, {{"guest.hz=1000"}, 77});
    EXPECT_EQ(s.points[0].scenario.system.guest.hz, 1000u);
    EXPECT_EQ(s.seed, 77u);
}

// A latency's file starts at the study's folder, as one in a scenario starts at the scenario's.
TEST_F(studies_of_a_folder, files_start_at_the_folder_of_the_study) {
    folder.write("list.txt", "5us\n");
    const study s = parse(std::string(head) + R"([[axis]]
name = "x"
values = [ { label = "a", set = { "hops.notify" = { kind = "recorded", file = "list.txt" } } } ]
)");
    EXPECT_THAT(s.points[0].set.at(0), HasSubstr((folder.path() / "list.txt").string()));
}

struct bad_study {
    const char* name;
    std::string text;
    std::string what;
};
void PrintTo(const bad_study& b, std::ostream* out) {
    *out << b.name;
}

std::string with_axis(const std::string& axis) {
    return std::string(head) + "[[axis]]\n" + axis;
}

class bad_studies : public studies_of_a_folder, public testing::WithParamInterface<bad_study> {};

TEST_P(bad_studies, are_refused_with_their_place) {
    EXPECT_EQ(failure(GetParam().text), GetParam().what);
}

const bad_study bad[] = {
    {"no_scenario", "[study]\ntitle = \"x\"\n",
     "s.toml:1:1: study.scenario is missing: The scenario that is run at every point; relative "
     "paths start at this file's folder."},
    {"empty", "",
     "s.toml:1:1: study.scenario is missing: The scenario that is run at every point; relative "
     "paths start at this file's folder."},
    {"unknown_key", std::string(head) + "replicatons = 3\n",
     "s.toml:3:1: unknown key study.replicatons, did you mean replications?"},
    {"unknown_section", std::string(head) + "[axes]\n",
     "s.toml:3:2: unknown key axes, did you mean axis?"},
    {"unknown_axis_key", with_axis("nme = \"x\"\n"),
     "s.toml:4:1: unknown key axis.0.nme, did you mean name?"},
    {"no_replications", std::string(head) + "replications = 0\n",
     "s.toml:3:16: study.replications: 0 is out of range: 1..100000"},
    {"no_such_scenario", "[study]\nscenario = \"no.toml\"\n",
     "cannot read no.toml (No such file or directory)"},
    {"axis_without_values", with_axis("name = \"x\"\nvalues = []\n"),
     "s.toml: axis 'x' has no values"},
    {"axis_twice", with_axis("name = \"x\"\nvalues = [{label=\"a\"}]\n[[axis]]\nname = \"x\"\n"),
     "s.toml:7:8: axis.1.name: there is another axis 'x'"},
    {"label_of_two_lines", with_axis("name = \"x\"\nvalues = [{label=\"a\\nb\"}]\n"),
     "s.toml:5:18: axis.0.values.0.label: has a control character or two lines"},
    {"label_twice", with_axis("name = \"x\"\nvalues = [{label=\"a\"}, {label=\"a\"}]\n"),
     "s.toml:5:31: axis.0.values.1.label: there is another value 'a'"},
    {"unknown_scenario_key",
     with_axis("name = \"x\"\nvalues = [ { label = \"a\", set = { \"guest.zh\" = 1 } } ]\n"),
     "s.toml:5:35: unknown key guest.zh, did you mean guest.hz?"},
    {"value_out_of_range",
     with_axis("name = \"x\"\nvalues = [ { label = \"a\", set = { \"guest.hz\" = 0 } } ]\n"),
     "s.toml:5:35: guest.hz: 0 is out of range: 1..10000"},
    {"key_of_two_axes",
     with_axis(
         "name = \"x\"\nvalues = [ { label = \"a\", set = { \"guest.hz\" = 1 } } ]\n"
         "[[axis]]\nname = \"y\"\nvalues = [ { label = \"b\", set = { \"guest.hz\" = 2 } } ]\n"),
     "s.toml:8:35: guest.hz is set by axis 'x' too"},
    {"seed_of_a_point",
     with_axis("name = \"x\"\nvalues = [ { label = \"a\", set = { \"sim.seed\" = 1 } } ]\n"),
     "s.toml:5:35: sim.seed is each replication's own: set study.seed instead"},
    {"set_is_no_table", with_axis("name = \"x\"\nvalues = [ { label = \"a\", set = 3 } ]\n"),
     "s.toml:5:33: axis.0.values.0.set: 3 is not a table of scenario keys { "
     "\"guest.max_rx_timeout\" = \"30ms\" }"},
    {"no_toml", "[study\n",
     "s.toml:1:7: Error while parsing table header: expected ']', saw '\\n'"},
};
std::string name_of_case(const testing::TestParamInfo<bad_study>& i) {
    return i.param.name;
}
INSTANTIATE_TEST_SUITE_P(files, bad_studies, testing::ValuesIn(bad), name_of_case);

TEST_F(studies_of_a_folder, bad_options_are_refused) {
    const std::string axis =
        with_axis("name = \"x\"\nvalues = [ { label = \"a\", set = { \"guest.hz\" = 100 } } ]\n");
    EXPECT_EQ(failure(axis, {{"guest.hz=250"}, {}}),
              "--set guest.hz=250: guest.hz is what axis 'x' varies");
    EXPECT_EQ(failure(axis, {{"sim.seed=2"}, {}}),
              "--set sim.seed=2: is each replication's own: give the study's with --seed");
    EXPECT_THAT(failure(axis, {{"guest.cpsu=2"}, {}}),
                HasSubstr("--set guest.cpsu=2: unknown key guest.cpsu, did you mean guest.cpus?"));
}

// A point may be wrong although each key alone is right: then the point is named.
TEST_F(studies_of_a_folder, a_point_that_does_not_fit_together_is_named) {
    const std::string what =
        failure(with_axis("name = \"x\"\nvalues = [ { label = \"a\", set = { "
                          "\"platform.slot.period\" = \"1ms\" } } ]\n"));
    EXPECT_THAT(what, HasSubstr("platform.slot.length: 0s is not above 0s"));
    EXPECT_THAT(what, HasSubstr("(at point x a)"));
}

TEST(replication_seed, is_a_stream_of_its_own_and_fits_a_double) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t r = 0; r < 1000; ++r) {
        const std::uint64_t seed = replication_seed(1, r);
        EXPECT_TRUE(seen.insert(seed).second);
        EXPECT_LT(seed, std::uint64_t(1) << 52);
        EXPECT_TRUE(seen.count(replication_seed(2, r)) == 0);
    }
    EXPECT_EQ(replication_seed(1, 3), replication_seed(1, 3));
}

// What is written must read back as the same value, since commands in reports are pasted.
TEST(override_text, reads_back_as_the_same_value) {
    const toml::table t = toml::parse(R"(
a = "30ms"
b = "true"
c = "12"
d = "two words"
e = "quote\"and\\slash\tab"
f = 0x10
g = 1e-5
h = [1, "x", { k = "v" }]
i = ""
j = "plain-word"
)");
    for (const auto& [key, node] : t) {
        const std::string text = override_text(node, "");
        toml::table back;
        try {
            back = toml::parse("v = " + text);
        } catch (const toml::parse_error&) {
            back.insert("v", text);  // as --set does
        }
        toml::table wanted;
        wanted.insert("v", node);
        EXPECT_EQ(back, wanted) << text;
        EXPECT_EQ(text.find('\n'), std::string::npos);
    }
    EXPECT_EQ(override_text(*t.get("a"), ""), "30ms");
    EXPECT_EQ(override_text(*t.get("b"), ""), "\"true\"");
    const toml::table numbers = toml::parse("a = 0.00001\nb = 3.0\nc = 0.1");
    EXPECT_EQ(override_text(*numbers.get("a"), ""), "1e-05");
    EXPECT_EQ(override_text(*numbers.get("b"), ""), "3.0");
    EXPECT_EQ(override_text(*numbers.get("c"), ""), "0.1");
}

TEST(study_keys, are_all_listed) {
    std::ostringstream list;
    print_study_keys(list);
    for (const study_key& k : study_keys()) {
        EXPECT_THAT(list.str(), HasSubstr("\n" + k.path + " ")) << k.path;
        EXPECT_THAT(list.str(), HasSubstr(k.meaning)) << k.path;
    }
}

TEST_F(studies_of_a_folder, what_results_json_cannot_hold_is_refused) {
    const std::string advice = "is not UTF-8 and cannot be written into results";
    EXPECT_THAT(error_of([&] { parse_study(head, folder.path() / "caf\xe9/s.toml"); }),
                HasSubstr("caf\xe9/s.toml: this path " + advice));
    study_overrides o;
    o.set = {"scenario.title=caf\xe9"};
    EXPECT_EQ(failure(head, o), "--set scenario.title=caf\xe9: " + advice);
}

}  // namespace
}  // namespace scmi_vp::studies
