// SPDX-License-Identifier: Apache-2.0
// What becomes of a listening socket when this process cannot accept (no descriptor is left, say):
// poll would find it ready for ever. It is looked at again after a while, and the reason is told
// once, not each time.
#pragma once

#include <utility>

#include "base/time.h"
#include "tlm/sc_time.h"

namespace scmi_vp::models {

class accept_pause {
public:
    /// Whether to poll the listening socket.
    bool over() const { return now() >= until_; }
    /// When to poll it again; never before that.
    sim_time deadline() const { return over() ? sim_time::max() : until_; }
    /// It could not accept. True: this is worth a report, the first since somebody was accepted.
    bool failed() {
        until_ = now() + span;
        return !std::exchange(failing_, true);
    }
    void succeeded() { failing_ = false; }

    static constexpr sim_time span = seconds(1);

private:
    sim_time until_;
    bool failing_ = false;
};

}  // namespace scmi_vp::models
