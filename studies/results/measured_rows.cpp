// SPDX-License-Identifier: Apache-2.0
// See measured_rows.h. The columns: docs/results.md.
#include "studies/results/measured_rows.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include "base/error.h"

namespace scmi_vp::studies {
namespace {

using models::instant;
using models::outcome;
using models::request;

// In the order of columns(); the hops lie between `round_trip` and `stuck_in`.
enum column : std::size_t {
    id,
    task,
    protocol,
    message,
    resource,
    seq,
    transfer_id,
    entered,
    result,
    scmi_status,
    linux_errno,
    intended,
    called,
    round_trip,
    first_hop,
    stuck_in = first_hop + hop_count,
    lost,
    late_at,
    delayed_ready,
    delayed_used,
    delayed_irq,
    delayed_matched,
    first_delayed_hop,
    limit = first_delayed_hop + (span_count - hop_count),
    delayed_lost,
    delayed_late_at,
};

void split(std::string_view line, std::vector<std::string_view>& cells) {
    cells.clear();
    for (std::size_t begin = 0;;) {
        const std::size_t end = line.find(',', begin);
        cells.push_back(line.substr(begin, end - begin));
        if (end == std::string_view::npos) return;
        begin = end + 1;
    }
}

/// requests.csv is where results may be without it.
const std::string& opened(const std::string& name) {
    std::error_code code;
    if (std::filesystem::exists(name, code)) return name;
    throw error(error_kind::input, name,
                "cannot be read; without the requests that were measured there is nothing to tell "
                "(was output.requests false?)");
}

std::optional<outcome> outcome_named(std::string_view name) {
    for (unsigned i = 0; name_of(outcome(i)) != "unknown"; ++i) {
        if (name_of(outcome(i)) == name) return outcome(i);
    }
    return std::nullopt;
}

}  // namespace

const std::vector<std::string>& request_row_reader::columns() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> names{"id",        "task",         "protocol",    "message",
                                       "resource",  "seq",          "transfer_id", "entered_ps",
                                       "outcome",   "scmi_status",  "linux_errno", "intended_ps",
                                       "called_ps", "round_trip_ps"};
        for (const hop_info& h : hop_table) names.push_back(std::string(h.name) + "_ps");
        for (const char* name : {"stuck_in", "lost", "late_at_ps", "delayed_ready_ps",
                                 "delayed_used_ps", "delayed_irq_ps", "delayed_matched_ps"}) {
            names.emplace_back(name);
        }
        for (std::size_t h = hop_count; h < span_count; ++h) {
            names.push_back(std::string(span_table[h].name) + "_ps");
        }
        for (const char* name : {"limit", "delayed_lost", "delayed_late_at_ps"}) {
            names.emplace_back(name);
        }
        return names;
    }();
    return all;
}

row_counts row_counts_of(const json_place& summary) {
    row_counts told;
    told.requests = summary.at("requests").count();
    for (std::size_t i = 0; i < outcome_count; ++i) {
        told.outcomes[i] = summary.at("outcomes").at(std::string(name_of(outcome(i)))).count();
    }
    return told;
}

request_row_reader::request_row_reader(const std::filesystem::path& folder,
                                       std::optional<row_counts> told)
    : name_((folder / "requests.csv").string()), told_(told), in_(opened(name_), inputs::rows) {
    std::getline(in_, text_);
    read_heading();
}

void request_row_reader::read_heading() {
    split(text_, cells_);
    width_ = cells_.size();
    for (const std::string& wanted : columns()) {
        const auto at = std::find(cells_.begin(), cells_.end(), wanted);
        if (at == cells_.end()) refuse("there is no column " + wanted);
        places_.push_back(std::size_t(at - cells_.begin()));
    }
}

const request* request_row_reader::next() {
    if (!std::getline(in_, text_)) {
        check_counts();
        return nullptr;
    }
    ++line_;
    if (in_.eof()) refuse("the last line has no end: the file was cut");
    split(text_, cells_);
    if (cells_.size() != width_) {
        refuse("has " + std::to_string(cells_.size()) + " columns, the heading " +
               std::to_string(width_));
    }
    fill();
    ++seen_.requests;
    if (told_ && seen_.requests > told_->requests) check_counts();
    ++seen_.outcomes[std::size_t(request_.result)];
    return &request_;
}

