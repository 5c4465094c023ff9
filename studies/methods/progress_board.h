// SPDX-License-Identifier: Apache-2.0
// How far the runs of a pool are, told by its processes while they run: a slot of shared memory for
// each, so that one run of an hour shows its progress, too.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace scmi_vp::studies {

/// Made before the processes are. Results never depend on it.
class progress_board {
public:
    /// Throws scmi_vp::error (output) when there is no memory.
    explicit progress_board(std::size_t tasks);
    ~progress_board();
    progress_board(const progress_board&) = delete;
    progress_board& operator=(const progress_board&) = delete;

    /// `fraction` of the task is done (cut to 0..1), `count` units of it.
    void tell(std::size_t task, double fraction, std::uint64_t count);

    double fraction() const;      ///< of all tasks, 0..1
    std::uint64_t count() const;  ///< over all tasks

private:
    struct slot {
        std::atomic<double> fraction;
        std::atomic<std::uint64_t> count;
    };
    static_assert(std::atomic<double>::is_always_lock_free, "shared between processes");
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

    std::size_t tasks_;
    slot* slots_;
};

}  // namespace scmi_vp::studies
