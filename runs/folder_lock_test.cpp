// SPDX-License-Identifier: Apache-2.0
// A folder of results has one owner, who is named, and whose end, however it comes, frees it.
#include "runs/folder_lock.h"

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runs/output_directory.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

namespace fs = std::filesystem;
using scenario::testing_tools::error_of;
using scenario::testing_tools::scratch_folder;
using testing::AllOf;
using testing::HasSubstr;

/// A process that holds something until it is killed.
class holder {
public:
    explicit holder(const std::function<void(const std::function<void()>& ready)>& work) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::alarm(60);
            work([&] { EXPECT_EQ(::write(ends[1], "x", 1), 1); });
            ::_exit(0);
        }
        char byte = 0;
        EXPECT_EQ(::read(ends[0], &byte, 1), 1);
        ::close(ends[0]);
        ::close(ends[1]);
    }
    ~holder() { kill(); }
    holder(const holder&) = delete;
    holder& operator=(const holder&) = delete;
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_ = -1;
};

void hold(const fs::path& folder, folder_use use, const std::function<void()>& ready) {
    const folder_lock lock(folder, use);
    ready();
    for (;;) ::pause();
}

TEST(folder_lock, refuses_the_second_and_names_the_first_until_that_is_killed) {
    const scratch_folder scratch;
    const fs::path out = scratch.path() / "out";
    holder first([&](const auto& ready) {
        output_directory mine(out);
        mine.open("a.txt") << "a";
        ready();
        for (;;) ::pause();
    });
    const std::string what = error_of([&] { output_directory second(out); });
    EXPECT_THAT(what, AllOf(HasSubstr("/out: is being written by "),
                            HasSubstr("; wait for its end, or choose another --out")));
    if (fs::exists("/proc/locks")) {
        EXPECT_THAT(what, HasSubstr("process " + std::to_string(first.pid()) + " ("));
    }
    EXPECT_TRUE(fs::exists(out / "a.txt.part"));  // untouched
    first.kill();
    EXPECT_NO_THROW(output_directory second(out));
    EXPECT_FALSE(fs::exists(out / "a.txt.part"));
}

TEST(folder_lock, is_not_kept_by_a_child_that_outlives_its_parent) {
    const scratch_folder scratch;
    int child_of_first = 0;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    holder first([&](const auto& ready) {
        const folder_lock lock(scratch.path());
        const pid_t child = ::fork();
        if (child == 0) {
            for (;;) ::pause();
        }
        EXPECT_EQ(::write(ends[1], &child, sizeof child), ssize_t(sizeof child));
        ready();
        for (;;) ::pause();
    });
    ASSERT_EQ(::read(ends[0], &child_of_first, sizeof child_of_first), ssize_t(sizeof(pid_t)));
    EXPECT_THAT(error_of([&] { const folder_lock lock(scratch.path()); }),
                HasSubstr("is being written by"));
    first.kill();
    EXPECT_EQ(::kill(child_of_first, 0), 0);
    EXPECT_NO_THROW({ const folder_lock lock(scratch.path()); });
    ::kill(child_of_first, SIGKILL);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(folder_lock, lets_many_read_and_nobody_write_meanwhile) {
    const scratch_folder scratch;
    holder reader([&](const auto& ready) { hold(scratch.path(), folder_use::read, ready); });
    EXPECT_NO_THROW({ const folder_lock lock(scratch.path(), folder_use::read); });
    EXPECT_THAT(error_of([&] { const folder_lock lock(scratch.path()); }),
                HasSubstr("is being read by"));
    reader.kill();
    holder writer([&](const auto& ready) { hold(scratch.path(), folder_use::update, ready); });
    EXPECT_THAT(error_of([&] { const folder_lock lock(scratch.path(), folder_use::read); }),
                HasSubstr("is being written by"));
}

// `slowest` of a study belongs to its study; other folders in it do not.
TEST(folder_lock, is_about_the_folders_that_are_listed_in_it_too) {
    const scratch_folder scratch;
    const fs::path out = scratch.path() / "out";
    holder study([&](const auto& ready) {
        output_directory mine(out);
        mine.subfolder("slowest");
        ready();
        for (;;) ::pause();
    });
    EXPECT_THAT(error_of([&] { output_directory part(out / "slowest"); }),
                AllOf(HasSubstr("/slowest: is part of "), HasSubstr("which is being written by")));
    EXPECT_FALSE(fs::exists(out / "slowest"));
    EXPECT_NO_THROW(output_directory other(out / "other"));
    study.kill();
    EXPECT_NO_THROW(output_directory part(out / "slowest"));
    holder part([&](const auto& ready) { hold(out / "slowest", folder_use::write, ready); });
    EXPECT_THAT(error_of([&] { output_directory whole(out); }),
                HasSubstr("/slowest: is being written by"));
}

TEST(folder_lock, makes_a_folder_and_takes_it_away_when_nothing_is_in_it) {
    const scratch_folder scratch;
    const fs::path out = scratch.path() / "a" / "out";
    {
        const folder_lock lock(out);
        EXPECT_TRUE(fs::is_directory(out));
    }
    EXPECT_FALSE(fs::exists(out));
    EXPECT_NO_THROW({ const folder_lock lock(out, folder_use::read); });
    EXPECT_FALSE(fs::exists(out));
}

// What a kill leaves at each instant while a folder is made; and what only looks like it.
TEST(folder_lock, a_folder_whose_making_was_interrupted_is_ours) {
    const std::string part = std::string(output_directory::manifest_name) + ".part";
    const scratch_folder whole;
    { const output_directory out(whole.path() / "out"); }
    std::ifstream in(whole.path() / "out" / output_directory::manifest_name);
    const std::string header{std::istreambuf_iterator<char>(in), {}};
    ASSERT_GT(header.size(), 10u);
    for (std::size_t n = 0; n <= header.size(); ++n) {
        const scratch_folder scratch;
        scratch.write(part, header.substr(0, n));
        EXPECT_NO_THROW(output_directory out(scratch.path())) << n;
        EXPECT_FALSE(fs::exists(scratch.path() / part));
    }
    const scratch_folder foreign;
    foreign.write(part, "my notes");
    EXPECT_THAT(error_of([&] { output_directory out(foreign.path()); }),
                HasSubstr("has files that scmi-vp did not write"));
    EXPECT_EQ(foreign.read(part), "my notes");
    const scratch_folder both;
    both.write(part, "");
    both.write("thesis.txt", "years of work");
    EXPECT_THAT(error_of([&] { output_directory out(both.path()); }),
                HasSubstr("has files that scmi-vp did not write"));
}

}  // namespace
}  // namespace scmi_vp::runs
