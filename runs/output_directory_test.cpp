// SPDX-License-Identifier: Apache-2.0
// The output folder: takes what is its own, leaves everything else alone, never fails silently.
#include "runs/output_directory.h"

#include <cerrno>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runs/small_disk_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::runs {
namespace {

namespace fs = std::filesystem;
using scenario::testing_tools::error_of;
using scenario::testing_tools::scratch_folder;
using testing::ElementsAre;
using testing::HasSubstr;

void write_into(const fs::path& folder, const std::string& name, const std::string& text) {
    output_directory out(folder);
    out.open(name) << text;
    out.finish();
}

TEST(output_directory, is_made_with_its_parents_and_reports_sizes) {
    const scratch_folder scratch;
    const fs::path folder = scratch.path() / "a/b";
    output_directory out(folder);
    out.open("one.txt") << "12345";
    out.open("two.txt");
    const auto files = out.finish();
    ASSERT_EQ(files.size(), 2u);
    EXPECT_EQ(files[0].name, "one.txt");
    EXPECT_EQ(files[0].bytes, 5u);
    EXPECT_EQ(files[1].bytes, 0u);
    EXPECT_EQ(scratch.read("a/b/one.txt"), "12345");
    EXPECT_EQ(out.path_of("one.txt"), folder / "one.txt");
}

TEST(output_directory, replaces_what_it_wrote_and_removes_what_it_no_longer_writes) {
    const scratch_folder scratch;
    const fs::path folder = scratch.path() / "out";
    write_into(folder, "old.txt", "old");
    write_into(folder, "new.txt", "new");
    EXPECT_FALSE(fs::exists(folder / "old.txt"));
    write_into(folder, "new.txt", "newer");
    EXPECT_EQ(scratch.read("out/new.txt"), "newer");
}

TEST(output_directory, an_empty_folder_is_taken) {
    const scratch_folder scratch;
    write_into(scratch.path(), "a.txt", "a");
    EXPECT_EQ(scratch.read("a.txt"), "a");
}

TEST(output_directory, a_folder_with_foreign_files_is_refused) {
    const scratch_folder scratch;
    scratch.write("thesis.txt", "years of work");
    try {
        const output_directory out(scratch.path());
        FAIL() << "no error";
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::output);
        EXPECT_EQ(e.what(), scratch.path().string() +
                                ": has files that scmi-vp did not write, and it overwrites only "
                                "its own; choose another --out or an empty folder");
    }
    EXPECT_EQ(scratch.read("thesis.txt"), "years of work");
    EXPECT_FALSE(fs::exists(scratch.path() / output_directory::manifest_name));
}

TEST(output_directory, a_foreign_file_beside_ours_survives) {
    const scratch_folder scratch;
    const fs::path folder = scratch.path() / "out";
    write_into(folder, "a.txt", "a");
    scratch.write("out/notes.txt", "mine");
    write_into(folder, "a.txt", "b");
    EXPECT_EQ(scratch.read("out/notes.txt"), "mine");
    const std::string what = error_of([&] { write_into(folder, "notes.txt", "theirs"); });
    EXPECT_THAT(what, HasSubstr("notes.txt: was not written by scmi-vp and is in the way"));
    EXPECT_EQ(scratch.read("out/notes.txt"), "mine");
}

// A manifest that somebody wrote must not make us remove files elsewhere.
TEST(output_directory, a_forged_manifest_removes_nothing_outside) {
    const scratch_folder scratch;
    const fs::path folder = scratch.path() / "out";
    write_into(folder, "a.txt", "a");
    scratch.write("precious.txt", "x");
    std::ofstream(folder / output_directory::manifest_name, std::ios::app)
        << "../precious.txt\n"
        << (scratch.path() / "precious.txt").string() << "\n..\n.\n";
    error_of([&] { write_into(folder, "a.txt", "b"); });
    EXPECT_EQ(scratch.read("precious.txt"), "x");
}

TEST(output_directory, a_file_of_the_manifests_name_is_no_manifest) {
    const scratch_folder scratch;
    scratch.write(output_directory::manifest_name, "a.txt\n");
    scratch.write("a.txt", "mine");
    EXPECT_THAT(error_of([&] { const output_directory out(scratch.path()); }),
                HasSubstr("has files that scmi-vp did not write"));
    EXPECT_EQ(scratch.read("a.txt"), "mine");
}

// Works for root too: nothing can be made below a regular file.
TEST(output_directory, a_path_that_cannot_be_made_is_said) {
    const scratch_folder scratch;
    const fs::path file = scratch.write("file", "");
    EXPECT_EQ(error_of([&] { const output_directory out(file); }),
              file.string() + ": is a file, not a folder; choose another --out");
    EXPECT_EQ(error_of([&] { const output_directory out(file / "out"); }),
              (file / "out").string() +
                  ": cannot make this folder (Not a directory); choose another --out");
}

// /dev/full answers every write with ENOSPC, as a full disk does.
TEST(output_directory, a_full_disk_is_an_error) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
    const scratch_folder scratch;
    output_directory out(scratch.path());
    std::ostream& stream = out.open("a.txt");
    // The stream goes on to the full device while its name stays in the folder.
    static_cast<std::ofstream&>(stream).close();
    static_cast<std::ofstream&>(stream).open("/dev/full");
    stream << "text";
    EXPECT_EQ(error_of([&] { out.finish(); }),
              (scratch.path() / "a.txt").string() +
                  ": could not be written to its end (No space left on device); make room there or "
                  "choose another --out");
}

// --- what a run that did not come to its end leaves -------------------------------------------

std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        names.insert(entry.path().filename().string());
    }
    return names;
}

