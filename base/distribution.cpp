// SPDX-License-Identifier: Apache-2.0
// Distributions that are not formulas: constants, mixtures, recorded lists; and what all share.
#include "base/distribution.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/distribution_detail.h"
#include "base/error.h"

namespace scmi_vp {
namespace distribution_detail {

void refuse_probability(double u) {
    throw error(error_kind::model,
                "quantile of " + number_text(u) + ": a probability is above 0 and below 1");
}

void refuse(const char* maker, const std::string& parameter, const std::string& problem) {
    throw error(error_kind::config, std::string(maker) + ": " + parameter + " " + problem);
}

void check_span(const char* maker, const char* parameter, sim_time value, sim_time least) {
    if (value < least || value > longest_span) {
        refuse(maker, parameter,
               "is " + to_string(value) + "; it must be from " + to_string(least) + " to " +
                   to_string(longest_span));
    }
}

void check_number(const char* maker, const std::string& parameter, double value, double least,
                  double most) {
    if (!(value >= least && value <= most)) {
        refuse(maker, parameter,
               "is " + number_text(value) + "; it must be from " + number_text(least) + " to " +
                   number_text(most));
    }
}

std::string number_text(double value) {
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return std::string(text.data(), end);
}

}  // namespace distribution_detail

namespace {

using namespace distribution_detail;

class constant_distribution final : public distribution {
public:
    explicit constant_distribution(sim_time value) : value_(value) {}

    sim_time quantile(double u) const override {
        check_probability(u);
        return value_;
    }
    sim_time sample(random_stream& stream) const override { return value_; }
    double cdf(sim_time t) const override { return t >= value_ ? 1 : 0; }
    std::string describe() const override { return "constant(" + to_string(value_) + ")"; }
    const sim_time* constant() const override { return &value_; }

private:
    sim_time value_;
};

class recorded_distribution final : public distribution {
public:
    recorded_distribution(std::vector<sim_time> values, bool repeat)
        : values_(std::move(values)), sorted_(values_), repeat_(repeat) {
        std::sort(sorted_.begin(), sorted_.end());
    }

    sim_time quantile(double u) const override {
        check_probability(u);
        // The k-th smallest of n covers u in ((k-1)/n, k/n].
        const double k = std::ceil(u * static_cast<double>(sorted_.size()));
        return sorted_[static_cast<std::size_t>(k) - 1];
    }
    sim_time sample(random_stream& stream) const override {
        const std::uint64_t position = stream.index();
        stream.seek(position + 1);
        if (position < values_.size()) return values_[position];
        return repeat_ ? values_[position % values_.size()] : values_.back();
    }
    double cdf(sim_time t) const override {
        const auto above = std::upper_bound(sorted_.begin(), sorted_.end(), t);
        return static_cast<double>(above - sorted_.begin()) / static_cast<double>(sorted_.size());
    }
    std::string describe() const override {
        return "recorded(" + std::to_string(values_.size()) + " values, " +
               to_string(sorted_.front()) + " to " + to_string(sorted_.back()) +
               (repeat_ ? ", repeated)" : ", then the last)");
    }
    const sim_time* constant() const override {
        return sorted_.front() == sorted_.back() ? &sorted_.front() : nullptr;
    }

private:
    std::vector<sim_time> values_;
    std::vector<sim_time> sorted_;
    bool repeat_;
};

class mixture_distribution final : public distribution {
public:
    explicit mixture_distribution(const std::vector<std::pair<double, distribution_ptr>>& parts) {
        double total = 0;
        for (const auto& part : parts) total += part.first;
        double sum = 0;
        for (const auto& [weight, part] : parts) {
            sum += weight / total;
            parts_.push_back({sum, weight / total, part});
        }
        parts_.back().until = 1;
    }

    sim_time quantile(double u) const override {
        check_probability(u);
        // The smallest whole picosecond whose CDF reaches u lies between the parts' own quantiles.
        std::int64_t low = std::numeric_limits<std::int64_t>::max();
        std::int64_t high = 0;
        for (const share& s : parts_) {
            const std::int64_t q = s.part->quantile(u).ps;
            low = std::min(low, q);
            high = std::max(high, q);
        }
        while (low < high) {
            const std::int64_t middle = low + (high - low) / 2;
            if (cdf(sim_time(middle)) >= u) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return sim_time(low);
    }
    sim_time sample(random_stream& stream) const override {
        const double u = stream.next_unit();
        auto s = parts_.begin();
        while (u >= s->until) ++s;  // few parts; the last one's is 1
        return s->part->sample(stream);
    }
    double cdf(sim_time t) const override {
        double p = 0;
        for (const share& s : parts_) p += s.weight * s.part->cdf(t);
        return std::min(p, 1.0);
    }
    std::string describe() const override {
        std::string text;
        for (const share& s : parts_) {
            text += (text.empty() ? "mixture(" : " + ") + number_text(s.weight) + " * " +
                    s.part->describe();
        }
        return text + ")";
    }

private:
    struct share {
        double until;   // sum of the weights up to here
        double weight;  // of a sum of 1
        distribution_ptr part;
    };
    std::vector<share> parts_;
};

}  // namespace

double distribution::cdf(sim_time t) const {
    // The grid of random_stream::next_unit: probabilities are odd multiples of 2^-53.
    std::uint64_t low = 0;  // every one of the first `low` has a quantile of at most t
    std::uint64_t high = std::uint64_t{1} << 52;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (quantile(static_cast<double>(middle) * 0x1p-52 + 0x1p-53) <= t) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return static_cast<double>(low) * 0x1p-52;
}

distribution_ptr make_constant(sim_time value) {
    check_span("constant", "value", value);
    return std::make_shared<constant_distribution>(value);
}

distribution_ptr make_recorded(std::vector<sim_time> values, bool repeat) {
    if (values.empty()) refuse("recorded", "values", "are missing; give at least one");
    for (sim_time value : values) check_span("recorded", "value", value);
    return std::make_shared<recorded_distribution>(std::move(values), repeat);
}

distribution_ptr make_mixture(std::vector<std::pair<double, distribution_ptr>> parts) {
    if (parts.empty()) refuse("mixture", "parts", "are missing; give at least one");
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string number = " of part " + std::to_string(i + 1);
        // A weight relative to the others: far beyond these bounds it is a slip, and sums of them
        // would lose the small ones.
        check_number("mixture", "weight" + number, parts[i].first, 1e-18, 1e18);
        if (!parts[i].second) refuse("mixture", "distribution" + number, "is missing");
        if (dynamic_cast<const recorded_distribution*>(parts[i].second.get())) {
            refuse("mixture", "distribution" + number,
                   "is a recorded list, which plays in order and cannot be drawn now and then; "
                   "use a histogram of the values");
        }
    }
    if (parts.size() == 1) return std::move(parts.front().second);
    return std::make_shared<mixture_distribution>(parts);
}

}  // namespace scmi_vp
