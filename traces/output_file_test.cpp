// SPDX-License-Identifier: Apache-2.0
// A failed write is an error that names the file and the reason.
#include "traces/output_file.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp::traces {
namespace {

std::string message_of_check(std::ostream& out, const std::string& name) {
    try {
        check_stream(out, name);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::output);
        return e.what();
    }
    return "no error";
}

TEST(check_stream, is_silent_about_a_good_stream) {
    std::ostringstream out;
    out << "text";
    EXPECT_EQ(message_of_check(out, "good.vcd"), "no error");
}

TEST(check_stream, flushes_so_that_a_full_disk_is_seen_at_once) {
    // full(4): writes to /dev/full fail with ENOSPC.
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    std::ofstream out("/dev/full");
    out << "still in the stream's own buffer";
    ASSERT_TRUE(out.good());
    const std::string message = message_of_check(out, "full.vcd");
    EXPECT_NE(message.find("full.vcd: cannot write: No space left on device"), std::string::npos)
        << message;
}

TEST(check_stream, reports_a_file_that_could_not_be_opened) {
    std::ofstream out("/nonexistent-directory/out.vcd");
    const std::string message = message_of_check(out, "out.vcd");
    EXPECT_EQ(message.rfind("out.vcd: cannot write: ", 0), 0U) << message;
}

// Both what waits in the stream's buffer and what is written past it.
TEST(write_failure, is_the_reason_whatever_happened_since) {
    for (const std::size_t size : {10u, 100'000u}) {
        std::ofstream full("/dev/full");
        full << std::string(size, 'x') << std::flush;
        errno = ENOTTY;
        EXPECT_EQ(write_failure(full), ENOSPC);
        EXPECT_FALSE(full);
    }
    std::ofstream unopened("/nowhere/at/all");
    EXPECT_EQ(write_failure(unopened), EIO);
    std::ostringstream good;
    EXPECT_EQ(write_failure(good << "x"), 0);
}

}  // namespace
}  // namespace scmi_vp::traces
