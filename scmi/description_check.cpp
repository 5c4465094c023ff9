// SPDX-License-Identifier: Apache-2.0
// Refuses platform descriptions that contradict themselves or the wire format, naming the field.
// Limits without a comment are the widths of the fields in DEN0056.
#include <algorithm>
#include <string>

#include "base/error.h"
#include "scmi/server_state.h"

namespace scmi_vp::scmi::detail {
namespace {

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
    throw error(error_kind::config, field + ": " + why);
}

std::string at(const char* list, std::size_t i, const char* field) {
    return list + ("[" + std::to_string(i) + "].") + field;
}

void check_range(const std::string& field, std::int64_t value, std::int64_t low,
                 std::int64_t high) {
    if (value >= low && value <= high) return;
    refuse(field, std::to_string(value) + " is out of range: give " + std::to_string(low) + " to " +
                      std::to_string(high));
}

void check_name(const std::string& field, const std::string& name, std::size_t most) {
    if (name.size() > most) {
        refuse(field, "\"" + name + "\" has " + std::to_string(name.size()) +
                          " bytes: give at most " + std::to_string(most));
    }
    const auto printable = [](char c) { return c >= 0x20 && c <= 0x7e; };
    if (!std::all_of(name.begin(), name.end(), printable)) {
        refuse(field, "names are printable ASCII: remove the other characters");
    }
}

std::string hex(std::uint32_t value) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    do text.insert(text.begin(), digits[value & 0xf]);
    while (value >>= 4);
    return "0x" + text;
}

void check_base(const platform_description& d) {
    if (d.base_version != 0x20000) {
        refuse("base_version", hex(d.base_version) + " is not served: give 0x20000");
    }
    check_name("vendor", d.vendor, 15);
    check_name("sub_vendor", d.sub_vendor, 15);
    check_name("platform_name", d.platform_name, 15);
    if (d.platform_name.rfind("platform", 0) != 0) {
        refuse("platform_name", "\"" + d.platform_name +
                                    "\" does not begin with \"platform\", as DEN0056 4.2.2.10 "
                                    "wants it of agent 0");
    }
    check_range("agents", static_cast<std::int64_t>(d.agents.size()), 0, 255);
    for (std::size_t i = 0; i < d.agents.size(); ++i) {
        check_name(at("agents", i, "name"), d.agents[i].name, 15);
    }
    if (d.unknown_message != status::not_found && d.unknown_message != status::not_supported) {
        refuse("unknown_message",
               std::string(name_of(d.unknown_message)) +
                   " answers no unknown message: give NOT_FOUND or NOT_SUPPORTED");
    }
}

void check_protocols(const platform_description& d) {
    for (std::size_t i = 0; i < d.protocols.size(); ++i) {
        const std::uint8_t id = d.protocols[i];
        const std::string field = "protocols[" + std::to_string(i) + "]";
        if (id == protocol::base) refuse(field, "Base (0x10) is never listed: remove it");
        if (id < protocol::base || (id > 0x1b && id < 0x80)) {
            refuse(field, hex(id) + " is reserved: give 0x11 to 0x1b or a vendor's 0x80 to 0xff");
        }
        if (i != 0 && id <= d.protocols[i - 1]) {
            refuse(field, hex(id) + " follows " + hex(d.protocols[i - 1]) +
                              ": list each protocol once, ascending");
        }
    }
    const auto need = [&d](const char* what, bool described, std::uint8_t id) {
        if (described && !std::binary_search(d.protocols.begin(), d.protocols.end(), id)) {
            refuse(what, "described, but protocols does not list " + hex(id) + ": add it");
        }
    };
    need("power_domains", !d.power_domains.empty(), protocol::power);
    need("performance_domains", !d.performance_domains.empty(), protocol::perf);
    need("clocks", !d.clocks.empty(), protocol::clock);
    need("sensors", !d.sensors.empty(), protocol::sensor);
}

/// Versions 1.0, 2.0 and 3.0 are served.
void check_version(const char* field, std::uint32_t version) {
    if (version == 0x10000 || version == 0x20000 || version == 0x30000) return;
    refuse(field, hex(version) + " is not served: give 0x10000, 0x20000 or 0x30000");
}

void check_power_domains(const platform_description& d) {
    check_version("power_version", d.power_version);
    const std::size_t longest = d.power_version >= 0x30000 ? 63 : 15;
    check_range("power_domains", static_cast<std::int64_t>(d.power_domains.size()), 0, 0xffff);
    for (std::size_t i = 0; i < d.power_domains.size(); ++i) {
        check_name(at("power_domains", i, "name"), d.power_domains[i].name, longest);
    }
}

