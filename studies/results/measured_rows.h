// SPDX-License-Identifier: Apache-2.0
// The requests of a run that was measured (scmi-vp connect), from the requests.csv that it wrote:
// nothing can repeat what a device did.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_file.h"
#include "models/request.h"
#include "studies/results/point_totals.h"
#include "studies/results/report_data.h"

namespace scmi_vp::studies {

/// How many rows summary.json says that there are.
struct row_counts {
    std::uint64_t requests = 0;
    std::array<std::uint64_t, outcome_count> outcomes{};  ///< by models::outcome
};
/// Throws scmi_vp::error (input) when it does not say so.
row_counts row_counts_of(const json_place& summary);

/// One row after the other. All members throw scmi_vp::error (input) "file:line: ..." for what is
/// not as runs/request_csv.h writes it; columns that nobody here asks for are skipped.
class request_row_reader {
public:
    /// `folder` holds the requests.csv. Behind its last row it must have had as many as `told`.
    explicit request_row_reader(const std::filesystem::path& folder,
                                std::optional<row_counts> told = std::nullopt);

    /// The next request, whose `context` is a place in tasks(); nullptr behind the last.
    const models::request* next();

    /// By context, in the order in which they came.
    const std::vector<std::string>& tasks() const { return tasks_; }

    /// Columns that make a request; a file may have more.
    static const std::vector<std::string>& columns();

private:
    [[noreturn]] void refuse(const std::string& what) const;
    void read_heading();
    std::string_view cell(std::size_t column) const { return cells_[places_[column]]; }
    std::int64_t number(std::size_t column) const;
    sim_time time(std::size_t column) const;
    std::uint16_t context_of(const std::string& task);
    void check_counts() const;
    void check_count(const std::string& what, std::uint64_t rows, std::uint64_t told) const;
    void fill();
    void fill_wait();
    void place_instants(const std::array<sim_time, span_count>& hops);

    std::string name_;
    std::optional<row_counts> told_;
    row_counts seen_;
    input_stream in_;
    std::uint64_t line_ = 1;
    std::string text_;
    std::vector<std::string_view> cells_;
    std::vector<std::size_t> places_;  ///< of columns() in the file
    std::size_t width_ = 0;            ///< columns of the file
    std::vector<std::string> tasks_;
    std::map<std::string, std::uint16_t> contexts_;
    std::uint64_t waits_ = 0;  ///< for delayed responses, so far
    models::request request_;
};

}  // namespace scmi_vp::studies
