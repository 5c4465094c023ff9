// SPDX-License-Identifier: Apache-2.0
// See progress_board.h.
#include "studies/methods/progress_board.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include <sys/mman.h>

#include "base/error.h"

namespace scmi_vp::studies {

progress_board::progress_board(std::size_t tasks) : tasks_(tasks) {
    void* const memory = ::mmap(nullptr, std::max<std::size_t>(tasks, 1) * sizeof(slot),
                                PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw error(error_kind::output, "no memory for the progress of " + std::to_string(tasks) +
                                            " runs (" + std::strerror(errno) + ")");
    }
    slots_ = static_cast<slot*>(memory);
    for (std::size_t i = 0; i < tasks; ++i) new (&slots_[i]) slot{};
}

progress_board::~progress_board() {
    ::munmap(slots_, std::max<std::size_t>(tasks_, 1) * sizeof(slot));
}

void progress_board::tell(std::size_t task, double fraction, std::uint64_t count) {
    slots_[task].fraction.store(std::clamp(fraction, 0.0, 1.0), std::memory_order_relaxed);
    slots_[task].count.store(count, std::memory_order_relaxed);
}

double progress_board::fraction() const {
    double sum = 0;
    for (std::size_t i = 0; i < tasks_; ++i) {
        sum += slots_[i].fraction.load(std::memory_order_relaxed);
    }
    return tasks_ ? sum / static_cast<double>(tasks_) : 1;
}

std::uint64_t progress_board::count() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < tasks_; ++i) {
        sum += slots_[i].count.load(std::memory_order_relaxed);
    }
    return sum;
}

}  // namespace scmi_vp::studies
