// SPDX-License-Identifier: Apache-2.0
// See input_file.h.
#include "base/input_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <streambuf>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scmi_vp {
namespace {

std::string size_text(std::uint64_t bytes) {
    return bytes >= 1024 * inputs::mib ? std::to_string(bytes / (1024 * inputs::mib)) + " GiB"
                                       : std::to_string(bytes / inputs::mib) + " MiB";
}

/// An open file that knows how to complain about itself.
class source {
public:
    source(const std::filesystem::path& path, const input_kind& kind, std::string where)
        : path_(path), kind_(kind), where_(std::move(where)) {
        do {
            fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
        } while (fd_ < 0 && errno == EINTR);
        if (fd_ < 0) refuse_to_read(errno);
        struct stat status {};
        const bool known = ::fstat(fd_, &status) == 0;
        regular_ = known && S_ISREG(status.st_mode);
        if (known && S_ISDIR(status.st_mode)) {
            close();
            refuse(path_.string() + " is a folder, not a file");
        }
        if (regular_ && std::uint64_t(status.st_size) > kind_.most_bytes) {
            close();
            refuse_size();
        }
    }
    ~source() { close(); }
    source(const source&) = delete;
    source& operator=(const source&) = delete;

    bool regular() const { return regular_; }

    /// 0 at the end.
    std::size_t read(char* to, std::size_t most) {
        ssize_t n = 0;
        do {
            n = ::read(fd_, to, most);
        } while (n < 0 && errno == EINTR);
        if (n < 0) refuse_to_read(errno);
        if (n == 0 && taken_ == 0 && !kind_.may_be_empty) refuse(path_.string() + " is empty");
        taken_ += std::uint64_t(n);
        if (taken_ > kind_.most_bytes) refuse_size();
        return std::size_t(n);
    }

    /// Of the bytes that were read last.
    void check_lines(const char* from, std::size_t count) {
        if (kind_.longest_line == 0) return;
        for (const char *at = from, *end = from + count; at != end;) {
            const char* line_end = std::find(at, end, '\n');
            line_ += std::uint64_t(line_end - at);
            if (line_ > kind_.longest_line) {
                refuse(path_.string() + ":" + std::to_string(lines_ + 1) + " is longer than " +
                       size_text(kind_.longest_line) + ": no line of " + kind_.name + " is");
            }
            if (line_end == end) return;
            line_ = 0;
            ++lines_;
            at = line_end + 1;
        }
    }

private:
    [[noreturn]] void refuse(const std::string& what) const {
        throw error(kind_.error, where_, what);
    }
    [[noreturn]] void refuse_to_read(int code) const {
        refuse("cannot read " + path_.string() + " (" + std::strerror(code) + ")" +
               (where_.empty() ? "" : "; paths are relative to the file that names them"));
    }
    [[noreturn]] void refuse_size() const {
        refuse(path_.string() + " is larger than " + size_text(kind_.most_bytes) +
               ", the most that " + kind_.name + " may have; is it another file?");
    }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    std::filesystem::path path_;
    const input_kind& kind_;
    std::string where_;
    int fd_ = -1;
    bool regular_ = false;
    std::uint64_t taken_ = 0, lines_ = 0, line_ = 0;
};

constexpr std::size_t block_size = std::size_t{1} << 16;

}  // namespace

std::string read_input(const std::filesystem::path& path, const input_kind& kind,
                       const std::string& where) {
    static std::map<std::filesystem::path, std::string> read_once;
    const auto known = read_once.find(path);
    if (known != read_once.end()) return known->second;
    source in(path, kind, where);
    std::string text;
    std::vector<char> block(block_size);
    while (const std::size_t n = in.read(block.data(), block.size())) text.append(block.data(), n);
    if (!in.regular()) read_once[path] = text;
    return text;
}

class input_stream::buffer : public std::streambuf {
public:
    buffer(const std::filesystem::path& path, const input_kind& kind, const std::string& where)
        : in_(path, kind, where), block_(block_size) {}

protected:
    int_type underflow() override {
        const std::size_t n = in_.read(block_.data(), block_.size());
        if (n == 0) return traits_type::eof();
        in_.check_lines(block_.data(), n);
        setg(block_.data(), block_.data(), block_.data() + n);
        return traits_type::to_int_type(block_[0]);
    }

private:
    source in_;
    std::vector<char> block_;
};

input_stream::input_stream(const std::filesystem::path& path, const input_kind& kind,
                           const std::string& where)
    : std::istream(nullptr), buffer_(std::make_unique<buffer>(path, kind, where)) {
    rdbuf(buffer_.get());
    // Or what the buffer throws would become a flag that nobody looks at.
    exceptions(std::ios::badbit);
}

input_stream::~input_stream() = default;

}  // namespace scmi_vp
