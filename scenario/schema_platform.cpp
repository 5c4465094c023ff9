// SPDX-License-Identifier: Apache-2.0
// Schema rows: the SCMI platform, what it serves and how long that takes.
#include "scenario/schema_rows.h"

namespace scmi_vp::scenario::rows {
namespace {

constexpr std::size_t name_length = 15;                   // DEN0056: 16 bytes, the 0 included
constexpr sim_time longest_enable_delay = seconds(4294);  // microseconds in 32 bits

void set_protocols(draft& d, const value& v) {
    d.platform().protocols.clear();
    for (const value& e : v.elements("a list of protocols like [0x14, \"sensor\"]")) {
        d.platform().protocols.push_back(protocol_of(e));
    }
    d.protocols_given = true;
}

void set_workers(draft& d, const value& v) {
    unsigned& workers = d.out.system.platform.workers;
    if (v.node->is_string()) {
        v.choice({"unlimited"});
        workers = 0;
    } else {
        workers = unsigned(v.integer(1, 1024));
    }
}

template <class F>
key_info version(const char* key, const char* text, const char* meaning, F set) {
    return hex_integer({key, text, meaning}, 0x10000, 0x4ffff, set);
}

std::vector<key_info> base_keys() {
    std::vector<key_info> keys;
    keys.push_back(path({"platform.file", "\"\"",
                         "A file with keys of this section, without the leading `platform.`; "
                         "keys and lists given here replace the file's."},
                        [](draft&, const std::filesystem::path&, const value&) {}));
    keys.push_back(
        version("platform.base_version", "0x20000", "Version of the Base protocol.",
                [](draft& d, std::int64_t n) { d.platform().base_version = std::uint32_t(n); }));
    keys.push_back(version(
        "platform.clock_version", "0x10000", "Version of the Clock protocol: 0x10000 or 0x20000.",
        [](draft& d, std::int64_t n) { d.platform().clock_version = std::uint32_t(n); }));
    keys.push_back(
        version("platform.sensor_version", "0x10000", "Version of the Sensor protocol: 0x10000.",
                [](draft& d, std::int64_t n) { d.platform().sensor_version = std::uint32_t(n); }));
    keys.push_back(text(
        {"platform.vendor", "\"scmi-vp\"", "Vendor identifier."},
        [](draft& d, std::string s) { d.platform().vendor = std::move(s); }, name_length));
    keys.push_back(text(
        {"platform.sub_vendor", "\"\"", "Sub-vendor identifier."},
        [](draft& d, std::string s) { d.platform().sub_vendor = std::move(s); }, name_length));
    keys.push_back(hex_integer(
        {"platform.implementation_version", "0", "The vendor's own version."}, 0, 0xffffffff,
        [](draft& d, std::int64_t n) { d.platform().implementation_version = std::uint32_t(n); }));
    keys.push_back(text(
        {"platform.name", "\"platform\"", "Name of agent 0, the platform itself."},
        [](draft& d, std::string s) { d.platform().platform_name = std::move(s); }, name_length));
    keys.push_back(list({"platform.protocols", "(those of what is described)",
                         "Protocols that Base lists, without Base, ascending."},
                        "", "names or 0x11..0xff", set_protocols));
    keys.push_back(
        boolean({"platform.base_notifications", "false", "Whether agents can ask for Base errors."},
                [](draft& d, bool b) { d.platform().base_notifies = b; }));
    keys.push_back(choice({"platform.unknown_message", "\"NOT_FOUND\"",
                           "Answer to a message id that a protocol does not know."},
                          status_names(), [](draft& d, const std::string& s) {
                              d.platform().unknown_message = status_named(s);
                          }));
    return keys;
}

std::vector<key_info> work_keys() {
    std::vector<key_info> keys;
    keys.push_back(
        integer_or_word({"platform.workers", "1", "How many commands are served at once."},
                        "1..1024 or \"unlimited\"", set_workers));
    keys.push_back(latency(
        {"platform.delayed_work", "\"0s\"", "From a response until its delayed response is ready."},
        [](draft& d, distribution_ptr l) { d.out.system.platform.delayed_work = std::move(l); }));
    keys.push_back(integer(
        {"platform.clock_max_async", "0", "Asynchronous rate changes that may be pending."}, "", 0,
        255, [](draft& d, std::int64_t n) { d.platform().clock_max_async = std::uint8_t(n); }));
    keys.push_back(integer(
        {"platform.sensor_max_async", "0", "Asynchronous sensor readings that may be pending."}, "",
        0, 255, [](draft& d, std::int64_t n) { d.platform().sensor_max_async = std::uint8_t(n); }));
    keys.push_back(integer({"platform.sensor_descriptors_per_reply", "0",
                            "At most so many sensor descriptors in one reply; 0: as many as fit."},
                           "", 0, 65535, [](draft& d, std::int64_t n) {
                               d.platform().sensor_descriptors_per_reply = std::uint16_t(n);
                           }));
    return keys;
}

void finish_rates(draft& d, const value& v) {
    scmi::clock_description& clock = d.platform().clocks.back();
    const rates_draft& r = d.rates;
    const int given =
        int(r.lowest.has_value()) + int(r.highest.has_value()) + int(r.step.has_value());
    if (given != 0 && given != 3) {
        v.refuse("rates need all of lowest, highest and step, or a list");
    }
    if (given != 0 && !r.list.empty()) v.refuse("rates are either a list or lowest, highest, step");
    clock.rates.triplet = given == 3;
    if (given == 3) {
        clock.rates.list = {*r.lowest, *r.highest, *r.step};
    } else {
        clock.rates.list = r.list.empty() ? std::vector<std::uint64_t>{clock.rate} : r.list;
    }
}

void set_rate_list(draft& d, const value& v) {
    for (const value& e : v.elements("a list of rates in Hz")) {
        d.rates.list.push_back(std::uint64_t(e.integer(0, any)));
    }
    if (d.rates.list.empty()) v.refuse("an empty list: give at least one rate");
}

std::vector<key_info> clock_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"platform.clock", "[]", "The clocks; the first has id 0."},
        [](draft& d, const value&) {
            d.platform().clocks.emplace_back();
            d.rates = {};
        },
        finish_rates));
    keys.push_back(text(
        {"platform.clock[].name", "(required)", "Its name."},
        [](draft& d, std::string s) { d.platform().clocks.back().name = std::move(s); },
        name_length));
    keys.push_back(integer(
        {"platform.clock[].rate", "(required)", "Its rate at start."}, "Hz", 0, any,
        [](draft& d, std::int64_t n) { d.platform().clocks.back().rate = std::uint64_t(n); }));
    keys.push_back(boolean({"platform.clock[].enabled", "true", "Whether it runs at start."},
                           [](draft& d, bool b) { d.platform().clocks.back().enabled = b; }));
    keys.push_back(list(
        {"platform.clock[].rates.list", "(only its rate)", "The rates it can have, ascending."},
        "Hz", "", set_rate_list));
    keys.push_back(integer({"platform.clock[].rates.lowest", "(none)",
                            "Instead of a list, with highest and step: the lowest rate."},
                           "Hz", 0, any,
                           [](draft& d, std::int64_t n) { d.rates.lowest = std::uint64_t(n); }));
    keys.push_back(integer({"platform.clock[].rates.highest", "(none)", "The highest rate."}, "Hz",
                           0, any,
                           [](draft& d, std::int64_t n) { d.rates.highest = std::uint64_t(n); }));
    keys.push_back(integer({"platform.clock[].rates.step", "(none)", "The step between rates."},
                           "Hz", 1, any,
                           [](draft& d, std::int64_t n) { d.rates.step = std::uint64_t(n); }));
    keys.push_back(
        time({"platform.clock[].enable_delay", "\"0s\"",
              "How long enabling takes, as advertised (Clock 2.0); cut to microseconds."},
             sim_time{}, longest_enable_delay, [](draft& d, sim_time t) {
                 d.platform().clocks.back().enable_delay_us = std::uint32_t(t / microseconds(1));
             }));
    return keys;
}

