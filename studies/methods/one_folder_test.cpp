// SPDX-License-Identifier: Apache-2.0
// Two at once into one folder, and folders in which there is no room: what is left is one result,
// or part of one that says what is missing; never a mixture, never a folder that is lost.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runs/load.h"
#include "runs/output_directory.h"
#include "runs/run.h"
#include "runs/small_disk_testing.h"
#include "studies/methods/run_study.h"
#include "studies/methods/small_study_testing.h"

namespace scmi_vp::studies {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

std::string contents(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::size_t rows(const fs::path& file) {
    const std::string text = contents(file);
    return std::size_t(std::count(text.begin(), text.end(), '\n')) - 1;
}

/// A run or a study in a process of its own; what it throws comes back.
class process {
public:
    template <class work_t>
    explicit process(work_t work) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::alarm(100);
            ::close(ends[0]);
            std::string what;
            try {
                work();
            } catch (const std::exception& e) {
                what = e.what();
            }
            const bool told = ::write(ends[1], what.data(), what.size()) == ssize_t(what.size());
            ::_exit(!told ? 9 : what.empty() ? 0 : 3);
        }
        ::close(ends[1]);
        fd_ = ends[0];
    }
    ~process() { wait(); }
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    void kill() const { ::kill(pid_, SIGKILL); }
    void wait() {
        if (pid_ <= 0) return;
        char block[4096];
        for (ssize_t n; (n = ::read(fd_, block, sizeof block)) > 0;)
            what_.append(block, std::size_t(n));
        ::close(fd_);
        ::waitpid(pid_, &status_, 0);
        pid_ = -1;
    }
    bool killed() const { return WIFSIGNALED(status_); }
    bool well() const { return WIFEXITED(status_) && WEXITSTATUS(status_) == 0; }
    const std::string& what() const { return what_; }

private:
    pid_t pid_ = -1;
    int fd_ = -1, status_ = 0;
    std::string what_;
};

class one_folder : public small_study {
protected:
    void make_study(const fs::path& out, std::uint64_t seed, unsigned times = 1) const {
        study_overrides o;
        o.seed = seed;
        study s = parse_study(small_study_text, folder.path() / "study.toml", o);
        for (study_point& p : s.points) {
            for (models::call_loop& l : p.scenario.system.guest.loops) l.count *= times;
        }
        study_options options;
        options.out = out;
        options.jobs = 2;
        options.all_requests = options.quiet = true;
        std::ostringstream report;
        run_study(s, options, report);
    }
    void make_run(const fs::path& out, std::uint64_t seed, bool vcd = false) const {
        const scenario::scenario s =
            runs::load_scenario(folder.path() / "scenario.toml",
                                {"sim.seed=" + std::to_string(seed), "guest.ftrace=true"});
        runs::run_options options;
        options.out = out;
        options.quiet = true;
        options.vcd = vcd;
        std::ostringstream report;
        runs::run_scenario(s, options, report);
    }

    void pair_at(std::mt19937& random, int number);
    static void expect_one_result(const fs::path& out);
    static void expect_no_mixture(const fs::path& out);
};

/// Whatever has its name in the folder is of one study or of one run.
void one_folder::expect_no_mixture(const fs::path& out) {
    const bool is_study = fs::exists(out / "results.json");
    const bool is_run = fs::exists(out / "summary.json");
    EXPECT_FALSE(is_study && is_run);
    for (const char* of_a_study : {"report.html", "slowest"}) {
        EXPECT_FALSE((is_run || fs::exists(out / "scmi.ftrace")) && fs::exists(out / of_a_study))
            << of_a_study;
    }
    if (!is_study && !is_run) return;
    const json j = json::parse(contents(out / (is_study ? "results.json" : "summary.json")));
    std::uint64_t requests = 0;
    if (is_study) {
        for (const json& p : j.at("points")) requests += p.at("requests").get<std::uint64_t>();
    } else {
        requests = j.at("requests").get<std::uint64_t>();
    }
    if (fs::exists(out / "requests.csv")) {
        EXPECT_EQ(rows(out / "requests.csv"), requests);
    }
}

/// And all of it is there.
void one_folder::expect_one_result(const fs::path& out) {
    const bool is_study = fs::exists(out / "results.json");
    EXPECT_NE(is_study, fs::exists(out / "summary.json"));
    EXPECT_TRUE(fs::exists(out / "requests.csv"));
    EXPECT_EQ(fs::exists(out / "report.html"), is_study);
    EXPECT_EQ(fs::exists(out / "slowest"), is_study);
    EXPECT_EQ(fs::exists(out / "scmi.ftrace"), !is_study);
    for (const auto& entry : fs::directory_iterator(out)) {
        EXPECT_NE(entry.path().extension(), ".part") << entry.path();
    }
}