TEST(output_directory, a_file_has_its_name_when_it_is_whole_and_a_trace_at_once) {
    const scratch_folder scratch;
    output_directory out(scratch.path());
    out.open("table.csv") << "1";
    out.open("page.html") << "2" << std::flush;
    out.open_trace("trace.txt") << "3";
    EXPECT_THAT(names_in(scratch.path()),
                ElementsAre(".scmi-vp-output", "page.html.part", "table.csv.part", "trace.txt"));
    out.close("table.csv");
    EXPECT_EQ(scratch.read("table.csv"), "1");
    EXPECT_EQ(scratch.read("page.html.part"), "2");
    const auto files = out.finish();
    ASSERT_EQ(files.size(), 3u);
    EXPECT_EQ(files[0].name, "table.csv");
    EXPECT_EQ(files[0].bytes, 1u);
    EXPECT_THAT(names_in(scratch.path()),
                ElementsAre(".scmi-vp-output", "page.html", "table.csv", "trace.txt"));
}

TEST(output_directory, the_next_run_removes_what_one_that_was_ended_has_left) {
    const scratch_folder scratch;
    {
        output_directory out(scratch.path());
        out.open("table.csv") << "1";
        out.open_trace("trace.txt") << "3";
        EXPECT_TRUE(bool(out.open_nameless() << "2"));
    }
    scratch.write("mine.part", "mine");
    EXPECT_THAT(names_in(scratch.path()),
                ElementsAre(".scmi-vp-output", "mine.part", "table.csv.part", "trace.txt"));
    const output_directory again(scratch.path());
    EXPECT_THAT(names_in(scratch.path()), ElementsAre(".scmi-vp-output", "mine.part"));
}

TEST(output_directory, a_foreign_file_of_a_parts_name_survives) {
    const scratch_folder scratch;
    write_into(scratch.path(), "a.txt", "a");
    scratch.write("a.txt.part", "mine");
    EXPECT_THAT(error_of([&] { write_into(scratch.path(), "a.txt", "b"); }),
                HasSubstr("a.txt.part: was not written by scmi-vp and is in the way"));
    EXPECT_EQ(scratch.read("a.txt.part"), "mine");
}

TEST(output_directory, a_file_that_fails_does_not_cost_the_others) {
    const scratch_folder scratch;
    output_directory out(scratch.path());
    out.open("a.txt") << "a";
    out.open("b.txt") << "b";
    out.open("c.txt") << "c";
    EXPECT_EQ(error_of([&] { out.close("b.txt", ENOSPC); }),
              (scratch.path() / "b.txt").string() +
                  ": could not be written to its end (No space left on device); make room there or "
                  "choose another --out");
    EXPECT_EQ(out.finish().size(), 2u);
    EXPECT_THAT(names_in(scratch.path()), ElementsAre(".scmi-vp-output", "a.txt", "c.txt"));
}

TEST(output_directory, folders_in_it_are_cleared_of_what_is_ours) {
    const scratch_folder scratch;
    const fs::path inner = scratch.path() / "out/inner";
    const auto fill = [&] {
        output_directory out(scratch.path() / "out");
        write_into(out.subfolder("inner"), "waves.vcd", "old");
        EXPECT_EQ(scratch.read("out/inner/waves.vcd"), "old");
    };
    fill();
    {
        output_directory out(scratch.path() / "out");  // of whatever kind
        EXPECT_FALSE(fs::exists(inner));
    }
    fill();
    scratch.write("out/inner/notes.txt", "mine");
    output_directory out(scratch.path() / "out");
    EXPECT_EQ(scratch.read("out/inner/notes.txt"), "mine");
    EXPECT_FALSE(fs::exists(inner / "waves.vcd"));
    write_into(out.subfolder("inner"), "waves.vcd", "new");
    EXPECT_EQ(scratch.read("out/inner/notes.txt"), "mine");
}

TEST(output_directory, a_folder_in_it_that_is_not_ours_is_refused_at_once) {
    const scratch_folder scratch;
    output_directory out(scratch.path() / "out");
    fs::create_directory(scratch.path() / "out/inner");
    scratch.write("out/inner/thesis.txt", "years of work");
    EXPECT_THAT(error_of([&] { out.subfolder("inner"); }),
                HasSubstr("inner: has files that scmi-vp did not write"));
    EXPECT_EQ(scratch.read("out/inner/thesis.txt"), "years of work");
}

TEST(output_directory, a_forged_manifest_clears_no_folder_outside) {
    const scratch_folder scratch;
    write_into(scratch.path() / "other", "a.txt", "a");
    write_into(scratch.path() / "out", "a.txt", "a");
    fs::create_directory_symlink(scratch.path() / "other", scratch.path() / "out/link");
    std::ofstream(scratch.path() / "out" / output_directory::manifest_name, std::ios::app)
        << "../other/\n"
        << (scratch.path() / "other/").string() << "\nlink/\n../\n./\n/\n\n";
    write_into(scratch.path() / "out", "a.txt", "b");
    EXPECT_EQ(scratch.read("other/a.txt"), "a");
}

// A manifest cut by a full disk would make the folder somebody else's for ever.
TEST(output_directory, stays_ours_on_a_full_disk) {
    const testing_tools::small_disk disk("16k");
    if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
    {
        output_directory out(disk.path() / "out");
        std::ostream& big = out.open_trace("big.txt");
        big << std::string(100'000, 'x') << std::flush;
        EXPECT_FALSE(big);
        EXPECT_THAT(error_of([&] { out.open("more.txt"); }),
                    HasSubstr("more.txt: cannot be written (No space left on device)"));
    }
    write_into(disk.path() / "out", "a.txt", "a");
    EXPECT_THAT(names_in(disk.path() / "out"), ElementsAre(".scmi-vp-output", "a.txt"));
}

}  // namespace
}  // namespace scmi_vp::runs
