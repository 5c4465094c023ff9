// SPDX-License-Identifier: Apache-2.0
// See replay.h.
#include "studies/stories/replay.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <system_error>
#include <type_traits>

#include "base/error.h"
#include "base/input_file.h"
#include "models/platform/host_schedule.h"
#include "models/system.h"
#include "runs/account.h"
#include "runs/forked.h"
#include "runs/progress.h"
#include "runs/request_csv.h"
#include "runs/result_sink.h"
#include "runs/run_extent.h"
#include "studies/results/measured_rows.h"
#include "studies/results/point_totals.h"

namespace scmi_vp::studies {
namespace {

using models::instant;
using models::request;
using nlohmann::json;
using scenario::scenario;

constexpr std::size_t most_neighbours = 5, most_log_lines = 6, most_gaps = 100;

/// What every replay does: names tasks, shows progress, ignores what it was not made for.
class replay_sink : public models::run_sink {
public:
    replay_sink(const scenario& s, runs::progress& show)
        : show_(&show), extent_(s), own_tasks_(runs::task_names(s.system.guest)) {}
    /// Of what is read: the reader's names of tasks, and nothing to show.
    explicit replay_sink(const std::vector<std::string>& tasks) : tasks_(&tasks) {}

    void on_request(const request& r) override {
        constexpr std::uint64_t between = 1024;
        if (++count_ % between == 0 && show_) {
            show_->tick(extent_->done(now(), count_), count_);
        }
        look_at(r);
    }
    void on_ftrace(const traces::ftrace_event&) override {}
    void on_log(const traces::log_line&) override {}
    void on_register(sim_time, const traces::register_trace_line&) override {}
    void on_violation(const models::violation&) override {}

    std::string task_of(const request& r) const {
        const std::vector<std::string>& tasks = tasks_ ? *tasks_ : own_tasks_;
        return r.context < tasks.size() ? tasks[r.context] : "?";
    }
    std::uint64_t count() const { return count_; }
    /// The run is over.
    virtual void conclude(models::system&, sim_time, bool) {}

protected:
    virtual void look_at(const request& r) = 0;

private:
    runs::progress* show_ = nullptr;
    std::optional<runs::run_extent> extent_;
    std::vector<std::string> own_tasks_;
    const std::vector<std::string>* tasks_ = nullptr;
    std::uint64_t count_ = 0;
};

sim_time entered(const request& r) {
    return r.at[std::size_t(instant::entered)];
}
sim_time returned(const request& r) {
    return r.felt;
}

/// Medians of many requests from at most 64 Ki of them, evenly spread; exact for fewer.
class median_sample {
public:
    void add(const request& r) {
        if (seen_++ % stride_ != 0) return;
        if (rows_.size() == most_rows) {
            for (std::size_t i = 1; 2 * i < most_rows; ++i) rows_[i] = rows_[2 * i];
            rows_.resize(most_rows / 2);
            stride_ *= 2;
        }
        rows_.push_back({r.hops(), r.round_trip()});
    }
    sim_time of_hop(std::size_t h) {
        return median([h](const row& r) { return r.hops[h]; });
    }
    sim_time of_round_trip() {
        return median([](const row& r) { return r.round_trip; });
    }

private:
    static constexpr std::size_t most_rows = 65536;
    struct row {
        std::array<sim_time, span_count> hops;
        sim_time round_trip;
    };
    template <class get_t>
    sim_time median(get_t get) {
        if (rows_.empty()) return {};
        std::vector<sim_time> values;
        for (const row& r : rows_) values.push_back(get(r));
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
        std::nth_element(values.begin(), middle, values.end());
        return *middle;
    }
    std::vector<row> rows_;
    std::uint64_t seen_ = 0, stride_ = 1;
};

/// Finds the request and counts.
class survey_sink : public replay_sink {
public:
    survey_sink(const scenario& s, runs::progress& show, request_choice::by how, std::uint64_t id)
        : replay_sink(s, show), how_(how), id_(id), record_(std::in_place, s, nullptr) {}
    survey_sink(const std::vector<std::string>& tasks, request_choice::by how, std::uint64_t id)
        : replay_sink(tasks), how_(how), id_(id) {}

    void on_log(const traces::log_line& l) override {
        if (record_) record_->on_log(l);
    }
    void on_call(const models::call_record& c) override {
        if (record_) record_->on_call(c);
    }
    void on_violation(const models::violation& v) override {
        if (record_) record_->on_violation(v);
    }
    void conclude(models::system& top, sim_time ended, bool finished) override {
        summary_ = record_->summary(ended, finished, top.guest().positions(), &top.platform());
    }