void one_folder::pair_at(std::mt19937& random, int number) {
    SCOPED_TRACE("pair " + std::to_string(number));
    const fs::path out = folder.path() / "out";
    const bool studies[] = {random() % 2 == 0, random() % 2 == 0};
    const auto start = [&](int i) {
        return
            [=] { studies[i] ? make_study(out, 2 * number + i) : make_run(out, 2 * number + i); };
    };
    const bool kills[] = {random() % 3 == 0, random() % 3 == 0};
    process first(start(0));
    ::usleep(random() % 300'000);
    process second(start(1));
    ::usleep(random() % 300'000);
    if (kills[0]) first.kill();
    if (kills[1]) second.kill();
    first.wait();
    second.wait();
    for (const process* p : {&first, &second}) {
        if (p->well() || p->killed()) continue;
        EXPECT_THAT(p->what(), HasSubstr("is being written by"));
    }
    EXPECT_TRUE(first.well() || second.well() || first.killed() || second.killed());
    expect_no_mixture(out);
    // One that ended well owns the folder unless one that was killed had it after that.
    if (!first.killed() && !second.killed()) expect_one_result(out);
    // And whatever is left, the next one can have it.
    { const runs::output_directory next(out); }
    std::set<std::string> names;
    for (const auto& e : fs::directory_iterator(out)) names.insert(e.path().filename().string());
    EXPECT_THAT(names, testing::ElementsAre(runs::output_directory::manifest_name));
}

TEST_F(one_folder, has_one_owner_in_a_few_pairs_of_runs_and_studies) {
    std::mt19937 random(12);
    for (int i = 0; i < 8; ++i) pair_at(random, i);
}

TEST_F(one_folder, has_one_owner_in_a_hundred_pairs_of_runs_and_studies_heavy) {
    std::mt19937 random(53);
    for (int i = 0; i < 100; ++i) pair_at(random, i);
}

// --- no room -----------------------------------------------------------------------------------

/// A file is there and whole, or it is named in the error.
void expect_whole_or_named(const fs::path& out, const std::set<std::string>& files,
                           const std::string& what) {
    for (const std::string& name : files) {
        const fs::path path = out / name;
        const std::string text = contents(path);
        if (what.find(path.string() + ": ") != std::string::npos) continue;
        EXPECT_TRUE(fs::exists(path)) << name << " is neither there nor named in\n" << what;
        if (path.extension() == ".json") {
            EXPECT_FALSE(json::parse(text, nullptr, false).is_discarded());
        }
        if (path.extension() == ".html") {
            EXPECT_THAT(text, HasSubstr("</html>"));
        }
        EXPECT_TRUE(!text.empty() && text.back() == '\n') << name;
    }
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
        EXPECT_NE(entry.path().extension(), ".part") << entry.path();
    }
}

const std::set<std::string> study_names{"results.json", "requests.csv", "report.html",
                                        "slowest/waves.vcd"};
const std::set<std::string> run_names{"summary.json", "requests.csv", "scmi.ftrace",
                                      "dmesg.txt",    "waves.vcd",    "waves.gtkw"};

TEST_F(one_folder, with_a_limit_of_file_sizes_has_what_fits_and_names_the_rest) {
    for (const bool is_study : {false, true}) {
        for (const rlim_t size : {2'000, 20'000, 60'000, 120'000, 300'000, 900'000}) {
            SCOPED_TRACE(std::string(is_study ? "study, " : "run, ") + std::to_string(size));
            const fs::path out = folder.path() / "limited";
            process p([&] {
                std::signal(SIGXFSZ, SIG_IGN);
                const rlimit limit{size, size};
                ::setrlimit(RLIMIT_FSIZE, &limit);
                is_study ? make_study(out, 1) : make_run(out, 1, true);
            });
            p.wait();
            EXPECT_FALSE(p.killed());
            expect_whole_or_named(out, is_study ? study_names : run_names, p.what());
            if (!p.well()) {
                EXPECT_THAT(p.what(), HasSubstr("ulimit -f"));
            }
        }
    }
}

TEST_F(one_folder, on_full_disks_has_what_fits_and_names_the_rest) {
    for (const bool is_study : {false, true}) {
        for (const char* size : {"64k", "160k", "260k", "420k", "700k", "1500k"}) {
            SCOPED_TRACE(std::string(is_study ? "study, " : "run, ") + size);
            const runs::testing_tools::small_disk disk(size);
            if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here";
            const fs::path out = disk.path() / "o";
            process p([&] { is_study ? make_study(out, 1) : make_run(out, 1, true); });
            p.wait();
            EXPECT_FALSE(p.killed());
            expect_whole_or_named(out, is_study ? study_names : run_names, p.what());
            // The numbers come first.
            if (!is_study) {
                EXPECT_TRUE(fs::exists(out / "summary.json")) << p.what();
            }
        }
    }
}

}  // namespace
}  // namespace scmi_vp::studies
