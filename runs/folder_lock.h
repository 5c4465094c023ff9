// SPDX-License-Identifier: Apache-2.0
// Who may write into a folder of results: one process at a time, and nobody while others read it.
// An advisory lock (flock(2)) on the folder itself: it leaves nothing behind, and ends with its
// process however that ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace scmi_vp::runs {

enum class folder_use : std::uint8_t {
    write,   ///< makes it when it is absent
    update,  ///< changes what is there
    read,
};

/// Held until it is destroyed. A process may hold a folder more than once. Forked children do not
/// hold what their parent holds, so none of them keeps the folder of a parent that was killed; they
/// may take folders inside of it.
class folder_lock {
public:
    /// How long somebody else may have it: a process that is being ended is not gone at once.
    static constexpr std::chrono::milliseconds usual_patience{200}, for_the_dying{3000};

    /// To write, makes the folder with its parents if it is absent. Throws scmi_vp::error (output;
    /// to read: input) that names who has the folder, or the one around it as whose part it is
    /// listed. On a file system without such locks, says so on standard error and goes on.
    /// A folder that is not there, and that is not to be made, is not held.
    explicit folder_lock(const std::filesystem::path& folder, folder_use use = folder_use::write,
                         std::chrono::milliseconds patience = usual_patience);
    /// A folder that it made and in which nothing is goes again.
    ~folder_lock();
    folder_lock(folder_lock&&) noexcept = default;
    folder_lock& operator=(folder_lock&&) noexcept = default;

    struct held;

private:
    std::shared_ptr<held> held_;
};

}  // namespace scmi_vp::runs
