// SPDX-License-Identifier: Apache-2.0
// An unmodified Linux (User-Mode Linux without time travel) in real time against `scmi-vp serve`:
// its driver probes and reads a sensor. Heavy; needs the kernel of tools/build-linux, and is
// skipped without it.
#include <chrono>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/linux/device_tree.h"
#include "runs/linux/process.h"
#include "runs/linux/results.h"
#include "runs/linux/workload.h"
#include "runs/load.h"
#include "runs/sockets/serve_testing.h"

namespace scmi_vp::runs {
namespace {

constexpr unsigned reads = 20'000;

/// 20 000 reads of a sensor that is answered at once; the rate is a figure of docs/serve.md.
void read_many(bool in_band) {
    const std::string root = SCMI_VP_SOURCE_DIR;
    linux_boot boot;
    boot.kernel = root + "/build/linux/linux";
    boot.initramfs = root + "/build/linux/initramfs.cpio";
    boot.trace = boot.time_travel = false;
    if (!std::filesystem::exists(boot.kernel)) GTEST_SKIP() << "tools/build-linux was not run";
    const scenario::scenario s =
        load_scenario(root + "/bench/linux-reads.toml", {"hops.service=\"0s\""});

    const private_folder folder;
    folder.write("workload", make_linux_workload(s).script);
    folder.write("scmi.dtb", make_device_tree(s.system.guest.device_tree));
    serve_options options;
    options.sockets = {folder.path() / "device.sock"};
    options.in_band = in_band;
    testing_tools::server device(s, options);
    device.await("Ctrl-C ends it");
    linux_process guest(boot, folder);
    guest.finish(120);
    device.end(SIGTERM);

    const std::string result = folder.read("player.result");
    ASSERT_NE(result, "") << folder.read("console.txt") << device.report();
    const player_result played = read_player_result(result);
    EXPECT_TRUE(played.finished);
    EXPECT_EQ(played.calls(), reads);
    EXPECT_EQ(played.errors(), 0u);
    // A figure to look at: the aim is 20 000 on two idle CPUs.
    const double per_second = reads / (double(played.span().ps) * 1e-12);
    std::cout << (in_band ? "in band: " : "by eventfd: ") << per_second
              << " round trips per second\n"
              << device.report();
}

TEST(serve_linux, twenty_thousand_reads_by_eventfd_heavy) {
    read_many(false);
}
TEST(serve_linux, twenty_thousand_reads_in_band_heavy) {
    read_many(true);
}

}  // namespace
}  // namespace scmi_vp::runs
