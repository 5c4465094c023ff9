// SPDX-License-Identifier: Apache-2.0
// A passive monitor of a level-sensitive interrupt line: it is high exactly while there is a cause.
#include "tlm/interrupt_checker.h"

#include <utility>

#include "base/error.h"
#include "tlm/sc_time.h"

namespace scmi_vp {

interrupt_checker::interrupt_checker(interrupt_line& line, std::function<bool()> cause, report r,
                                     const char* source)
    : line_(line), cause_(std::move(cause)), report_(std::move(r)), source_(source) {
    if (!cause_ || !report_) {
        throw error(error_kind::model, line.name(),
                    "an interrupt checker needs a cause to compare with and somebody to report to");
    }
    line.observe([this](bool level) {
        rises_ += level ? 1 : 0;
        compare(level, true);
    });
}

void interrupt_checker::compare(bool level, bool changed) {
    if (level == cause_()) {
        wrong_ = false;
        return;
    }
    if (!wrong_ || changed) complain(level, changed);
}

void interrupt_checker::complain(bool level, bool changed) {
    wrong_ = true;
    ++violations_;
    const char* what = changed
                           ? (level ? "rose without a cause" : "fell while its cause is pending")
                           : (level ? "is high without a cause" : "is low with a cause pending");
    report_({line_.name(), std::string("the interrupt line ") + what + " at " + to_string(now()),
             source_});
}

}  // namespace scmi_vp
