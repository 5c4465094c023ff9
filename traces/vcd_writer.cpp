// SPDX-License-Identifier: Apache-2.0
// The VCD writer: what is written when (IEEE 1364-2005 section 18.2). Names and GTKWave's files are
// in vcd_names.cpp.
#include "traces/vcd_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <string_view>
#include <system_error>

#include "base/error.h"

namespace scmi_vp::traces {
namespace {

// A block goes to the stream when it is full. That is looked at before a dump of all values and
// when all that was told is written: the buffer has room for both.
constexpr std::size_t block_size = 256 * 1024;
/// Changes and instants that are kept before they are written: 8 KiB.
constexpr std::size_t told_at_once = 512;
/// A time stamp; and what is copied beyond the end of the last record, and the keywords of a dump.
constexpr std::size_t longest_stamp = 24, slack = 64;

constexpr std::int64_t millisecond = 1'000'000'000;

/// The eight characters of each byte.
constexpr std::array<char, 256 * 8> bits_of_bytes() {
    std::array<char, 256 * 8> bits{};
    for (std::size_t i = 0; i < 256 * 8; ++i) bits[i] = '0' + (i / 8 >> (7 - i % 8) & 1);
    return bits;
}
constexpr std::array<char, 256 * 8> byte_bits = bits_of_bytes();

/// The same without leading zeros, and how long that is.
struct short_bits {
    std::array<char, 256 * 8> bits{};
    std::array<std::uint8_t, 256> size{};
};
constexpr short_bits short_bits_of_bytes() {
    short_bits table;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        std::size_t n = 8;
        while (n > 1 && (byte >> (n - 1)) == 0) --n;
        for (std::size_t i = 0; i < n; ++i)
            table.bits[byte * 8 + i] = byte_bits[byte * 8 + 8 - n + i];
        table.size[byte] = static_cast<std::uint8_t>(n);
    }
    return table;
}
constexpr short_bits short_byte_bits = short_bits_of_bytes();

/// "000 ", "001 ", ... "999 ".
constexpr std::array<char, 4000> triples_of_digits() {
    std::array<char, 4000> triples{};
    for (std::size_t i = 0; i < 1000; ++i) {
        triples[4 * i] = static_cast<char>('0' + i / 100);
        triples[4 * i + 1] = static_cast<char>('0' + i / 10 % 10);
        triples[4 * i + 2] = static_cast<char>('0' + i % 10);
        triples[4 * i + 3] = ' ';
    }
    return triples;
}
constexpr std::array<char, 4000> digit_triples = triples_of_digits();

/// A value below 256 in bits; copies eight characters, of which 1 to 8 count.
char* put_first_byte(char* p, std::uint64_t value) {
    std::memcpy(p, &short_byte_bits.bits[value * 8], 8);
    return p + short_byte_bits.size[value];
}

char* put_next_byte(char* p, std::uint64_t value) {
    std::memcpy(p, &byte_bits[(value & 0xff) * 8], 8);
    return p + 8;
}

/// The shortest form, without leading zeros (18.2.1).
[[gnu::noinline]] char* put_wide(char* p, std::uint64_t value) {
    unsigned shift = (63U - static_cast<unsigned>(__builtin_clzll(value))) & ~7U;
    p = put_first_byte(p, value >> shift);
    while (shift != 0) p = put_next_byte(p, value >> (shift -= 8));
    return p;
}

char* put_bits(char* p, std::uint64_t value) {
    if (value < 0x100) return put_first_byte(p, value);
    if (value >= 0x10000) return put_wide(p, value);
    return put_next_byte(put_first_byte(p, value >> 8), value);
}

char* put_text(char* p, std::string_view text) {
    return p + text.copy(p, text.size());
}

std::vector<wave_window> merged(std::vector<wave_window> windows, const std::string& name) {
    if (windows.empty()) throw error(error_kind::config, name, "no window of time to write");
    for (const wave_window& w : windows) {
        if (w.from < sim_time() || w.to <= w.from) {
            throw error(error_kind::config, name,
                        "the window from " + to_string(w.from) + " to " + to_string(w.to) +
                            " is empty or starts before 0s");
        }
    }
    std::sort(windows.begin(), windows.end(),
              [](const wave_window& a, const wave_window& b) { return a.from < b.from; });
    std::vector<wave_window> result{windows.front()};
    for (const wave_window& w : windows) {
        wave_window& last = result.back();
        if (w.from <= last.to) {
            last.to = std::max(last.to, w.to);
        } else {
            result.push_back(w);
        }
    }
    return result;
}

}  // namespace

vcd_writer::vcd_writer(std::ostream& out, std::string name, std::vector<wave_window> windows)
    : out_(out), name_(std::move(name)), windows_(merged(std::move(windows), name_)) {
    // Full: before start() the first change asks for room, and is refused.
    told_.resize(2);
    told_end_ = told_last_ = told_.data();
}

/// The identifier code: printable characters ! to ~ (18.2.1), at most five for 32 bits.
std::string vcd_writer::code_of(wave_id id) {
    std::string code;
    do {
        code += static_cast<char>('!' + id % 94);
        id /= 94;
    } while (id != 0);
    return code;
}

