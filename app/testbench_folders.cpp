// SPDX-License-Identifier: Apache-2.0
// See testbench_folders.h.
#include "app/testbench_folders.h"

#include <algorithm>

#include "base/console.h"
#include "base/error.h"

namespace fs = std::filesystem;

namespace scmi_vp::app {
namespace {

bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

/// A folder of the other kind: "study.toml" where a scenario was asked for.
void refuse_other_kind(const fs::path& folder, const std::string& file) {
    const bool wants_study = file == "study.toml";
    const char* const other = wants_study ? "scenario.toml" : "study.toml";
    if (is_there(folder / file) || !is_there(folder / other)) return;
    throw error(error_kind::usage, folder.string(),
                std::string("has no ") + file + " but a " + other + ": scmi-vp " +
                    (wants_study ? "run " : "study ") + shell_quoted(folder.string()));
}

}  // namespace

std::vector<fs::path> testbench_folders() {
    std::vector<fs::path> folders;
    const auto add = [&folders](const fs::path& path) {
        if (is_folder(path)) folders.push_back(path);
    };
    add("testbenches");
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    for (fs::path at = program.parent_path(); at.has_relative_path(); at = at.parent_path()) {
        add(at / "testbenches");
    }
    add(fs::path(SCMI_VP_BUILT_FROM) / "testbenches");
    return folders;
}

std::optional<fs::path> input_path(const std::string& name, const std::string& file) {
    const fs::path given(name);
    if (is_folder(given)) {
        refuse_other_kind(given, file);
        return given / file;
    }
    if (is_there(given)) return given;
    if (given != given.filename() || name.empty()) return std::nullopt;
    for (const fs::path& folder : testbench_folders()) {
        if (is_there(folder / given / file)) return folder / given / file;
    }
    for (const fs::path& folder : testbench_folders()) refuse_other_kind(folder / given, file);
    return std::nullopt;
}

std::vector<std::string> testbench_names(const std::string& file) {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const fs::path& folder : testbench_folders()) {
        for (const fs::directory_entry& e : fs::directory_iterator(folder, ignored)) {
            if (is_there(e.path() / file)) names.push_back(e.path().filename().string());
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace scmi_vp::app
