// SPDX-License-Identifier: Apache-2.0
// A story on a terminal: 80 columns of ASCII.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "studies/explain.h"
#include "testbenches/account.h"

namespace scmi_vp::studies {
namespace {

using testbenches::short_time;

constexpr std::size_t columns = 80, bar_width = 24;

void print_wrapped(std::ostream& out, const std::string& text) {
    std::istringstream words(text);
    std::string word, line;
    while (words >> word) {
        if (!line.empty() && line.size() + 1 + word.size() > columns) {
            out << line << "\n";
            line.clear();
        }
        line += (line.empty() ? "" : " ") + word;
    }
    out << line << "\n";
}

void print_hops(std::ostream& out, const story& s) {
    const double total = std::max(1.0, static_cast<double>((s.returned - s.entered).ps));
    char line[160];
    std::snprintf(line, sizeof line, "  %-11s %-*s %7s %10s %10s\n", "hop", int(bar_width), "",
                  "share", "length", "median");
    out << line;
    for (const hop_part& p : s.hops) {
        const double share = static_cast<double>(p.length.ps) / total;
        const auto filled = static_cast<std::size_t>(std::lround(share * bar_width));
        std::snprintf(line, sizeof line, "  %-11s %-*s %6.2f%% %10s %10s%s\n",
                      std::string(name_of(p.id)).c_str(), int(bar_width),
                      std::string(filled, '#').c_str(), 100 * share, short_time(p.length).c_str(),
                      short_time(p.median).c_str(), p.waiting ? " *" : "");
        out << line;
    }
    const bool gave_up =
        std::any_of(s.hops.begin(), s.hops.end(), [](const hop_part& p) { return p.waiting; });
    if (gave_up) out << "  * it was still waiting here at the end\n";
}

}  // namespace

void print_story(std::ostream& out, const story& s) {
    print_wrapped(out, s.headline);
    out << "\n";
    for (std::size_t i = 0; i < s.sentences.size(); ++i) {
        print_wrapped(out, s.sentences[i]);
        if (i + 1 < s.sentences.size()) out << "\n";
    }
    for (const std::string& line : s.log) out << "  " << line << "\n";
    out << "\n";
    print_hops(out, s);
    out << "\nThe same again with a waveform of it:\n  " << s.rerun << "\n";
}

}  // namespace scmi_vp::studies
