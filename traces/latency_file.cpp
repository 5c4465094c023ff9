// SPDX-License-Identifier: Apache-2.0
// Which tool wrote a file of latencies: the first row of the table that recognises it reads it.
#include "traces/latency_file.h"

#include <algorithm>

#include "base/error.h"
#include "traces/latency_parsing.h"

namespace scmi_vp::traces {
namespace {

using namespace latency_parsing;

// In this order: what has a mark of its own comes before what is told by the shape of its lines.
const std::vector<reader>& readers() {
    static const std::vector<reader> all{
        {{"cyclictest JSON", "cyclictest -q -h 20000 --json=FILE", "-"},
         is_cyclictest_json,
         read_cyclictest_json},
        {{"rtla histogram", "rtla timerlat hist; rtla osnoise hist", "column"}, is_rtla, read_rtla},
        {{"HdrHistogram percentiles", "outputPercentileDistribution (.hgrm); wrk2 -L", "unit"},
         is_percentiles,
         read_percentiles},
        {{"bpftrace histogram", "bpftrace -e '... { @ns = hist(...) }'; lhist()", "unit, column"},
         is_bpftrace,
         read_bpftrace},
        {{"bcc histogram", "runqlat; biolatency", "column"}, is_bcc, read_bcc},
        {{"cyclictest histogram", "cyclictest -q -h 20000", "unit"},
         is_cyclictest_histogram,
         read_cyclictest_histogram},
        {{"cyclictest samples", "cyclictest -q -v", "unit"},
         is_cyclictest_verbose,
         read_cyclictest_verbose},
        {{"fio latency log", "fio --write_lat_log=PREFIX", "unit, column"},
         is_fio_log,
         read_fio_log},
        {{"CSV with a header", "time,core1,core2 (counts) or latency (samples)", "unit, column"},
         is_csv,
         read_csv},
        {{"rows of counts", "a latency and its count on each line", "unit"},
         is_rows_of_counts,
         read_cyclictest_histogram},
        {{"list of spans", "one on each line: 182us, or 182 with a unit", "unit"},
         is_list,
         read_list},
    };
    return all;
}

bool any_line(const latency_text& t, std::string_view beginning, std::string_view part) {
    return std::any_of(t.lines.begin(), t.lines.end(), [&](const text_line& l) {
        return starts_with(l.text, beginning) && contains(l.text, part);
    });
}

// What is often at hand but has no samples in it.
void refuse_summaries(const latency_text& t) {
    if (any_line(t, "stress-ng:", "cyclic:")) {
        t.refuse(
            "is the summary of stress-ng --cyclic: it has percentiles but no samples; record "
            "the same with cyclictest -q -h 20000");
    }
    if (any_line(t, "hwlatdetect:", "")) {
        t.refuse(
            "is a report of hwlatdetect: it tells only gaps above its threshold, not how "
            "often there was none; record with cyclictest -q -h 20000");
    }
    if (any_line(t, "T:", "Avg:")) {
        t.refuse(
            "is what cyclictest prints without a histogram: averages, no samples; record with "
            "cyclictest -q -h 20000");
    }
}

[[noreturn]] void refuse_unknown(const latency_text& t) {
    refuse_summaries(t);
    std::string known;
    for (const latency_format& f : latency_formats()) {
        known += (known.empty() ? "" : "; ") + f.name + " (" + f.command + ")";
    }
    t.refuse("is no file of latencies that is known. Known are: " + known);
}

const reader* reader_of(const latency_text& t) {
    for (const reader& r : readers()) {
        if (r.fits(t)) return &r;
    }
    return nullptr;
}

}  // namespace

const std::vector<latency_format>& latency_formats() {
    static const std::vector<latency_format> all = [] {
        std::vector<latency_format> formats;
        for (const reader& r : readers()) formats.push_back(r.shown);
        return formats;
    }();
    return all;
}

latency_file read_latency_file(std::istream& in, const std::string& name,
                               const latency_choice& choice) {
    const latency_text t = read_text(in, name);
    const reader* r = reader_of(t);
    if (!r) refuse_unknown(t);
    return r->read(t, choice);
}

latency_file read_latency_list(std::istream& in, const std::string& name,
                               const latency_choice& choice) {
    const latency_text t = read_text(in, name);
    const reader* r = reader_of(t);
    if (!r) refuse_summaries(t);
    // What nothing recognises is a list with something wrong in it: its reader says in which line.
    latency_file file = r ? r->read(t, choice) : read_list(t, choice);
    if (file.in_order.empty()) {
        t.refuse("is a " + file.format +
                 ": it has no order to be played in; use kind = \"histogram\"");
    }
    return file;
}

}  // namespace scmi_vp::traces
