// SPDX-License-Identifier: Apache-2.0
// See kept_requests.h.
#include "studies/results/kept_requests.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <sstream>
#include <tuple>

#include "runs/request_csv.h"
#include "studies/results/point_totals.h"

namespace scmi_vp::studies {
namespace {

using models::request;

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection that leaves no visible order.
std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/// Takes `why` from all but the first `most` of those that have it, in the order of `before`.
template <class Before>
void limit(std::vector<kept_request>& all, kept_request::reason why, std::size_t most,
           Before before) {
    std::vector<kept_request*> have;
    for (kept_request& k : all) {
        if (k.reasons & why) have.push_back(&k);
    }
    if (have.size() <= most) return;
    const auto end = have.begin() + std::ptrdiff_t(most);
    std::nth_element(have.begin(), end, have.end(),
                     [&](const kept_request* a, const kept_request* b) { return before(*a, *b); });
    for (auto it = end; it != have.end(); ++it) {
        (*it)->reasons = std::uint8_t((*it)->reasons & ~unsigned(why));
    }
}

bool earlier(const kept_request& a, const kept_request& b) {
    return std::tie(a.replication, a.id) < std::tie(b.replication, b.id);
}

}  // namespace

std::uint64_t request_hash(std::uint64_t replication, std::uint64_t id) {
    return mixed(mixed(replication) ^ id);
}

void request_selection::top_list::insert(std::uint64_t key, const request& r) {
    const auto greater = [](const auto& a, const auto& b) { return a > b; };
    std::size_t slot = slots_.size();
    if (heap_.size() == most_) {
        slot = heap_.front().second;
        std::pop_heap(heap_.begin(), heap_.end(), greater);
        heap_.pop_back();
        slots_[slot] = r;
    } else {
        slots_.push_back(r);
    }
    heap_.emplace_back(key, slot);
    std::push_heap(heap_.begin(), heap_.end(), greater);
}

void request_selection::add(const request& r) {
    const bool timeout = is_spurious_timeout(r) || is_true_timeout(r) ||
                         is_spurious_delayed_timeout(r) || is_true_delayed_timeout(r);
    if (timeout && timeouts_.size() < most_timeouts) timeouts_.push_back(r);
    // One that still waits when the run ends may be the slowest of all.
    slow_.add(static_cast<std::uint64_t>(r.round_trip().ps), r);
    sample_.add(~request_hash(replication_, r.id), r);
}

std::vector<kept_request> request_selection::take(const std::vector<std::string>& tasks) const {
    std::map<std::uint64_t, std::pair<const request*, std::uint8_t>> chosen;
    const auto choose = [&](const std::vector<request>& list, kept_request::reason why) {
        for (const request& r : list) {
            auto& entry = chosen[r.id];
            entry.first = &r;
            entry.second = std::uint8_t(entry.second | why);
        }
    };
    choose(timeouts_, kept_request::timeout);
    choose(slow_.requests(), kept_request::slow);
    choose(sample_.requests(), kept_request::sampled);
    std::vector<kept_request> all;
    for (const auto& [id, entry] : chosen) {
        const request& r = *entry.first;
        std::ostringstream row;
        runs::write_request_row(row, r, r.context < tasks.size() ? tasks[r.context] : "?");
        all.push_back({replication_, id, r.round_trip(), request_hash(replication_, id),
                       entry.second, row.str()});
    }
    return all;
}

void kept_requests::merge(std::vector<kept_request> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all_));
    limit(all_, kept_request::timeout, most_timeouts, earlier);
    limit(all_, kept_request::slow, most_slow, [](const kept_request& a, const kept_request& b) {
        return a.round_trip != b.round_trip ? a.round_trip > b.round_trip : earlier(a, b);
    });
    limit(all_, kept_request::sampled, most_sampled,
          [](const kept_request& a, const kept_request& b) {
              return a.hash != b.hash ? a.hash < b.hash : earlier(a, b);
          });
    all_.erase(std::remove_if(all_.begin(), all_.end(),
                              [](const kept_request& k) { return k.reasons == 0; }),
               all_.end());
    std::sort(all_.begin(), all_.end(), earlier);
}

}  // namespace scmi_vp::studies
