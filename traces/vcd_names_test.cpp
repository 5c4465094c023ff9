// SPDX-License-Identifier: Apache-2.0
// GTKWave's save file and filter files (format: GTKWave 3.3 savefile.c and translate.c, trace flags
// of analyzer.h).
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/vcd_writer.h"

namespace scmi_vp::traces {
namespace {

using testing::HasSubstr;

const state_table phase{"phase", {{0, "idle"}, {1, "sent ok"}, {10, "timed-out"}}};
const state_table link{"link", {{0, "down"}, {1, "up"}}};

/// A writer with every radix, at 30 ns in a window from 10 ns to 50 ns.
class gtkwave_files : public testing::Test {
protected:
    gtkwave_files() {
        w_.declare("top.guest.irq", 1, wave_radix::bit);
        w_.declare("top.guest.xfer", 4, wave_radix::states, &phase);
        w_.declare("top.slots", 8, wave_radix::decimal);
        w_.declare("top.guest.header", 32);
        w_.declare("top.guest.link", 1, wave_radix::states, &link);
        w_.declare("top.flag", 1);
        w_.declare("alone", 6, wave_radix::states, &phase);
        w_.start();
        w_.change(0, nanoseconds(30), 1);
    }

    std::ostringstream out_;
    vcd_writer w_{out_, "run.vcd", {{nanoseconds(10), nanoseconds(50)}}};
};

TEST_F(gtkwave_files, save_file_lists_all_signals_by_scope) {
    w_.finish(nanoseconds(42));
    std::ostringstream save;
    w_.write_save_file(save, "run.vcd", nanoseconds(30), "filters");
    std::string no_markers;
    for (int i = 0; i < 26; ++i) no_markers += " -1";
    // The window from 10 to 42 ns on 980 pixels: 2^12.673 ps on 200, as GTKWave's zoom counts.
    EXPECT_EQ(save.str(),
              "[dumpfile] \"/folder-of-this-save-file/run.vcd\"\n"
              "[savefile] \"/folder-of-this-save-file/this.gtkw\"\n"
              "[timestart] 10000\n"
              "[size] 1300 900\n"
              "*-12.673003 30000" +
                  no_markers +
                  "\n"
                  "[signals_width] 260\n[sst_expanded] 0\n"
                  "@2022\n^2 /folder-of-this-save-file/filters/phase.filter\nalone[5:0]\n"
                  "@800200\n-top\n"
                  "@24\ntop.slots[7:0]\n"
                  "@28\ntop.flag\n"
                  "@1000200\n-top\n"
                  "@800200\n-top.guest\n"
                  "@28\ntop.guest.irq\n"
                  "@2022\n^2 /folder-of-this-save-file/filters/phase.filter\ntop.guest.xfer[3:0]\n"
                  "@22\ntop.guest.header[31:0]\n"
                  "@2028\n^1 /folder-of-this-save-file/filters/link.filter\ntop.guest.link\n"
                  "@1000200\n-top.guest\n");
}

TEST_F(gtkwave_files, save_file_works_before_the_end_and_without_marker) {
    std::ostringstream save;
    w_.write_save_file(save, "run.vcd", picoseconds(-1));
    EXPECT_THAT(save.str(), HasSubstr("[timestart] 0\n"));
    EXPECT_THAT(save.str(), HasSubstr(" -1 -1"));
    EXPECT_THAT(save.str(), HasSubstr("^1 /folder-of-this-save-file/link.filter\n"));
}

TEST_F(gtkwave_files, save_file_keeps_absolute_names) {
    std::ostringstream save;
    w_.write_save_file(save, "/results/run.vcd", nanoseconds(30), "/results/filters/");
    EXPECT_THAT(save.str(), HasSubstr("[dumpfile] \"/results/run.vcd\"\n"));
    EXPECT_THAT(save.str(), HasSubstr("^1 /results/filters/link.filter\n"));
}

// GTKWave looks the displayed text up: as many digits as the width has, one set per width.
TEST_F(gtkwave_files, filters_have_the_digits_of_every_width_that_uses_them) {
    const auto filters = w_.filters();
    ASSERT_EQ(filters.size(), 2U);
    EXPECT_EQ(filters.at("phase.filter"),
              "0 idle\n1 sent ok\nA timed-out\n"
              "00 idle\n01 sent ok\n0A timed-out\n");
    EXPECT_EQ(filters.at("link.filter"), "0 down\n1 up\n");
}

TEST(vcd_names, no_filters_without_state_tables) {
    std::ostringstream out;
    vcd_writer w(out, "run.vcd");
    w.declare("a", 3);
    EXPECT_TRUE(w.filters().empty());
}

}  // namespace
}  // namespace scmi_vp::traces
