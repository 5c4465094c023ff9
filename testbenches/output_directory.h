// SPDX-License-Identifier: Apache-2.0
// A folder for results that replaces only what scmi-vp wrote, and writes nothing silently.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace scmi_vp::testbenches {

/// A file that was written.
struct output_file {
    std::string name;
    std::uintmax_t bytes = 0;
};

/// A folder is ours when it is absent, empty, or holds our manifest; of the files in it, ours are
/// those that the manifest lists. All errors are scmi_vp::error (output) with path and advice.
class output_directory {
public:
    /// The file that lists what was written, one name per line.
    static constexpr const char* manifest_name = ".scmi-vp-output";

    /// Makes the folder, or takes ours over and removes the files that the last run left in it.
    explicit output_directory(std::filesystem::path folder);

    /// Opens a file in the folder; it is listed in the manifest before the first byte is written.
    /// The stream lives as long as this object; finish() checks it.
    std::ostream& open(const std::string& name);

    std::filesystem::path path_of(const std::string& name) const { return folder_ / name; }

    /// Closes all files and says what was written, in the order of opening. Throws if anything
    /// could not be written, for example on a full disk.
    std::vector<output_file> finish();

private:
    struct open_file {
        std::string name;
        std::ofstream stream;
    };

    void create();
    void take_over();
    void write_manifest() const;
    [[noreturn]] void refuse(const std::filesystem::path& path, const std::string& message) const;

    std::filesystem::path folder_;
    std::set<std::string> listed_;
    std::deque<open_file> files_;  ///< stable addresses
};

}  // namespace scmi_vp::testbenches
