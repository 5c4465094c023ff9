// SPDX-License-Identifier: Apache-2.0
// A file descriptor that is closed exactly once, so that no path of a session leaks what a peer
// passed.
#pragma once

#include <utility>
#include <vector>

#include <unistd.h>

namespace scmi_vp::virtio {

class file_descriptor {
public:
    file_descriptor() = default;
    explicit file_descriptor(int fd) : fd_(fd) {}
    file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    file_descriptor& operator=(file_descriptor&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    file_descriptor(const file_descriptor&) = delete;
    file_descriptor& operator=(const file_descriptor&) = delete;
    ~file_descriptor() { reset(); }

    bool valid() const { return fd_ >= 0; }
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

private:
    int fd_ = -1;
};

/// Descriptors that came with a message; what is left in the list is closed with it.
using fd_list = std::vector<file_descriptor>;

}  // namespace scmi_vp::virtio
