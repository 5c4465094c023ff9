// SPDX-License-Identifier: Apache-2.0
// See failure.h.
#include "runs/linux/failure.h"

#include <algorithm>
#include <regex>

namespace scmi_vp::runs {
namespace {

constexpr const char* panic_mark = "Kernel panic - not syncing: ";

std::size_t line_begin(const std::string& text, std::size_t at) {
    const std::size_t end = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    return end == std::string::npos ? 0 : end + 1;
}

std::string until_line_end(const std::string& text, std::size_t at) {
    std::string line = text.substr(at, text.find_first_of("\r\n", at) - at);
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

/// Of "<0>[    0.010000] ".
std::string stamp_of(const std::string& line) {
    std::smatch m;
    return std::regex_search(line, m, std::regex(R"(\[ *([0-9]+\.[0-9]{6})\])")) ? m[1].str() : "";
}

/// Of "CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.192 #1", which follows; "UID: 0" since 6.12.
std::string task_of(const std::string& console, std::size_t from) {
    static const std::regex format(R"(CPU: \d+ (?:UID: \d+ )?PID: (\d+) Comm: (\S+))");
    const std::string near = console.substr(from, 400);
    std::smatch m;
    return std::regex_search(near, m, format) ? m[2].str() + " (pid " + m[1].str() + ")" : "";
}

}  // namespace

std::string kernel_panic::text() const {
    std::string t = "its kernel panicked";
    if (!stamp.empty()) t += " at " + stamp + " s";
    if (!task.empty()) t += " in " + task;
    return t + ": " + what;
}

std::optional<kernel_panic> find_panic(const std::string& console) {
    const std::size_t at = console.find(panic_mark);
    if (at == std::string::npos) return std::nullopt;
    kernel_panic p;
    p.what = until_line_end(console, at + std::string(panic_mark).size());
    const std::size_t begin = line_begin(console, at);
    p.stamp = stamp_of(console.substr(begin, at - begin));
    p.task = task_of(console, at);
    return p;
}

std::string kernel_log_on(const std::string& console) {
    static const std::string mark = "kmsg_dump:\n";
    const std::size_t dump = console.find(mark);
    return dump == std::string::npos ? console : console.substr(dump + mark.size());
}

std::string last_words(const std::string& console, std::size_t lines) {
    std::size_t begin = console.size();
    for (std::size_t n = 0; n < lines && begin > 0; ++n) begin = line_begin(console, begin - 1);
    const std::size_t panic = console.rfind(panic_mark);
    if (panic == std::string::npos) return console.substr(begin);
    std::size_t end = begin = line_begin(console, panic);
    for (std::size_t n = 0; n < lines && end < console.size(); ++n)
        end = std::min(console.find('\n', end), console.size() - 1) + 1;
    return console.substr(begin, end - begin);
}

}  // namespace scmi_vp::runs
