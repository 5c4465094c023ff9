// SPDX-License-Identifier: Apache-2.0
// The VCD files, read back by a reader of the tests' own and converted by GTKWave's vcd2fst.
#include "traces/vcd_writer.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "traces/vcd_test_reader.h"

namespace scmi_vp::traces {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

vcd_contents read_back(const std::ostringstream& out) {
    return vcd_test_reader(out.str()).read();
}

/// "value@time" of all changes, values in decimal, those of sections with the section in front.
std::vector<std::string> changes_of(const vcd_contents& c, const std::string& path) {
    std::vector<std::string> result;
    for (const auto& change : c.variables.at(path).changes) {
        const std::string value = change.value.find('x') != std::string::npos
                                      ? change.value
                                      : std::to_string(std::stoull(change.value, nullptr, 2));
        result.push_back((change.section.empty() ? "" : change.section + " ") + value + "@" +
                         std::to_string(change.time));
    }
    return result;
}

// IEEE 1364-2005 18.2: keyword sections, scopes, variables with their bit range.
TEST(vcd_writer, writes_header_scopes_and_initial_values) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    w.declare("top.cpu0.irq", 1, wave_radix::bit, nullptr, 1);
    w.declare("top.slots", 4, wave_radix::decimal);
    w.declare("top.cpu0.xfer", 64, wave_radix::hexadecimal, nullptr, UINT64_MAX);
    w.declare("clock", 1);
    w.start();
    const written result = w.finish(nanoseconds(1));

