// SPDX-License-Identifier: Apache-2.0
// A named place in the SystemC hierarchy for signals of something that is not a module.
#pragma once

#include <systemc>

namespace scmi_vp::models {

struct scope : sc_core::sc_module {
    explicit scope(sc_core::sc_module_name n) : sc_core::sc_module(n) {}
};

}  // namespace scmi_vp::models
