// SPDX-License-Identifier: Apache-2.0
// For fuzzers with an oracle: commands of all kinds for a platform whose answers a platform server
// of the same description tells, asked by a plain call.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/model_testing.h"
#include "scmi/platform_server.h"

namespace scmi_vp::models::testing_tools {

using byte_string = std::vector<std::uint8_t>;

/// Every protocol that the platform serves, and all that it can notify of.
inline void with_all_protocols(scmi::platform_description& p) {
    p.protocols = {scmi::protocol::power, scmi::protocol::perf, scmi::protocol::clock,
                   scmi::protocol::sensor};
    p.base_notifies = true;
    p.power_domains.resize(2);
    p.performance_domains.resize(2);
    for (std::size_t i = 0; i < 2; ++i) {
        p.power_domains[i].name = "power" + std::to_string(i);
        p.power_domains[i].notifies = true;
        scmi::performance_domain_description& d = p.performance_domains[i];
        d.name = "perf" + std::to_string(i);
        for (std::uint32_t level = 1; level <= 20; ++level) d.levels.push_back({level, 1, 1});
        d.level = 1;
        d.notifies_limits = d.notifies_level = true;
    }
    for (scmi::sensor_description& s : p.sensors) s.trip_points = 2;
}

inline system_config one_worker() {
    system_config c = testing_tools::small_system();
    c.platform.workers = 1;  // so that answers come in the order of the commands
    c.platform.description.sensor_max_async = 0;  // and no limit depends on the time
    c.platform.description.sensors[1].async = false;
    with_all_protocols(c.platform.description);
    return c;
}

inline void put(byte_string& m, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) m.push_back(std::uint8_t(value >> 8 * i));
}

/// Draws everything from one seed.
class command_generator {
public:
    explicit command_generator(std::uint64_t seed) : random_(seed) {}

    std::uint32_t below(std::uint32_t n) { return std::uint32_t(random_() % n); }

    byte_string message() {
        static constexpr std::uint8_t protocols[] = {0x10, 0x11, 0x13, 0x14, 0x15};
        const auto type =
            below(20) == 0 ? scmi::message_type(below(3)) : scmi::message_type::command;
        const auto protocol =
            below(12) == 0 ? std::uint8_t(below(256)) : protocols[below(std::size(protocols))];
        const auto id = below(12) == 0 ? std::uint8_t(below(256)) : std::uint8_t(below(13));
        byte_string m;
        put(m, scmi::header{id, type, protocol, std::uint16_t(below(1024))}.pack());
        std::uint32_t words = below(5);
        if (below(50) == 0) words = below(1025);
        for (std::uint32_t i = 0; i < words; ++i) {
            put(m, below(3) == 0 ? std::uint32_t(random_()) : below(4));
        }
        // Not a whole number of words.
        if (below(30) == 0) m.resize(std::min<std::size_t>(m.size() + below(4), 4100));
        return m;
    }

private:
    std::mt19937_64 random_;
};

/// A number from the environment.
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// How long a fuzzer plays, and how many sessions at most.
struct fuzz_limits {
    std::chrono::milliseconds span;
    std::uint64_t most;

    sim_time with_slack() const { return seconds(60) + milliseconds(span.count()); }
};
/// Beside the other tests, and for a minute or as long as SCMI_VP_FUZZ_SECONDS says.
inline fuzz_limits fuzz_briefly() {
    return {std::chrono::seconds(30), 300};
}
inline fuzz_limits fuzz_at_length() {
    return {std::chrono::seconds(number_from("SCMI_VP_FUZZ_SECONDS", 60)), UINT64_MAX};
}

struct fuzz_tally {
    std::uint64_t sessions = 0, messages = 0;
};
/// session(seed), which returns its messages, for seed after seed from SCMI_VP_FUZZ_SEED on, until
/// a limit or a failure, which names its seed. Prints how many.
template <class session_t>
fuzz_tally play_seeds(const fuzz_limits& limits, session_t session) {
    using clock = std::chrono::steady_clock;
    const std::uint64_t first = number_from("SCMI_VP_FUZZ_SEED", 1);
    const auto begin = clock::now();
    fuzz_tally all;
    while (clock::now() - begin < limits.span && all.sessions < limits.most &&
           !testing::Test::HasFailure()) {
        const std::uint64_t seed = first + all.sessions++;
        SCOPED_TRACE("SCMI_VP_FUZZ_SEED=" + std::to_string(seed));
        all.messages += session(seed);
    }
    const double took = std::chrono::duration<double>(clock::now() - begin).count();
    std::cout << all.sessions << " sessions, " << all.messages << " messages, "
              << std::uint64_t(double(all.messages) / took) << " per second\n";
    EXPECT_GE(all.messages, all.sessions);
    return all;
}

}  // namespace scmi_vp::models::testing_tools
