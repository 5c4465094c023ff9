// SPDX-License-Identifier: Apache-2.0
// See results.h.
#include "runs/linux/results.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"

namespace scmi_vp::runs {
namespace {

// A clock read in a task takes so long (Linux 6.1 arch/um/kernel/time.c timer_read()).
constexpr sim_time clock_read = nanoseconds(256);

/// The driver's instances and the devices on its bus: "arm-scmi firmware:scmi: ...",
/// "scmi_protocol scmi_dev.1: ...", "scmi-clocks scmi_dev.3: ..."; the text of the one warning that
/// it has (driver.c scmi_rx_callback()), and what notify.c says without a device.
bool is_driver_line(const std::string& text) {
    return text.rfind("arm-scmi ", 0) == 0 || text.rfind("received unknown msg_type:", 0) == 0 ||
           text.rfind("SCMI Notifications - ", 0) == 0 ||
           text.find(" scmi_dev.") != std::string::npos;
}

}  // namespace

std::string scmi_messages(const std::string& kernel_log) {
    std::istringstream in(kernel_log);
    std::string out, line;
    while (std::getline(in, line)) {
        const std::size_t level = line.rfind("<", 0) == 0 ? line.find('>') + 1 : 0;
        const std::size_t stamp = line.find("] ", level);
        if (stamp == std::string::npos || !is_driver_line(line.substr(stamp + 2))) continue;
        out += line.substr(level) + "\n";
    }
    return out;
}

std::uint64_t lost_trace_entries(const std::string& trace, const std::string& name) {
    static const std::string key = "# entries-in-buffer/entries-written: ";
    const std::size_t at = trace.find(key);
    std::uint64_t kept = 0, written = 0;
    char slash = 0;
    if (at != std::string::npos) {
        std::istringstream in(trace.substr(at + key.size(), 64));
        in >> kept >> slash >> written;
    }
    if (slash != '/' || written < kept) {
        throw error(error_kind::input, name,
                    "is no trace of a kernel: it has no line '" + key + "n/n'");
    }
    return written - kept;
}

std::uint64_t player_result::calls() const {
    std::uint64_t n = 0;
    for (const task& t : tasks) n += t.calls;
    return n;
}

std::uint64_t player_result::errors() const {
    std::uint64_t n = 0;
    for (const task& t : tasks) n += t.errors;
    return n;
}

sim_time player_result::span() const {
    sim_time first = sim_time::max(), last;
    for (const task& t : tasks) {
        if (t.begin != sim_time{}) first = std::min(first, t.begin);
        last = std::max(last, t.end);
    }
    return last == sim_time{} ? last : last - clock_read - first;
}

player_result read_player_result(const std::string& text) {
    player_result r;
    std::istringstream in(text);
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        std::string key;
        std::int64_t begin = 0, end = 0;
        words >> key;
        if (key == "played") {
            words >> r.played;
        } else if (key == "finished") {
            words >> r.finished;
        } else if (key == "module") {
            words >> begin;
            r.module = nanoseconds(begin);
        } else if (key == "files") {
            player_result::sizes& f = r.files.emplace();
            words >> f.log >> f.trace;
        } else if (key == "made") {
            player_result::made m;
            words >> m.task >> m.call >> begin;
            m.at = nanoseconds(begin);
            r.calls_made.push_back(m);
        } else if (key == "task") {
            player_result::task t;
            words >> t.name >> t.calls >> t.errors >> t.last_errno >> begin >> end;
            t.begin = nanoseconds(begin);
            t.end = nanoseconds(end);
            r.tasks.push_back(t);
        } else {
            words.setstate(std::ios::failbit);
        }
        if (!words) throw error(error_kind::input, "the guest's results", "cannot read: " + line);
    }
    return r;
}

}  // namespace scmi_vp::runs
