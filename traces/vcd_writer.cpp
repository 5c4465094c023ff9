// SPDX-License-Identifier: Apache-2.0
// The VCD writer: what is written when (IEEE 1364-2005 section 18.2). Names and GTKWave's files are
// in vcd_names.cpp.
#include "traces/vcd_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/error.h"

namespace scmi_vp::traces {
namespace {

// A block is written when it is full. The longest record is a value of 64 bits with its code (72
// characters) behind a time stamp (21).
constexpr std::size_t block_size = 256 * 1024;
constexpr std::size_t longest_record = 128;

/// The eight characters of each byte, padded so that eight can be copied from any place in it.
constexpr std::array<char, 256 * 8 + 8> bits_of_bytes() {
    std::array<char, 256 * 8 + 8> bits{};
    for (std::size_t i = 0; i < 256 * 8; ++i) bits[i] = '0' + (i / 8 >> (7 - i % 8) & 1);
    return bits;
}
constexpr std::array<char, 256 * 8 + 8> byte_bits = bits_of_bytes();

/// "00", "01", ... "99".
constexpr std::array<char, 200> pairs_of_digits() {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 200; ++i) pairs[i] = '0' + (i % 2 == 0 ? i / 20 : i / 2 % 10);
    return pairs;
}
constexpr std::array<char, 200> digit_pairs = pairs_of_digits();

/// A value below 256 in bits: one copy of eight characters, of which 1 to 8 count.
char* put_byte(char* p, std::uint64_t value) {
    const unsigned n = 64U - static_cast<unsigned>(__builtin_clzll(value | 1));
    std::memcpy(p, &byte_bits[value * 8 + 8 - n], 8);
    return p + n;
}

/// The shortest form, without leading zeros (18.2.1); copies up to 7 characters more than it is
/// long.
char* put_bits(char* p, std::uint64_t value) {
    unsigned n = 64U - static_cast<unsigned>(__builtin_clzll(value));
    if (const unsigned lead = n % 8; lead != 0) {
        n -= lead;
        std::memcpy(p, &byte_bits[(value >> n) * 8 + 8 - lead], 8);
        p += lead;
    }
    while (n != 0) {
        n -= 8;
        std::memcpy(p, &byte_bits[(value >> n & 0xff) * 8], 8);
        p += 8;
    }
    return p;
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
    : out_(out),
      name_(std::move(name)),
      windows_(merged(std::move(windows), name_)),
      buffer_(block_size + longest_record) {}

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
    all_ = signals_.data();
    count_ = id + 1;
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
    put_text(text);
    now_ = sim_time();
    next_edge_ = windows_.front().from;
    if (next_edge_ == now_) cross_edges(now_);
}

void vcd_writer::reject(wave_id id, sim_time now, std::uint64_t value) const {
    if (!started_ || finished_) {
        throw error(error_kind::model, name_,
                    std::string("a change ") + (finished_ ? "after finish()" : "before start()"));
    }
    if (id >= signals_.size()) {
        throw error(error_kind::model, name_, "no signal has the id " + std::to_string(id));
    }
    const std::string& path = declarations_[id].path;
    if (now < now_ || now == sim_time::max()) {
        throw error(error_kind::model, name_,
                    path + ": a change at " + to_string(now) + " cannot follow one at " +
                        to_string(now_) + "; tell changes in order of time");
    }
    throw error(error_kind::model, name_,
                path + ": the value " + std::to_string(value) + " does not fit into " +
                    std::to_string(declarations_[id].width) + " bits");
}

void vcd_writer::cross_edges(sim_time now) {
    if (now == sim_time::max()) reject(0, now, 0);
    while (now >= next_edge_) {
        put_stamp(next_edge_);
        if (open_) {
            put_text("$dumpoff\n");
            for (const signal& s : signals_) put_unknown(s);
            ++window_;
            next_edge_ = window_ < windows_.size() ? windows_[window_].from : sim_time::max();
        } else {
            put_text(window_ == 0 ? "$dumpvars\n" : "$dumpon\n");
            for (const signal& s : signals_) put_value(s);
            next_edge_ = windows_[window_].to;
        }
        put_text("$end\n");
        open_ = !open_;
    }
}

void vcd_writer::write_change(signal& s) {
    if (stamp_ != now_) put_stamp(now_);
    glitches_ += s.last_change == now_ ? 1 : 0;
    s.last_change = now_;
    put_value(s);
    ++written_.records;
}

void vcd_writer::put_stamp(sim_time at) {
    char* p = buffer_.data() + used_;
    *p++ = '#';
    // Milliseconds change rarely: their digits are kept. The nine digits below them are pairs.
    constexpr std::int64_t millisecond = 1'000'000'000;
    const std::int64_t high = at.ps / millisecond;
    if (high == 0) {
        p = std::to_chars(p, p + 20, at.ps).ptr;
    } else {
        if (high != stamp_high_) {
            stamp_high_ = high;
            char* const end = std::to_chars(stamp_digits_, stamp_digits_ + 16, high).ptr;
            stamp_size_ = static_cast<std::uint8_t>(end - stamp_digits_);
        }
        std::memcpy(p, stamp_digits_, sizeof stamp_digits_);
        p += stamp_size_;
        auto low = static_cast<std::uint32_t>(at.ps - high * millisecond);
        for (int pair = 7; pair > 0; pair -= 2, low /= 100) {
            std::memcpy(p + pair, &digit_pairs[low % 100 * 2], 2);
        }
        *p = static_cast<char>('0' + low);
        p += 9;
    }
    *p++ = '\n';
    used_ = static_cast<std::size_t>(p - buffer_.data());
    stamp_ = at;
}

inline void vcd_writer::put_value(const signal& s) {
    char* p = buffer_.data() + used_;
    if (s.is_vector) {
        *p++ = 'b';
        p = s.value < 256 ? put_byte(p, s.value) : put_bits(p, s.value);
    } else {
        *p++ = static_cast<char>('0' + s.value);
    }
    std::memcpy(p, s.tail, sizeof s.tail);
    used_ = static_cast<std::size_t>(p + s.tail_size - buffer_.data());
    if (used_ >= block_size) flush();
}

void vcd_writer::put_unknown(const signal& s) {
    std::string text = s.is_vector ? "bx" : "x";
    put_text(text.append(s.tail, s.tail_size));
}

void vcd_writer::put_text(const std::string& text) {
    if (used_ >= block_size) flush();  // a time stamp may have gone beyond
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t n = std::min(text.size() - at, block_size - used_);
        std::memcpy(buffer_.data() + used_, text.data() + at, n);
        used_ += n;
        at += n;
        if (used_ >= block_size) flush();
    }
}

void vcd_writer::flush() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(used_));
    written_.bytes += used_;
    used_ = 0;
    check_stream(out_, name_);
}

written vcd_writer::finish(sim_time end) {
    if (!started_ || finished_ || end < now_ || end == sim_time::max()) {
        throw error(error_kind::model, name_,
                    !started_   ? "finish() before start()"
                    : finished_ ? "finish() was called twice"
                                : "the end at " + to_string(end) + " cannot follow a change at " +
                                      to_string(now_));
    }
    if (end >= next_edge_) cross_edges(end);
    // A last stamp shows how long the last values lasted; after a window's end there are none.
    if (open_ && stamp_ != end) put_stamp(end);
    flush();
    end_ = end;
    finished_ = true;
    now_ = sim_time::max();
    next_edge_ = sim_time::max();
    return written_;
}

}  // namespace scmi_vp::traces
