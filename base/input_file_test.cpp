// SPDX-License-Identifier: Apache-2.0
// Inputs that fail, never end, are something else or nest too deep.
#include "base/input_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/nesting.h"

namespace scmi_vp {
namespace {

namespace fs = std::filesystem;

constexpr input_kind small{"a small file", inputs::mib, 0, error_kind::config};
constexpr input_kind lined{"a list", 4 * inputs::mib, inputs::mib};

class input_file : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "scmi-vp-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { fs::remove_all(folder); }
    fs::path write(const std::string& text) const {
        std::ofstream(folder / "f", std::ios::binary) << text;
        return folder / "f";
    }
    static std::string refusal(const fs::path& path, const std::string& where = "") {
        try {
            read_input(path, small, where);
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::config);
            return e.what();
        }
        return "read";
    }
    static std::string streamed(const fs::path& path) {
        try {
            input_stream in(path, lined);
            std::string line, all;
            while (std::getline(in, line)) all += line + "|";
            return all;
        } catch (const error& e) {
            return e.what();
        }
    }
    fs::path folder;
};

TEST_F(input_file, that_cannot_be_read_is_said_with_its_place) {
    EXPECT_EQ(refusal("/proc/self/mem"), "cannot read /proc/self/mem (Input/output error)");
    EXPECT_EQ(streamed("/proc/self/mem"), "cannot read /proc/self/mem (Input/output error)");
    EXPECT_EQ(refusal("/"), "/ is a folder, not a file");
    EXPECT_EQ(refusal("/nowhere/f", "s.toml:3:8: platform.file"),
              "s.toml:3:8: platform.file: cannot read /nowhere/f (No such file or directory); "
              "paths are relative to the file that names them");
    EXPECT_EQ(refusal("/dev/null"), "/dev/null is empty");
    EXPECT_EQ(refusal(write("")), (folder / "f").string() + " is empty");
}

TEST_F(input_file, that_never_ends_is_left_in_time) {
    const std::string rest =
        " is larger than 1 MiB, the most that a small file may have; is it another file?";
    EXPECT_EQ(refusal("/dev/zero"), "/dev/zero" + rest);
    const fs::path sparse = write("a");
    fs::resize_file(sparse, std::uint64_t{1} << 40);
    EXPECT_EQ(refusal(sparse), sparse.string() + rest);
    EXPECT_EQ(read_input(write(std::string(inputs::mib, 'x')), small).size(), inputs::mib);
    EXPECT_EQ(streamed("/dev/zero"), "/dev/zero:1 is longer than 1 MiB: no line of a list is");
    EXPECT_EQ(streamed(write("a\nbc\n" + std::string(inputs::mib + 1, 'x'))),
              (folder / "f").string() + ":3 is longer than 1 MiB: no line of a list is");
    EXPECT_EQ(streamed(write("a\nbc\n")), "a|bc|");
}

TEST_F(input_file, that_is_a_pipe_is_read_once_and_remembered) {
    const fs::path pipe = folder / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::thread writer([&] { std::ofstream(pipe) << "from the other side\n"; });
    EXPECT_EQ(read_input(pipe, small), "from the other side\n");
    writer.join();
    EXPECT_EQ(read_input(pipe, small), "from the other side\n");  // would wait for ever
}

std::string place(const std::optional<text_place>& p) {
    return p ? std::to_string(p->line) + ":" + std::to_string(p->column) : "fine";
}

TEST(nesting, is_limited_in_toml_outside_of_strings_and_comments) {
    const std::string deep(65, '['), fine = std::string(64, '[') + std::string(64, ']');
    EXPECT_EQ(place(too_deep_in_toml("a = 1\nb = " + deep)), "2:69");
    EXPECT_EQ(place(too_deep_in_toml("b = " + fine + "\nc = " + fine)), "fine");
    EXPECT_EQ(place(too_deep_in_toml("b = \"" + deep + "\"")), "fine");
    EXPECT_EQ(place(too_deep_in_toml("b = '" + deep + "'")), "fine");
    EXPECT_EQ(place(too_deep_in_toml("b = \"\\\"" + deep + "\" # " + deep)), "fine");
    EXPECT_EQ(place(too_deep_in_toml("b = \"\"\"\n" + deep + "\n\"\"\"")), "fine");
    EXPECT_EQ(place(too_deep_in_toml("b = \"\"\"\n\"\"\"\"" + deep)), "2:69");
    std::string dots = "a";
    for (int i = 0; i < 63; ++i) dots += ".a";
    EXPECT_EQ(place(too_deep_in_toml(dots + " = 1.5\n[" + dots + "]\n")), "fine");
    EXPECT_EQ(place(too_deep_in_toml("[" + dots + ".a]")), "1:129");
    EXPECT_EQ(place(too_deep_in_toml(dots + ". \"x.y\" = 1")), "1:128");
}

TEST(nesting, is_limited_in_json) {
    EXPECT_EQ(place(too_deep_in_json("{\"a\": \"[[" + std::string(99, '{') + "\"}")), "fine");
    EXPECT_EQ(place(too_deep_in_json("{\"a\":\n" + std::string(64, '['))), "2:64");
}

}  // namespace
}  // namespace scmi_vp