wave_id vcd_writer::declare(const std::string& path, unsigned width, wave_radix radix,
                            const state_table* states, std::uint64_t initial) {
    if (started_) {
        throw error(error_kind::model, name_, "signal " + path + " is declared after start()");
    }
    check_path(path);
    if (width < 1 || width > 64) {
        throw error(error_kind::model, name_,
                    path + ": a width of " + std::to_string(width) + " bits is not in 1..64");
    }
    const std::uint64_t mask = UINT64_MAX >> (64 - width);
    if (initial > mask) {
        throw error(error_kind::model, name_, path + ": the initial value does not fit");
    }
    if ((radix == wave_radix::states) != (states != nullptr)) {
        throw error(error_kind::model, name_,
                    path + ": a table of states goes with the radix states, and only with it");
    }
    if (states != nullptr) add_states(path, mask, *states);
    if (!paths_.insert(path).second) {
        throw error(error_kind::model, name_, "signal " + path + " is declared twice");
    }

    const auto id = static_cast<wave_id>(signals_.size());
    signal s;
    s.value = initial;
    s.mask = mask;
    s.is_vector = width > 1;
    const std::string tail = (s.is_vector ? " " : "") + code_of(id) + '\n';
    s.tail_size = static_cast<std::uint8_t>(tail.copy(s.tail, sizeof s.tail));
    signals_.push_back(s);
    declarations_.push_back({path, width, radix, states != nullptr ? states->name : ""});
    return id;
}

void vcd_writer::start() {
    if (started_) throw error(error_kind::model, name_, "start() was called twice");
    if (signals_.empty()) throw error(error_kind::model, name_, "no signal is declared");
    started_ = true;
    std::string text = "$version\n    scmi-vp\n$end\n$timescale\n    1 ps\n$end\n";
    put_scope(text, scopes(), 0);
    text += "$enddefinitions $end\n";
    set_told_size(2 * told_at_once);
    buffer_.resize(buffer_.size() + text.size());
    used_ = text.copy(buffer_.data(), text.size());
    flush_if_full();
    count_ = static_cast<wave_id>(signals_.size());
    now_ = sim_time();
    next_edge_ = windows_.front().from;
    if (next_edge_ == instant_) cross_edges();
}

void vcd_writer::set_told_size(std::size_t n) {
    const auto used = told_end_ - told_.data();
    told_.resize(n);
    told_end_ = told_.data() + used;
    told_enough_ = told_.data() + told_at_once;
    told_last_ = told_.data() + n - 2;
    std::size_t longest = longest_stamp, dump = 0;
    for (const declaration& d : declarations_) {
        const std::size_t record = 1 + d.width + sizeof signal::tail;
        longest = std::max(longest, record);
        dump += record;
    }
    // Each that is told makes a record or a stamp; nobody tells of the stamp of time 0.
    buffer_.resize(block_size + (n + 1) * longest + dump + longest_stamp + slack);
}

/// One instant has that many changes: they are written when it is over.
void vcd_writer::make_room() {
    if (count_ == 0) {
        told_end_ = told_last_;
        reject(0, 0);
    }
    set_told_size(2 * told_.size());
}

void vcd_writer::reject(wave_id id, std::uint64_t value) const {
    if (count_ == 0) {
        throw error(error_kind::model, name_,
                    std::string("a change ") + (finished_ ? "after finish()" : "before start()"));
    }
    if (id >= count_) {
        throw error(error_kind::model, name_, "no signal has the id " + std::to_string(id));
    }
    throw error(error_kind::model, name_,
                declarations_[id].path + ": the value " + std::to_string(value) +
                    " does not fit into " + std::to_string(declarations_[id].width) + " bits");
}

void vcd_writer::go_to(sim_time now) {
    if (now < now_ || now == sim_time::max()) {
        if (count_ == 0) reject(0, 0);
        throw error(error_kind::model, name_,
                    "a change at " + to_string(now) + " cannot follow one at " + to_string(now_) +
                        "; tell changes in order of time");
    }
    write_told();
    now_ = now;
    tell(next_instant, static_cast<std::uint64_t>(now.ps));
}

void vcd_writer::write_told() {
    told* const end = told_end_;
    const told* t = told_.data();
    told_end_ = told_.data();  // whatever is thrown
    end->id = next_instant;
    while (true) {
        t = open_ ? write_changes(t) : take_changes(t);
        if (t->id != next_instant) reject(t->id, t->value);
        if (t == end) break;
        instant_ = sim_time(static_cast<std::int64_t>(t->value));
        ++t;
        if (instant_ >= next_edge_) cross_edges();
    }
    flush_if_full();
}

