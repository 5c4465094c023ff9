// SPDX-License-Identifier: Apache-2.0
// What the VCD writer refuses, and how it tells of a disk that is full.
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "traces/vcd_test_reader.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::traces {
namespace {

using testing::HasSubstr;

template <class F>
std::string error_of(error_kind kind, F&& f) {
    try {
        f();
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), kind) << e.what();
        return e.what();
    }
    return "no error";
}

TEST(vcd_writer, refuses_windows_that_cannot_be) {
    std::ostringstream out;
    const auto with = [&](std::vector<wave_window> windows) {
        return error_of(error_kind::config, [&] { vcd_writer(out, "a.vcd", std::move(windows)); });
    };
    EXPECT_THAT(with({{seconds(2), seconds(1)}}), HasSubstr("from 2s to 1s is empty"));
    EXPECT_THAT(with({{seconds(1), seconds(1)}}), HasSubstr("empty"));
    EXPECT_THAT(with({{picoseconds(-1), seconds(1)}}), HasSubstr("before 0s"));
    EXPECT_THAT(with(std::vector<wave_window>()), HasSubstr("no window"));
}

TEST(vcd_writer, refuses_declarations_that_cannot_be) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    const state_table table{"phase", {{0, "idle"}, {2, "busy"}}};
    const state_table other{"phase", {{0, "idle"}}};
    const auto declare = [&](auto... arguments) {
        return error_of(error_kind::model, [&] { w.declare(arguments...); });
    };
    const auto hex = wave_radix::hexadecimal;
    const auto states = wave_radix::states;
    EXPECT_EQ(declare("top.a", 2, states, &table), "no error");
    EXPECT_THAT(declare("top.a", 1), HasSubstr("a.vcd: signal top.a is declared twice"));
    EXPECT_THAT(declare("top.b", 0), HasSubstr("width of 0 bits"));
    EXPECT_THAT(declare("top.b", 65), HasSubstr("width of 65 bits"));
    EXPECT_THAT(declare("top.b", 4, hex, nullptr, 16), HasSubstr("initial value"));
    for (const char* path : {"", ".a", "a.", "a..b", "a b", "a\n", "$end", "\xc3\xa4"}) {
        EXPECT_THAT(declare(path, 1), HasSubstr("the signal name")) << path;
    }
    EXPECT_THAT(declare("top.b", 2, states), HasSubstr("table of states"));
    EXPECT_THAT(declare("top.b", 2, hex, &table), HasSubstr("table of states"));
    EXPECT_THAT(declare("top.b", 2, states, &other), HasSubstr("other words before"));
    EXPECT_THAT(declare("top.b", 1, states, &table), HasSubstr("the value 2"));
    const state_table no_words{"none", {}};
    const state_table bad_word{"bad", {{0, "two\nlines"}}};
    const state_table bad_name{"a/b", {{0, "x"}}};
    for (const state_table* bad : {&no_words, &bad_word, &bad_name}) {
        EXPECT_THAT(declare("top.b", 1, states, bad), HasSubstr("state table")) << bad->name;
    }
    w.start();
    EXPECT_THAT(declare("top.late", 1), HasSubstr("after start()"));
}

