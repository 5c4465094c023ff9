// SPDX-License-Identifier: Apache-2.0
// Distributions from a histogram: uniform inside a bin, what overflowed as the policy says.
#include <algorithm>
#include <utility>

#include "base/distribution.h"
#include "base/distribution_detail.h"

namespace scmi_vp {
namespace {

using namespace distribution_detail;

constexpr const char* maker = "histogram";

// A run of samples spread evenly over [low, low + width]; width 0: all at low.
struct piece {
    double low;
    double width;
    double begin;  // samples below this piece
    double count;
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
        const double share = edge < p.low + p.width ? (edge - p.low) / p.width : 1;
        return (p.begin + share * p.count) / ends_.back();
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
        return to_span(p.low + p.width * ((x - p.begin) / p.count));
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
        check_span(maker, (bin_name(i) + "'s end").c_str(), bin.low + h.width);
        end = bin.low + h.width;
        if (bin.count > most_samples - std::min(samples, most_samples)) {
            refuse(maker, "the sum of the counts", "is above 2^53");
        }
        if (bin.count == 0) continue;
        const double begin = pieces.empty() ? 0 : pieces.back().begin + pieces.back().count;
        pieces.push_back({static_cast<double>(bin.low.ps), static_cast<double>(h.width.ps), begin,
                          static_cast<double>(bin.count)});
        samples += bin.count;
    }
    if (pieces.empty()) refuse(maker, "counts", "are all 0; a distribution needs a sample");
    return pieces;
}

piece overflow_piece(const histogram& h, histogram_overflow overflow, const piece& last) {
    const sim_time end = h.bins.back().low + h.width;
    const sim_time limit = h.limit == sim_time() ? end : h.limit;
    check_span(maker, "limit", limit, end);
    check_span(maker, "max (the recorded maximum, which overflows need)", h.max, limit);
    const bool spread = overflow == histogram_overflow::uniform;
    const sim_time low = spread ? limit : h.max;
    return {static_cast<double>(low.ps), static_cast<double>((h.max - low).ps),
            last.begin + last.count, static_cast<double>(h.overflows)};
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
        case histogram_overflow::drop:
            break;
    }
    return "dropped";
}

distribution_ptr make_histogram(const histogram& h, histogram_overflow overflow) {
    std::vector<piece> pieces = pieces_of(h);
    const piece& last = pieces.back();
    const auto samples = static_cast<std::uint64_t>(last.begin + last.count);
    const std::string text = "histogram(" + std::to_string(samples) + " samples in bins of " +
                             to_string(h.width) + overflow_text(h, overflow) + ")";
    if (h.overflows > 0 && overflow != histogram_overflow::drop) {
        pieces.push_back(overflow_piece(h, overflow, last));
    }
    return std::make_shared<histogram_distribution>(std::move(pieces), text);
}

}  // namespace scmi_vp
