// SPDX-License-Identifier: Apache-2.0
// What a process tells, the others see.
#include "studies/methods/progress_board.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scmi_vp::studies {
namespace {

TEST(progress_board, adds_up_what_processes_tell) {
    progress_board board(4);
    EXPECT_EQ(board.fraction(), 0);
    for (std::size_t task = 0; task < 2; ++task) {
        const pid_t child = ::fork();
        if (child == 0) {
            board.tell(task, 0.25, 10);
            board.tell(task, 0.5, 100 + task);
            ::_exit(0);
        }
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    }
    board.tell(3, 1.7, 1);
    EXPECT_EQ(board.fraction(), (0.5 + 0.5 + 1) / 4);
    EXPECT_EQ(board.count(), 202u);
    EXPECT_EQ(progress_board(0).fraction(), 1);
}

}  // namespace
}  // namespace scmi_vp::studies
