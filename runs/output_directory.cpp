// SPDX-License-Identifier: Apache-2.0
// The output folder and its manifest.
#include "runs/output_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "traces/output_file.h"

namespace scmi_vp::runs {
namespace fs = std::filesystem;
namespace {

// The first line tells our manifest from a file that happens to have its name.
constexpr const char* manifest_header =
    "# scmi-vp wrote these files and replaces them when it runs again";
// The name that a nameless file has for a moment.
constexpr const char* scratch_name = ".scmi-vp-scratch";

std::string reason(int code) {
    return std::generic_category().message(code);
}

bool is_full(int code) {
    return code == ENOSPC || code == EDQUOT;
}

std::string advice(int code) {
    if (is_full(code)) return "; make room there or choose another --out";
    if (code == EFBIG) return "; allow larger files (ulimit -f) or choose another --out";
    if (code == EACCES || code == EPERM || code == EROFS) return "; choose another --out";
    return "";
}

[[noreturn]] void refuse(const fs::path& path, const std::string& message) {
    throw error(error_kind::output, path.string(), message);
}

[[noreturn]] void refuse_to_write(const fs::path& path, int code) {
    refuse(path, "cannot be written (" + reason(code) + ")" + advice(code));
}

std::string part_of(const std::string& name) {
    return name + output_directory::part_suffix;
}

/// The names in our manifest; nothing when there is none of ours.
std::optional<std::vector<std::string>> manifest_of(const fs::path& folder) {
    std::ifstream manifest(folder / output_directory::manifest_name);
    std::string line;
    if (!std::getline(manifest, line) || line != manifest_header) return std::nullopt;
    std::vector<std::string> names;
    while (std::getline(manifest, line)) names.push_back(line);
    return names;
}

/// A process that was killed when it made the folder has left only the beginning of a manifest.
bool is_begun(const fs::path& folder) {
    std::error_code code;
    const fs::directory_iterator first(folder, code);
    if (code || first == fs::directory_iterator()) return false;
    const fs::path part = folder / part_of(output_directory::manifest_name);
    if (first->path() != part || std::next(first) != fs::directory_iterator()) return false;
    if (!fs::is_regular_file(fs::symlink_status(part, code))) return false;
    std::ifstream in(part);
    std::string line;
    std::getline(in, line);
    return std::string(manifest_header).compare(0, line.size(), line) == 0;
}

/// The names of what is ours in a folder; nothing when the folder is somebody else's.
std::optional<std::vector<std::string>> ours_in(const fs::path& folder) {
    auto names = manifest_of(folder);
    if (!names && is_begun(folder)) names.emplace();
    return names;
}

/// 0, or why not. Renamed when it is whole: a full disk must not cost the old one.
int replace_manifest(const fs::path& folder, const std::set<std::string>& names) {
    const fs::path path = folder / output_directory::manifest_name;
    const fs::path part = folder / part_of(output_directory::manifest_name);
    errno = 0;
    std::ofstream out(part, std::ios::trunc);
    out << manifest_header << "\n";
    for (const std::string& name : names) out << name << "\n";
    out.close();
    const int failed = errno;
    std::error_code code;
    if (out) {
        fs::rename(part, path, code);
        return code.value();
    }
    fs::remove(part, code);
    return failed ? failed : EIO;
}

void remove_listed(const fs::path& folder, const std::vector<std::string>& names);

/// Removes what is ours in a folder inside of ours, and the folder when nothing else is in it.
/// False, and nothing is done, when it is somebody else's.
bool clear_subfolder(const fs::path& folder) {
    std::error_code code;
    if (!fs::is_directory(fs::symlink_status(folder, code))) return true;
    // Who writes it may be a process of a run that was killed and will be gone in a moment.
    const folder_lock lock(folder, folder_use::write, folder_lock::for_the_dying);
    const auto names = ours_in(folder);
    if (!names) return fs::is_empty(folder, code);
    remove_listed(folder, *names);
    const auto left = std::distance(fs::directory_iterator(folder, code), {});
    if (!code && left == 1) {
        fs::remove_all(folder, code);  // the manifest
    } else if (const int failed = replace_manifest(folder, {})) {
        refuse_to_write(folder / output_directory::manifest_name, failed);
    }
    return true;
}

void remove_listed(const fs::path& folder, const std::vector<std::string>& names) {
    for (std::string name : names) {
        const bool is_folder = !name.empty() && name.back() == '/';
        if (is_folder) name.pop_back();
        // A name with a folder in it is none of ours: nothing outside is ever removed.
        if (name.empty() || name == "." || name == ".." || fs::path(name).filename() != name) {
            continue;
        }
        if (is_folder) {
            clear_subfolder(folder / name);
            continue;
        }
        std::error_code code;
        fs::remove(folder / name, code);
        if (code) refuse(folder / name, "cannot be replaced (" + code.message() + ")");
    }
    std::error_code ignored;
    fs::remove(folder / part_of(output_directory::manifest_name), ignored);
}

constexpr const char* in_the_way =
    "was not written by scmi-vp and is in the way; move it or choose another --out";
constexpr const char* foreign_files =
    "has files that scmi-vp did not write, and it overwrites only its own; "
    "choose another --out or an empty folder";

}  // namespace

output_directory::output_directory(fs::path folder) : folder_(std::move(folder)), lock_(folder_) {
    take_over();
    if (const int failed = write_manifest()) refuse_to_write(path_of(manifest_name), failed);
}

void output_directory::take_over() {
    std::error_code code;
    const fs::directory_iterator begin(folder_, code);
    if (code) {
        refuse(folder_, "cannot read this folder (" + code.message() + "); choose another --out");
    }
    if (begin == fs::directory_iterator()) return;
    const auto names = ours_in(folder_);
    if (!names) refuse(folder_, foreign_files);
    remove_listed(folder_, *names);
}

int output_directory::write_manifest() const {
    return replace_manifest(folder_, listed_);
}

void output_directory::enlist(const fs::path& folder, const std::string& name) {
    const auto names = manifest_of(folder);
    if (!names) return;
    std::set<std::string> listed(names->begin(), names->end());
    if (!listed.insert(name).second) return;
    if (const int failed = replace_manifest(folder, listed)) refuse_to_write(folder / name, failed);
}

bool output_directory::lists_folder(const fs::path& folder, const std::string& name) {
    const auto names = manifest_of(folder);
    return names && std::find(names->begin(), names->end(), name + "/") != names->end();
}

/// 0, or why not. Throws when there is something of that name that is not ours.
int output_directory::list(const std::string& name) {
    const fs::path path = path_of(name);
    std::error_code ignored;
    if (listed_.count(name) == 0 && fs::exists(fs::symlink_status(path, ignored))) {
        refuse(path, in_the_way);
    }
    if (!listed_.insert(name).second) return 0;
    const int failed = write_manifest();
    if (failed) listed_.erase(name);
    return failed;
}

std::ostream& output_directory::open(const std::string& name) {
    return open_as(name, true);
}

std::ostream& output_directory::open_trace(const std::string& name) {
    return open_as(name, false);
}

std::ostream& output_directory::open_as(const std::string& name, bool whole_only) {
    if (const int failed = list(name)) refuse_to_write(path_of(name), failed);
    if (const int failed = whole_only ? list(part_of(name)) : 0) {
        refuse_to_write(path_of(name), failed);
    }
    open_file& f = files_.emplace_back();
    f.name = name;
    f.whole_only = whole_only;
    errno = 0;
    f.stream.open(path_of(whole_only ? part_of(name) : name), std::ios::binary | std::ios::trunc);
    if (!f.stream) {
        const int code = errno;
        f.closed = f.told = true;
        refuse_to_write(path_of(name), code);
    }
    return f.stream;
}

std::fstream output_directory::open_nameless() {
    if (const int failed = list(scratch_name)) refuse_to_write(path_of(scratch_name), failed);
    const fs::path path = path_of(scratch_name);
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary | std::ios::trunc);
    if (stream) {
        std::error_code ignored;
        fs::remove(path, ignored);
    }
    return stream;
}

