// SPDX-License-Identifier: Apache-2.0
// A change-driven VCD writer (IEEE 1364-2005 section 18): told of each change, it writes it,
// several within one instant included (SystemC's own samples once per time step and loses pulses).
// Plus the GTKWave save file and filter files that show states as words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "traces/output_file.h"

namespace scmi_vp::traces {

using wave_id = std::uint32_t;

/// How a signal is shown. GTKWave shows the words of `states` for 2 bits and more only.
enum class wave_radix : std::uint8_t { bit, hexadecimal, decimal, states };

/// Names for the values of a `states` signal: one filter file per table.
struct state_table {
    std::string name;  ///< file name stem, "xfer_state"
    std::vector<std::pair<std::uint64_t, std::string>> words;
};

/// Part of the simulation that is written, `from` included, `to` not; outside, changes only update
/// the current values.
struct wave_window {
    sim_time from;
    sim_time to = sim_time::max();
};

/// Declare all signals, start(), then tell of changes in order of time: advance() to their instant
/// and set() what changes at it, or change(), which is both. A pulse within one instant (0, 1, 0 at
/// the same time) is shown: value changes at one time stamp are written in order, and `glitches()`
/// counts them, since viewers draw only the last. Changes are kept and written some hundred at a
/// time: what tells of them has more to do than to write them.
///
/// The first window starts with $dumpvars, each later one with $dumpon, both with the values of all
/// signals; a window's end is $dumpoff with all signals unknown, so that viewers show the gap. The
/// same calls give the same bytes: there is no $date.
class vcd_writer {
public:
    /// Windows may come in any order; touching and overlapping ones become one. Throws
    /// scmi_vp::error (config) when there is none, or one is empty or starts before time 0.
    vcd_writer(std::ostream& out, std::string name, std::vector<wave_window> windows = {{}});
    vcd_writer(const vcd_writer&) = delete;
    vcd_writer& operator=(const vcd_writer&) = delete;

    /// Declares a signal: `path` is the SystemC hierarchical name, dots make scopes; 1..64 bits.
    /// `states` (copied) is given exactly when the radix is `states`. Throws scmi_vp::error (model)
    /// for a path used twice or that VCD cannot say, for a table or an initial value that does not
    /// fit, and after start().
    wave_id declare(const std::string& path, unsigned width,
                    wave_radix radix = wave_radix::hexadecimal, const state_table* states = nullptr,
                    std::uint64_t initial = 0);

    /// Writes header, definitions and, when the first window is open at 0, the initial values.
    /// Throws scmi_vp::error (model) when no signal was declared or it was started before.
    void start();

    /// The instant of what is set() from here on. Throws scmi_vp::error (model) for a time before
    /// that of an earlier call, and outside start() and finish(); (output) when the disk is full.
    void advance(sim_time now) {
        if (now == now_) return;
        if (now < now_ || now == sim_time::max() || told_end_ >= told_enough_) return go_to(now);
        tell(next_instant, static_cast<std::uint64_t>((now_ = now).ps));
    }

    /// A new value at the instant of the latest advance(), or at 0, of the signal that declare()
    /// has given that id; equal values are not written. Throws scmi_vp::error (model) outside
    /// start() and finish(). That a value is wider than its signal is found when it is written:
    /// a later advance() or finish() throws that (model).
    void set(wave_id id, std::uint64_t value) {
        tell(id, value);
        if (told_end_ > told_last_) make_room();
    }

    /// advance() and set(), and what is wrong is found at once, an unknown id as well.
    void change(wave_id id, sim_time now, std::uint64_t value) {
        if (id >= count_ || value > signals_[id].mask) reject(id, value);
        advance(now);
        set(id, value);
    }

    /// Closes the file at `end`, not earlier than any change. Throws scmi_vp::error (model) when it
    /// is, before start() and a second time, and for what is wrong with a set(); (output) when the
    /// file could not be written. If no change at all fell into a window, the result says so
    /// (records = 0): the caller decides.
    written finish(sim_time end);

    /// After finish(): changes in a window of a signal that had changed at the same time already.
    std::uint64_t glitches() const { return glitches_; }