    json answer(sim_time ended) {
        json j{{"requests", count()},
               {"round_trips_s", round_trips_.as_seconds()},
               {"late", late_},
               {"ended", ended.ps},
               {"found", found_}};
        if (found_) {
            const auto* bytes = reinterpret_cast<const std::uint8_t*>(&chosen_);
            j["request"] = json::binary({bytes, bytes + sizeof chosen_});
            const runs::account_line line = runs::account_of(chosen_, task_of(chosen_));
            j["task"] = line.task;
            j["what"] = line.what;
            j["outcome"] = line.outcome;
        }
        for (std::size_t h = 0; h < span_count; ++h)
            j["median_hop"].push_back(medians_.of_hop(h).ps);
        j["median"] = medians_.of_round_trip().ps;
        j["summary"] = summary_;
        return j;
    }

private:
    void look_at(const request& r) override {
        if (record_) record_->on_request(r);
        if (r.came_late_at() != sim_time{}) ++late_;
        if (has_round_trip(r)) round_trips_.add(r.round_trip());
        // Refused and unfinished requests would make usual what is not.
        const bool left = r.reached >= std::size_t(instant::woke) || r.timed_out;
        if (left && r.result != models::outcome::unfinished) medians_.add(r);
        if (!better(r)) return;
        // A record's memory is used again: keep a copy.
        chosen_ = r;
        found_ = true;
    }
    bool better(const request& r) const {
        switch (how_) {
            case request_choice::by::number:
                return r.id == id_;
            case request_choice::by::late:
                if (r.came_late_at() == sim_time{}) return false;
                return !found_ ||
                       r.came_late_at() - entered(r) > chosen_.came_late_at() - entered(chosen_);
            case request_choice::by::slowest:
                break;
        }
        if (r.result == models::outcome::unfinished) return false;
        return !found_ || r.round_trip() > chosen_.round_trip();
    }

    request_choice::by how_;
    std::uint64_t id_, late_ = 0;
    traces::span_sum round_trips_;
    bool found_ = false;
    request chosen_;
    median_sample medians_;
    std::optional<runs::result_sink> record_;  ///< by which the run is known again
    json summary_;
};

json json_of(const neighbour& n) {
    return {n.id, n.task, n.what, n.outcome, n.entered.ps, n.returned.ps};
}

neighbour neighbour_from(const json& j) {
    return {j.at(0).get<std::uint64_t>(),
            j.at(1).get<std::string>(),
            j.at(2).get<std::string>(),
            j.at(3).get<std::string>(),
            sim_time(j.at(4).get<std::int64_t>()),
            sim_time(j.at(5).get<std::int64_t>())};
}

/// Watches what was in flight with the request, and the log.
class witness_sink : public replay_sink {
public:
    witness_sink(const scenario& s, runs::progress& show, const watch& w)
        : replay_sink(s, show), watch_(w) {}
    witness_sink(const std::vector<std::string>& tasks, const watch& w)
        : replay_sink(tasks), watch_(w) {}

    void on_log(const traces::log_line& l) override {
        if (l.stamp < watch_.log_from || l.stamp > watch_.log_to) return;
        ++log_lines_;
        if (first_lines_.size() < most_log_lines) {
            first_lines_.push_back(traces::format_log_line(l));
        } else {
            if (last_lines_.size() == most_log_lines) last_lines_.pop_front();
            last_lines_.push_back(traces::format_log_line(l));
        }
    }

    json answer() const {
        json j{{"at_entry", at_entry_},   {"overlapped", overlapped_},
               {"timed_out", timed_out_}, {"in_same_hop", in_same_hop_},
               {"held", held_},           {"log_lines", log_lines_}};
        j["behind"] = behind_;
        j["longest_behind"] = longest_behind_.ps;
        if (before_ && !later_of_its_call_) j["before"] = json_of(*before_);
        j["nearest"] = json::array();
        for (const ranked& n : nearest_) j["nearest"].push_back(json_of(n.near));
        j["log"] = first_lines_;
        for (const std::string& line : last_lines_) j["log"].push_back(line);
        return j;
    }

private:
    struct ranked {
        sim_time together;  ///< how long both were there while the request was slow
        neighbour near;
    };