// Far enough from the ends of 64 bits for any number of steps.
constexpr std::int64_t largest_reading = 1'000'000'000'000'000;

template <class F>
key_info reading(const char* key, const char* text, const char* meaning, F set) {
    return integer({key, text, meaning}, "", -largest_reading, largest_reading, set);
}

std::vector<key_info> sensor_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"platform.sensor", "[]", "The sensors; the first has id 0."},
        [](draft& d, const value&) {
            d.platform().sensors.emplace_back();
            d.delayed_reading_given = false;
        },
        [](draft& d, const value&) {
            scmi::sensor_description& s = d.platform().sensors.back();
            if (!d.delayed_reading_given) s.delayed_reading = s.reading;
        }));
    keys.push_back(text(
        {"platform.sensor[].name", "(required)", "Its name."},
        [](draft& d, std::string s) { d.platform().sensors.back().name = std::move(s); },
        name_length));
    keys.push_back(integer(
        {"platform.sensor[].type", "2", "Its type as in DEN0056; 2: degrees Celsius."}, "", 0, 255,
        [](draft& d, std::int64_t n) { d.platform().sensors.back().type = std::uint8_t(n); }));
    keys.push_back(integer(
        {"platform.sensor[].exponent", "0", "Its value is the reading times 10 to this power."}, "",
        -16, 15,
        [](draft& d, std::int64_t n) { d.platform().sensors.back().exponent = std::int8_t(n); }));
    keys.push_back(boolean({"platform.sensor[].async", "false",
                            "Whether it is read asynchronously, through a delayed response."},
                           [](draft& d, bool b) { d.platform().sensors.back().async = b; }));
    keys.push_back(integer({"platform.sensor[].trip_points", "0",
                            "Trip points that agents can set, and be told of when crossed."},
                           "", 0, 255, [](draft& d, std::int64_t n) {
                               d.platform().sensors.back().trip_points = std::uint8_t(n);
                           }));
    keys.push_back(
        reading("platform.sensor[].reading", "0", "What a read returns.",
                [](draft& d, std::int64_t n) { d.platform().sensors.back().reading = n; }));
    keys.push_back(reading("platform.sensor[].delayed_reading", "(reading)",
                           "What a delayed response returns.", [](draft& d, std::int64_t n) {
                               d.platform().sensors.back().delayed_reading = n;
                               d.delayed_reading_given = true;
                           }));
    keys.push_back(
        reading("platform.sensor[].reading_step", "0",
                "Added for each reading that the platform served before.",
                [](draft& d, std::int64_t n) { d.platform().sensors.back().reading_step = n; }));
    keys.push_back(integer({"platform.sensor[].update_interval", "0",
                            "Update interval in seconds, times 10 to update_interval_exponent."},
                           "s", 0, 31, [](draft& d, std::int64_t n) {
                               d.platform().sensors.back().update_interval_s = std::uint8_t(n);
                           }));
    keys.push_back(integer({"platform.sensor[].update_interval_exponent", "0", "Its exponent."}, "",
                           -16, 15, [](draft& d, std::int64_t n) {
                               d.platform().sensors.back().update_interval_exponent =
                                   std::int8_t(n);
                           }));
    return keys;
}

