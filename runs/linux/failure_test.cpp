// SPDX-License-Identifier: Apache-2.0
// A panic, read off a console.
#include "runs/linux/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scmi_vp::runs {
namespace {

TEST(linux_failure, a_panic_says_what_when_and_in_which_task) {
    const auto p = find_panic(
        "[    1.200000] Run /init as init process\r\n"
        "[    1.230000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300\r\n"
        "[    1.230000] CPU: 0 PID: 1 Comm: init Not tainted 6.1.192 #1\r\n");
    ASSERT_TRUE(p);
    EXPECT_EQ(p->text(),
              "its kernel panicked at 1.230000 s in init (pid 1): Attempted to kill init! "
              "exitcode=0x00000300");
}

TEST(linux_failure, a_panic_of_a_newer_kernel_names_a_user_too) {
    const auto p = find_panic(
        "<0>[    0.010000] Kernel panic - not syncing: Segfault with no mm\n"
        "<4>[    0.010000] CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 7.3.4 #1\n");
    ASSERT_TRUE(p);
    EXPECT_EQ(p->task, "swapper/0 (pid 1)");
}

TEST(linux_failure, a_bare_panic_is_one_too_and_silence_is_none) {
    EXPECT_EQ(find_panic("Kernel panic - not syncing: no stamp")->text(),
              "its kernel panicked: no stamp");
    EXPECT_FALSE(find_panic(""));
    EXPECT_FALSE(find_panic("[    0.000000] Linux version 6.1\n"));
}

TEST(linux_failure, a_log_that_is_printed_again_counts_once) {
    EXPECT_EQ(kernel_log_on("[ 0.0] a\nkmsg_dump:\n<6>[ 0.0] a\n<6>[ 0.1] b\n"),
              "<6>[ 0.0] a\n<6>[ 0.1] b\n");
    EXPECT_EQ(kernel_log_on("[ 0.0] a\n"), "[ 0.0] a\n");
}

TEST(linux_failure, the_last_words_begin_with_the_panic) {
    const std::string console = "1\n2\nKernel panic - not syncing: x\n3\n4\n";
    EXPECT_EQ(last_words(console, 2), "Kernel panic - not syncing: x\n3\n");
    EXPECT_EQ(last_words(console, 9), "Kernel panic - not syncing: x\n3\n4\n");
    EXPECT_EQ(last_words("1\n2\n3\n", 2), "2\n3\n");
    EXPECT_EQ(last_words("1\n2", 5), "1\n2");
    EXPECT_EQ(last_words("", 5), "");
}

}  // namespace
}  // namespace scmi_vp::runs
