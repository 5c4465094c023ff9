// SPDX-License-Identifier: Apache-2.0
// See study_checks.h.
#include "studies/study_checks.h"

#include <algorithm>

namespace scmi_vp::studies {
namespace {

using nlohmann::ordered_json;
using scenario::check_limit;
using scenario::limit_kind;
using scenario::result_number;

std::uint64_t messages_of(const point_result& r, std::size_t check) {
    std::uint64_t sum = 0;
    for (const replication_summary& one : r.replications) {
        if (check < one.messages.size()) sum += one.messages[check];
    }
    return sum;
}

/// What one run has of the number, when runs have it.
std::optional<std::uint64_t> of_replication(const replication_summary& one, const study_check& c,
                                            std::size_t check) {
    const std::string& number = c.what.number;
    if (number.empty()) return check < one.messages.size() ? one.messages[check] : 0;
    if (number.rfind("spurious_timeouts.", 0) == 0) return one.spurious;
    if (number.rfind("true_timeouts.", 0) == 0) return one.true_timeouts;
    if (number.rfind("delayed.spurious_timeouts.", 0) == 0) return one.delayed_spurious;
    if (number.rfind("delayed.true_timeouts.", 0) == 0) return one.delayed_true;
    if (number == "outcomes.timed_out") {
        return one.spurious + one.true_timeouts + one.delayed_spurious + one.delayed_true;
    }
    if (number == "refused") return one.refused;
    if (number == "requests") return one.requests;
    return std::nullopt;
}

}  // namespace

std::vector<result_number> numbers_of_point(const study_point& p) {
    return scenario::numbers_of(empty_point_json(p));
}

void resolve_checks(study& s) {
    for (study_check& c : s.checks) {
        const auto point = std::find_if(s.points.begin(), s.points.end(),
                                        [&c](const study_point& p) { return c.is_about(p); });
        if (point == s.points.end() || c.what.number.empty()) continue;
        scenario::resolve_check(c.what, numbers_of_point(*point),
                                "scmi-vp list numbers " + s.file.string());
    }
}

std::vector<point_check> check_points(const findings& f, const ordered_json& results) {
    const study& s = *f.what;
    std::vector<point_check> all;
    if (s.checks.empty()) return all;
    for (std::size_t p = 0; p < s.points.size(); ++p) {
        const std::vector<result_number> numbers = scenario::numbers_of(results.at("points")[p]);
        for (std::size_t i = 0; i < s.checks.size(); ++i) {
            const study_check& c = s.checks[i];
            if (!c.is_about(s.points[p])) continue;
            point_check one{&c, p, {}};
            one.result = scenario::evaluate(c.what, numbers, messages_of(*f.points[p].result, i));
            if (!s.axes.empty()) one.result.at = s.points[p].name();
            all.push_back(std::move(one));
        }
    }
    return all;
}

ordered_json json_of(const std::vector<point_check>& checks) {
    ordered_json all = ordered_json::array();
    for (const point_check& c : checks) {
        ordered_json j{{"point", c.point}};
        j.update(scenario::json_of(c.result));
        all.push_back(std::move(j));
    }
    return all;
}

void print_checks(std::ostream& out, const std::vector<point_check>& checks) {
    std::vector<scenario::check_result> results;
    for (const point_check& c : checks) results.push_back(c.result);
    scenario::print_checks(out, results);
}

bool all_passed(const std::vector<point_check>& checks) {
    return worst_of(checks) == nullptr;
}

std::size_t telling_replication(const findings& f, const point_check& c) {
    const point_result& r = *f.points[c.point].result;
    const std::size_t slowest = std::size_t(r.totals.slowest.replication);
    const std::size_t check = std::size_t(c.check - f.what->checks.data());
    const std::vector<check_limit>& limits = c.check->what.limits;
    const bool fewest = limits.front().kind == limit_kind::at_least;
    std::size_t best = slowest;
    for (std::size_t i = 0; i < r.replications.size(); ++i) {
        const auto mine = of_replication(r.replications[i], *c.check, check);
        const auto most = of_replication(r.replications[best], *c.check, check);
        if (!mine || !most) return slowest;
        if (fewest ? *mine < *most : *mine > *most) best = i;
    }
    return best;
}

const point_check* worst_of(const std::vector<point_check>& checks) {
    const point_check* worst = nullptr;
    for (const point_check& c : checks) {
        if (c.result.passed) continue;
        if (!worst || c.result.excess > worst->result.excess) worst = &c;
    }
    return worst;
}

}  // namespace scmi_vp::studies