fs::path output_directory::subfolder(const std::string& name) {
    const fs::path path = path_of(name);
    std::error_code ignored;
    const fs::file_status status = fs::symlink_status(path, ignored);
    if (fs::exists(status) && !fs::is_directory(status)) refuse(path, in_the_way);
    if (!clear_subfolder(path)) refuse(path, foreign_files);
    listed_.insert(name + "/");
    if (const int failed = write_manifest()) refuse_to_write(path, failed);
    return path;
}

void output_directory::complete(open_file& f, int failed_before) {
    if (f.closed) return;
    f.closed = true;
    f.code = failed_before ? failed_before : traces::write_failure(f.stream);
    errno = 0;
    f.stream.close();
    if (!f.code && !f.stream) f.code = errno ? errno : EIO;
    if (f.code) {
        if (f.whole_only) remove_rest(f);
        return;
    }
    const fs::path path = path_of(f.name);
    std::error_code failed;
    if (f.whole_only) fs::rename(path_of(part_of(f.name)), path, failed);
    if (!failed) f.bytes = fs::file_size(path, failed);
    f.code = failed.value();
    f.written = !failed;
}

/// Of a file that will never be whole.
void output_directory::remove_rest(const open_file& f) {
    std::error_code ignored;
    fs::remove(path_of(f.whole_only ? part_of(f.name) : f.name), ignored);
}

