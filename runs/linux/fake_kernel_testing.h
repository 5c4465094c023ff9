// SPDX-License-Identifier: Apache-2.0
// A kernel for tests: the test program itself, started by a script in the kernel's place. The test
// that starts one begins with `if (const char* role = fake_role()) ...`, and comes there twice.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "scenario/scenario_testing.h"

namespace scmi_vp::runs::testing_tools {

inline constexpr const char* role_variable = "SCMI_VP_TEST_AS_KERNEL";

/// What this process is to play; nullptr in the test itself.
inline const char* fake_role() {
    return std::getenv(role_variable);
}

/// A file that starts the test which calls this once more, in that role; initramfs.cpio beside it.
inline std::filesystem::path fake_kernel(const scenario::testing_tools::scratch_folder& folder,
                                         const std::string& role) {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::filesystem::path script = folder.write(
        "linux", "#!/bin/sh\nexport " + std::string(role_variable) + "='" + role + "'\nexec '" +
                     self + "' --gtest_filter=" + test.test_suite_name() + "." + test.name() +
                     "\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    folder.write("initramfs.cpio", "");
    return script;
}

}  // namespace scmi_vp::runs::testing_tools
