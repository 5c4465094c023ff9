// SPDX-License-Identifier: Apache-2.0
// Reads one line of a recorded text from left to right; what does not fit is an error that names
// file, line and column. Private to traces/.
#include "traces/text_scanner.h"

namespace scmi_vp::traces {

sim_time text_scanner::time_stamp() {
    // The kernel's clocks count 64 bits of nanoseconds, sim_time 106 days of picoseconds.
    constexpr std::uint64_t longest = 9'223'371;
    while (accept(" ")) {
    }
    const auto whole = number<std::uint64_t>(10, "seconds");
    if (!accept(".")) fail("expected seconds with six decimals");
    if (whole > longest) fail("a time stamp above 106 days is out of range");
    const std::size_t before = at_;
    const auto fraction = number<std::uint32_t>(10, "seconds with six decimals");
    if (at_ - before != 6) {
        at_ = before;
        fail("expected seconds with six decimals");
    }
    return seconds(static_cast<std::int64_t>(whole)) + microseconds(fraction);
}

bool read_line(std::istream& in, const std::string& name, std::uint64_t number, std::string& line) {
    const bool got = static_cast<bool>(std::getline(in, line));
    const std::string where = name + ":" + std::to_string(number);
    if (in.bad()) throw error(error_kind::input, where, "the file cannot be read");
    if (!got) return false;
    if (in.eof()) {
        throw error(error_kind::input, where,
                    "the last line has no line end: the file is cut; record or copy it again");
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return true;
}

}  // namespace scmi_vp::traces
