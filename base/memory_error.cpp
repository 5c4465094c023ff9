// SPDX-License-Identifier: Apache-2.0
// See memory_error.h.
#include "base/memory_error.h"

#include <cstring>
#include <new>
#include <stdexcept>

namespace scmi_vp {

bool is_out_of_memory(const std::exception& e) {
    // A container that is to have more elements than there are addresses.
    if (dynamic_cast<const std::bad_alloc*>(&e) || dynamic_cast<const std::length_error*>(&e)) {
        return true;
    }
    return std::strstr(e.what(), "std::bad_alloc") != nullptr;
}

error out_of_memory() {
    return {error_kind::memory,
            "out of memory; ask for less (a shorter sim.duration, smaller inputs, a narrower "
            "waveform, fewer --jobs) or allow more (ulimit -v)"};
}

}  // namespace scmi_vp