error output_directory::failure_of(const open_file& f) const {
    const std::string what = f.code == ENOENT ? "is gone" : "could not be written to its end";
    return {error_kind::output, path_of(f.name).string(),
            what + " (" + reason(f.code) + ")" + advice(f.code)};
}

/// Of an open file, whether what it was given so far is written.
bool output_directory::has_failed(open_file& f) {
    if (f.closed) return f.code != 0;
    f.stream.flush();
    return !f.stream;
}

/// Removes what is of the least use of what has failed; false when there is nothing left.
bool output_directory::make_room() {
    bool any = false;
    for (open_file& f : files_) {
        if (!f.whole_only || f.closed || !has_failed(f)) continue;
        complete(f, 0);
        any = true;
    }
    if (any) return true;
    for (open_file& f : files_) {
        std::error_code code;
        if (f.whole_only || !has_failed(f) || fs::file_size(path_of(f.name), code) == 0 || code) {
            continue;
        }
        complete(f, 0);
        remove_rest(f);
        return true;
    }
    return false;
}

/// 0, or why not.
int output_directory::write_whole(open_file& f, const std::string& text) {
    for (const std::string& name : {f.name, part_of(f.name)}) {
        if (const int failed = list(name)) return failed;
    }
    f.stream = std::ofstream();
    errno = 0;
    f.stream.open(path_of(part_of(f.name)), std::ios::binary | std::ios::trunc);
    if (!f.stream) return errno ? errno : EIO;
    f.closed = false;
    f.stream << text;
    complete(f, 0);
    return f.code;
}

void output_directory::write(const std::string& name, const std::string& text) {
    open_file& f = files_.emplace_back();
    f.name = name;
    f.closed = true;
    do {
        f.code = write_whole(f, text);
    } while (is_full(f.code) && make_room());
}

void output_directory::close(const std::string& name, int failed_before) {
    for (open_file& f : files_) {
        if (f.name != name || f.told) continue;
        complete(f, failed_before);
        if (f.code) {
            f.told = true;
            throw failure_of(f);
        }
        return;
    }
}

std::vector<output_file> output_directory::finish(failures_so_far* failures) {
    std::vector<output_file> written;
    failures_so_far failed;
    for (open_file& f : files_) {
        complete(f, 0);
        if (f.code && !f.told) (failures ? *failures : failed).add(failure_of(f));
        if (f.code) f.told = true;
        if (!f.written) continue;
        written.push_back({f.name, f.bytes});
        listed_.erase(part_of(f.name));
    }
    listed_.erase(scratch_name);
    // A manifest that could not be made shorter lists what is not there: no harm.
    write_manifest();
    failed.report();
    files_.clear();
    return written;
}

}  // namespace scmi_vp::runs
