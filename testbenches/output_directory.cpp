// SPDX-License-Identifier: Apache-2.0
// The output folder and its manifest.
#include "testbenches/output_directory.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/error.h"

namespace scmi_vp::testbenches {
namespace fs = std::filesystem;
namespace {

// The first line tells our manifest from a file that happens to have its name.
constexpr const char* manifest_header =
    "# scmi-vp wrote these files and replaces them when it runs again";

std::string reason(int code) {
    return std::generic_category().message(code);
}

std::string advice(int code) {
    if (code == ENOSPC || code == EDQUOT) return "; make room there or choose another --out";
    if (code == EACCES || code == EPERM || code == EROFS) return "; choose another --out";
    return "";
}

}  // namespace

output_directory::output_directory(fs::path folder) : folder_(std::move(folder)) {
    std::error_code code;
    const fs::file_status status = fs::status(folder_, code);
    if (fs::exists(status) && !fs::is_directory(status)) {
        refuse(folder_, "is a file, not a folder; choose another --out");
    }
    if (fs::exists(status)) {
        take_over();
    } else {
        create();
    }
    write_manifest();
}

void output_directory::create() {
    std::error_code code;
    fs::create_directories(folder_, code);
    if (code) {
        refuse(folder_, "cannot make this folder (" + code.message() + "); choose another --out");
    }
}

void output_directory::take_over() {
    std::error_code code;
    const fs::directory_iterator begin(folder_, code);
    if (code) {
        refuse(folder_, "cannot read this folder (" + code.message() + "); choose another --out");
    }
    if (begin == fs::directory_iterator()) return;
    std::ifstream manifest(folder_ / manifest_name);
    std::string line;
    if (!std::getline(manifest, line) || line != manifest_header) {
        refuse(folder_,
               "has files that scmi-vp did not write, and it overwrites only its own; "
               "choose another --out or an empty folder");
    }
    while (std::getline(manifest, line)) {
        // A name with a folder in it is none of ours: nothing outside is ever removed.
        if (line.empty() || fs::path(line).filename() != line) continue;
        fs::remove(folder_ / line, code);
        if (code) refuse(folder_ / line, "cannot be replaced (" + code.message() + ")");
    }
}

void output_directory::write_manifest() const {
    const fs::path path = folder_ / manifest_name;
    errno = 0;
    std::ofstream out(path, std::ios::trunc);
    out << manifest_header << "\n";
    for (const std::string& name : listed_) out << name << "\n";
    out.flush();
    if (!out) {
        const int code = errno;
        refuse(path, "cannot be written (" + reason(code) + ")" + advice(code));
    }
}

std::ostream& output_directory::open(const std::string& name) {
    const fs::path path = path_of(name);
    std::error_code ignored;
    if (listed_.count(name) == 0 && fs::exists(fs::symlink_status(path, ignored))) {
        refuse(path,
               "was not written by scmi-vp and is in the way; move it or choose another --out");
    }
    listed_.insert(name);
    write_manifest();
    errno = 0;
    files_.push_back({name, std::ofstream(path, std::ios::binary | std::ios::trunc)});
    if (!files_.back().stream) {
        const int code = errno;
        refuse(path, "cannot be written (" + reason(code) + ")" + advice(code));
    }
    return files_.back().stream;
}

std::vector<output_file> output_directory::finish() {
    std::vector<output_file> written;
    for (open_file& f : files_) {
        errno = 0;
        f.stream.close();
        const int code = errno;
        const fs::path path = path_of(f.name);
        if (!f.stream) {
            refuse(path, "could not be written to its end" +
                             (code ? " (" + reason(code) + ")" : std::string()) + advice(code));
        }
        std::error_code size_code;
        const std::uintmax_t bytes = fs::file_size(path, size_code);
        if (size_code) refuse(path, "is gone (" + size_code.message() + ")");
        written.push_back({f.name, bytes});
    }
    files_.clear();
    return written;
}

void output_directory::refuse(const fs::path& path, const std::string& message) const {
    throw error(error_kind::output, path.string(), message);
}

}  // namespace scmi_vp::testbenches
