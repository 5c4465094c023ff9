// SPDX-License-Identifier: Apache-2.0
// A real kernel on the platform model: what it did when it was recorded, it does again. Heavy tests
// need the kernel of tools/build-linux and are skipped without it.
#include "runs/linux/run.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "models/peers/time_travel.h"
#include "runs/linux/fake_kernel_testing.h"
#include "runs/linux/tree_testing.h"
#include "runs/linux/validation.h"
#include "runs/load.h"
#include "scenario/scenario_testing.h"
#include "traces/ftrace.h"

namespace scmi_vp::runs {
namespace {

using scenario::testing_tools::scratch_folder;
using testing::HasSubstr;

const std::string root = SCMI_VP_SOURCE_DIR;
const std::string recorded = root + "/traces/recorded/linux-6.1-probe-sensors-timeout";

std::filesystem::path kernel() {
    return root + "/build/linux/linux";
}

scenario::scenario recording(const std::vector<std::string>& set = {}) {
    return load_scenario(root + "/testbenches/linux-6.1-recording/scenario.toml", set);
}

std::vector<traces::ftrace_event> events_of(const std::string& file) {
    std::ifstream in(file);
    return traces::read_ftrace(in, file);
}

std::string text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Everything of an event but its time, as the kernel prints it.
std::string what(traces::ftrace_event e) {
    e.stamp = {};
    return format_ftrace_line(e, traces::ftrace_format::linux_6_1);
}

#define NEEDS_KERNEL() \
    if (!std::filesystem::exists(kernel())) GTEST_SKIP() << "tools/build-linux was not run"

TEST(linux_run, a_kernel_that_is_not_there_is_named_with_what_makes_it) {
    std::ostringstream report;
    linux_options options;
    options.kernel = "/nowhere/linux";
    const scenario::scenario s = recording();
    EXPECT_THAT(scenario::testing_tools::error_of([&] { run_linux(s, options, report); }),
                HasSubstr("/nowhere/linux: is not there; tools/build-linux makes it"));
}

TEST(linux_run, a_program_that_is_no_kernel_is_refused_with_what_it_said) {
    const scratch_folder folder;
    linux_options options;
    options.kernel = folder.write("linux", "#!/bin/sh\necho I am a shell\nexit 4\n");
    std::filesystem::permissions(options.kernel, std::filesystem::perms::owner_all);
    folder.write("initramfs.cpio", "");
    std::ostringstream report;
    const scenario::scenario s = recording();
    const std::string e = scenario::testing_tools::error_of([&] { run_linux(s, options, report); });
    EXPECT_THAT(e, HasSubstr("has not connected to its clock"));
    EXPECT_THAT(e, HasSubstr("I am a shell"));
}

// --- guests that do not come to their end
// ---------------------------------------------------------

using models::time_travel_op;

/// A guest's side of its clock, in the guest's folder.
class fake_clock {
public:
    fake_clock() {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::strcpy(name.sun_path, "clock.sock");
        if (connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) _exit(9);
        say(time_travel_op::start);
    }
    /// ... and waits for the acknowledgement.
    void say(time_travel_op op, std::uint64_t ns = 0) {
        const models::time_travel_message m{std::uint32_t(op), ++seq_, ns};
        std::array<char, sizeof m> answer;
        if (send(fd_, &m, sizeof m, 0) != sizeof m) _exit(9);
        if (recv(fd_, answer.data(), answer.size(), MSG_WAITALL) != sizeof m) _exit(9);
    }

private:
    int fd_ = socket(AF_UNIX, SOCK_STREAM, 0);
    std::uint32_t seq_ = 0;
};

constexpr const char* panic_on_console =
    "kmsg_dump:\n"
    "<6>[    0.000000] Linux version 6.1.192\n"
    "<6>[    0.000029] arm-scmi firmware:scmi: Using scmi_virtio_transport\n"
    "<0>[    0.010000] Kernel panic - not syncing: Segfault with no mm\n"
    "<4>[    0.010000] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.192 #1\n"
    "<4>[    0.010000] Stack:\n";

[[noreturn]] void be_a_kernel(const std::string& role) {
    if (role == "panics early") {
        std::fputs(panic_on_console, stdout);
        std::fflush(stdout);
        abort();
    }
    fake_clock clock;
    if (role == "panics") {
        std::fputs(panic_on_console, stdout);
        std::fflush(stdout);
        abort();
    }
    if (role == "hangs") pause();
    if (role == "sleeps") clock.say(time_travel_op::wait), pause();
    if (role == "never ends") {
        clock.say(time_travel_op::request, 3'000'000'000'000);
        clock.say(time_travel_op::wait);
        pause();
    }
    if (role == "breaks the protocol") clock.say(time_travel_op(99));
    if (role == "gives up") {
        std::ofstream("player.error") << "cannot start task sh: no such thing";
        std::ofstream("dmesg") << "";
    }
    if (role == "hands over half of its trace") {
        std::ofstream("dmesg") << "hello\n";
        std::ofstream("trace") << "# tracer: nop\n";
        std::ofstream("player.result") << "played 1\nfinished 1\nfiles 6 4096\n";
        _exit(0);
    }
    _exit(3);
}

struct failed_run {
    run_status status;
    std::string failure, report;
    scratch_folder folder;
    std::string out(const std::string& name) const { return folder.read("out/" + name); }

