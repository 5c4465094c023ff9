// SPDX-License-Identifier: Apache-2.0
// A folder for results that replaces only what scmi-vp wrote, writes nothing silently, and in which
// a file that is not whole does not look whole.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "runs/failures.h"
#include "runs/folder_lock.h"

namespace scmi_vp::runs {

/// A file that was written.
struct output_file {
    std::string name;
    std::uintmax_t bytes = 0;
};

/// A folder is ours when it is absent, empty, or holds our manifest or the beginning of one; of the
/// files in it, ours are those that the manifest lists. All errors are scmi_vp::error (output) with
/// path and advice. However the process ends, the next one that takes the folder finds all that is
/// ours listed. While this lives, no other process can have one of the same folder (folder_lock.h).
class output_directory {
public:
    /// The file that lists what was written, one name per line, folders of ours with a "/" behind.
    static constexpr const char* manifest_name = ".scmi-vp-output";
    /// Behind the name of a file that is not whole.
    static constexpr const char* part_suffix = ".part";

    /// Makes the folder, or takes ours over and removes what the last run left in it.
    explicit output_directory(std::filesystem::path folder);

    /// Opens a file that is of use when it is whole: it has its name from close() or finish() on,
    /// and NAME.part until then, also when this process dies. Listed before the first byte is
    /// written. The stream lives as long as this object.
    std::ostream& open(const std::string& name);

    /// The same for a trace, which is of use up to wherever it ends: under its own name at once.
    std::ostream& open_trace(const std::string& name);

    /// A file that nobody else sees and that is gone with its stream, for reading and writing; not
    /// open when the system refuses it (errno).
    std::fstream open_nameless();

    /// A folder in this one for another output_directory; what is ours in it is removed at once.
    std::filesystem::path subfolder(const std::string& name);

    /// Writes a file as a whole. On a full disk, what will never be whole makes room for it: tables
    /// that have failed, then waveforms and traces that have. What cannot be written even so is
    /// told by finish(); throws only when something that is not ours is in the way.
    void write(const std::string& name, const std::string& text);

    /// Completes one file. Throws if it could not be written, for example on a full disk: then
    /// nothing of it is left, unless it is a trace. `failed_before` is the errno of what else went
    /// wrong in making it, 0 if nothing did.
    void close(const std::string& name, int failed_before = 0);

    /// Completes all files that are not yet, and says what was written, in the order of opening.
    /// Throws after all of them one error that names each that is not whole, but for those of which
    /// close() has told; with `failures` tells it there instead.
    std::vector<output_file> finish(failures_so_far* failures = nullptr);

    /// Enters a file into the manifest of a folder that has one, so that the next run into it
    /// replaces that file.
    static void enlist(const std::filesystem::path& folder, const std::string& name);
    /// Whether a manifest there lists a folder of that name.
    static bool lists_folder(const std::filesystem::path& folder, const std::string& name);

    std::filesystem::path path_of(const std::string& name) const { return folder_ / name; }

private:
    struct open_file {
        std::string name;
        bool whole_only = true;
        std::ofstream stream;
        bool closed = false, written = false, told = false;
        int code = 0;  ///< why it is not written
        std::uintmax_t bytes = 0;
    };

    void take_over();
    std::ostream& open_as(const std::string& name, bool whole_only);
    int list(const std::string& name);
    int write_manifest() const;
    void complete(open_file& f, int failed_before);
    int write_whole(open_file& f, const std::string& text);
    bool make_room();
    bool has_failed(open_file& f);
    void remove_rest(const open_file& f);
    error failure_of(const open_file& f) const;

    std::filesystem::path folder_;
    folder_lock lock_;
    std::set<std::string> listed_;
    std::deque<open_file> files_;  ///< stable addresses
};

}  // namespace scmi_vp::runs
