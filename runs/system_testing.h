// SPDX-License-Identifier: Apache-2.0
// What several tests of whole runs need: runs in processes of their own, and their files read back.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "runs/forked.h"
#include "runs/run.h"
#include "scenario/scenario.h"
#include "traces/ftrace.h"

namespace scmi_vp::runs::testing_tools {

struct finished_run {
    run_status status;
    std::string report;
};

/// run_scenario in a child process. What it throws is thrown here.
inline finished_run run_in_child(const scenario::scenario& s, const run_options& options) {
    const std::string result = run_forked("a run", [&] {
        std::ostringstream report;
        const run_status status = run_scenario(s, options, report);
        return std::string(1, char('0' + int(status))) + report.str();
    });
    return {run_status(result.at(0) - '0'), result.substr(1)};
}
inline finished_run run_in_child(const scenario::scenario& s, const std::filesystem::path& out) {
    run_options options;
    options.out = out;
    options.quiet = true;
    return run_in_child(s, options);
}

inline std::string contents(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Names and contents of all files of a folder.
inline std::map<std::string, std::string> folder(const std::filesystem::path& path) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (!entry.is_regular_file()) continue;
        files[entry.path().lexically_relative(path).string()] = contents(entry.path());
    }
    return files;
}

/// A CSV file of numbers and names without quotes: one map of columns per line.
inline std::vector<std::map<std::string, std::string>> read_csv(const std::filesystem::path& file) {
    const auto split = [](const std::string& line) {
        std::vector<std::string> cells(1);
        for (const char c : line) {
            if (c == ',') {
                cells.emplace_back();
            } else {
                cells.back() += c;
            }
        }
        return cells;
    };
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    const std::vector<std::string> head = split(line);
    std::vector<std::map<std::string, std::string>> rows;
    while (std::getline(in, line)) {
        const std::vector<std::string> cells = split(line);
        auto& row = rows.emplace_back();
        for (std::size_t i = 0; i < head.size() && i < cells.size(); ++i) row[head[i]] = cells[i];
    }
    return rows;
}

inline std::vector<traces::ftrace_event> events_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return traces::read_ftrace(in, file.string());
}
inline std::vector<traces::log_line> messages_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return traces::read_dmesg(in, file.string());
}
inline std::vector<traces::register_trace_line> accesses_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return traces::read_register_trace(in, file.string());
}

}  // namespace scmi_vp::runs::testing_tools
