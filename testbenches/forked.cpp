// SPDX-License-Identifier: Apache-2.0
// See forked.h.
#include "testbenches/forked.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

namespace scmi_vp::testbenches {
namespace {

// The first byte of a child's message: its result, or the kind of its error.
constexpr char result_mark = 'r';

void write_all(int fd, const std::string& data) {
    const char* p = data.data();
    std::size_t size = data.size();
    while (size > 0) {
        const ssize_t n = ::write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // the parent is gone
        p += n, size -= static_cast<std::size_t>(n);
    }
}

std::string read_all(int fd) {
    std::string all;
    char block[65536];
    for (;;) {
        const ssize_t n = ::read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return all;
        all.append(block, static_cast<std::size_t>(n));
    }
}

std::string message_of(const std::function<std::string()>& work) {
    try {
        return result_mark + work();
    } catch (const error& e) {
        return static_cast<char>('0' + int(e.kind())) + std::string(e.what());
    } catch (const std::exception& e) {
        return static_cast<char>('0' + int(error_kind::model)) + std::string(e.what());
    }
}

[[noreturn]] void fail(const char* call) {
    throw error(error_kind::output, std::string(call) + ": " + std::strerror(errno));
}

}  // namespace

std::string run_forked(const std::string& what, const std::function<std::string()>& work) {
    int ends[2];
    std::fflush(nullptr);  // or the child would write it a second time
    if (::pipe(ends) != 0) fail("pipe");
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        ::close(ends[0]);
        write_all(ends[1], message_of(work));
        ::_exit(0);
    }
    ::close(ends[1]);
    const std::string message = read_all(ends[0]);
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (message.empty()) {
        throw error(
            error_kind::model,
            what + ": the process died" +
                (WIFSIGNALED(status) ? " of signal " + std::to_string(WTERMSIG(status)) : ""));
    }
    if (message[0] != result_mark) throw error(error_kind(message[0] - '0'), message.substr(1));
    return message.substr(1);
}

}  // namespace scmi_vp::testbenches
