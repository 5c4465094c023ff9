// SPDX-License-Identifier: Apache-2.0
// What the readers of latency files share. Private to traces/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/distribution.h"
#include "traces/latency_file.h"

namespace scmi_vp::traces::latency_parsing {

struct text_line {
    std::string_view text;  ///< without blanks at its ends, colours and carriage returns
    std::size_t number;
};

/// A whole file. Lines that have nothing on them are left out.
struct latency_text {
    std::string name;
    std::string content;
    std::vector<text_line> lines;

    [[noreturn]] void refuse(const std::string& problem) const;
    [[noreturn]] void refuse(std::size_t line, const std::string& problem) const;
};

/// Reads all of it. Throws scmi_vp::error (input) if it is empty, unreadable or larger than 256
/// MiB.
latency_text read_text(std::istream& in, const std::string& name);

bool starts_with(std::string_view text, std::string_view prefix);
bool contains(std::string_view text, std::string_view part);
std::string_view trimmed(std::string_view text);
/// The parts between any of `separators`; runs of blanks count as one.
std::vector<std::string_view> words(std::string_view text);
std::vector<std::string_view> fields(std::string_view text, char separator);
std::optional<std::uint64_t> whole_number(std::string_view text);
bool is_number(std::string_view text);  ///< decimal, not negative, a fraction perhaps
std::string lower_case(std::string_view text);
std::string counted(std::uint64_t n, const std::string& what);  ///< "1 thread", "2 threads"

/// A unit of time: picoseconds in one.
struct time_unit {
    std::string name;
    std::int64_t ps = 0;

    /// Exact; digits below a picosecond are rounded. nullopt: no number, or above longest_span.
    std::optional<sim_time> time(std::string_view decimal) const;
    std::optional<sim_time> time(std::uint64_t n) const;
};
/// The unit of that name; throws scmi_vp::error (config) for another one.
time_unit unit_named(const std::string& name);
/// The unit that the choice gives. Without one: `usual`, or an error that says it is needed.
time_unit chosen_unit(const latency_text& t, const latency_choice& c, const std::string& format,
                      const char* usual = nullptr);
/// For files that name their unit: refuses another one.
time_unit own_unit(const latency_text& t, const latency_choice& c, const std::string& format,
                   const std::string& unit);
void refuse_column(const latency_text& t, const latency_choice& c, const std::string& format);

/// One column of a histogram, or one list of samples.
struct series {
    std::string name;                 ///< "thread 0"; for messages
    std::vector<histogram_bin> bins;  ///< ascending
    std::uint64_t overflows = 0;
    std::optional<sim_time> min, max, average;  ///< as the file says
    sim_time average_step;                      ///< the average was cut down to whole ones of these

    std::uint64_t in_bins() const;
};

struct pooled_parts {
    std::string format, parts;
    time_unit unit;
    sim_time width;  ///< of bins without their own
    sim_time limit;  ///< where overflows begin; 0: at the end of the last bin
    std::vector<series> columns;
};
/// Adds the columns up and holds them against what the file says of itself. Throws scmi_vp::error
/// (input) if there is no sample or a sum overflows.
latency_file pooled(const latency_text& t, const pooled_parts& p);

/// Single samples: each one `width` wide.
latency_file of_samples(const latency_text& t, const std::string& format, const std::string& parts,
                        const time_unit& unit, sim_time width, std::vector<sim_time> samples);

/// The sum, or an error of that line (0: of the file).
void add_to(std::uint64_t& sum, std::uint64_t more, const latency_text& t, std::size_t line);

/// A row of the table of formats.
struct reader {
    latency_format shown;
    bool (*fits)(const latency_text&);
    latency_file (*read)(const latency_text&, const latency_choice&);
};

// --- the readers: whether it is one, and what is in it ---
bool is_cyclictest_json(const latency_text& t);
latency_file read_cyclictest_json(const latency_text& t, const latency_choice& c);
bool is_cyclictest_histogram(const latency_text& t);
bool is_rows_of_counts(const latency_text& t);
latency_file read_cyclictest_histogram(const latency_text& t, const latency_choice& c);
bool is_cyclictest_verbose(const latency_text& t);
latency_file read_cyclictest_verbose(const latency_text& t, const latency_choice& c);
bool is_rtla(const latency_text& t);
latency_file read_rtla(const latency_text& t, const latency_choice& c);
bool is_percentiles(const latency_text& t);
latency_file read_percentiles(const latency_text& t, const latency_choice& c);
bool is_bpftrace(const latency_text& t);
latency_file read_bpftrace(const latency_text& t, const latency_choice& c);
bool is_bcc(const latency_text& t);
latency_file read_bcc(const latency_text& t, const latency_choice& c);
bool is_fio_log(const latency_text& t);
latency_file read_fio_log(const latency_text& t, const latency_choice& c);
bool is_csv(const latency_text& t);
latency_file read_csv(const latency_text& t, const latency_choice& c);
bool is_list(const latency_text& t);
latency_file read_list(const latency_text& t, const latency_choice& c);

}  // namespace scmi_vp::traces::latency_parsing
