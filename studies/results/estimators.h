// SPDX-License-Identifier: Apache-2.0
// What numbers of a simulation say about the truth: intervals over independent units, and what can
// be said when nothing was seen. Requests of one run are not independent (one freeze times out all
// that are in flight): replications are, and batches of a run nearly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scmi_vp::studies {

inline constexpr double usual_confidence = 0.95;

struct interval {
    double low = 0, high = 0;
};

/// A mean of independent values with its two-sided interval.
struct mean_estimate {
    double mean = 0;
    interval range;  ///< meaningless for fewer than two values: then it is the mean alone
    std::size_t units = 0;
};

/// Student's t interval.
mean_estimate t_interval(const std::vector<double>& values, double confidence = usual_confidence);

/// The probability behind k successes in n independent trials (Clopper and Pearson 1934). Throws
/// scmi_vp::error (model) when k > n or n = 0.
interval clopper_pearson(std::uint64_t k, std::uint64_t n, double confidence = usual_confidence);

/// The one-sided upper bound of a probability when n independent trials showed nothing:
/// 1 - (1 - confidence)^(1/n).
double zero_count_bound(std::uint64_t n, double confidence = usual_confidence);

/// The mean number of events per unit of exposure behind `count` independent ones in `exposure` > 0
/// (Garwood 1936, exact). When none was seen, `low` is 0 and `high` the one-sided bound: 3 per
/// exposure at 95 %.
interval poisson_interval(std::uint64_t count, double exposure,
                          double confidence = usual_confidence);

/// One independent unit of a ratio: events among trials (timeouts among requests).
struct unit_counts {
    std::uint64_t events = 0, trials = 0;
};

/// Whether the quantile q of so many values is below their maximum for a reason: at least one of
/// them is expected above it.
bool tells_quantile(std::uint64_t values, double q);

/// Events per trial over all units; the interval is Student's with the linearised variance of a
/// ratio of sums (Law, Simulation Modeling and Analysis, 4.4), cut at 0.
mean_estimate ratio_of_sums(const std::vector<unit_counts>& units,
                            double confidence = usual_confidence);

/// Batches of the trials of one run by their numbers, whatever the order in which they come (a
/// request whose reply never comes is done with at the end of the run): at least `fewest`, at most
/// twice as many, of equal size but for the last, whatever the number of trials turns out to be.
/// Fixed memory.
class batch_counts {
public:
    static constexpr std::size_t fewest = 20;

    /// Trial number 1, 2, 3, ..., each once.
    void add(std::uint64_t number, unsigned events) {
        while ((number - 1) >> size_bits_ >= 2 * fewest) halve();
        unit_counts& b = batches_[(number - 1) >> size_bits_];
        b.events += events;
        ++b.trials;
    }
    /// All trials, when all have come: full batches, the last with the trials behind it, too.
    std::vector<unit_counts> units() const;

private:
    void halve();

    unit_counts batches_[2 * fewest]{};
    unsigned size_bits_ = 0;  ///< a batch has two to the power of this
};

/// Batch means: the values of one run, in order, cut into `batches` of equal length (what is left
/// over at the start is dropped), and the t interval over their means.
mean_estimate batch_means(const std::vector<double>& values, std::size_t batches = 20,
                          double confidence = usual_confidence);

/// A rate per million requests as results.json has it.
struct rate_estimate {
    std::uint64_t count = 0;
    double per_million = 0, low = 0, high = 0;
    double confidence = usual_confidence;
    std::string method;  ///< "t over 10 replications"
    std::string beyond;  ///< why there is no interval; then low and high are the estimate
    /// Always numbers, for programs and checks: [low, high], or what an exact binomial interval
    /// over the requests says where `method` has none (no events, no spread, too few units).
    interval bounds;
    std::string bounds_method;    ///< of the latter; empty: bounds are low and high
    bool nothing_random = false;  ///< the same rate everywhere: an interval would tell of no chance
};

/// How often requests failed together (incidents.h), per hour of simulated time.
struct incident_rate {
    std::uint64_t count = 0;
    double hours = 0;  ///< simulated, over all replications; 0: nothing can be said
    double per_hour = 0, low = 0, high = 0;
    double confidence = usual_confidence;
};

incident_rate incidents_in(std::uint64_t count, double hours);

/// From the replications of a point; a single one falls back on its batches
/// (batch_counts::units()). `events` names what was counted in plural ("spurious timeouts").
rate_estimate rate_of(const std::vector<unit_counts>& replications,
                      const std::vector<unit_counts>& batches, const std::string& events);

}  // namespace scmi_vp::studies
