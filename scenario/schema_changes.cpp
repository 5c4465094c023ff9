// SPDX-License-Identifier: Apache-2.0
// Schema rows: what the platform does by itself, which agents that asked for it are told of.
#include <array>

#include "scenario/schema_rows.h"

namespace scmi_vp::scenario::rows {
namespace {

using scmi::change_kind;

struct change_word {
    const char* name;
    change_kind kind;
};
constexpr std::array<change_word, 5> words{{
    {"performance_level", change_kind::performance_level},
    {"performance_limits", change_kind::performance_limits},
    {"power_state", change_kind::power_state},
    {"sensor_reading", change_kind::sensor_reading},
    {"base_error", change_kind::base_error},
}};

models::platform_change_config& change_of(draft& d) {
    return d.out.system.platform.changes.back();
}

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const change_word& w : words) all.emplace_back(w.name);
    return all;
}

change_kind kind_named(const std::string& name) {
    for (const change_word& w : words) {
        if (w.name == name) return w.kind;
    }
    return change_kind::sensor_reading;
}

constexpr std::int64_t largest_reading = 1'000'000'000'000'000, largest_level = 0xffffffff;

void read_value(const value& v, scmi::platform_change& c) {
    switch (c.kind) {
        case change_kind::performance_level:
            c.value = v.integer(0, largest_level);
            return;
        case change_kind::performance_limits: {
            const auto pair = v.elements("limits like [500, 1500]");
            if (pair.size() != 2) v.refuse("limits are two levels, the lowest first: [500, 1500]");
            c.low = pair[0].integer(0, largest_level);
            c.value = pair[1].integer(0, largest_level);
            return;
        }
        case change_kind::power_state:
            c.value = v.choice({"on", "off"}) == "on";
            return;
        case change_kind::sensor_reading:
            c.value = v.integer(-largest_reading, largest_reading);
            return;
        case change_kind::base_error:
            c.value = v.choice({"fatal", "not_fatal"}) == "fatal";
    }
}

void finish_change(draft& d, const value& v) {
    models::platform_change_config& change = change_of(d);
    check_schedule(v, change.when);
    if (d.change_values.empty()) v.refuse("has no values: values = [ 1000, 500 ]");
    for (const value& e : d.change_values) {
        scmi::platform_change c = change.steps.front();
        read_value(e, c);
        change.steps.push_back(c);
    }
    change.steps.erase(change.steps.begin());
}

}  // namespace

std::vector<key_info> change_keys() {
    const std::string at = "platform.change[].";
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"platform.change", "[]",
         "What changes without a command of the guest; it is told if it has asked for that."},
        [](draft& d, const value& v) {
            d.out.system.platform.changes.push_back({v.key, {}, {scmi::platform_change{}}});
            d.change_values.clear();
        },
        finish_change));
    add_schedule_keys(keys, "platform.change[]",
                      [](draft& d) -> models::schedule_config& { return change_of(d).when; });
    keys.push_back(choice(
        {at + "what", "(required)", "What changes."}, names(),
        [](draft& d, const std::string& s) { change_of(d).steps.front().kind = kind_named(s); }));
    keys.push_back(integer(
        {at + "id", "0", "The domain or sensor."}, "", 0, 65535,
        [](draft& d, std::int64_t n) { change_of(d).steps.front().id = std::uint32_t(n); }));
    keys.push_back(list({at + "values", "(required)",
                         "To what, each time the next one: levels, limits as [lowest, highest], "
                         "\"on\" and \"off\", readings, \"fatal\" and \"not_fatal\"."},
                        "", "", [](draft& d, const value& v) {
                            d.change_values = v.elements("a list of values like [1000, 500]");
                        }));
    return keys;
}

}  // namespace scmi_vp::scenario::rows
