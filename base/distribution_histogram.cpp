// SPDX-License-Identifier: Apache-2.0
// Distributions from a histogram: uniform inside a bin, what overflowed as the policy says.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/distribution.h"
#include "base/distribution_detail.h"

namespace scmi_vp {
namespace {

using namespace distribution_detail;

constexpr const char* maker = "histogram";

// A run of samples over [low, low + width]; width 0: all at low. Evenly spread if steepness is 0,
// else with a density that is proportional to exp(-steepness * x), x from 0 to 1.
struct piece {
    double low;
    double width;
    double begin;  // samples below this piece
    double count;
    double steepness = 0;

    double end() const { return low + width; }
    double value_at(double share) const { return low + width * place(share); }
    double share_below(double value) const {
        if (value >= end()) return 1;
        const double x = (value - low) / width;
        if (steepness == 0) return x;
        return steepness > 0 ? falling_share(x, steepness) : 1 - falling_share(1 - x, -steepness);
    }
    double mean() const { return low + width * mean_place(steepness); }

    // The mean of x; from 1 down to 0 as the steepness grows.
    static double mean_place(double k) {
        if (std::abs(k) < 1e-3) return 0.5 - k / 12;
        return 1 / k - 1 / std::expm1(k);
    }

private:
    static double falling_share(double x, double k) { return std::expm1(-k * x) / std::expm1(-k); }
    static double falling_place(double share, double k) {
        return std::min(1.0, -std::log1p(share * std::expm1(-k)) / k);
    }
    double place(double share) const {
        if (steepness == 0) return share;
        return steepness > 0 ? falling_place(share, steepness)
                             : 1 - falling_place(1 - share, -steepness);
    }
};

// The inverse CDF by binary search, in a part of the table that a guide gives (Chen and Asau 1974):
// the guide's cell for x bounds the answer, so that a draw from 20 000 bins takes few steps.
class histogram_distribution final : public distribution {
public:
    histogram_distribution(std::vector<piece> pieces, std::string text)
        : pieces_(std::move(pieces)), text_(std::move(text)) {
        for (const piece& p : pieces_) ends_.push_back(p.begin + p.count);
        cells_per_sample_ = static_cast<double>(pieces_.size()) / ends_.back();
        for (std::size_t i = 0; i < ends_.size(); ++i) {
            // guide_[c]: the first piece that ends in cell c or after it.
            while (guide_.size() <= cell_of(ends_[i])) guide_.push_back(i);
        }
        guide_.push_back(ends_.size() - 1);
    }

    sim_time quantile(double u) const override {
        check_probability(u);
        return at(u);
    }
    sim_time sample(random_stream& stream) const override { return at(stream.next_unit()); }

    double cdf(sim_time t) const override {
        const double edge = upper_edge(t);
        const auto after =
            std::upper_bound(pieces_.begin(), pieces_.end(), edge,
                             [](double value, const piece& p) { return value < p.low; });
        if (after == pieces_.begin()) return 0;
        const piece& p = after[-1];
        return (p.begin + p.share_below(edge) * p.count) / ends_.back();
    }

    std::string describe() const override { return text_; }

private:
    std::size_t cell_of(double x) const { return static_cast<std::size_t>(x * cells_per_sample_); }

    sim_time at(double u) const {
        const double x = u * ends_.back();
        const std::size_t cell = cell_of(x);
        const auto first = ends_.begin() + static_cast<std::ptrdiff_t>(guide_[cell]);
        const auto last = ends_.begin() + static_cast<std::ptrdiff_t>(guide_[cell + 1]);
        const auto end = std::upper_bound(first, last, x);  // *last is above x or the very end
        const piece& p = pieces_[static_cast<std::size_t>(end - ends_.begin())];
        return to_span(p.value_at((x - p.begin) / p.count));
    }