    const vcd_contents c = read_back(out);
    EXPECT_EQ(c.timescale, "1 ps");
    ASSERT_EQ(c.variables.size(), 4U);
    EXPECT_EQ(c.variables.at("top.cpu0.irq").width, 1U);
    EXPECT_EQ(c.variables.at("top.cpu0.irq").range, "");
    EXPECT_EQ(c.variables.at("top.slots").range, "[3:0]");
    EXPECT_EQ(c.variables.at("top.cpu0.xfer").range, "[63:0]");
    EXPECT_THAT(changes_of(c, "top.cpu0.irq"), ElementsAre("$dumpvars 1@0"));
    EXPECT_THAT(changes_of(c, "top.slots"), ElementsAre("$dumpvars 0@0"));
    EXPECT_THAT(changes_of(c, "top.cpu0.xfer"), ElementsAre("$dumpvars 18446744073709551615@0"));
    EXPECT_THAT(changes_of(c, "clock"), ElementsAre("$dumpvars 0@0"));
    EXPECT_THAT(c.stamps, ElementsAre(0, 1'000));
    EXPECT_EQ(result.records, 0U);
    EXPECT_EQ(result.bytes, out.str().size());
}

// 18.2.1: a scope may be left and its parent's other scopes follow; each is opened once.
TEST(vcd_writer, opens_each_scope_once_in_the_order_of_declaration) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    for (const char* path : {"top.b.x", "top.a.x", "top.b.y", "top.b", "other.x"})
        w.declare(path, 1);
    w.start();
    w.finish(sim_time());
    const std::string text = out.str();
    std::vector<std::string> scopes;
    for (std::size_t at = text.find("module "); at != std::string::npos;
         at = text.find("module ", at + 1)) {
        scopes.push_back(text.substr(at + 7, text.find(' ', at + 7) - at - 7));
    }
    EXPECT_THAT(scopes, ElementsAre("top", "b", "a", "other"));
    EXPECT_EQ(read_back(out).variables.size(), 5U);
}

// 18.2.1: identifier codes are printable characters; the writer needs two from the 95th signal on.
TEST(vcd_writer, tells_ten_thousand_signals_apart) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    std::vector<wave_id> ids;
    for (int i = 0; i < 10'000; ++i) ids.push_back(w.declare("top.s" + std::to_string(i), 16));
    w.start();
    for (int i = 0; i < 10'000; ++i) w.change(ids[i], picoseconds(i + 1), i + 1);
    const written result = w.finish(nanoseconds(100));
    EXPECT_EQ(result.records, 10'000U);
    EXPECT_EQ(result.bytes, out.str().size());
    const vcd_contents c = read_back(out);
    for (int i = 0; i < 10'000; ++i) {
        const auto& v = c.variables.at("top.s" + std::to_string(i));
        ASSERT_EQ(v.changes.size(), 2U);
        EXPECT_EQ(v.changes[1].time, i + 1);
        EXPECT_EQ(std::stoi(v.changes[1].value, nullptr, 2), i + 1);
    }
}

// 18.2.1: "b" and the shortest form; every length of it.
TEST(vcd_writer, writes_every_power_of_two_exactly) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    const wave_id id = w.declare("v", 64);
    w.start();
    for (int i = 0; i < 64; ++i) {
        w.change(id, picoseconds(2 * i + 1), std::uint64_t{1} << i);
        w.change(id, picoseconds(2 * i + 2), UINT64_MAX >> i);
    }
    w.finish(nanoseconds(1));
    const vcd_contents c = read_back(out);
    const auto& changes = c.variables.at("v").changes;
    ASSERT_EQ(changes.size(), 129U);
    for (int i = 0; i < 64; ++i) {
        EXPECT_EQ(changes[2 * i + 1].value, "1" + std::string(i, '0'));
        EXPECT_EQ(changes[2 * i + 2].value, std::string(64 - i, '1'));
    }
}

TEST(vcd_writer, counts_edges_and_writes_no_equal_values) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    const wave_id clock = w.declare("top.clock", 1, wave_radix::bit);
    const wave_id idle = w.declare("top.idle", 1, wave_radix::bit);
    w.start();
    for (int i = 1; i <= 1'000; ++i) {
        w.change(idle, nanoseconds(i) - picoseconds(1), 0);  // no stamp for that
        w.change(clock, nanoseconds(i), i % 2);
        w.change(clock, nanoseconds(i), i % 2);
        w.change(idle, nanoseconds(i), 0);
    }
    EXPECT_EQ(w.finish(microseconds(1)).records, 1'000U);
    const vcd_contents c = read_back(out);
    EXPECT_EQ(c.variables.at("top.clock").edges(), 1'000U);
    EXPECT_EQ(c.variables.at("top.idle").edges(), 0U);
    EXPECT_EQ(w.glitches(), 0U);
    EXPECT_EQ(c.stamps.size(), 1'001U);  // the last change is at the end
}

// What SystemC's own tracing loses: a pulse of no length.
TEST(vcd_writer, writes_pulses_within_one_instant_in_order_and_counts_them) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    const wave_id kick = w.declare("kick", 1, wave_radix::bit);
    const wave_id other = w.declare("other", 8);
    w.start();
    w.change(kick, nanoseconds(5), 1);
    w.change(other, nanoseconds(5), 3);
    w.change(kick, nanoseconds(5), 0);
    w.change(kick, nanoseconds(6), 1);
    w.finish(nanoseconds(7));
    EXPECT_THAT(changes_of(read_back(out), "kick"),
                ElementsAre("$dumpvars 0@0", "1@5000", "0@5000", "1@6000"));
    EXPECT_EQ(w.glitches(), 1U);
}

// Changes are written many at a time; more of them at one instant are no less.
TEST(vcd_writer, writes_any_number_of_changes_within_one_instant_in_order) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd", {{nanoseconds(1), nanoseconds(2)}});
    const wave_id odd = w.declare("odd", 1), count = w.declare("count", 16);
    w.start();
    w.advance(nanoseconds(1));
    for (unsigned i = 1; i <= 5'000; ++i) {
        w.set(odd, i % 2);
        w.set(count, i);
    }
    w.advance(nanoseconds(2));
    w.set(count, 1);
    EXPECT_EQ(w.finish(nanoseconds(2)).records, 10'000U);
    EXPECT_EQ(w.glitches(), 9'998U);
    const vcd_contents c = read_back(out);
    EXPECT_THAT(c.stamps, ElementsAre(1'000, 2'000));
    EXPECT_THAT(c.sections, ElementsAre("$dumpvars@1000", "$dumpoff@2000"));
    const std::vector<std::string> counts = changes_of(c, "count"), odds = changes_of(c, "odd");
    ASSERT_EQ(counts.size(), 5'002U);  // and both sections
    ASSERT_EQ(odds.size(), 5'002U);
    for (unsigned i = 1; i <= 5'000; ++i) {
        ASSERT_EQ(counts[i], std::to_string(i) + "@1000");
        ASSERT_EQ(odds[i], std::to_string(i % 2) + "@1000");
    }
    // As they were told, those of different signals too.
    EXPECT_THAT(out.str(), HasSubstr("\n1!\nb1 \"\n0!\nb10 \"\n1!\nb11 \"\n"));
}

TEST(vcd_writer, writes_time_stamps_exactly) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    const wave_id id = w.declare("bit", 1);
    w.start();
    constexpr std::int64_t ms = 1'000'000'000, s = 1'000 * ms;
    const std::vector<std::int64_t> times{
        0, 1, ms - 1, ms, ms + 1, 2 * ms - 1, 12'034'506'789, s - 1, s, 9'000'000 * s + 10};
    for (std::size_t i = 1; i < times.size(); ++i) w.change(id, picoseconds(times[i]), i % 2);
    w.finish(picoseconds(times.back()));
    EXPECT_EQ(read_back(out).stamps, times);
    EXPECT_THAT(out.str(), HasSubstr("\n#1\n1!\n#999999999\n"));  // no zeros in front
}

// 18.1.3 and 18.2: $dumpoff leaves every variable unknown, $dumpon gives all values again.
TEST(vcd_writer, writes_only_the_windows_and_marks_the_gap) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd",
                 {{nanoseconds(40), nanoseconds(50)}, {nanoseconds(10), nanoseconds(20)}});
    const wave_id bit = w.declare("bit", 1);
    const wave_id word = w.declare("word", 8);
    w.start();
    w.change(word, nanoseconds(5), 5);   // before: only the value is kept
    w.change(word, nanoseconds(10), 6);  // `from` belongs to the window
    w.change(bit, nanoseconds(15), 1);
    w.change(word, nanoseconds(20), 7);  // `to` does not
    w.change(bit, nanoseconds(30), 0);
    w.change(bit, nanoseconds(45), 1);
    w.change(bit, nanoseconds(99), 0);
    EXPECT_EQ(w.finish(nanoseconds(100)).records, 3U);
    const vcd_contents c = read_back(out);
    EXPECT_THAT(c.sections, ElementsAre("$dumpvars@10000", "$dumpoff@20000", "$dumpon@40000",
                                        "$dumpoff@50000"));
    EXPECT_THAT(changes_of(c, "word"),
                ElementsAre("$dumpvars 5@10000", "6@10000", "$dumpoff x@20000", "$dumpon 7@40000",
                            "$dumpoff x@50000"));
    EXPECT_THAT(changes_of(c, "bit"),
                ElementsAre("$dumpvars 0@10000", "1@15000", "$dumpoff x@20000", "$dumpon 0@40000",
                            "1@45000", "$dumpoff x@50000"));
    EXPECT_THAT(c.stamps, ElementsAre(10'000, 15'000, 20'000, 40'000, 45'000, 50'000));
}

TEST(vcd_writer, joins_windows_that_touch_or_overlap) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd",
                 {{nanoseconds(20), nanoseconds(30)},
                  {nanoseconds(10), nanoseconds(20)},
                  {nanoseconds(12), nanoseconds(15)}});
    const wave_id id = w.declare("bit", 1);
    w.start();
    w.change(id, nanoseconds(25), 1);
    w.finish(nanoseconds(50));
    EXPECT_THAT(read_back(out).sections, ElementsAre("$dumpvars@10000", "$dumpoff@30000"));
}

TEST(vcd_writer, ends_inside_a_window_with_a_last_time_stamp) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd", {{nanoseconds(10), nanoseconds(20)}});
    const wave_id id = w.declare("bit", 1);
    w.start();
    w.change(id, nanoseconds(12), 1);
    w.finish(nanoseconds(17));
    const vcd_contents c = read_back(out);
    EXPECT_THAT(c.stamps, ElementsAre(10'000, 12'000, 17'000));
    EXPECT_THAT(c.sections, ElementsAre("$dumpvars@10000"));
}

// No silent output: nothing in the window is told by the count.
TEST(vcd_writer, reports_zero_records_when_the_window_was_never_reached) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd", {{seconds(1)}});
    const wave_id id = w.declare("bit", 1);
    w.start();
    w.change(id, nanoseconds(12), 1);
    const written result = w.finish(milliseconds(1));
    EXPECT_EQ(result.records, 0U);
    EXPECT_EQ(result.bytes, out.str().size());
    EXPECT_TRUE(read_back(out).stamps.empty());
}

TEST(vcd_writer, survives_any_block_boundary) {
    // Blocks against records of 1 to 100 characters, dumps of all values among them.
    std::ostringstream out;
    std::vector<wave_window> windows;
    for (int i = 0; i < 200; ++i)
        windows.push_back({nanoseconds(100 * i), nanoseconds(100 * i + 77)});
    vcd_writer w(out, "a.vcd", windows);
    std::vector<wave_id> ids;
    for (int i = 0; i < 150; ++i) ids.push_back(w.declare("s" + std::to_string(i), 1 + i % 64));
    w.start();
    std::uint64_t in_windows = 0;
    for (int i = 1; i < 20'000; ++i) {
        const auto bit = (ids[i % 150] % 64U);
        const std::uint64_t old_bit = i / 150 % 2 == 0 ? 1 : 0;
        w.change(ids[i % 150], nanoseconds(i), old_bit << bit);
        if (i >= 150 || i % 150 != 0) in_windows += i % 100 < 77 ? 1 : 0;
    }
    const written result = w.finish(nanoseconds(20'000));
    EXPECT_EQ(result.bytes, out.str().size());
    EXPECT_GT(result.bytes, 4U * 64 * 1024);
    const vcd_contents c = read_back(out);
    std::size_t edges = 0;
    for (const auto& [path, v] : c.variables) edges += v.edges();
    EXPECT_EQ(edges, result.records);
    // s0's first change comes at i = 150 and is to its initial value.
    EXPECT_EQ(result.records, in_windows - 1);
    EXPECT_EQ(c.sections.size(), 400U);
}

/// A folder that goes with the test.
class temporary_folder {
public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "scmi-vp-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~temporary_folder() { std::filesystem::remove_all(path_); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    std::string operator/(const std::string& file) const { return (path_ / file).string(); }

private:
    std::filesystem::path path_;
};

bool have(const std::string& tool) {
    return std::system(("command -v " + tool + " >/dev/null 2>&1").c_str()) == 0;
}

// GTKWave's own converters accept the file, and what comes back has the same changes.
TEST(vcd_writer, is_understood_by_vcd2fst) {
    if (!have("vcd2fst") || !have("fst2vcd")) GTEST_SKIP() << "install the package gtkwave";
    const temporary_folder folder;
    {
        std::ofstream out(folder / "a.vcd");
        vcd_writer w(out, "a.vcd", {{nanoseconds(0), nanoseconds(20)}, {nanoseconds(40)}});
        const wave_id bit = w.declare("top.guest.irq", 1, wave_radix::bit);
        const wave_id word = w.declare("top.platform.queue", 12);
        w.start();
        for (int i = 1; i < 100; ++i) {
            w.change(bit, nanoseconds(i), i % 2);
            w.change(word, nanoseconds(i), 40 * i);
        }
        EXPECT_EQ(w.finish(nanoseconds(100)).records, 2U * (19 + 60));
    }
    const std::string log = folder / "log";
    ASSERT_EQ(std::system(("vcd2fst " + (folder / "a.vcd") + " " + (folder / "a.fst") + " >" + log +
                           " 2>&1 && fst2vcd -f " + (folder / "a.fst") + " -o " +
                           (folder / "b.vcd") + " >>" + log + " 2>&1")
                              .c_str()),
              0)
        << std::ifstream(log).rdbuf();
    std::ostringstream back;
    back << std::ifstream(folder / "b.vcd").rdbuf();
    EXPECT_THAT(back.str(), HasSubstr("$scope module guest $end"));
    EXPECT_THAT(back.str(), HasSubstr("queue [11:0]"));
    const auto at = [text = back.str()](const std::string& stamp) {
        const std::size_t begin = text.find("\n#" + stamp + "\n");
        return begin == text.npos ? "nothing"
                                  : text.substr(begin, text.find("\n#", begin + 1) - begin);
    };
    EXPECT_THAT(at("99000"), AllOf(HasSubstr("\n1!"), HasSubstr("\nb111101111000 \"")));  // 40 * 99
    EXPECT_THAT(at("20000"), AllOf(HasSubstr("\nx!"), HasSubstr("\nbxxxxxxxxxxxx \"")));
    EXPECT_EQ(at("30000"), "nothing");
}

}  // namespace
}  // namespace scmi_vp::traces