    void look_at(const request& r) override {
        if (r.id == watch_.id) return;
        look_at_locks(r);
        if (r.timed_out && returned(r) <= watch_.entered &&
            (r.late_at == sim_time{} || r.late_at > watch_.entered)) {
            ++held_;
        }
        if (entered(r) >= watch_.returned || returned(r) <= watch_.entered) return;
        ++overlapped_;
        if (entered(r) <= watch_.entered) ++at_entry_;
        if (r.gave_up() != models::limit::none) ++timed_out_;
        if (was_in(r, watch_.slow)) ++in_same_hop_;
        rank(r);
    }
    /// What lies between a call and the entering of its first request is the wait for locks.
    void look_at_locks(const request& r) {
        sim_time& last = entered_last_[r.context];
        const bool first_of_call = last < r.called;
        last = std::max(last, entered(r));
        if (r.context == watch_.context) {
            const bool same_call = entered(r) >= watch_.called && entered(r) < watch_.entered;
            later_of_its_call_ = later_of_its_call_ || same_call;
            return;
        }
        if (first_of_call && r.called < watch_.returned && entered(r) >= watch_.returned) {
            ++behind_;
            longest_behind_ = std::max(longest_behind_, entered(r) - r.called);
        }
        if (returned(r) > watch_.called && returned(r) <= watch_.entered &&
            (!before_ || returned(r) >= before_->returned)) {
            before_ = neighbour_of(r);
        }
    }
    neighbour neighbour_of(const request& r) const {
        const runs::account_line line = runs::account_of(r, task_of(r));
        return {r.id, line.task, line.what, line.outcome, entered(r), returned(r)};
    }
    /// In that hop while the watched request was.
    bool was_in(const request& r, hop h) const {
        const auto hops = r.hops();
        sim_time from = entered(r);
        for (std::size_t i = 0; i < std::size_t(h); ++i) from += hops[i];
        const sim_time to = from + hops[std::size_t(h)];
        return to > from && from < watch_.slow_to && to > watch_.slow_from;
    }
    void rank(const request& r) {
        const sim_time from = std::max(entered(r), watch_.slow_from);
        const sim_time together =
            std::max(sim_time{}, std::min(returned(r), watch_.slow_to) - from);
        const auto before = [](const ranked& a, const ranked& b) {
            return a.together != b.together ? a.together > b.together : a.near.id < b.near.id;
        };
        ranked next{together, {r.id, {}, {}, {}, entered(r), returned(r)}};
        if (nearest_.size() == most_neighbours && !before(next, nearest_.back())) return;
        next.near = neighbour_of(r);
        if (nearest_.size() == most_neighbours) nearest_.pop_back();
        nearest_.insert(std::upper_bound(nearest_.begin(), nearest_.end(), next, before), next);
    }

