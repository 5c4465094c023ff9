// SPDX-License-Identifier: Apache-2.0
// Several things that go wrong one after the other, as one error: what fails must not keep the rest
// from being written.
#pragma once

#include <string>

#include "base/error.h"

namespace scmi_vp::runs {

class failures_so_far {
public:
    template <class write_t>
    void attempt(write_t write) {
        try {
            write();
        } catch (const error& e) {
            add(e);
        }
    }
    void add(const error& e) {
        if (none()) kind_ = e.kind();
        texts_ += (texts_.empty() ? "" : "\n") + std::string(e.what());
    }
    bool none() const { return texts_.empty(); }
    /// Throws scmi_vp::error of the first one's kind with the texts of all, a line each.
    void report() const {
        if (!none()) throw error(kind_, texts_);
    }

private:
    error_kind kind_ = error_kind::output;  ///< of the first
    std::string texts_;
};

}  // namespace scmi_vp::runs
