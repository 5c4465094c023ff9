// SPDX-License-Identifier: Apache-2.0
// See request_rows.h.
#include "studies/results/request_rows.h"

#include <cerrno>

#include "runs/request_csv.h"
#include "traces/output_file.h"

namespace scmi_vp::studies {
namespace {

constexpr const char* file_name = "requests.csv";

}  // namespace

void write_study_request_heading(std::ostream& out) {
    out << "point,replication,";
    runs::write_request_heading(out);
    out << '\n';
}

request_rows::request_rows(runs::output_directory& out) : folder_(out), out_(out.open(file_name)) {
    write_study_request_heading(out_);
}

void request_rows::prepare(std::size_t task) {
    if (failure_) return;
    errno = 0;
    std::fstream part = folder_.open_nameless();
    if (!part) return give_up(errno ? errno : EIO);
    parts_.emplace(task, std::move(part));
}

std::ostream* request_rows::stream(std::size_t task) {
    const auto part = parts_.find(task);
    return part == parts_.end() ? nullptr : &part->second;
}

std::string request_rows::sealed(std::size_t task, const std::string& message) {
    std::ostream* const part = stream(task);
    return std::to_string(part ? traces::write_failure(*part) : 0) + "\n" + message;
}

std::string request_rows::opened(std::size_t task, const std::string& sealed_message) {
    const std::size_t end = sealed_message.find('\n');
    const int failed = std::stoi(sealed_message.substr(0, end));
    const auto part = parts_.find(task);
    if (part != parts_.end() && failed) {
        give_up(failed);
    } else if (part != parts_.end()) {
        append(std::fstream(std::move(part->second)));
        parts_.erase(task);
    }
    return sealed_message.substr(end + 1);
}

void request_rows::append(std::fstream part) {
    part.seekg(0);
    if (part.peek() == std::fstream::traits_type::eof()) return;
    out_ << part.rdbuf();
    if (const int failed = traces::write_failure(out_)) give_up(failed);
}

/// What waits for its turn is of no use any more, and the results need its room.
void request_rows::give_up(int code) {
    failure_ = code;
    parts_.clear();
}

void request_rows::finish() {
    folder_.close(file_name, failure_);
}

}  // namespace scmi_vp::studies
