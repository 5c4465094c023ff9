// SPDX-License-Identifier: Apache-2.0
// For tests of stories: a folder, results as `run` and `study` write them, what a story says.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/error.h"
#include "studies/stories/explain.h"

namespace scmi_vp::studies {

/// A test with a folder of its own.
class explain : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "scmi-vp-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
        return folder_ / name;
    }
    const std::filesystem::path& folder() const { return folder_; }

private:
    std::filesystem::path folder_;
};

inline std::string testbench(const std::string& name) {
    return std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/" + name + "/scenario.toml";
}

/// What load_results() makes of a run, as far as it matters here; 0 requests: how many there were
/// is not said.
inline nlohmann::json run_of(const std::string& scenario, std::uint64_t requests,
                             const std::vector<std::string>& set = {}) {
    using nlohmann::json;
    json point{{"id", 0}, {"labels", json::object()}, {"set", json::array()}};
    point["replication_results"] = {{{"seed", 1}}};
    if (requests) point["replication_results"][0]["requests"] = requests;
    return {{"format", "scmi-vp results 3"}, {"title", "t"},
            {"scenario", scenario},          {"set", set},
            {"axes", json::array()},         {"points", json::array({point})}};
}

inline request_choice number(std::uint64_t id) {
    request_choice c;
    c.how = request_choice::by::number;
    c.request = id;
    return c;
}

inline request_choice late() {
    request_choice c;
    c.how = request_choice::by::late;
    return c;
}

inline std::string all_of(const story& s) {
    std::string text = s.headline;
    for (const std::string& sentence : s.sentences) text += "\n" + sentence;
    return text;
}

/// Of the run that its request 1 tells of.
inline std::uint64_t requests_in(const story& s) {
    const std::string text = all_of(s), of = "request 1 of ";
    return std::stoull(text.substr(text.find(of) + of.size()));
}

template <class call_t>
std::string message_of(error_kind kind, call_t call) {
    try {
        call();
    } catch (const error& e) {
        EXPECT_EQ(int(e.kind()), int(kind)) << e.what();
        return e.what();
    }
    return "no error";
}

}  // namespace scmi_vp::studies