    std::vector<piece> pieces_;
    std::vector<double> ends_;
    std::vector<std::size_t> guide_;
    double cells_per_sample_;
    std::string text_;
};

std::string bin_name(std::size_t index) {
    return "bin " + std::to_string(index + 1);
}

// The pieces of the bins. Counts are summed as doubles: exact up to 2^53 samples.
std::vector<piece> pieces_of(const histogram& h) {
    constexpr std::uint64_t most_samples = std::uint64_t{1} << 53;
    check_span(maker, "width", h.width, picoseconds(1));
    std::vector<piece> pieces;
    std::uint64_t samples = h.overflows;
    sim_time end;
    for (std::size_t i = 0; i < h.bins.size(); ++i) {
        const histogram_bin& bin = h.bins[i];
        check_span(maker, (bin_name(i) + "'s low").c_str(), bin.low, end);
        end = h.end_of(bin);
        check_span(maker, (bin_name(i) + "'s end").c_str(), end);
        if (bin.count > most_samples - std::min(samples, most_samples)) {
            refuse(maker, "the sum of the counts", "is above 2^53");
        }
        if (bin.count == 0) continue;
        const double begin = pieces.empty() ? 0 : pieces.back().begin + pieces.back().count;
        pieces.push_back({static_cast<double>(bin.low.ps), static_cast<double>((end - bin.low).ps),
                          begin, static_cast<double>(bin.count)});
        samples += bin.count;
    }
    if (pieces.empty()) refuse(maker, "counts", "are all 0; a distribution needs a sample");
    return pieces;
}

struct bounds {
    double limit, max;
};

bounds overflow_bounds(const histogram& h) {
    const sim_time end = h.end_of(h.bins.back());
    const sim_time limit = h.limit == sim_time() ? end : h.limit;
    check_span(maker, "limit", limit, end);
    check_span(maker, "max (the recorded maximum, which overflows need)", h.max, limit);
    return {static_cast<double>(limit.ps), static_cast<double>(h.max.ps)};
}

// The steepness whose mean is at `place` in (0, 1), by bisection: the mean falls as it grows.
double steepness_for(double place) {
    double low = -1e6, high = 1e6;
    for (int i = 0; i < 200; ++i) {
        const double middle = (low + high) / 2;
        (piece::mean_place(middle) > place ? low : high) = middle;
    }
    return (low + high) / 2;
}

// The overflows but the longest one, such that the mean of all samples is h.mean.
piece fitted_piece(const histogram& h, const bounds& b, const std::vector<piece>& bins) {
    const double others = static_cast<double>(h.overflows - 1);
    double sum = 0;
    for (const piece& p : bins) sum += p.count * p.mean();
    const double begin = bins.back().begin + bins.back().count;
    const double mean =
        (static_cast<double>(h.mean.ps) * (begin + others + 1) - sum - b.max) / others;
    const double place = (mean - b.limit) / (b.max - b.limit);
    if (!(place > 1e-6 && place < 1 - 1e-6)) {
        refuse(maker, "overflow = \"fit\"",
               "cannot meet the recorded average of " + to_string(h.mean) +
                   ": the overflows, from " + to_string(to_span(b.limit)) + " to " +
                   to_string(h.max) + ", would have to average " + to_string(to_span(mean)));
    }
    return {b.limit, b.max - b.limit, begin, others, steepness_for(place)};
}

void add_overflows(const histogram& h, histogram_overflow overflow, std::vector<piece>& pieces) {
    const bounds b = overflow_bounds(h);
    auto count = static_cast<double>(h.overflows);
    if (overflow == histogram_overflow::fit) {
        if (h.mean == sim_time()) {
            refuse(maker, "overflow = \"fit\"", "needs the average of all samples");
        }
        if (h.overflows > 1) pieces.push_back(fitted_piece(h, b, pieces));
        count = 1;
    }
    const bool spread = overflow == histogram_overflow::uniform;
    const double low = spread ? b.limit : b.max;
    pieces.push_back({low, b.max - low, pieces.back().begin + pieces.back().count, count});
}

std::vector<piece> all_pieces(const histogram& h, histogram_overflow overflow) {
    std::vector<piece> pieces = pieces_of(h);
    if (h.overflows > 0 && overflow != histogram_overflow::drop) add_overflows(h, overflow, pieces);
    return pieces;
}

std::string overflow_text(const histogram& h, histogram_overflow overflow) {
    if (h.overflows == 0) return "";
    return ", " + std::to_string(h.overflows) + " overflows " + describe_overflows(h, overflow);
}

}  // namespace

std::string describe_overflows(const histogram& h, histogram_overflow overflow) {
    switch (overflow) {
        case histogram_overflow::at_max:
            return "at " + to_string(h.max);
        case histogram_overflow::uniform:
            return "uniform up to " + to_string(h.max);
        case histogram_overflow::fit:
            return "up to " + to_string(h.max) + " with an average of " + to_string(h.mean) +
                   " over all samples";
        case histogram_overflow::drop:
            break;
    }
    return "dropped";
}

distribution_ptr make_histogram(const histogram& h, histogram_overflow overflow) {
    std::uint64_t samples = 0;
    for (const histogram_bin& b : h.bins) samples += b.count;
    std::vector<piece> pieces = all_pieces(h, overflow);
    const bool equal = std::none_of(h.bins.begin(), h.bins.end(),
                                    [](const auto& b) { return b.width >= sim_time(); });
    const std::string bins = equal ? "bins of " + to_string(h.width) : "bins of several widths";
    const std::string text = "histogram(" + std::to_string(samples) + " samples in " + bins +
                             overflow_text(h, overflow) + ")";
    return std::make_shared<histogram_distribution>(std::move(pieces), text);
}

sim_time mean_of(const histogram& h, histogram_overflow overflow) {
    double sum = 0;
    const std::vector<piece> pieces = all_pieces(h, overflow);
    for (const piece& p : pieces) sum += p.count * p.mean();
    return to_span(sum / (pieces.back().begin + pieces.back().count));
}

}  // namespace scmi_vp
