// SPDX-License-Identifier: Apache-2.0
// The output folder: takes what is its own, leaves everything else alone, never fails silently.
#include "testbenches/output_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/scenario_testing.h"

namespace scmi_vp::testbenches {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_tools::error_of;
using testing_tools::scratch_folder;

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

}  // namespace
}  // namespace scmi_vp::testbenches
