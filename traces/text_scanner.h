// SPDX-License-Identifier: Apache-2.0
// Reads one line of a recorded text from left to right; what does not fit is an error that names
// file, line and column. Private to traces/.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/time.h"

namespace scmi_vp::traces {

class text_scanner {
public:
    text_scanner(std::string_view text, const std::string& name, std::uint64_t line)
        : text_(text), name_(name), line_(line) {}

    std::string_view rest() const { return text_.substr(at_); }
    bool at_end() const { return at_ == text_.size(); }
    void skip(std::size_t n) { at_ += n; }

    bool accept(std::string_view literal) {
        if (rest().substr(0, literal.size()) != literal) return false;
        at_ += literal.size();
        return true;
    }
    void expect(std::string_view literal) {
        if (!accept(literal)) fail("expected '" + std::string(literal) + "'");
    }
    void expect_end() {
        if (!at_end()) fail("unexpected text");
    }

    /// A number of type T, `what` for the message. Signs only for signed types, no 0x.
    template <class T>
    T number(int base, const char* what) {
        T value{};
        const std::string_view r = rest();
        const auto [end, status] = std::from_chars(r.data(), r.data() + r.size(), value, base);
        if (status == std::errc::result_out_of_range) fail(std::string(what) + " is out of range");
        if (status != std::errc()) fail(std::string("expected ") + what);
        at_ += static_cast<std::size_t>(end - r.data());
        return value;
    }

    /// Characters up to a space or the end, at least one.
    std::string_view word(const char* what) {
        const std::string_view r = rest();
        const std::size_t n = std::min(r.find(' '), r.size());
        if (n == 0) fail(std::string("expected ") + what);
        at_ += n;
        return r.substr(0, n);
    }

    /// "   64.480000": seconds since the clock's start with exactly six decimals.
    sim_time time_stamp();

    [[noreturn]] void fail(const std::string& what) const {
        throw error(error_kind::input, name_ + ":" + std::to_string(line_),
                    what + " at column " + std::to_string(at_ + 1));
    }

private:
    std::string_view text_;
    const std::string& name_;
    std::uint64_t line_;
    std::size_t at_ = 0;
};

/// The next line without its end ("\r\n" too: serial consoles add the carriage return), false at
/// the end of the file. Throws scmi_vp::error (input) when the file cannot be read or its last line
/// has no end: then it is cut, and a shortened number would look like a good one.
bool read_line(std::istream& in, const std::string& name, std::uint64_t number, std::string& line);

}  // namespace scmi_vp::traces
