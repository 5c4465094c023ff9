// SPDX-License-Identifier: Apache-2.0
// The one way to read an input file: nothing that fails, never ends or is of another kind is taken
// for a short one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <memory>
#include <string>

#include "base/error.h"

namespace scmi_vp {

/// A kind of input, and what keeps one that never ends from filling memory. docs/results.md has
/// the table.
struct input_kind {
    const char* name;  ///< "a scenario"
    std::uint64_t most_bytes;
    std::uint64_t longest_line = 0;  ///< of input_stream; 0: as long as the file
    error_kind error = error_kind::input;
    bool may_be_empty = false;
};

namespace inputs {
constexpr std::uint64_t mib = 1 << 20;
/// Scenarios, studies and platforms.
inline constexpr input_kind scenario{"a scenario, study or platform", 16 * mib, 0,
                                     error_kind::config};
/// Linux Documentation/arch/arm64/booting.rst: a device tree "must not exceed 2 megabytes".
inline constexpr input_kind device_tree{"a device tree", 2 * mib, 0, error_kind::config};
inline constexpr input_kind latencies{"a file of latencies", 256 * mib};
inline constexpr input_kind results{"results.json or summary.json", 512 * mib};
inline constexpr input_kind trace{"a trace or kernel log", 1024 * mib, mib, error_kind::input,
                                  true};
/// Read row by row, never as a whole.
inline constexpr input_kind rows{"requests.csv", 1024 * 1024 * mib, mib};
}  // namespace inputs

/// All of a file. Pipes and devices are read like files and, since that can be done once only, what
/// they had is kept for whoever asks for the same path again. Throws scmi_vp::error (of the kind)
/// at `where` ("s.toml:3:8: platform.file", may be empty) when it cannot be opened or read to its
/// end, is a folder, is empty or has more than the kind may.
std::string read_input(const std::filesystem::path& path, const input_kind& kind,
                       const std::string& where = "");

/// The same piece by piece. What read_input() throws its constructor throws, and every reading of
/// the stream; besides, a line above kind.longest_line.
class input_stream : public std::istream {
public:
    explicit input_stream(const std::filesystem::path& path, const input_kind& kind,
                          const std::string& where = "");
    ~input_stream() override;

private:
    class buffer;
    std::unique_ptr<buffer> buffer_;
};

}  // namespace scmi_vp
