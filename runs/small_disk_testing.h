// SPDX-License-Identifier: Apache-2.0
// For tests: a small file system of its own, in which one can run out of room; needs to be root.
#pragma once

#include <string>

#include <sys/mount.h>

#include "scenario/scenario_testing.h"

namespace scmi_vp::runs::testing_tools {

/// Gone at the end of the test.
class small_disk {
public:
    /// `size` as mount(8) says it of a tmpfs: "256k".
    explicit small_disk(const std::string& size) {
        const std::string options = "size=" + size;
        mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    }
    ~small_disk() {
        if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
    }
    small_disk(const small_disk&) = delete;
    small_disk& operator=(const small_disk&) = delete;

    /// False when this process may not mount.
    bool mounted() const { return mounted_; }
    const std::filesystem::path& path() const { return folder_.path(); }

private:
    scenario::testing_tools::scratch_folder folder_;
    bool mounted_ = false;
};

}  // namespace scmi_vp::runs::testing_tools