/// Those of one instant.
inline const vcd_writer::told* vcd_writer::write_changes(const told* t) {
    signal* const all = signals_.data();
    const wave_id count = count_;
    const sim_time instant = instant_, last_stamp = stamp_;
    const told* const from = t;
    std::uint64_t equal = 0;
    char* p = buffer_.data() + used_;
    if (last_stamp != instant) p = put_stamp(p, instant);
    char* const first = p;
    for (; t->id < count; ++t) {
        signal& s = all[t->id];
        const std::uint64_t value = t->value;
        if (value == s.value) {
            ++equal;
            continue;
        }
        if (value > s.mask) break;
        s.value = value;
        if (s.changed_at == instant) ++glitches_;
        s.changed_at = instant;
        p = put_value(p, s, value);
    }
    if (p == first) {
        stamp_ = last_stamp;
    } else {
        used_ = static_cast<std::size_t>(p - buffer_.data());
        written_.records += static_cast<std::uint64_t>(t - from) - equal;
    }
    return t;
}

/// The same outside the windows.
const vcd_writer::told* vcd_writer::take_changes(const told* t) {
    for (; t->id < count_ && t->value <= signals_[t->id].mask; ++t)
        signals_[t->id].value = t->value;
    return t;
}

/// Those up to the instant.
void vcd_writer::cross_edges() {
    while (instant_ >= next_edge_) {
        flush_if_full();
        char* p = put_stamp(buffer_.data() + used_, next_edge_);
        if (open_) {
            p = put_text(p, "$dumpoff\n");
            for (const signal& s : signals_) p = put_unknown(p, s);
            ++window_;
            next_edge_ = window_ < windows_.size() ? windows_[window_].from : sim_time::max();
        } else {
            p = put_text(p, window_ == 0 ? "$dumpvars\n" : "$dumpon\n");
            for (const signal& s : signals_) p = put_value(p, s, s.value);
            next_edge_ = windows_[window_].to;
        }
        p = put_text(p, "$end\n");
        used_ = static_cast<std::size_t>(p - buffer_.data());
        open_ = !open_;
    }
}

/// Milliseconds change rarely: their digits are kept. The nine digits below them are triples.
char* vcd_writer::put_stamp(char* p, sim_time at) {
    stamp_ = at;
    if (static_cast<std::uint64_t>((at - stamp_base_).ps) >= millisecond) {
        return put_other_stamp(p, at);
    }
    std::memcpy(p, stamp_start_, sizeof stamp_start_);
    p += stamp_start_size_;
    const auto low = static_cast<std::uint32_t>((at - stamp_base_).ps);
    const std::uint32_t thousands = low / 1000;
    std::memcpy(p, &digit_triples[std::size_t{thousands / 1000} * 4], 4);
    std::memcpy(p + 3, &digit_triples[std::size_t{thousands % 1000} * 4], 4);
    std::memcpy(p + 6, &digit_triples[std::size_t{low % 1000} * 4], 4);
    p[9] = '\n';
    return p + 10;
}

char* vcd_writer::put_other_stamp(char* p, sim_time at) {
    const std::int64_t high = at.ps / millisecond;
    if (high == 0) {  // no digits to keep, and none of zeros in front
        *p++ = '#';
        p = std::to_chars(p, p + 20, at.ps).ptr;
        *p++ = '\n';
        return p;
    }
    stamp_base_ = sim_time(high * millisecond);
    char* const end = std::to_chars(stamp_start_ + 1, std::end(stamp_start_), high).ptr;
    stamp_start_size_ = static_cast<std::uint8_t>(end - stamp_start_);
    return put_stamp(p, at);
}

inline char* vcd_writer::put_value(char* p, const signal& s, std::uint64_t value) {
    *p = 'b';  // a scalar's digit comes in its place
    p = put_bits(p + (s.is_vector ? 1 : 0), value);
    std::memcpy(p, s.tail, sizeof s.tail);
    return p + s.tail_size;
}

char* vcd_writer::put_unknown(char* p, const signal& s) {
    return put_text(put_text(p, s.is_vector ? "bx" : "x"), {s.tail, s.tail_size});
}

void vcd_writer::flush_if_full() {
    if (used_ >= block_size) flush();
}

void vcd_writer::flush() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(used_));
    written_.bytes += used_;
    used_ = 0;
}

written vcd_writer::finish(sim_time end) {
    if (!started_ || finished_ || end < now_ || end == sim_time::max()) {
        throw error(error_kind::model, name_,
                    !started_   ? "finish() before start()"
                    : finished_ ? "finish() was called twice"
                                : "the end at " + to_string(end) + " cannot follow a change at " +
                                      to_string(now_));
    }
    advance(end);
    write_told();
    // A last stamp shows how long the last values lasted; after a window's end there are none.
    if (open_ && stamp_ != end) {
        used_ = static_cast<std::size_t>(put_stamp(buffer_.data() + used_, end) - buffer_.data());
    }
    flush();
    // Not before: a full disk costs this file, not the run.
    if (const int failed = write_failure(out_)) {
        throw error(error_kind::output, name_,
                    "cannot write: " + std::generic_category().message(failed) +
                        "; free some space or write to another path");
    }
    end_ = end;
    finished_ = true;
    count_ = 0;
    now_ = sim_time::max();
    told_end_ = told_last_;
    return written_;
}

}  // namespace scmi_vp::traces