    /// GTKWave save file: all signals grouped by scope, radixes and filters set, marker at `marker`
    /// and its window (as far as it was simulated) filling the screen. `filter_dir` is where the
    /// caller put the texts of filters(); it and `vcd_file_name` are absolute or as seen from the
    /// save file's folder (GTKWave may then be started anywhere and the folder moved).
    void write_save_file(std::ostream& out, const std::string& vcd_file_name, sim_time marker,
                         const std::string& filter_dir = "") const;
    /// One filter text per state table, by file name ("xfer_state.filter").
    std::map<std::string, std::string> filters() const;

private:
    /// What writing a change touches: nothing else, so that it stays in the cache, a line each.
    struct alignas(64) signal {
        std::uint64_t value = 0;
        std::uint64_t mask = 0;
        sim_time changed_at{-1};  ///< in a window
        char tail[8] = {};        ///< what follows the value: identifier code and end of line
        std::uint8_t tail_size = 0;
        bool is_vector = false;
    };
    /// What the writer was told: a new value, or the next instant (in picoseconds).
    struct told {
        std::uint64_t value;
        wave_id id;
    };
    static constexpr wave_id next_instant = UINT32_MAX;  ///< as an id; also behind the last one

    struct declaration {
        std::string path;
        unsigned width;
        wave_radix radix;
        std::string states;  ///< name of its table, empty without
    };
    struct scope {
        std::string path;  ///< empty: the root
        std::vector<wave_id> signals;
        std::vector<std::size_t> children;
    };

    void check_path(const std::string& path) const;
    void add_states(const std::string& path, std::uint64_t mask, const state_table& states);
    std::vector<scope> scopes() const;
    void put_scope(std::string& text, const std::vector<scope>& all, std::size_t which) const;
    void save_view(std::ostream& out, sim_time marker) const;

    [[noreturn, gnu::cold]] void reject(wave_id id, std::uint64_t value) const;
    void tell(wave_id id, std::uint64_t value) {
        told* const t = told_end_;
        t->value = value;
        t->id = id;
        told_end_ = t + 1;
    }
    [[gnu::noinline]] void go_to(sim_time now);
    [[gnu::cold]] void make_room();
    void set_told_size(std::size_t n);
    [[gnu::noinline]] void write_told();
    const told* write_changes(const told* t);
    const told* take_changes(const told* t);
    void cross_edges();
    char* put_stamp(char* p, sim_time at);
    [[gnu::noinline]] char* put_other_stamp(char* p, sim_time at);
    static char* put_value(char* p, const signal& s, std::uint64_t value);
    static char* put_unknown(char* p, const signal& s);
    static std::string code_of(wave_id id);
    void flush_if_full();
    void flush();

    std::ostream& out_;
    std::string name_;
    std::vector<wave_window> windows_;
    std::vector<declaration> declarations_;
    std::set<std::string> paths_;
    std::map<std::string, state_table> states_;

    std::vector<signal> signals_;
    wave_id count_ = 0;               ///< of signals; 0 outside start() and finish()
    sim_time now_ = sim_time::max();  ///< of the latest advance(); so outside start() and finish()
    std::vector<told> told_;          ///< not written yet, up to told_end_
    told* told_end_ = nullptr;
    told* told_enough_ = nullptr;  ///< from here on they are written when the instant is over
    told* told_last_ = nullptr;    ///< the last but one that there is room for: that one ends them

    sim_time instant_;                       ///< of what is being written
    sim_time next_edge_ = sim_time::max();   ///< the next start or end of a window
    sim_time stamp_{-1};                     ///< the last one in the file
    sim_time stamp_base_ = sim_time::max();  ///< its whole milliseconds; what a stamp starts with
    char stamp_start_[16] = {'#'};
    std::uint8_t stamp_start_size_ = 0;
    sim_time end_;            ///< what finish() was told
    std::size_t window_ = 0;  ///< the one that is open or comes next
    bool open_ = false;
    bool started_ = false;
    bool finished_ = false;
    std::vector<char> buffer_;
    std::size_t used_ = 0;
    std::uint64_t glitches_ = 0;
    written written_;
};

}  // namespace scmi_vp::traces
