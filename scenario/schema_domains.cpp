// SPDX-License-Identifier: Apache-2.0
// Schema rows: the platform's power and performance domains.
#include "scenario/schema_rows.h"

namespace scmi_vp::scenario::rows {
namespace {

constexpr std::size_t name_length = 63;  // DEN0056: 64 bytes, the 0 included; 15 before 3.0
constexpr std::int64_t word = 0xffffffff;
constexpr sim_time longest_rate_limit = microseconds(0xfffff);  // 20 bits of microseconds
constexpr sim_time longest_latency = microseconds(0xffff);      // 16 bits

key_info version(const char* key, const char* meaning,
                 std::uint32_t scmi::platform_description::*field) {
    return hex_integer(
        {key, "0x20000", meaning}, 0x10000, 0x4ffff,
        [field](draft& d, std::int64_t n) { d.platform().*field = std::uint32_t(n); });
}

template <class Object>
key_info flag(about a, Object& (*at)(draft&), bool Object::*field) {
    return boolean(std::move(a), [at, field](draft& d, bool b) { at(d).*field = b; });
}

template <class Object>
key_info number_of(about a, const char* unit, Object& (*at)(draft&), std::uint32_t Object::*field) {
    return integer(std::move(a), unit, 0, word,
                   [at, field](draft& d, std::int64_t n) { at(d).*field = std::uint32_t(n); });
}

template <class Object>
key_info microseconds_of(about a, sim_time longest, Object& (*at)(draft&),
                         std::uint32_t Object::*field) {
    return time(std::move(a), sim_time{}, longest, [at, field](draft& d, sim_time t) {
        at(d).*field = std::uint32_t(t / microseconds(1));
    });
}

template <class Object>
key_info name_of_domain(const std::string& key, Object& (*at)(draft&)) {
    return text(
        {key, "(required)", "Its name; longer than 15 characters needs version 0x30000."},
        [at](draft& d, const std::string& s) { at(d).name = s; }, name_length);
}

scmi::power_domain_description& power_domain(draft& d) {
    return d.platform().power_domains.back();
}
scmi::performance_domain_description& performance_domain(draft& d) {
    return d.platform().performance_domains.back();
}
scmi::performance_level& level(draft& d) {
    return performance_domain(d).levels.back();
}

std::vector<key_info> power_keys() {
    using domain = scmi::power_domain_description;
    const std::string p = "platform.power_domain";
    std::vector<key_info> keys;
    keys.push_back(version("platform.power_version",
                           "Version of the Power domain protocol: 0x10000, 0x20000 or 0x30000.",
                           &scmi::platform_description::power_version));
    keys.push_back(
        tables({p, "[]", "The power domains; the first has id 0."},
               [](draft& d, const value&) { d.platform().power_domains.emplace_back(); }));
    keys.push_back(name_of_domain(p + "[].name", power_domain));
    keys.push_back(
        flag({p + "[].on", "true", "Whether it is on at start."}, power_domain, &domain::on));
    keys.push_back(flag({p + "[].sync_set", "true",
                         "Whether it can be set so that the reply comes after the transition."},
                        power_domain, &domain::sync_set));
    keys.push_back(flag(
        {p + "[].async_set", "false", "Whether it can be set so that the reply comes at once."},
        power_domain, &domain::async_set));
    keys.push_back(flag({p + "[].notifications", "false",
                         "Whether agents can ask to be told when its state changes."},
                        power_domain, &domain::notifies));
    return keys;
}

scmi::power_unit unit_named(const std::string& name) {
    if (name == "milliwatt") return scmi::power_unit::milliwatt;
    return name == "microwatt" ? scmi::power_unit::microwatt : scmi::power_unit::abstract;
}

std::vector<key_info> level_keys() {
    using scmi::performance_level;
    const std::string p = "platform.performance_domain[].levels";
    std::vector<key_info> keys;
    keys.push_back(
        tables({p, "[]", "The levels that it can have, ascending; at least one."},
               [](draft& d, const value&) { performance_domain(d).levels.emplace_back(); }));
    keys.push_back(number_of({p + "[].level", "(required)", "The level's number."}, "", level,
                             &performance_level::level));
    keys.push_back(number_of(
        {p + "[].power", "0", "What it costs in platform.performance_power_unit; 0: not told."}, "",
        level, &performance_level::power));
    keys.push_back(microseconds_of({p + "[].latency", "\"0s\"",
                                    "Worst latency of a transition to it, as advertised; cut to "
                                    "microseconds."},
                                   longest_latency, level, &performance_level::latency_us));
    return keys;
}

void begin_performance_domain(draft& d, const value&) {
    d.platform().performance_domains.emplace_back();
    d.level_given = false;
}

void finish_performance_domain(draft& d, const value& v) {
    scmi::performance_domain_description& domain = performance_domain(d);
    if (domain.levels.empty()) v.refuse("has no levels: levels = [ { level = 1000 } ]");
    if (!d.level_given) domain.level = domain.levels.front().level;
}

void set_start_level(draft& d, std::int64_t n) {
    performance_domain(d).level = std::uint32_t(n);
    d.level_given = true;
}

std::vector<key_info> performance_keys() {
    using domain = scmi::performance_domain_description;
    const std::string p = "platform.performance_domain";
    std::vector<key_info> keys;
    keys.push_back(version("platform.performance_version",
                           "Version of the Performance protocol: 0x10000, 0x20000 or 0x30000.",
                           &scmi::platform_description::performance_version));
    keys.push_back(choice({"platform.performance_power_unit", "\"abstract\"",
                           "Unit of what levels cost; microwatt needs version 0x30000."},
                          {"abstract", "milliwatt", "microwatt"},
                          [](draft& d, const std::string& s) {
                              d.platform().performance_power_unit = unit_named(s);
                          }));
    keys.push_back(tables({p, "[]", "The performance domains; the first has id 0."},
                          begin_performance_domain, finish_performance_domain));
    keys.push_back(name_of_domain(p + "[].name", performance_domain));
    keys.push_back(integer({p + "[].level", "(the first of its levels)", "Its level at start."}, "",
                           0, word, set_start_level));
    for (key_info& k : level_keys()) keys.push_back(std::move(k));
    keys.push_back(flag({p + "[].set_limits", "true", "Whether agents may set its limits."},
                        performance_domain, &domain::set_limits));
    keys.push_back(flag({p + "[].set_level", "true", "Whether agents may set its level."},
                        performance_domain, &domain::set_level));
    keys.push_back(flag({p + "[].limits_notifications", "false",
                         "Whether agents can ask to be told when its limits change."},
                        performance_domain, &domain::notifies_limits));
    keys.push_back(flag({p + "[].level_notifications", "false",
                         "Whether agents can ask to be told when its level changes."},
                        performance_domain, &domain::notifies_level));
    keys.push_back(microseconds_of({p + "[].rate_limit", "\"0s\"",
                                    "Least time between requests, as advertised; cut to "
                                    "microseconds."},
                                   longest_rate_limit, performance_domain, &domain::rate_limit_us));
    keys.push_back(flag({p + "[].fast_channels", "false",
                         "Whether it claims FastChannels, which virtio does not have: Linux asks "
                         "for each, is told NOT_SUPPORTED and says so (version 0x20000)."},
                        performance_domain, &domain::fast_channels));
    keys.push_back(number_of({p + "[].sustained_frequency", "0",
                              "The frequency of sustained_level, as advertised; 0: not told."},
                             "kHz", performance_domain, &domain::sustained_freq_khz));
    keys.push_back(number_of({p + "[].sustained_level", "0",
                              "The level that it can sustain, as advertised; 0: not told."},
                             "", performance_domain, &domain::sustained_level));
    return keys;
}

}  // namespace

std::vector<key_info> domain_keys() {
    std::vector<key_info> keys = power_keys();
    for (key_info& k : performance_keys()) keys.push_back(std::move(k));
    return keys;
}

}  // namespace scmi_vp::scenario::rows
