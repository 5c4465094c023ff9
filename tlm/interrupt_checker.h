// SPDX-License-Identifier: Apache-2.0
// A passive monitor of a level-sensitive interrupt line: it is high exactly while there is a cause.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <systemc>

#include "tlm/interrupt_line.h"

namespace scmi_vp {

struct interrupt_violation {
    std::string line;    ///< hierarchical name
    std::string rule;    ///< one sentence with the values
    const char* source;  ///< "virtio 1.3 4.2.3.4"
};

/// Compares the line with cause() at each change of the line, at once, and whenever told. So a
/// device must change its cause (InterruptStatus of virtio-mmio) first and the line after it; tell
/// it to check() when such a call is over, to see a line that did not follow. A line that stays
/// wrong is reported once.
class interrupt_checker {
public:
    using report = std::function<void(const interrupt_violation&)>;

    /// Must live as long as `line`. Throws scmi_vp::error (model) without a cause or a report.
    interrupt_checker(interrupt_line& line, std::function<bool()> cause, report r,
                      const char* source = "virtio 1.3 4.2.3.4");
    interrupt_checker(const interrupt_checker&) = delete;
    interrupt_checker& operator=(const interrupt_checker&) = delete;

    void check() { compare(line_.level(), false); }

    std::uint64_t rises() const { return rises_; }
    std::uint64_t violations() const { return violations_; }

private:
    void compare(bool level, bool changed);
    [[gnu::cold]] void complain(bool level, bool changed);

    interrupt_line& line_;
    std::function<bool()> cause_;
    report report_;
    const char* source_;
    bool wrong_ = false;
    std::uint64_t rises_ = 0, violations_ = 0;
};

}  // namespace scmi_vp