void check_levels(const std::string& field, const std::vector<performance_level>& levels) {
    check_range(field, static_cast<std::int64_t>(levels.size()), 1, 0xffff);
    for (std::size_t i = 0; i < levels.size(); ++i) {
        check_range(field + "[" + std::to_string(i) + "].latency_us", levels[i].latency_us, 0,
                    0xffff);
        if (i != 0 && levels[i].level <= levels[i - 1].level) {
            refuse(field, std::to_string(levels[i].level) + " follows " +
                              std::to_string(levels[i - 1].level) +
                              ": list each level once, ascending");
        }
    }
}

void check_performance_domains(const platform_description& d) {
    check_version("performance_version", d.performance_version);
    const bool v3 = d.performance_version >= 0x30000;
    if (d.performance_power_unit == power_unit::microwatt && !v3) {
        refuse("performance_power_unit", "microwatts need a performance_version of 0x30000");
    }
    const char* const list = "performance_domains";
    check_range(list, static_cast<std::int64_t>(d.performance_domains.size()), 0, 0xffff);
    for (std::size_t i = 0; i < d.performance_domains.size(); ++i) {
        const performance_domain_description& p = d.performance_domains[i];
        check_name(at(list, i, "name"), p.name, v3 ? 63 : 15);
        check_levels(at(list, i, "levels"), p.levels);
        check_range(at(list, i, "rate_limit_us"), p.rate_limit_us, 0, 0xfffff);
        if (p.fast_channels && d.performance_version < 0x20000) {
            refuse(at(list, i, "fast_channels"), "needs a performance_version of 0x20000");
        }
        const auto is_start = [&p](const performance_level& l) { return l.level == p.level; };
        if (std::none_of(p.levels.begin(), p.levels.end(), is_start)) {
            refuse(at(list, i, "level"),
                   std::to_string(p.level) + " is none of its levels: give one of them");
        }
    }
}

void check_rates(const std::string& field, const clock_rates& rates) {
    const std::vector<std::uint64_t>& list = rates.list;
    if (rates.triplet) {
        if (list.size() != 3) refuse(field, "a triplet has three values: lowest, highest, step");
        if (list[0] > list[1]) refuse(field, "the triplet's lowest rate is above its highest");
        if (list[2] == 0 && list[0] != list[1]) refuse(field, "the triplet's step is 0");
        return;
    }
    check_range(field, static_cast<std::int64_t>(list.size()), 0, 0xffff);
    for (std::size_t i = 1; i < list.size(); ++i) {
        if (list[i] <= list[i - 1]) {
            refuse(field, std::to_string(list[i]) + " follows " + std::to_string(list[i - 1]) +
                              ": list each rate once, ascending");
        }
    }
}

void check_clocks(const platform_description& d) {
    if (d.clock_version != 0x10000 && d.clock_version != 0x20000) {
        refuse("clock_version", hex(d.clock_version) + " is not served: give 0x10000 or 0x20000");
    }
    const bool v2 = d.clock_version >= 0x20000;
    check_range("clocks", static_cast<std::int64_t>(d.clocks.size()), 0, 0xffff);
    for (std::size_t i = 0; i < d.clocks.size(); ++i) {
        const clock_description& c = d.clocks[i];
        check_name(at("clocks", i, "name"), c.name, v2 ? 63 : 15);
        check_rates(at("clocks", i, "rates"), c.rates);
        if (c.enable_delay_us != 0 && !v2) {
            refuse(at("clocks", i, "enable_delay_us"), "needs a clock_version of 0x20000");
        }
    }
}

void check_sensors(const platform_description& d) {
    if (d.sensor_version != 0x10000) {
        refuse("sensor_version", hex(d.sensor_version) + " is not served: give 0x10000");
    }
    check_range("sensors", static_cast<std::int64_t>(d.sensors.size()), 0, 0xffff);
    for (std::size_t i = 0; i < d.sensors.size(); ++i) {
        const sensor_description& s = d.sensors[i];
        check_name(at("sensors", i, "name"), s.name, 15);
        check_range(at("sensors", i, "exponent"), s.exponent, -16, 15);
        check_range(at("sensors", i, "update_interval_s"), s.update_interval_s, 0, 31);
        check_range(at("sensors", i, "update_interval_exponent"), s.update_interval_exponent, -16,
                    15);
        if (s.async && d.sensor_max_async == 0) {
            refuse(at("sensors", i, "async"), "needs a sensor_max_async of 1 or more");
        }
    }
}

}  // namespace

void check_description(const platform_description& d) {
    check_base(d);
    check_protocols(d);
    check_power_domains(d);
    check_performance_domains(d);
    check_clocks(d);
    check_sensors(d);
}

}  // namespace scmi_vp::scmi::detail