    watch watch_;
    std::uint64_t at_entry_ = 0, overlapped_ = 0, in_same_hop_ = 0, timed_out_ = 0, held_ = 0;
    std::map<std::uint16_t, sim_time> entered_last_;  ///< by context
    bool later_of_its_call_ = false;                  ///< not the first request of its call
    std::uint64_t behind_ = 0;
    sim_time longest_behind_;
    std::optional<neighbour> before_;
    std::vector<ranked> nearest_;
    std::uint64_t log_lines_ = 0;
    std::vector<std::string> first_lines_;
    std::deque<std::string> last_lines_;
};

/// In the child.
template <class sink_t>
sim_time run(const scenario& s, sink_t& sink) {
    models::system top("top", s.system, sink);
    top.run(s.system.duration);
    const sim_time ended = now();
    const bool finished = top.guest().all_done();
    top.finish();
    sink.conclude(top, ended, finished);
    return ended;
}

/// Hands a folder's rows to a sink; when the last of them was done with.
template <class sink_t>
sim_time read_rows(request_row_reader& rows, sink_t& sink) {
    sim_time ended;
    while (const request* r = rows.next()) {
        sink.on_request(*r);
        ended = std::max({ended, returned(*r), r->late_at, r->delayed_matched});
    }
    return ended;
}

json answer_of(const std::string& doing, const std::function<json()>& work) {
    const std::string message = runs::run_forked(doing, [&] {
        std::string bytes;
        json::to_cbor(work(), bytes);
        return bytes;
    });
    return json::from_cbor(message);
}

runs::progress shown(replay_progress p) {
    return {p == replay_progress::shown ? &std::cerr : nullptr, runs::stderr_is_terminal(),
            "requests"};
}

survey survey_from(const json& j) {
    survey v;
    v.requests = j.at("requests").get<std::uint64_t>();
    v.round_trips_s = j.at("round_trips_s").get<double>();
    v.late_replies = j.at("late").get<std::uint64_t>();
    v.ended = sim_time(j.at("ended").get<std::int64_t>());
    v.found = j.at("found").get<bool>();
    v.median_round_trip = sim_time(j.at("median").get<std::int64_t>());
    for (std::size_t h = 0; h < span_count; ++h) {
        v.median_hop[h] = sim_time(j.at("median_hop").at(h).get<std::int64_t>());
    }
    v.summary = j.at("summary");
    if (!v.found) return v;
    static_assert(std::is_trivially_copyable_v<request>);
    const json::binary_t& bytes = j.at("request").get_binary();
    std::memcpy(static_cast<void*>(&v.chosen.r), bytes.data(), sizeof v.chosen.r);
    v.chosen.task = j.at("task").get<std::string>();
    v.chosen.what = j.at("what").get<std::string>();
    v.chosen.outcome = j.at("outcome").get<std::string>();
    return v;
}

witness witness_from(const json& j) {
    witness v;
    v.at_entry = j.at("at_entry").get<std::uint64_t>();
    v.overlapped = j.at("overlapped").get<std::uint64_t>();
    v.in_same_hop = j.at("in_same_hop").get<std::uint64_t>();
    v.timed_out = j.at("timed_out").get<std::uint64_t>();
    v.held = j.at("held").get<std::uint64_t>();
    v.log_lines = j.at("log_lines").get<std::uint64_t>();
    v.behind = j.at("behind").get<std::uint64_t>();
    v.longest_behind = sim_time(j.at("longest_behind").get<std::int64_t>());
    if (j.contains("before")) v.before = neighbour_from(j.at("before"));
    for (const json& n : j.at("nearest")) v.nearest.push_back(neighbour_from(n));
    v.log = j.at("log").get<std::vector<std::string>>();
    return v;
}

}  // namespace

survey survey_run(const scenario& s, request_choice::by how, std::uint64_t id,
                  replay_progress progress) {
    return survey_from(answer_of("repeating the run", [&] {
        runs::progress show = shown(progress);
        survey_sink sink(s, show, how, id);
        const sim_time ended = run(s, sink);
        show.done();
        return sink.answer(ended);
    }));
}

survey survey_rows(const std::filesystem::path& folder, const row_counts& told,
                   request_choice::by how, std::uint64_t id) {
    request_row_reader rows(folder, told);
    survey_sink sink(rows.tasks(), how, id);
    const sim_time ended = read_rows(rows, sink);
    return survey_from(sink.answer(ended));
}

witness watch_run(const scenario& s, const watch& w, replay_progress progress) {
    return witness_from(answer_of("watching the run", [&] {
        runs::progress show = shown(progress);
        witness_sink sink(s, show, w);
        run(s, sink);
        show.done();
        return sink.answer();
    }));
}

witness watch_rows(const std::filesystem::path& folder, const watch& w) {
    request_row_reader rows(folder);
    witness_sink sink(rows.tasks(), w);
    read_rows(rows, sink);
    const std::filesystem::path log = folder / "dmesg.txt";
    std::error_code code;
    const bool log_kept = std::filesystem::exists(log, code);
    if (log_kept) {
        input_stream lines(log, inputs::trace);
        for (const traces::log_line& l : traces::read_dmesg(lines, log.string())) sink.on_log(l);
    }
    witness v = witness_from(sink.answer());
    v.log_kept = log_kept;
    return v;
}

std::vector<host_gap> host_gaps(const scenario& s, sim_time from, sim_time to) {
    const models::platform_config& p = s.system.platform;
    // The same streams as in the run: models/system.cpp.
    models::host_schedule schedule(p.slot, p.pauses, s.system.seed, "platform");
    std::vector<host_gap> gaps;
    // Pauses from the start of the run, so that the one under way is seen whole; slots, of which
    // there may be millions, from where the request entered.
    sim_time t = p.slot.period > sim_time{} ? from : sim_time{};
    while (!schedule.always() && t < to && gaps.size() < most_gaps) {
        const sim_time runs = schedule.running_from(t);
        if (runs > t && runs > from) gaps.push_back({t, runs});
        schedule.forget_before(runs);
        // Work that starts now is suspended by the next gap: the longest that is not, ends there.
        sim_time low{}, high = to - runs;
        if (runs >= to || schedule.finish(runs, high) == to) break;
        while (high - low > sim_time(1)) {
            const sim_time middle = low + sim_time((high - low).ps / 2);
            (schedule.finish(runs, middle) == runs + middle ? low : high) = middle;
        }
        t = runs + low;
    }
    return gaps;
}

}  // namespace scmi_vp::studies
