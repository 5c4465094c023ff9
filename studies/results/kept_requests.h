// SPDX-License-Identifier: Apache-2.0
// The few requests of a point that are worth a row of requests.csv: all timeouts, the slowest, and
// a sample that tells what is usual. Mergeable, and the same however the work was split.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/request.h"

namespace scmi_vp::studies {

inline constexpr std::size_t most_timeouts = 50'000;  ///< rows of a point; results say when not all
inline constexpr std::size_t most_slow = 1'000;
inline constexpr std::size_t most_sampled = 1'000;

/// A kept request, ready to be written.
struct kept_request {
    enum reason : std::uint8_t { timeout = 1, slow = 2, sampled = 4 };

    std::uint64_t replication = 0, id = 0;
    sim_time round_trip;
    std::uint64_t hash = 0;    ///< of replication and id: the sample has the least ones
    std::uint8_t reasons = 0;  ///< a set of `reason`
    std::string row;           ///< as runs/request_csv.h writes it
};

/// A number that looks random but depends on its arguments only.
std::uint64_t request_hash(std::uint64_t replication, std::uint64_t id);

/// Within one run. Each request costs a few comparisons; memory is fixed.
class request_selection {
public:
    explicit request_selection(std::uint64_t replication) : replication_(replication) {}

    void add(const models::request& r);
    /// In the order of ids, each once. `tasks` as runs::task_names() gives them.
    std::vector<kept_request> take(const std::vector<std::string>& tasks) const;

private:
    /// Keeps the requests with the greatest keys.
    class top_list {
    public:
        explicit top_list(std::size_t most) : most_(most) {}
        void add(std::uint64_t key, const models::request& r) {
            if (heap_.size() == most_ && key <= heap_.front().first) return;
            insert(key, r);
        }
        const std::vector<models::request>& requests() const { return slots_; }

    private:
        void insert(std::uint64_t key, const models::request& r);
        std::size_t most_;
        std::vector<std::pair<std::uint64_t, std::size_t>>
            heap_;  ///< key, slot; the least in front
        std::vector<models::request> slots_;
    };

    std::uint64_t replication_;
    std::vector<models::request> timeouts_;
    top_list slow_{most_slow}, sample_{most_sampled};
};

/// Of a point. Merge the replications in their order.
class kept_requests {
public:
    void merge(std::vector<kept_request> more);
    /// In the order of replication and id.
    const std::vector<kept_request>& all() const { return all_; }

private:
    std::vector<kept_request> all_;
};

}  // namespace scmi_vp::studies