void finish_service(draft& d, const value& v) {
    models::service_rule& rule = d.out.system.platform.service.back();
    resolve_message(d, v, rule);
    if (rule.never == (rule.latency != nullptr)) {
        v.refuse("give either a latency or never = true");
    }
}

std::vector<key_info> service_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables(
        {"platform.service", "[]",
         "Service times that replace hops.service; the last that matches counts."},
        [](draft& d, const value&) {
            d.out.system.platform.service.emplace_back();
            d.message.clear();
        },
        finish_service));
    add_match_keys(keys, "platform.service[]", [](draft& d) -> models::message_match& {
        return d.out.system.platform.service.back();
    });
    keys.push_back(latency({"platform.service[].latency", "(or never)", "How long it takes."},
                           [](draft& d, distribution_ptr l) {
                               d.out.system.platform.service.back().latency = std::move(l);
                           }));
    keys.push_back(
        boolean({"platform.service[].never", "false", "It is never answered."},
                [](draft& d, bool b) { d.out.system.platform.service.back().never = b; }));
    return keys;
}

std::vector<key_info> agent_keys() {
    std::vector<key_info> keys;
    keys.push_back(tables({"platform.agent", "(one, named OSPM)",
                           "The agents that Base knows, from 1; the guest is the first."},
                          [](draft& d, const value&) { d.platform().agents.emplace_back(); }));
    keys.push_back(text(
        {"platform.agent[].name", "(required)", "Its name."},
        [](draft& d, std::string s) { d.platform().agents.back().name = std::move(s); },
        name_length));
    return keys;
}

}  // namespace

std::vector<key_info> platform_keys() {
    std::vector<key_info> keys = base_keys();
    for (auto part : {work_keys(), agent_keys(), clock_keys(), sensor_keys(), service_keys()}) {
        for (key_info& k : part) keys.push_back(std::move(k));
    }
    return keys;
}

}  // namespace scmi_vp::scenario::rows
