// SPDX-License-Identifier: Apache-2.0
// See random_faults.h.
#include "runs/linux/random_faults.h"

#include <initializer_list>
#include <vector>

#include "base/random.h"

namespace scmi_vp::runs {
namespace {

class author {
public:
    explicit author(std::uint64_t seed) : seed_(seed), draws_(seed, "validate", "random faults") {}

    std::string write() {
        head();
        platform();
        const unsigned faults = 1 + below(4);
        for (unsigned i = 0; i < faults; ++i) fault();
        if (chance(0.3)) unsolicited();
        workload();
        return std::move(text_);
    }

private:
    unsigned below(unsigned n) { return unsigned(draws_.next_unit() * n); }
    bool chance(double p) { return draws_.next_unit() < p; }
    template <class T>
    T one_of(std::initializer_list<T> list) {
        return list.begin()[below(unsigned(list.size()))];
    }
    std::string word(std::initializer_list<const char*> list) { return one_of(list); }
    std::string yes_or_no(double p) { return chance(p) ? "true" : "false"; }

    void line(const std::string& text) { text_ += text + "\n"; }
    void key(const char* name, const std::string& value) {
        line(std::string(name) + " = " + value);
    }
    void key(const char* name, std::uint64_t value) { key(name, std::to_string(value)); }
    void quoted(const char* name, const std::string& value) { key(name, '"' + value + '"'); }

    void head() {
        const std::string n = std::to_string(seed_);
        line("# SPDX-License-Identifier: Apache-2.0");
        line("# Drawn by: scmi-vp validate --seeds 1 --seed " + n);
        line("[scenario]");
        quoted("title", random_fault_name(seed_));
        quoted("description", "random faults of seed " + n);
        line("[sim]");
        quoted("duration", "6000s");
        key("seed", seed_ % 1'000'000'007);
        line("[guest]");
        quoted("profile", "linux-6.1");
        key("hz", 100);
        quoted("costs", "uml-time-travel");
        line(R"(drivers = ["clk-scmi", "scmi-power-domain", "scmi-hwmon", "iio-scmi", )"
             R"("scmi-vp-caller"])");
        line("[hops]");
        quoted("service", word({"50us", "20us", "100us"}));
    }

    void platform() {
        line("[platform]");
        key("clock_version", one_of<const char*>({"0x10000", "0x20000"}));
        key("power_version", one_of<const char*>({"0x10000", "0x20000", "0x30000"}));
        key("performance_version", one_of<const char*>({"0x20000", "0x30000"}));
        key("sensor_max_async", 4);
        key("clock_max_async", below(4));
        key("sensor_descriptors_per_reply", below(4));
        key("base_notifications", yes_or_no(0.5));
        quoted("unknown_message", word({"NOT_FOUND", "NOT_SUPPORTED"}));
        quoted("delayed_work", word({"0s", "70us", "1ms"}));
        for (unsigned i = 0; i < clocks_; ++i) clock(i);
        for (unsigned i = 0; i < sensors_; ++i) sensor(i);
        power_domain();
        performance_domain();
    }

    void clock(unsigned i) {
        line("[[platform.clock]]");
        quoted("name", "clk" + std::to_string(i));
        key("rate", 2'000'000);
        key("enabled", yes_or_no(0.5));
        if (chance(0.3)) {
            line("rates.lowest = 1_000_000\nrates.highest = 8_000_000\nrates.step = 500_000");
            return;
        }
        std::string rates = "1_000_000, 2_000_000";
        for (unsigned n = below(20); n > 0; --n) {
            rates += ", " + std::to_string(3'000'000 + 1000 * (20 - n));
        }
        key("rates.list", "[" + rates + "]");
    }

    void sensor(unsigned i) {
        line("[[platform.sensor]]");
        quoted("name", "sensor" + std::to_string(i));
        key("type", one_of<unsigned>({2, 2, 2, 5, 6, 7, 8, 0x13}));
        if (chance(0.25)) key("exponent", one_of<const char*>({"-3", "2", "15"}));
        key("async", yes_or_no(0.3));
        key("trip_points", below(3));
        key("reading", 40'000 + 100 * i);
    }

    // One, and off: more are switched off by workers whose start is the scheduler's.
    void power_domain() {
        line("[[platform.power_domain]]");
        quoted("name", "power");
        key("on", "false");
        key("notifications", yes_or_no(0.7));
    }

    void performance_domain() {
        for (unsigned i = 0; i < domains_; ++i) {
            line("[[platform.performance_domain]]");
            quoted("name", "cluster" + std::to_string(i));
            std::string levels = "{ level = 100 }, { level = 200 }, { level = 300 }";
            for (unsigned n = below(16); n > 0; --n) {
                levels += ", { level = " + std::to_string(400 - n) + " }";
            }
            key("levels", "[" + levels + "]");
            key("set_limits", yes_or_no(0.8));
            key("set_level", yes_or_no(0.8));
            key("limits_notifications", yes_or_no(0.7));
            key("level_notifications", yes_or_no(0.7));
            key("fast_channels", yes_or_no(0.3));
        }
    }

    // A count in PROTOCOL_ATTRIBUTES is left alone: thousands of domains take the kernel as many
    // messages and are one case.
    void fault() {
        line("[[platform.fault]]");
        const std::string kind = word({"rewrite", "rewrite", "corrupt", "corrupt", "corrupt",
                                       "truncate", "duplicate", "delay", "drop", "length"});
        quoted("kind", kind);
        const bool of_replies = chance(0.8);
        quoted("of", of_replies ? std::string("reply") : word({"any", "delayed_response"}));
        if (kind == "corrupt" || chance(0.3)) message();
        key("probability", one_of<const char*>({"0.02", "0.05", "0.1", "0.2", "0.5", "1"}));
        if (kind == "drop") key("count", 1 + below(3));
        if (chance(0.3)) quoted("from", word({"1ms", "20ms", "25ms"}));
        if (kind == "rewrite") edit();
        if (kind == "corrupt") bytes();
        if (kind == "truncate") key("length", 4 * (1 + below(7)));
        if (kind == "length") key("length", one_of<unsigned>({0, 4, 5, 8, 9, 12, 20, 500}));
        if (kind == "duplicate") quoted("delay", word({"0us", "30us", "700us"}));
        if (kind == "delay") quoted("delay", word({"10us", "500us", "3ms", "2.5s"}));
    }

    void message() {
        quoted(
            "message",
            word({"SENSOR_DESCRIPTION_GET", "SENSOR_DESCRIPTION_GET", "SENSOR_READING_GET",
                  "CLOCK_ATTRIBUTES", "CLOCK_DESCRIBE_RATES", "CLOCK_RATE_GET", "CLOCK_RATE_SET",
                  "CLOCK_CONFIG_SET", "PERFORMANCE_DOMAIN_ATTRIBUTES",
                  "PERFORMANCE_DESCRIBE_LEVELS", "PERFORMANCE_LEVEL_GET", "PERFORMANCE_LEVEL_SET",
                  "PERFORMANCE_LIMITS_GET", "PERFORMANCE_LIMITS_SET", "POWER_DOMAIN_ATTRIBUTES",
                  "POWER_STATE_SET", "POWER_STATE_GET", "BASE_DISCOVER_LIST_PROTOCOLS"}));
    }

    void edit() {
        switch (below(4)) {
            case 0:
                return key("new", R"({ type = ")" +
                                      word({"delayed_response", "notification", "reserved"}) +
                                      R"(" })");
            case 1:
                return key("new", "{ token_add = " +
                                      std::to_string(one_of<unsigned>({1, 2, 4, 512, 1023})) +
                                      " }");
            case 2:
                return key("new", "{ message = " + std::to_string(below(16)) + " }");
            default:
                return key("new", "{ status = " + std::to_string(-int(1 + below(12))) + " }");
        }
    }

