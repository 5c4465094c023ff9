// SPDX-License-Identifier: Apache-2.0
// A story on a terminal: 80 columns of ASCII.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/console.h"
#include "runs/account.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {
namespace {

using runs::short_time;

constexpr std::size_t columns = 80;

/// 24 columns of bar, fewer where all of a line would not fit.
int bar_width() {
    constexpr int beside = 46, most = 24, least = 8;
    return std::clamp(int(text_columns(columns)) - beside, least, most);
}

void print_hops(std::ostream& out, const story& s) {
    const double total = std::max(1.0, static_cast<double>((s.returned - s.entered).ps));
    const int bars = bar_width();
    char line[160];
    const bool delayed = std::any_of(s.hops.begin(), s.hops.end(),
                                     [](const hop_part& p) { return p.id >= hop::delayed_work; });
    const int name_width = delayed ? 17 : 11;
    std::snprintf(line, sizeof line, "  %-*s %-*s %7s %10s %10s\n", name_width, "hop", bars, "",
                  "share", "length", "median");
    out << line;
    for (const hop_part& p : s.hops) {
        const double share = static_cast<double>(p.length.ps) / total;
        const auto filled = static_cast<std::size_t>(std::lround(share * bars));
        std::snprintf(line, sizeof line, "  %-*s %-*s %6.2f%% %10s %10s%s\n", name_width,
                      std::string(name_of(p.id)).c_str(), bars, std::string(filled, '#').c_str(),
                      100 * share, short_time(p.length).c_str(), short_time(p.median).c_str(),
                      p.waiting ? " *" : "");
        out << line;
    }
    const bool gave_up =
        std::any_of(s.hops.begin(), s.hops.end(), [](const hop_part& p) { return p.waiting; });
    if (gave_up) out << "  * it was still waiting here at the end\n";
}

}  // namespace

void print_story(std::ostream& out, const story& s) {
    print_wrapped(out, "", s.headline, columns);
    out << "\n";
    for (std::size_t i = 0; i < s.sentences.size(); ++i) {
        print_wrapped(out, "", s.sentences[i], columns);
        if (i + 1 < s.sentences.size()) out << "\n";
    }
    for (const std::string& line : s.log) out << "  " << line << "\n";
    out << "\n";
    print_hops(out, s);
    if (s.rerun.empty()) return;
    out << "\nThe same again with a waveform of it:\n  " << as_started(s.rerun) << "\n";
}

}  // namespace scmi_vp::studies
