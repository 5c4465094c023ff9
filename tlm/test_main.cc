// SPDX-License-Identifier: Apache-2.0
// The main of every SystemC test program: GoogleTest inside sc_main, SystemC errors as exceptions.
// SystemC elaborates once per process, so when several tests are selected each gets a process of
// its own, as ctest gives it.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemc>

namespace {

/// Runs `body` in a child. Ends the program if there can be no child.
template <class F>
pid_t in_child(const F& body) {
    std::cout.flush();
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child < 0) {
        std::perror("cannot start a process for a test");
        std::exit(2);
    }
    if (child > 0) return child;
    const int status = body();
    std::cout.flush();
    std::fflush(nullptr);
    ::_exit(status);
}

int status_of(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return 2;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// What GoogleTest itself lists under the filter: "suite." and then its tests, indented; behind a
/// '#' the parameters. Empty if it cannot be asked.
std::string listing() {
    int ends[2];
    if (::pipe(ends) != 0) return {};
    const pid_t child = in_child([&] {
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        GTEST_FLAG_SET(list_tests, true);
        return RUN_ALL_TESTS();
    });
    ::close(ends[1]);
    std::string text;
    char block[4096];
    for (ssize_t n; (n = ::read(ends[0], block, sizeof block)) > 0;) text.append(block, n);
    ::close(ends[0]);
    return status_of(child) == 0 ? text : std::string();
}

std::vector<std::string> selected_tests() {
    std::vector<std::string> tests;
    const std::string all = listing();
    std::string suite;
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = std::min(all.find('\n', at), all.size());
        std::string line = all.substr(at, end - at);
        at = end + 1;
        line = line.substr(0, line.find("  #"));
        if (line.empty()) continue;
        if (line[0] != ' ') {
            suite = line;
            continue;
        }
        const std::string name = suite + line.substr(2);
        const bool disabled = name.find("DISABLED_") != std::string::npos;
        if (!disabled || GTEST_FLAG_GET(also_run_disabled_tests)) tests.push_back(name);
    }
    return tests;
}

int run_each(const std::vector<std::string>& tests) {
    std::vector<std::string> failed;
    for (const std::string& name : tests) {
        std::cout << "[ RUN      ] " << name << std::endl;
        const int status = status_of(in_child([&] {
            GTEST_FLAG_SET(filter, name);
            GTEST_FLAG_SET(brief, true);
            return RUN_ALL_TESTS();
        }));
        if (status != 0) failed.push_back(name);
        std::cout << (status == 0 ? "[       OK ] " : "[  FAILED  ] ") << name;
        if (status > 1) std::cout << " (status " << status << ")";
        std::cout << std::endl;
    }
    std::cout << tests.size() << " tests, each in a process of its own, " << failed.size()
              << " failed\n";
    for (const std::string& name : failed) std::cout << "[  FAILED  ] " << name << "\n";
    return failed.empty() ? 0 : 1;
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    testing::InitGoogleTest(&argc, argv);
    if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
    const std::vector<std::string> tests = selected_tests();
    if (tests.size() < 2) return RUN_ALL_TESTS();
    if (!GTEST_FLAG_GET(output).empty() || GTEST_FLAG_GET(repeat) != 1) {
        std::cerr
            << "--gtest_output and --gtest_repeat are for one test alone: each test runs in a "
               "process of its own, because SystemC elaborates once per process; use ctest "
               "(--output-junit, --repeat)\n";
        return 2;
    }
    return run_each(tests);
}
