// SPDX-License-Identifier: Apache-2.0
// For tests of latency files: reads texts and recordings, and draws as a simulation does.
#pragma once

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "traces/latency_file.h"

namespace scmi_vp::traces::latency_testing {

inline const std::string folder = std::string(SCMI_VP_SOURCE_DIR) + "/traces/recorded/latencies/";

inline latency_file read(const std::string& text, const latency_choice& choice = {}) {
    std::istringstream in(text);
    return read_latency_file(in, "f", choice);
}

inline std::string text_of(const std::string& name) {
    std::ifstream in(folder + name);
    EXPECT_TRUE(in) << name;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

inline latency_file recorded(const std::string& name, const latency_choice& choice = {}) {
    return read(text_of(name), choice);
}

inline std::string refusal(const std::string& text, const latency_choice& choice = {},
                           error_kind kind = error_kind::input) {
    try {
        read(text, choice);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), kind) << e.what();
        return e.what();
    }
    return "";
}

struct drawn {
    sim_time min = sim_time::max(), max;
    double mean = 0;
};

// What a simulation of 20 000 requests would see.
inline drawn draws(const latency_file& file,
                   histogram_overflow overflow = histogram_overflow::drop) {
    const distribution_ptr d = make_histogram(file.pooled, overflow);
    random_stream stream(1, "latency_file", "draws");
    drawn r;
    constexpr int n = 20'000;
    for (int i = 0; i < n; ++i) {
        const sim_time t = d->sample(stream);
        r.min = std::min(r.min, t);
        r.max = std::max(r.max, t);
        r.mean += double(t.ps) / n;
    }
    return r;
}

}  // namespace scmi_vp::traces::latency_testing
