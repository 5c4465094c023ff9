// SPDX-License-Identifier: Apache-2.0
// `scmi-vp linux` and `validate` when they are interrupted or killed, and where the host has no
// room: one true message, what there is is kept, and nothing stays behind.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/model_testing.h"
#include "runs/linux/fake_kernel_testing.h"
#include "runs/linux/process.h"
#include "runs/linux/run.h"
#include "runs/linux/validation.h"
#include "runs/load.h"
#include "runs/small_disk_testing.h"
#include "runs/stop_signals.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

namespace fs = std::filesystem;
using scenario::testing_tools::scratch_folder;
using testing::HasSubstr;
using testing_tools::small_disk;

const std::string root = SCMI_VP_SOURCE_DIR;

scenario::scenario recording() {
    return load_scenario(root + "/testbenches/linux-6.1-recording/scenario.toml", {});
}

/// The folder for temporary files, while it lives.
class temporary_folder {
public:
    explicit temporary_folder(const fs::path& folder) {
        if (const char* before = std::getenv("TMPDIR")) before_ = before;
        ::setenv("TMPDIR", folder.c_str(), 1);
    }
    ~temporary_folder() {
        before_.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before_.c_str(), 1);
    }

private:
    std::string before_;
};

/// Of a kernel that boots for ever, and says so in the guest's folder, too.
constexpr const char* booting = "booting";
[[noreturn]] void boot_for_ever() {
    std::puts(booting);
    std::fflush(stdout);
    std::ofstream here(booting);
    for (;;) ::pause();
}

bool has_booting_guest(const fs::path& tmp) {
    for (const fs::directory_entry& e : fs::directory_iterator(tmp)) {
        if (fs::exists(e.path() / booting)) return true;
    }
    return false;
}