TEST(vcd_writer, refuses_changes_that_cannot_be) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    const wave_id id = w.declare("top.v", 4);
    const auto change = [&](wave_id which, sim_time t, std::uint64_t v) {
        return error_of(error_kind::model, [&] { w.change(which, t, v); });
    };
    EXPECT_THAT(change(id, nanoseconds(1), 1), HasSubstr("before start()"));
    EXPECT_THAT(change(id, sim_time::max(), 1), HasSubstr("before start()"));
    w.start();
    w.change(id, nanoseconds(5), 1);
    EXPECT_THAT(change(id, nanoseconds(4), 2),
                HasSubstr("a.vcd: a change at 4ns cannot follow one at 5ns"));
    EXPECT_THAT(change(id, picoseconds(-1), 2), HasSubstr("in order of time"));
    EXPECT_THAT(change(id, sim_time::max(), 2), HasSubstr("in order of time"));
    EXPECT_THAT(change(id, nanoseconds(6), 16), HasSubstr("16 does not fit into 4 bits"));
    EXPECT_THAT(change(id + 1, nanoseconds(6), 1), HasSubstr("no signal has the id 1"));
    EXPECT_THAT(error_of(error_kind::model, [&] { w.finish(nanoseconds(4)); }),
                HasSubstr("the end at 4ns cannot follow"));
    EXPECT_EQ(w.finish(nanoseconds(6)).records, 1U);
    EXPECT_THAT(change(id, nanoseconds(7), 2), HasSubstr("after finish()"));
    EXPECT_THAT(error_of(error_kind::model, [&] { w.finish(nanoseconds(9)); }), HasSubstr("twice"));
    EXPECT_EQ(vcd_test_reader(out.str()).read().variables.at("top.v").edges(), 1U);
}

TEST(vcd_writer, finds_what_was_set_wrongly_when_it_is_written) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    const wave_id id = w.declare("top.v", 4);
    const auto set = [&](wave_id which, std::uint64_t v) {
        return error_of(error_kind::model, [&] { w.set(which, v); });
    };
    const auto advance = [&](sim_time t) {
        return error_of(error_kind::model, [&] { w.advance(t); });
    };
    EXPECT_THAT(set(id, 1), HasSubstr("before start()"));
    EXPECT_THAT(set(id, 1), HasSubstr("before start()"));
    EXPECT_THAT(advance(nanoseconds(1)), HasSubstr("before start()"));
    w.start();
    EXPECT_EQ(set(id, 16), "no error");
    std::string found = "no error";
    for (int i = 1; i < 10'000 && found == "no error"; ++i) found = advance(nanoseconds(i));
    EXPECT_THAT(found, HasSubstr("top.v: the value 16 does not fit into 4 bits"));
    EXPECT_EQ(set(id + 1, 1), "no error");
    EXPECT_THAT(error_of(error_kind::model, [&] { w.finish(seconds(1)); }),
                HasSubstr("no signal has the id 1"));
    w.finish(seconds(1));
    EXPECT_THAT(set(id, 1), HasSubstr("after finish()"));
    EXPECT_THAT(advance(seconds(2)), HasSubstr("after finish()"));
    EXPECT_EQ(vcd_test_reader(out.str()).read().variables.at("top.v").edges(), 0U);
}

TEST(vcd_writer, refuses_to_start_without_signals_or_twice) {
    std::ostringstream out;
    vcd_writer w(out, "a.vcd");
    EXPECT_THAT(error_of(error_kind::model, [&] { w.start(); }), HasSubstr("no signal"));
    EXPECT_THAT(error_of(error_kind::model, [&] { w.finish(seconds(1)); }),
                HasSubstr("before start()"));
    w.declare("a", 1);
    w.start();
    EXPECT_THAT(error_of(error_kind::model, [&] { w.start(); }), HasSubstr("twice"));
}

// full(4): the error comes at the end, so that a full disk costs the waveform and not the run.
class vcd_on_full_disk : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
        w_.start();
    }
    void expect_error(const std::function<void()>& doing) {
        EXPECT_THAT(error_of(error_kind::output, doing),
                    HasSubstr("full.vcd: cannot write: No space left on device"));
    }
    std::ofstream out_{"/dev/full"};
    vcd_writer w_{out_, "full.vcd"};
    wave_id id_ = w_.declare("v", 32);
};

TEST_F(vcd_on_full_disk, does_not_end_the_run) {
    constexpr int changes = 100'000;
    EXPECT_NO_THROW({
        for (int i = 1; i < changes; ++i) w_.change(id_, nanoseconds(i), i);
    });
    expect_error([&] { w_.finish(nanoseconds(changes)); });
}

TEST_F(vcd_on_full_disk, is_told_of_at_the_end) {
    w_.change(id_, nanoseconds(1), 1);
    expect_error([&] { w_.finish(nanoseconds(2)); });
}

}  // namespace
}  // namespace scmi_vp::traces
