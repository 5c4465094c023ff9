// SPDX-License-Identifier: Apache-2.0
// See late_replies.h. Columns: docs/results.md.
#include "studies/late_replies.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;

void split(const std::string& line, std::vector<std::string_view>& cells) {
    cells.clear();
    std::string_view rest = line;
    if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
    for (;;) {
        const std::size_t comma = rest.find(',');
        cells.push_back(rest.substr(0, comma));
        if (comma == std::string_view::npos) return;
        rest.remove_prefix(comma + 1);
    }
}

class csv_columns {
public:
    csv_columns(const std::string& header, std::string name) : name_(std::move(name)) {
        std::vector<std::string_view> cells;
        split(header, cells);
        names_.assign(cells.begin(), cells.end());
    }
    std::size_t count() const { return names_.size(); }
    std::size_t of(const std::string& column) const {
        const auto at = std::find(names_.begin(), names_.end(), column);
        if (at == names_.end()) {
            throw error(error_kind::input, name_ + ":1",
                        "column " + column + " is missing; run the study again");
        }
        return static_cast<std::size_t>(at - names_.begin());
    }

private:
    std::string name_;
    std::vector<std::string> names_;
};

std::int64_t number(std::string_view cell, const std::string& where) {
    std::int64_t n = 0;
    const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), n);
    if (code != std::errc() || end != cell.data() + cell.size() || n < 0) {
        throw error(error_kind::input, where, "'" + std::string(cell) + "' is not a number");
    }
    return n;
}

}  // namespace

request_choice recorded_late(const fs::path& folder, const request_choice& choice) {
    const fs::path path = folder / "requests.csv";
    std::ifstream file(path, std::ios::binary);
    std::string line;
    if (!std::getline(file, line)) {
        throw error(error_kind::input, path.string(),
                    "is needed to find the latest reply and cannot be read; or give --point and "
                    "--replication");
    }
    const csv_columns columns(line, path.string());
    const std::size_t point = columns.of("point"), replication = columns.of("replication");
    const std::size_t id = columns.of("id"), entered = columns.of("entered_ps"),
                      late = columns.of("late_at_ps");
    request_choice found = choice;
    std::int64_t longest = -1;
    std::vector<std::string_view> cells;
    for (std::uint64_t n = 2; std::getline(file, line); ++n) {
        split(line, cells);
        const std::string where = path.string() + ":" + std::to_string(n);
        if (cells.size() != columns.count()) {
            throw error(error_kind::input, where,
                        "has " + std::to_string(cells.size()) + " cells instead of " +
                            std::to_string(columns.count()));
        }
        if (cells[late].empty()) continue;
        const auto of_point = static_cast<std::size_t>(number(cells[point], where));
        if (choice.point && *choice.point != of_point) continue;
        const std::int64_t lateness = number(cells[late], where) - number(cells[entered], where);
        if (lateness <= longest) continue;
        longest = lateness;
        found = {request_choice::by::number, static_cast<std::uint64_t>(number(cells[id], where)),
                 of_point, static_cast<std::size_t>(number(cells[replication], where))};
    }
    if (longest < 0) {
        throw error(error_kind::usage,
                    choice.point ? "no reply came late in point " + std::to_string(*choice.point)
                                 : "no reply came late in this study");
    }
    return found;
}

}  // namespace scmi_vp::studies
