// SPDX-License-Identifier: Apache-2.0
// See protocol_schema.h.
#include "scenario/protocol_schema.h"

#include <vector>

namespace scmi_vp::scenario {

extern const protocol_schema power_schema, performance_schema, clock_schema, sensor_schema;

namespace {

std::vector<const protocol_schema*>& table() {
    static std::vector<const protocol_schema*> all{&power_schema, &performance_schema,
                                                   &clock_schema, &sensor_schema};
    return all;
}

}  // namespace

void add_protocol_schema(const protocol_schema& p) {
    table().push_back(&p);
}

const protocol_schema* find_protocol_schema(std::uint8_t id) {
    for (const protocol_schema* p : table()) {
        if (p->id == id) return p;
    }
    return nullptr;
}

}  // namespace scmi_vp::scenario
