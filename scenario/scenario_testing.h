// SPDX-License-Identifier: Apache-2.0
// What several tests of scenarios need: the text of the error, a scratch folder.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "scenario/scenario.h"

namespace scmi_vp::scenario::testing_tools {

/// What `f` throws, as text; "no error" if it throws none of ours.
template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const error& e) {
        return e.what();
    }
    return "no error";
}

inline std::string scenario_error(const std::string& text,
                                  const std::vector<std::string>& overrides = {}) {
    return error_of([&] { parse_scenario(text, "s.toml", overrides); });
}

/// A folder that is gone at the end of the test.
class scratch_folder {
public:
    scratch_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "scmi-vp-XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
        path_ = name;
    }
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return path_ / name;
    }
    std::string read(const std::string& name) const {
        std::ifstream in(path_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

private:
    std::filesystem::path path_;
};

}  // namespace scmi_vp::scenario::testing_tools