    void bytes() {
        key("offset", below(48));
        std::string list = std::to_string(1 + below(255));
        for (unsigned n = below(4); n > 0; --n) list += ", " + std::to_string(below(256));
        key("xor", "[" + list + "]");
    }

    void unsolicited() {
        line("[[platform.unsolicited]]");
        quoted("at", word({"21.3ms", "33.3ms", "41.7ms"}));
        quoted("every", "3.1ms");
        key("count", 1 + below(4));
        quoted("protocol", word({"base", "power", "performance", "clock", "sensor"}));
        key("message", below(3));
        std::string words = "0";
        for (unsigned n = below(6); n > 0; --n) words += ", " + std::to_string(below(3));
        key("words", "[" + words + "]");
    }

    void workload() {
        line("[[workload.context]]");
        quoted("name", "sh");
        line("[[workload.loop]]");
        quoted("context", "sh");
        const unsigned calls = 4 + below(6);
        key("count", 4 * calls);
        quoted("think", "1013us");
        quoted("start", "20ms");
        line("calls = [");
        for (unsigned i = 0; i < calls; ++i) line("    " + call() + ",");
        line("]");
    }

    std::string call() {
        const auto named = [](const std::string& name, const std::string& more) {
            return "{ call = \"" + name + "\", " + more + " }";
        };
        const std::string sensor = "id = " + std::to_string(below(sensors_));
        const std::string clock = "id = " + std::to_string(below(clocks_));
        const std::string domain = "id = " + std::to_string(below(domains_));
        // Each of these draws at most once more.
        switch (below(14)) {
            case 0:
            case 1:
            case 2:
                return named("sensor_read", sensor);
            case 3:
                return named("sensor_trip_config", sensor + ", value = 50000");
            case 4:
                return named("clock_get_rate", clock);
            case 5:
                return named("clock_set_rate", clock + ", value = 2000000");
            case 6:
                return named(word({"clock_enable", "clock_disable"}), clock);
            case 7:
                return named("perf_level_set",
                             domain + ", value = " + std::to_string(100 * (1 + below(4))));
            case 8:
                return named("perf_level_get", domain);
            case 9:
                return named("perf_limits_set",
                             domain + ", limits = [100, " + word({"200", "300"}) + "]");
            case 10:
                return named("perf_limits_get", domain);
            case 11:
                return named(word({"power_on", "power_off"}), "id = 0");
            case 12:
                return named("power_state_get", "id = 0");
            default:
                return notify_call();
        }
    }

    // One draw after the other: the order of operands is the compiler's.
    std::string notify_call() {
        const std::string name = word({"notify_register", "notify_register", "notify_unregister"});
        const std::string event = word({"power_state_changed", "perf_limits_changed",
                                        "perf_level_changed", "sensor_trip_point", "base_error"});
        const std::string id = word({"0", "1", "65535"});
        return "{ call = \"" + name + "\", event = \"" + event + "\", id = " + id + " }";
    }

    std::uint64_t seed_;
    random_stream draws_;
    unsigned clocks_ = 1 + below(3), sensors_ = 1 + below(4), domains_ = 1 + below(2);
    std::string text_;
};

}  // namespace

std::string random_fault_name(std::uint64_t seed) {
    return "random-" + std::to_string(seed);
}

std::string random_fault_scenario(std::uint64_t seed) {
    return author(seed).write();
}

}  // namespace scmi_vp::runs
