// SPDX-License-Identifier: Apache-2.0
// See folder_lock.h.
#include "runs/folder_lock.h"

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "runs/lock_holder.h"
#include "runs/output_directory.h"

namespace scmi_vp::runs {
namespace fs = std::filesystem;
namespace {

struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const identity& o) const { return device == o.device && inode == o.inode; }
};

std::optional<identity> identity_of(const fs::path& folder) {
    struct stat s {};
    if (::stat(folder.c_str(), &s) != 0) return std::nullopt;
    return identity{s.st_dev, s.st_ino};
}

/// A process that has no such locks any more still knows that it works for who has.
struct registry {
    std::vector<folder_lock::held*> here;
    std::vector<identity> of_ancestors;
};

registry& known() {
    static registry all;
    return all;
}

std::string reason(int code) {
    return std::generic_category().message(code);
}

bool has_no_locks(int code) {
    // NFS locks a whole file instead, for which a folder is not open in the right way (EBADF).
    return code == EBADF || code == ENOLCK || code == EOPNOTSUPP || code == ENOSYS ||
           code == EINVAL;
}

void tell_unlocked(const fs::path& folder, int code) {
    std::cerr << "scmi-vp: note: " << folder.string() << ": its file system has no locks ("
              << reason(code)
              << "), so nothing keeps another run from writing there at the same time\n";
}

[[noreturn]] void refuse(const fs::path& folder, folder_use use, const std::string& what) {
    throw error(use == folder_use::read ? error_kind::input : error_kind::output, folder.string(),
                what);
}

/// By whether it lets others in to read.
[[noreturn]] void refuse_taken(const fs::path& folder, folder_use use, int fd, identity id) {
    const bool only_read = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
    if (only_read) ::flock(fd, LOCK_UN);
    refuse(folder, use,
           std::string("is being ") + (only_read ? "read" : "written") + " by " +
               holder_of_lock(id.device, id.inode) + "; wait for its end, or " +
               (use == folder_use::write ? "choose another --out" : "end it"));
}

int flock_patiently(int fd, int how, std::chrono::milliseconds patience) {
    constexpr std::chrono::milliseconds between{10};
    for (auto waited = std::chrono::milliseconds{0};; waited += between) {
        if (::flock(fd, how | LOCK_NB) == 0) return 0;
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK || waited >= patience) return errno;
        std::this_thread::sleep_for(between);
    }
}

/// Makes the folder; true if its last part was not there.
bool make(const fs::path& folder) {
    std::error_code code;
    const bool made = fs::create_directories(folder, code);
    if (code) {
        refuse(folder, folder_use::write,
               "cannot make this folder (" + code.message() + "); choose another --out");
    }
    return made;
}

}  // namespace

struct folder_lock::held {
    held(fs::path folder, int descriptor, identity which, bool made_here, folder_use as)
        : path(std::move(folder)), fd(descriptor), id(which), made(made_here), use(as) {
        static const int once = ::pthread_atfork(nullptr, nullptr, [] {
            for (held* h : known().here) h->belongs_to_parent();
            known().here.clear();
        });
        (void)once;
        known().here.push_back(this);
    }
    ~held() {
        auto& here = known().here;
        here.erase(std::remove(here.begin(), here.end(), this), here.end());
        if (fd < 0) return;
        // Under the lock; refused by the system when there is something in it.
        if (made) ::rmdir(path.c_str());
        ::close(fd);
    }
    held(const held&) = delete;
    held& operator=(const held&) = delete;

    /// In a child: the copy of the descriptor would keep the lock.
    void belongs_to_parent() {
        if (fd >= 0) ::close(std::exchange(fd, -1));
        known().of_ancestors.push_back(id);
    }

    fs::path path;
    int fd;
    identity id;
    bool made;
    folder_use use;
    std::weak_ptr<held> self;
};

namespace {

bool is_ours_or_an_ancestors(identity id) {
    const auto& [here, of_ancestors] = known();
    return std::any_of(here.begin(), here.end(), [&](const auto* h) { return h->id == id; }) ||
           std::find(of_ancestors.begin(), of_ancestors.end(), id) != of_ancestors.end();
}

/// Nobody else may be writing the folder around it as whose part it is listed (`slowest`).
void check_around(const fs::path& folder) {
    std::error_code code;
    const fs::path whole = fs::canonical(folder, code);
    const fs::path around = whole.parent_path();
    if (code || !output_directory::lists_folder(around, whole.filename().string())) return;
    const auto id = identity_of(around);
    if (!id || is_ours_or_an_ancestors(*id)) return;
    const int fd = ::open(around.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    const int failed = flock_patiently(fd, LOCK_SH, folder_lock::usual_patience);
    ::close(fd);
    if (failed != EWOULDBLOCK) return;
    refuse(folder, folder_use::write,
           "is part of " + around.string() + ", which is being written by " +
               holder_of_lock(id->device, id->inode) +
               "; wait for its end, or choose another --out");
}

/// The descriptor of a folder that is still there when it is locked; -1: it cannot be opened or
/// locked, and others will say why.
int open_locked(const fs::path& folder, folder_use use, std::chrono::milliseconds patience,
                bool& made) {
    constexpr int tries = 100;
    for (int i = 0; i < tries; ++i) {
        if (use == folder_use::write) made = make(folder) || made;
        const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT && use == folder_use::write) continue;
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
            refuse(folder, use, "cannot be opened (" + reason(errno) + ")");
        }
        if (fd < 0) return -1;
        struct stat s {};
        ::fstat(fd, &s);
        const identity id{s.st_dev, s.st_ino};
        const int how = use == folder_use::read ? LOCK_SH : LOCK_EX;
        const int failed = flock_patiently(fd, how, patience);
        if (failed == EWOULDBLOCK) {
            struct closing {
                int descriptor;
                ~closing() { ::close(descriptor); }
            } const at_end{fd};
            refuse_taken(folder, use, fd, id);
        }
        if (failed) {
            if (has_no_locks(failed)) tell_unlocked(folder, failed);
            return fd;
        }
        const auto now = identity_of(folder);
        if (now && *now == id) return fd;
        ::close(fd);  // somebody has removed it meanwhile
    }
    refuse(folder, use, "is removed and made again by others all the time");
}

}  // namespace

folder_lock::folder_lock(const fs::path& folder, folder_use use,
                         std::chrono::milliseconds patience) {
    std::error_code ignored;
    const fs::file_status status = fs::status(folder, ignored);
    if (fs::exists(status) && !fs::is_directory(status)) {
        if (use != folder_use::write) return;  // whoever reads it says what is wrong
        refuse(folder, use, "is a file, not a folder; choose another --out");
    }
    if (const auto id = identity_of(folder)) {
        for (held* h : known().here) {
            if (!(h->id == *id)) continue;
            if (use != folder_use::read && h->use == folder_use::read) {
                const int failed = flock_patiently(h->fd, LOCK_EX, patience);
                if (failed == EWOULDBLOCK) refuse_taken(folder, use, h->fd, h->id);
                h->use = use;
            }
            held_ = h->self.lock();
            return;
        }
    }
    bool made = false;
    const int fd = open_locked(folder, use, patience, made);
    if (fd < 0) return;
    struct stat s {};
    ::fstat(fd, &s);
    held_ = std::make_shared<held>(folder, fd, identity{s.st_dev, s.st_ino}, made, use);
    held_->self = held_;
    if (use == folder_use::write) check_around(folder);
}

folder_lock::~folder_lock() = default;

}  // namespace scmi_vp::runs
