// SPDX-License-Identifier: Apache-2.0
// Inputs that fail, never end or nest too deep, by the ways that a user has; closed descriptors.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/program_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::app {
namespace {

namespace fs = std::filesystem;
using scenario::testing_tools::scratch_folder;
using testing::HasSubstr;
using testing::StartsWith;
using testing_tools::refusal;
using testing_tools::run;

std::string refused_set(const std::string& option) {
    return refusal({"run", "quickstart", "--set", option});
}

TEST(inputs, that_fail_or_never_end_are_refused_wherever_they_are_named) {
    for (const auto& [file, why] :
         {std::pair<const char*, const char*>{"/proc/self/mem", "(Input/output error)"},
          {"/dev/zero", "is larger than "},
          {"/dev/null", "/dev/null is empty"},
          {"/", "/ is a folder"}}) {
        const std::string name = file;
        EXPECT_THAT(refusal({"study", name}), HasSubstr(name == "/" ? "/" : why));
        if (name != "/") {
            EXPECT_THAT(refusal({"run", name}), HasSubstr(why));
        }
        for (const std::string& option :
             {"platform.file=" + name, "guest.device_tree=" + name,
              "hops.service={ kind = \"histogram\", file = \"" + name + "\" }",
              "hops.service={ kind = \"recorded\", file = \"" + name + "\" }"}) {
            const std::string err = refused_set(option);
            EXPECT_THAT(err, StartsWith("scmi-vp: --set " + option + ": "));
            EXPECT_THAT(err, HasSubstr(why));
        }
    }
}

TEST(inputs, nested_too_deep_are_refused_before_the_parser_recurses) {
    const scratch_folder folder;
    const std::string many(40'000, '[');
    std::string dots = "a";
    for (int i = 0; i < 40'000; ++i) dots += ".a";
    for (const std::string& text : {dots + " = 1\n", "[" + dots + "]\n", "a = " + many, many}) {
        EXPECT_THAT(refusal({"run", folder.write("s.toml", text).string()}),
                    HasSubstr("s.toml:1:"));
        EXPECT_THAT(refusal({"study", folder.write("study.toml", text).string()}),
                    HasSubstr("is nested deeper than 64 levels"));
    }
    EXPECT_THAT(refused_set("hops=" + many), HasSubstr("is nested deeper than 64 levels"));
}

TEST(inputs, an_option_that_sets_nothing_is_refused) {
    EXPECT_THAT(refused_set("hops={}"), HasSubstr("hops = {} sets nothing; name a key below it"));
    EXPECT_THAT(refused_set("guest={ cost = {} }"), HasSubstr("guest.cost = {} sets nothing"));
    const scratch_folder folder;
    folder.write("s.toml", "[[platform.sensor]]\nname = \"s\"\n");
    EXPECT_THAT(refusal({"study", folder
                                      .write("study.toml",
                                             "[study]\nscenario = \"s.toml\"\n[[axis]]\n"
                                             "name = \"a\"\nvalues = [{ label = \"1\", set = "
                                             "{ hops = {} } }]\n")
                                      .string()}),
                HasSubstr("study.toml:5:"));
}

/// Descriptors can be closed only before a program starts.
TEST(inputs, closed_standard_descriptors_stay_out_of_result_files) {
    const fs::path program = fs::path(SCMI_VP_BINARY_DIR) / "scmi-vp";
    if (!fs::exists(program)) GTEST_SKIP() << "scmi-vp is not part of this build";
    const scratch_folder folder;
    const auto rows = [&](const std::string& name, const std::string& closed) {
        const std::string command = program.string() + " run " + SCMI_VP_SOURCE_DIR +
                                    "/testbenches/late-reply/scenario.toml --out " +
                                    (folder.path() / name).string() + closed;
        EXPECT_EQ(std::system(command.c_str()), 0) << command;
        return folder.read(name + "/requests.csv");
    };
    const std::string usual = rows("usual", " > /dev/null 2>&1");
    EXPECT_THAT(usual, StartsWith("id,task,"));
    EXPECT_EQ(rows("closed", " <&- >&- 2>&-"), usual);
    EXPECT_EQ(rows("output", " >&-"), usual);
}

}  // namespace
}  // namespace scmi_vp::app