/// A second process that does `what`, once it has a guest that boots in a folder in `tmp`.
pid_t start(const fs::path& tmp, const std::function<void()>& what) {
    const pid_t child = ::fork();
    if (child == 0) {
        what();
        ::_exit(0);
    }
    for (int i = 0; i < 1000 && !has_booting_guest(tmp); ++i) ::usleep(10'000);
    EXPECT_TRUE(has_booting_guest(tmp));
    return child;
}

int status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

bool becomes_empty(const fs::path& folder) {
    for (int i = 0; i < 1000; ++i) {
        if (fs::is_empty(folder)) return true;
        ::usleep(10'000);
    }
    return false;
}

/// Processes that work in a folder below this one, as guests do (proc(5)).
unsigned processes_in(const fs::path& folder) {
    unsigned n = 0;
    for (const fs::directory_entry& e : fs::directory_iterator("/proc")) {
        std::error_code ignored;
        const fs::path there = fs::read_symlink(e.path() / "cwd", ignored);
        n += there.string().rfind(folder.string() + "/", 0) == 0;
    }
    return n;
}

bool no_process_stays_in(const fs::path& folder) {
    for (int i = 0; i < 1000; ++i) {
        if (processes_in(folder) == 0) return true;
        ::usleep(10'000);
    }
    return false;
}

TEST(linux_pressure, killed_it_leaves_no_process_and_no_folder) {
    if (testing_tools::fake_role()) boot_for_ever();
    const scratch_folder folder, tmp;
    const temporary_folder here(tmp.path());
    const auto kernel = testing_tools::fake_kernel(folder, "boots");
    const pid_t child = start(tmp.path(), [&] {
        std::ostringstream report;
        run_linux(recording(), {folder.path() / "out", kernel}, report);
    });
    EXPECT_GT(processes_in(tmp.path()), 0u);
    ::kill(child, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(status_of(child)));
    EXPECT_TRUE(becomes_empty(tmp.path()));
    EXPECT_TRUE(no_process_stays_in(tmp.path()));
}

TEST(linux_pressure, interrupted_it_keeps_what_there_is_and_says_so) {
    if (testing_tools::fake_role()) boot_for_ever();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        const scratch_folder folder, tmp;
        const temporary_folder here(tmp.path());
        const auto kernel = testing_tools::fake_kernel(folder, "boots");
        const pid_t child = start(tmp.path(), [&] {
            std::ostringstream report;
            try {
                run_linux(recording(), {folder.path() / "out", kernel}, report);
            } catch (const stopped& e) {
                folder.write("said", e.what());
                ::_exit(e.signal());
            }
        });
        ::kill(child, signal);
        EXPECT_EQ(WEXITSTATUS(status_of(child)), signal);
        EXPECT_THAT(folder.read("said"), testing::StartsWith("interrupted (SIG"));
        EXPECT_THAT(folder.read("said"), testing::Not(HasSubstr("\n")));
        EXPECT_THAT(folder.read("out/console.txt"), testing::EndsWith("booting\n"));
        EXPECT_THAT(folder.read("out/summary.json"), HasSubstr("\"failure\": \"interrupted"));
        EXPECT_TRUE(fs::is_empty(tmp.path()));
    }
}

TEST(linux_pressure, validate_ends_with_the_signal_and_leaves_nothing) {
    if (testing_tools::fake_role()) boot_for_ever();
    for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
        const scratch_folder folder, tmp;
        const temporary_folder here(tmp.path());
        const auto kernel = testing_tools::fake_kernel(folder, "boots");
        const pid_t child = start(tmp.path(), [&] {
            const stop_flag asked;
            validation_options options{folder.path() / "out", kernel};
            options.stop = asked.asked();
            try {
                validate(recording(), options);
            } catch (const stopped& e) {
                ::_exit(e.signal());
            }
        });
        ::kill(child, signal);
        const int status = status_of(child);
        EXPECT_EQ(signal == SIGKILL ? WTERMSIG(status) : WEXITSTATUS(status), signal);
        EXPECT_TRUE(becomes_empty(tmp.path())) << signal;
        EXPECT_TRUE(no_process_stays_in(tmp.path()));
    }
}

TEST(linux_pressure, a_full_temporary_folder_is_named) {
    const small_disk disk("16k");
    if (!disk.mounted()) GTEST_SKIP() << "a file system for the test needs root";
    const temporary_folder here(disk.path());
    const private_folder folder;
    const std::string much(64 << 10, 'x');
    EXPECT_THAT(scenario::testing_tools::error_of([&] { folder.write("workload", much); }),
                HasSubstr("cannot be written: the disk of " + disk.path().string() +
                          " is full (0 KiB left): set TMPDIR to a folder on another one"));
}

/// With the real kernel: whatever the room, either all is there or nothing is said to be.
TEST(linux_pressure, in_a_small_temporary_folder_no_result_is_cut_off_heavy) {
    const fs::path kernel = root + "/build/linux/linux";
    if (!fs::exists(kernel)) GTEST_SKIP() << "tools/build-linux was not run";
    const scratch_folder folder;
    const auto traced = [&](const std::string& name) { return folder.read(name + "/scmi.ftrace"); };
    models::testing_tools::in_child([&] {
        std::ostringstream report;
        run_linux(recording(), {folder.path() / "whole", kernel}, report);
    });
    ASSERT_GT(traced("whole").size(), 1000u);
    unsigned failed = 0, whole = 0;
    for (const char* size : {"16k", "28k", "32k", "36k", "40k", "48k", "56k", "64k", "96k", "4m"}) {
        const small_disk disk(size);
        if (!disk.mounted()) GTEST_SKIP() << "a file system for the test needs root";
        const temporary_folder here(disk.path());
        int status = 0;
        const pid_t child = ::fork();
        if (child == 0) {
            std::ostringstream report;
            try {
                const linux_outcome o =
                    run_linux(recording(), {folder.path() / size, kernel}, report);
                std::cout << size << ": " << o.failure << std::endl;
                if (o.status == run_status::guest_failed) {
                    EXPECT_THAT(o.failure, HasSubstr("is full")) << size;
                    ::_exit(testing::Test::HasFailure() ? 9 : 5);
                }
                ::_exit(o.status == run_status::ok ? 0 : 4);
            } catch (const error& e) {
                std::cout << size << ": " << e.what() << std::endl;
                ::_exit(std::string(e.what()).find("is full") == std::string::npos ? 9 : 5);
            }
        }
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        if (WEXITSTATUS(status) == 5) {
            ++failed;
        } else {
            EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 4) << size;
            EXPECT_EQ(traced(size), traced("whole")) << size;
            ++whole;
        }
        EXPECT_TRUE(fs::is_empty(disk.path())) << size;
    }
    EXPECT_GT(failed, 0u);
    EXPECT_GT(whole, 0u);
}

}  // namespace
}  // namespace scmi_vp::runs