    explicit failed_run(const std::string& role) {
        std::ostringstream text;
        linux_options options{folder.path() / "out", testing_tools::fake_kernel(folder, role)};
        options.patience_s = 1;
        const scenario::scenario s = recording();
        const linux_outcome r = run_linux(s, options, text);
        status = r.status;
        failure = r.failure;
        report = text.str();
    }
};

void expect_failure(const std::string& role, const std::string& sentence) {
    if (const char* r = testing_tools::fake_role()) be_a_kernel(r);
    const failed_run r(role);
    EXPECT_EQ(r.status, run_status::guest_failed);
    EXPECT_EQ(r.failure, sentence);
    EXPECT_THAT(r.report, HasSubstr("\nTHE GUEST FAILED: " + sentence + "\n"));
    EXPECT_THAT(r.out("summary.json"), HasSubstr("\"failure\": \"" + sentence + "\""));
    EXPECT_TRUE(std::filesystem::exists(r.folder.path() / "out/console.txt"));
}

constexpr const char* segfault =
    "its kernel panicked at 0.010000 s in swapper/0 (pid 1): Segfault with no mm";

TEST(linux_run, a_kernel_that_panics_is_a_result_with_its_files) {
    if (const char* role = testing_tools::fake_role()) be_a_kernel(role);
    const failed_run r("panics");
    EXPECT_EQ(r.status, run_status::guest_failed);
    EXPECT_EQ(r.failure, segfault);
    EXPECT_THAT(r.report, HasSubstr("Comm: swapper/0"));
    EXPECT_THAT(r.out("console.txt"), testing::EndsWith(panic_on_console));
    EXPECT_EQ(r.out("dmesg.txt"),
              "[    0.000029] arm-scmi firmware:scmi: Using scmi_virtio_transport\n");
}

TEST(linux_run, a_kernel_that_panics_before_it_asks_for_its_clock_is_a_result_too) {
    expect_failure("panics early", segfault);
}

TEST(linux_run, a_guest_that_ends_without_results_is_said_to) {
    expect_failure("ends", "it ended without results (exit status 3)");
}

TEST(linux_run, a_guest_that_runs_and_says_nothing_is_said_to) {
    expect_failure("hangs", "it has said nothing for 1 s");
}

TEST(linux_run, a_guest_that_sleeps_for_ever_is_said_to) {
    expect_failure("sleeps",
                   "it sleeps for ever: neither it nor the platform has anything left to do");
}

TEST(linux_run, a_guest_that_never_ends_is_said_to) {
    expect_failure("never ends", "it has not ended by sim.duration and a second");
}

TEST(linux_run, a_guest_whose_program_gives_up_is_said_to) {
    expect_failure("gives up", "its program gave up: cannot start task sh: no such thing");
}

TEST(linux_run, a_trace_that_is_cut_off_is_said_to) {
    expect_failure("hands over half of its trace",
                   "only 14 of the 4096 bytes of its trace have come");
}

TEST(linux_run, a_guest_that_breaks_the_protocol_of_its_clock_is_a_result) {
    if (const char* role = testing_tools::fake_role()) be_a_kernel(role);
    const failed_run r("breaks the protocol");
    EXPECT_EQ(r.status, run_status::guest_failed);
    EXPECT_THAT(r.failure, HasSubstr("99"));
}

// traces/recorded/README.md: what the same kernel did behind another device.
TEST(linux_run, the_recording_happens_again_heavy) {
    NEEDS_KERNEL();
    const scratch_folder folder;
    linux_options options{folder.path() / "out", kernel()};
    std::ostringstream report;
    const scenario::scenario s = recording();
    const linux_outcome r = run_linux(s, options, report);
    EXPECT_EQ(r.status, run_status::ok) << report.str();
    EXPECT_EQ(r.guest.calls(), 9u);
    EXPECT_EQ(r.guest.errors(), 1u);  // the sensor whose reply takes 70 s
    const std::string out = (folder.path() / "out").string();
    const auto mine = events_of(out + "/scmi.ftrace"), theirs = events_of(recorded + ".ftrace");
    ASSERT_EQ(mine.size(), theirs.size());
    // Boot reads the clock a few times more or less with other options: the probe starts so much
    // later.
    const sim_time shift = mine[0].stamp - theirs[0].stamp;
    EXPECT_LE(std::abs(shift.ps), microseconds(3).ps);
    for (std::size_t i = 0; i < mine.size(); ++i) {
        EXPECT_EQ(what(mine[i]), what(theirs[i])) << "event " << i;
        if (mine[i].task != "kworker/u2:0" && mine[i].task != "<idle>") continue;
        if (i >= 138) continue;  // the probe's 23 messages have six events each
        // Both are rounded to microseconds.
        EXPECT_LE(std::abs((mine[i].stamp - theirs[i].stamp - shift).ps), microseconds(1).ps) << i;
    }
    EXPECT_EQ(traces::without_function_offsets(text_of(out + "/dmesg.txt")),
              traces::without_function_offsets(text_of(recorded + ".dmesg")));
}

/// The real kernel with an initramfs of our own beside it.
std::filesystem::path kernel_with(const scratch_folder& folder, const std::string& initramfs) {
    std::filesystem::create_symlink(kernel(), folder.path() / "linux");
    folder.write("initramfs.cpio", initramfs);
    return folder.path() / "linux";
}

// Without a first program the kernel panics after its probe. It cannot print its trace: User-Mode
// Linux's own panic notifier comes before that of the tracer and does not return
// (arch/um/kernel/um_arch.c panic_exit()).
TEST(linux_run, a_real_kernel_that_panics_leaves_its_trace_and_its_messages_heavy) {
    NEEDS_KERNEL();
    const scratch_folder folder;
    const linux_options options{folder.path() / "out", kernel_with(folder, "no archive")};
    std::ostringstream report;
    const scenario::scenario s = recording();
    const linux_outcome r = run_linux(s, options, report);
    EXPECT_EQ(r.status, run_status::guest_failed);
    EXPECT_THAT(r.failure, HasSubstr(" in swapper (pid 1): No working init found."));
    EXPECT_THAT(report.str(), HasSubstr("138 events were read out of its memory"));
    EXPECT_THAT(folder.read("out/console.txt"),
                HasSubstr("Kernel panic - not syncing: No working init"));
    EXPECT_THAT(folder.read("out/dmesg.txt"), HasSubstr("Firmware version 0xc0ffee"));
    const auto mine = events_of((folder.path() / "out/scmi.ftrace").string());
    const auto theirs = events_of(recorded + ".ftrace");
    ASSERT_EQ(mine.size(), 138u);  // the probe's 23 messages have six events each
    const sim_time shift = mine[0].stamp - theirs[0].stamp;
    for (std::size_t i = 0; i < mine.size(); ++i) {
        traces::ftrace_event expected = theirs[i];
        if (expected.task != "<idle>") expected.task = "<...>";
        EXPECT_EQ(what(mine[i]), what(expected)) << "event " << i;
        EXPECT_LE(std::abs((mine[i].stamp - theirs[i].stamp - shift).ps), microseconds(1).ps) << i;
    }
}

constexpr const char* copying_program = R"(
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>
int main(void) {
    static unsigned char from[300];
    int set = 0, copied = 0;
    for (int i = 0; i < 300; i++) from[i] = (unsigned char)(i | 1);
    for (int round = 0; round < 100; round++) {
        unsigned char* page[2];
        for (int k = 0; k < 2; k++)
            page[k] = (unsigned char*)mmap(0, 8192, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4000;
        memset(page[0], 0x5a, 250);
        memcpy(page[1], from, 250);
        for (int i = 0; i < 250; i++) set += page[0][i] == 0x5a, copied += page[1][i] == from[i];
    }
    mount("host", "/host", "hostfs", 0, getenv("SCMI_VP_HOST"));
    FILE* out = fopen("/host/player.error", "w");
    fprintf(out, "%d set, %d copied", set, copied);
    fclose(out);
    sync();
    reboot(RB_POWER_OFF);
}
)";

// A page fault costs a task of the guest what only AVX has, where the registers go by the older
// calls. With AVX in the C library not one of these 200 would be right.
TEST(linux_run, the_c_library_of_the_guest_copies_right_through_page_faults_heavy) {
    NEEDS_KERNEL();
    const scratch_folder folder;
    const std::string at = folder.path().string();
    folder.write("init.c", copying_program);
    folder.write("list",
                 "dir /dev 755 0 0\nnod /dev/console 600 0 0 c 5 1\ndir /host 755 0 0\n"
                 "file /init " +
                     at + "/init 755 0 0\n");
    const std::string make = "gcc -O1 -fno-builtin -static -o " + at + "/init " + at +
                             "/init.c && " + root + "/build/linux/gen_init_cpio " + at +
                             "/list > " + at + "/archive";
    ASSERT_EQ(std::system(make.c_str()), 0);
    const linux_options options{{}, kernel_with(folder, folder.read("archive"))};
    std::ostringstream report;
    const scenario::scenario s = recording();
    EXPECT_EQ(run_linux(s, options, report).failure,
              "its program gave up: 25000 set, 25000 copied");
}

TEST(linux_run, validate_says_what_the_kernel_died_of) {
    if (const char* role = testing_tools::fake_role()) be_a_kernel(role);
    const scratch_folder folder;
    const validation_options options{folder.path() / "out",
                                     testing_tools::fake_kernel(folder, "panics")};
    const scenario::scenario s = recording();
    EXPECT_EQ(scenario::testing_tools::error_of([&] { validate(s, options); }),
              "the guest: " + std::string(segfault) +
                  " (its files: " + (folder.path() / "out/kernel").string() + ")");
    EXPECT_THAT(folder.read("out/kernel/console.txt"), HasSubstr("Segfault with no mm"));
}

/// A scenario beside its tree, whose name says nothing.
scenario::scenario on_a_board(const scratch_folder& folder, const std::string& tree) {
    folder.write("board", tree);
    return load_scenario(folder.write("s.toml", R"(
[scenario]
title = "a board"
[guest]
device_tree = "board"
[[platform.power_domain]]
name = "gpu"
[[platform.performance_domain]]
name = "cpus"
levels = [ { level = 1, power = 1, latency = "10us" } ]
[[platform.clock]]
name = "pixel"
rate = 100
[[platform.sensor]]
name = "soc"
[hops]
service = "50us"
[[workload.context]]
name = "sh"
[[workload.loop]]
context = "sh"
count = 2
calls = [ { call = "sensor_read", id = 0 }, { call = "clock_get_rate", id = 0 } ]
)"),
                         {});
}

void expect_to_boot(const std::string& tree, const std::string& left_out) {
    const scratch_folder folder;
    std::ostringstream report;
    const scenario::scenario s = on_a_board(folder, tree);
    const linux_outcome r = run_linux(s, {folder.path() / "out", kernel()}, report);
    EXPECT_EQ(r.status, run_status::ok) << report.str();
    EXPECT_EQ(r.guest.calls(), 2u);
    EXPECT_EQ(r.guest.errors(), 0u);
    // Not after the ten seconds for which a kernel waits for a controller that is not there.
    EXPECT_LT(r.first_command, milliseconds(1));
    EXPECT_THAT(report.str(), HasSubstr("\nnote: left out of the guest's device tree, since "
                                        "User-Mode Linux has no such thing: " +
                                        left_out + "\n"));
}

constexpr const char* the_boards =
    "/chosen, /memory@80000000, /memory@880000000, /reserved-memory, 2 /memreserve/ entries";

TEST(linux_run, boots_with_the_tree_of_a_board_heavy) {
    NEEDS_KERNEL();
    expect_to_boot(testing_tools::board(false), the_boards);
}

TEST(linux_run, boots_with_a_tree_whose_scmi_was_behind_a_mailbox_heavy) {
    NEEDS_KERNEL();
    expect_to_boot(testing_tools::board(),
                   std::string(the_boards) +
                       ", mboxes of /firmware/scmi, shmem of /firmware/scmi, interrupts of "
                       "/firmware/scmi");
}

// With tracing off no clock is read: each call takes the 50 us of its service and nothing else.
TEST(linux_run, twenty_thousand_reads_take_one_second_heavy) {
    NEEDS_KERNEL();
    const scenario::scenario s = parse_scenario(
        R"(
[scenario]
title = "reads"
[guest]
profile = "linux-6.1"
hz = 100
ftrace = false
[platform]
protocols = [0x15]
[[platform.sensor]]
name = "a"
[hops]
service = "50us"
[[workload.context]]
name = "sh"
[[workload.loop]]
context = "sh"
count = 20000
calls = [ { call = "sensor_read", id = 0 } ]
)",
        "s.toml");
    std::ostringstream report;
    const linux_outcome r = run_linux(s, {{}, kernel()}, report);
    EXPECT_EQ(r.status, run_status::ok) << report.str();
    EXPECT_EQ(r.guest.calls(), 20000u);
    EXPECT_EQ(r.guest.errors(), 0u);
    EXPECT_EQ(r.guest.span(), seconds(1));
}

TEST(linux_run, tells_how_often_each_fault_hit_heavy) {
    NEEDS_KERNEL();
    const scenario::scenario s =
        load_scenario(root + "/testbenches/validation/39-one-of-each-fault.toml", {});
    std::ostringstream report;
    EXPECT_EQ(run_linux(s, {{}, kernel()}, report).status, run_status::ok) << report.str();
    EXPECT_THAT(report.str(),
                HasSubstr("\nplatform.fault.0 (drop): hit 2 of 2 messages that match\n"));
    EXPECT_THAT(report.str(), HasSubstr("\nplatform.fault.11 (corrupt): hit 2 of 2"));
}

}  // namespace
}  // namespace scmi_vp::runs
