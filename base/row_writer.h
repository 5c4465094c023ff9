// SPDX-License-Identifier: Apache-2.0
// A line of a table for a stream: put together in a buffer and handed over whole, because an
// ostream's own operator<< costs more than all else that a row takes.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <ostream>
#include <string_view>
#include <type_traits>

namespace scmi_vp {

class row_writer {
public:
    explicit row_writer(std::ostream& out) : out_(out) {}
    ~row_writer() { hand_over(); }
    row_writer(const row_writer&) = delete;
    row_writer& operator=(const row_writer&) = delete;

    row_writer& operator<<(char c) {
        make_room(1);
        *end_++ = c;
        return *this;
    }
    row_writer& operator<<(std::string_view text) {
        if (text.size() > sizeof bytes_) {
            hand_over();
            out_.write(text.data(), static_cast<std::streamsize>(text.size()));
            return *this;
        }
        make_room(text.size());
        end_ = std::copy(text.begin(), text.end(), end_);
        return *this;
    }
    row_writer& operator<<(const char* text) { return *this << std::string_view(text); }
    /// In decimal, as an ostream of the "C" locale writes it.
    template <class T, std::enable_if_t<std::is_integral_v<T> && sizeof(T) >= 2, int> = 0>
    row_writer& operator<<(T value) {
        make_room(longest_number);
        end_ = std::to_chars(end_, end_ + longest_number, value).ptr;
        return *this;
    }

private:
    static constexpr std::size_t longest_number = 20;  ///< of 64 bits, with its sign

    void make_room(std::size_t size) {
        if (std::size_t(bytes_ + sizeof bytes_ - end_) < size) hand_over();
    }
    void hand_over() {
        out_.write(bytes_, end_ - bytes_);
        end_ = bytes_;
    }

    std::ostream& out_;
    char bytes_[1024];
    char* end_ = bytes_;
};

}  // namespace scmi_vp
