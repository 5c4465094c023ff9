// SPDX-License-Identifier: Apache-2.0
// What of a board's tree a guest is given.
#include "runs/linux/board_tree.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libfdt.h>

#include "runs/linux/device_tree.h"
#include "runs/linux/tree_testing.h"
#include "scenario/device_tree.h"

namespace scmi_vp::runs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_tools::board;

bool has(const std::string& blob, const char* path) {
    return fdt_path_offset(blob.data(), path) >= 0;
}

TEST(linux_board_tree, memory_and_boot_loader_are_left_out_and_named) {
    const board_tree t = without_the_board(board(), "x.dtb");
    EXPECT_THAT(t.left_out,
                ElementsAre("/chosen", "/memory@80000000", "/memory@880000000", "/reserved-memory",
                            "2 /memreserve/ entries", "mboxes of /firmware/scmi",
                            "shmem of /firmware/scmi", "interrupts of /firmware/scmi"));
    EXPECT_EQ(fdt_num_mem_rsv(t.blob.data()), 0);
    EXPECT_FALSE(has(t.blob, "/memory@80000000"));
    EXPECT_FALSE(has(t.blob, "/memory@880000000"));
    EXPECT_FALSE(has(t.blob, "/reserved-memory"));
    EXPECT_FALSE(has(t.blob, "/chosen"));
    EXPECT_EQ(fdt_check_full(t.blob.data(), t.blob.size()), 0);
}

TEST(linux_board_tree, what_uses_scmi_stays) {
    const board_tree t = without_the_board(board(), "x.dtb");
    for (const char* path : {"/firmware/scmi/protocol@14", "/cpus/cpu@0", "/soc/mailbox@2b1f0000",
                             "/soc/display@7ff60000", "/thermal-zones/soc", "/memory-controller"})
        EXPECT_TRUE(has(t.blob, path)) << path;
    int size = 0;
    const int display = fdt_path_offset(t.blob.data(), "/soc/display@7ff60000");
    EXPECT_TRUE(fdt_getprop(t.blob.data(), display, "clocks", &size));
    EXPECT_EQ(size, 8);
    std::istringstream in(t.blob);
    EXPECT_THAT(scenario::read_device_tree(in, "x.dtb").protocols,
                ElementsAre(0x11, 0x13, 0x14, 0x15));
}

TEST(linux_board_tree, a_tree_without_a_board_is_given_as_it_is) {
    models::device_tree_info info;
    info.protocols = {0x14};
    const std::string blob = make_device_tree(info) + "bytes behind it";
    const board_tree t = without_the_board(blob, "x.dtb");
    EXPECT_THAT(t.left_out, IsEmpty());
    EXPECT_EQ(t.blob, blob);
}

}  // namespace
}  // namespace scmi_vp::runs