void request_row_reader::fill() {
    request r;
    r.id = std::uint64_t(number(id));
    r.context = context_of(std::string(cell(task)));
    r.hdr.protocol_id = std::uint8_t(number(protocol));
    r.hdr.message_id = std::uint8_t(number(message));
    r.hdr.token = std::uint16_t(number(seq));
    r.transfer_id = std::uint32_t(number(transfer_id));
    r.resource = cell(resource).empty() ? -1 : std::int32_t(number(resource));
    r.scmi_status = std::int32_t(number(scmi_status));
    r.linux_errno = std::int32_t(number(linux_errno));
    const auto what = outcome_named(cell(result));
    if (!what) refuse("outcome '" + std::string(cell(result)) + "' is none");
    r.result = *what;
    r.timed_out = cell(limit) == name_of(models::limit::rx);
    r.left = *what != outcome::unfinished;
    r.lost = number(lost) != 0;
    r.intended = time(intended);
    r.called = time(called);
    r.late_at = time(late_at);
    r.delayed_ready = time(delayed_ready);
    r.delayed_used = time(delayed_used);
    r.delayed_irq = time(delayed_irq);
    r.delayed_matched = time(delayed_matched);
    r.delayed_lost = number(delayed_lost) != 0;
    r.delayed_late_at = time(delayed_late_at);
    request_ = r;
    fill_wait();
    std::array<sim_time, span_count> hops;
    for (std::size_t h = 0; h < hop_count; ++h) hops[h] = time(first_hop + h);
    for (std::size_t h = hop_count; h < span_count; ++h) {
        hops[h] = time(first_delayed_hop + (h - hop_count));
    }
    place_instants(hops);
    if (request_.hops() != hops || request_.round_trip() != time(round_trip)) {
        refuse("the hops are not those of a round trip of " + to_string(time(round_trip)) +
               "; was the file edited?");
    }
}

/// Whether the caller waited for a delayed response, and what came of it.
void request_row_reader::fill_wait() {
    request& r = request_;
    const auto stuck = hop_named(cell(stuck_in));
    if (r.timed_out) return;
    if (cell(limit) == name_of(models::limit::delayed_response)) {
        r.delayed = models::delayed_state::timed_out;
    } else if (stuck && *stuck >= hop::delayed_work) {
        r.delayed = models::delayed_state::awaited;
    } else if (!cell(delayed_matched).empty()) {
        r.delayed = models::delayed_state::received;
    } else {
        return;
    }
    r.wait_number = ++waits_;
}

/// So that the request's hops() are those of the row.
void request_row_reader::place_instants(const std::array<sim_time, span_count>& hops) {
    request& r = request_;
    const auto poll = std::size_t(hop::poll), woke = std::size_t(instant::woke);
    std::size_t reached = woke;
    if (const std::string_view stuck = cell(stuck_in); !stuck.empty()) {
        const auto h = hop_named(stuck);
        if (!h) refuse("stuck_in '" + std::string(stuck) + "' is no hop");
        if (*h < hop::poll) reached = std::size_t(*h);
        if (*h == hop::poll) reached = std::size_t(instant::used);
        if (*h == hop::poll) r.poll();
    } else if (hops[poll] > sim_time{}) {
        reached = std::size_t(instant::used);
        r.poll();
    } else if (!models::has_round_trip(r)) {
        // An error before it was sent: the last hop that took time is where it ended.
        reached = 0;
        for (std::size_t h = 0; h < poll; ++h) reached = hops[h] > sim_time{} ? h : reached;
    }
    r.reached = std::uint8_t(reached);
    r.at[0] = time(entered);
    for (std::size_t i = 0; i + 1 < models::instant_count; ++i) {
        r.at[i + 1] = i < reached || reached >= woke ? r.at[i] + hops[i] : sim_time{};
    }
    r.felt = r.at[0] + time(round_trip);
    r.at[std::size_t(instant::returned)] = r.felt;
    for (std::size_t h = hop_count; r.waited() && h < span_count; ++h) {
        r.at[std::size_t(instant::returned)] -= hops[h];
    }
    if (r.timed_out) {
        r.at[woke] = r.at[std::size_t(instant::returned)] - hops[std::size_t(hop::complete)];
    }
}

std::int64_t request_row_reader::number(std::size_t column) const {
    const std::string_view text = cell(column);
    std::int64_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failed != std::errc() || end != text.data() + text.size()) {
        refuse(columns()[column] + " '" + std::string(text) + "' is not a number");
    }
    return n;
}

sim_time request_row_reader::time(std::size_t column) const {
    const std::int64_t ps = cell(column).empty() ? 0 : number(column);
    // Sums of a few of them must not overflow.
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 16;
    if (ps < -most || ps > most) refuse(columns()[column] + " is out of range");
    return sim_time(ps);
}

std::uint16_t request_row_reader::context_of(const std::string& name) {
    const auto known = contexts_.find(name);
    if (known != contexts_.end()) return known->second;
    if (tasks_.size() == std::numeric_limits<std::uint16_t>::max()) refuse("too many tasks");
    contexts_.emplace(name, std::uint16_t(tasks_.size()));
    tasks_.push_back(name);
    return std::uint16_t(tasks_.size() - 1);
}

void request_row_reader::refuse(const std::string& what) const {
    throw error(error_kind::input, name_ + ":" + std::to_string(line_), what);
}

void request_row_reader::check_counts() const {
    if (!told_) return;
    check_count("requests", seen_.requests, told_->requests);
    for (std::size_t i = 0; i < outcome_count; ++i) {
        check_count(std::string(name_of(outcome(i))), seen_.outcomes[i], told_->outcomes[i]);
    }
}

void request_row_reader::check_count(const std::string& what, std::uint64_t rows,
                                     std::uint64_t told) const {
    if (rows == told) return;
    throw error(error_kind::input, name_,
                "has " + std::to_string(rows) + " " + what + ", while summary.json says " +
                    std::to_string(told) + ": they are not of the same run, or one was edited");
}

}  // namespace scmi_vp::studies
