// SPDX-License-Identifier: Apache-2.0
// Commands as their reader would start them, words on lines, the width of a terminal.
#include "base/console.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace scmi_vp {
namespace {

class console_test : public testing::Test {
protected:
    void SetUp() override {
        console() = {0, "./run", {"run", "list"}};
        unsetenv("SCMI_VP_COMMAND");
        unsetenv("COLUMNS");
    }
    void TearDown() override {
        console() = {};
        unsetenv("SCMI_VP_COMMAND");
        unsetenv("COLUMNS");
    }
};

TEST_F(console_test, commands_are_those_that_work) {
    EXPECT_EQ(as_started("scmi-vp run a.toml; see `scmi-vp list keys`"),
              "./run run a.toml; see `./run list keys`");
    EXPECT_EQ(as_started("usage: scmi-vp COMMAND (scmi-vp --help)"),
              "usage: ./run COMMAND (./run --help)");
}

TEST_F(console_test, what_is_no_command_stays) {
    for (const char* text : {"scmi-vp wrote it", "scmi-vp", "", "another scmi-vp-run run",
                             "build/scmi-vp run x", "scmi-vp runs", "my-scmi-vp run"}) {
        EXPECT_EQ(as_started(text), text);
    }
}

TEST_F(console_test, the_command_is_what_was_typed) {
    EXPECT_EQ(command_of("scmi-vp"), "scmi-vp");
    EXPECT_EQ(command_of(nullptr), "scmi-vp");
    EXPECT_EQ(command_of("build/dev/scmi-vp"), "build/dev/scmi-vp");
    EXPECT_EQ(command_of("my build/scmi-vp"), "'my build/scmi-vp'");
    setenv("SCMI_VP_COMMAND", "../run", 1);
    EXPECT_EQ(command_of("/somewhere/build/scmi-vp"), "../run");
}

TEST_F(console_test, columns_may_be_set) {
    setenv("COLUMNS", "72", 1);
    EXPECT_EQ(columns_of_output(), 72u);
    setenv("COLUMNS", "3", 1);
    EXPECT_EQ(columns_of_output(), 40u);  // nothing can be laid out in three
}

TEST_F(console_test, text_is_as_wide_as_it_reads_well_or_fits) {
    EXPECT_EQ(text_columns(100), 100u);
    console().columns = 60;
    EXPECT_EQ(text_columns(100), 60u);
    console().columns = 300;
    EXPECT_EQ(text_columns(100), 100u);
}

TEST_F(console_test, wrapped_lines_begin_below_the_first) {
    std::ostringstream out;
    print_wrapped(out, "- ", "one two three", 9);
    EXPECT_EQ(out.str(), "- one two\n  three\n");
    console().columns = 1;  // narrower than what stands in front
    out.str("");
    print_wrapped(out, "(1) ", "one two", 80);
    EXPECT_EQ(out.str(), "(1) one\n    two\n");
}

TEST_F(console_test, words_are_wrapped_and_never_cut) {
    using testing::ElementsAre;
    EXPECT_THAT(wrapped("", 10), ElementsAre(""));
    EXPECT_THAT(wrapped("one two  three", 7), ElementsAre("one two", "three"));
    EXPECT_THAT(wrapped("a incomprehensible b", 5), ElementsAre("a", "incomprehensible", "b"));
}

TEST_F(console_test, programs_are_looked_for_as_the_shell_does) {
    EXPECT_TRUE(is_in_path("sh"));
    EXPECT_FALSE(is_in_path("no-such-program-anywhere"));
}

}  // namespace
}  // namespace scmi_vp
