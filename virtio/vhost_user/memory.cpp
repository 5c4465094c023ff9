// SPDX-License-Identifier: Apache-2.0
// Mapping a peer's files without trusting what it says of them, and surviving what it does to them
// afterwards.
#include "virtio/vhost_user/memory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"

namespace scmi_vp::virtio::vhost_user {

static_assert(sizeof(std::size_t) == 8, "regions of a guest need 64-bit sizes");

namespace {

// --- the SIGBUS guard ---------------------------------------------------------------------------
// The technique of libwayland's wl_shm (src/wayland-shm.c): the handler may use nothing but atomics
// and mmap.

struct guarded_range {
    std::atomic<std::uintptr_t> begin{0}, end{0};  ///< begin 0: free
    std::atomic<bool> lost{false};
};
constexpr std::size_t max_guarded = 1024;
guarded_range guarded[max_guarded];
std::mutex guard_mutex;
struct sigaction action_before;

void pass_on(int number, siginfo_t* info, void* context) {
    if ((action_before.sa_flags & SA_SIGINFO) != 0 && action_before.sa_sigaction != nullptr) {
        action_before.sa_sigaction(number, info, context);
    } else if (action_before.sa_handler != SIG_DFL && action_before.sa_handler != SIG_IGN) {
        action_before.sa_handler(number);
    } else {
        ::signal(SIGBUS, SIG_DFL);  // back at the same instruction it ends the process
    }
}

void on_sigbus(int number, siginfo_t* info, void* context) {
    const int errno_before = errno;
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    for (guarded_range& g : guarded) {
        const std::uintptr_t begin = g.begin.load(std::memory_order_acquire), end = g.end.load();
        if (begin == 0 || address < begin || address >= end) continue;
        void* zeroes = ::mmap(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (zeroes == MAP_FAILED) break;
        g.lost.store(true);
        errno = errno_before;
        return;
    }
    pass_on(number, info, context);
    errno = errno_before;
}

/// The slot that guards the range. Throws when all are taken.
std::size_t guard(void* start, std::size_t length) {
    const std::lock_guard<std::mutex> lock(guard_mutex);
    static const bool installed = [] {
        struct sigaction action {};
        action.sa_sigaction = on_sigbus;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        return ::sigaction(SIGBUS, &action, &action_before) == 0;
    }();
    const auto begin = reinterpret_cast<std::uintptr_t>(start);
    for (std::size_t i = 0; installed && i < max_guarded; ++i) {
        if (guarded[i].begin.load() != 0) continue;
        guarded[i].lost.store(false);
        guarded[i].end.store(begin + length);
        guarded[i].begin.store(begin, std::memory_order_release);
        return i;
    }
    throw error(error_kind::input, "more than " + std::to_string(max_guarded) +
                                       " shared memory regions in one process: serve fewer guests");
}

// --- mapping ------------------------------------------------------------------------------------

std::string hex(std::uint64_t v) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(v));
    return text;
}

std::string describe(const mem_region& r) {
    return "memory region at guest address " + hex(r.guest_addr) + " of " + hex(r.size) + " bytes";
}

[[noreturn]] void refuse(const std::string& what) {
    throw error(error_kind::input, what);
}

/// Offsets and lengths of mappings are multiples of this: huge pages want more than the page size.
std::uint64_t granule(int fd) {
    constexpr long hugetlbfs_magic = 0x958458f6;  // linux/magic.h
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    struct statfs fs {};
    if (::fstatfs(fd, &fs) != 0 || fs.f_type != hugetlbfs_magic) return page;
    return std::max(page, static_cast<std::uint64_t>(fs.f_bsize));
}

/// Beyond the end of the file there would be SIGBUS; other kinds of files may stall or lie.
void check_file(int fd, std::uint64_t offset, std::uint64_t size) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) refuse(std::string("cannot look at the file: ") + strerror(errno));
    if (!S_ISREG(info.st_mode)) refuse("the descriptor is neither a file nor a memfd");
    const auto has = static_cast<std::uint64_t>(info.st_size);
    if (size > has || offset > has - size) {
        refuse("the file has " + hex(has) + " bytes, too few for " + hex(size) + " from offset " +
               hex(offset));
    }
}

bool wraps(std::uint64_t address, std::uint64_t size) {
    return size - 1 > UINT64_MAX - address;
}
bool overlap(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size) {
    return a < b ? b - a < a_size : a - b < b_size;
}

}  // namespace

mapping::mapping(const file_descriptor& file, std::uint64_t offset, std::uint64_t size) {
    check_file(file.get(), offset, size);
    const std::uint64_t unit = granule(file.get()), lead = offset % unit;
    // check_file bounds offset + size by the size of a file, so that nothing here can wrap.
    length_ = (lead + size + unit - 1) / unit * unit;
    start_ = ::mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                    file.get(), static_cast<off_t>(offset - lead));
    if (start_ == MAP_FAILED) {
        refuse("cannot map " + hex(size) + " bytes: " + std::strerror(errno) +
               (errno == EACCES  ? " (the descriptor must be open for reading and writing)"
                : errno == EPERM ? " (it is sealed against writing)"
                                 : ""));
    }
    data_ = static_cast<std::uint8_t*>(start_) + lead;
    try {
        guard_ = guard(start_, length_);
    } catch (...) {
        ::munmap(start_, length_);
        throw;
    }
}

mapping::~mapping() {
    guarded[guard_].begin.store(0);
    ::munmap(start_, length_);
}

bool mapping::lost() const {
    return guarded[guard_].lost.load(std::memory_order_relaxed);
}

memory_table::memory_table(const std::vector<mem_region>& regions, const fd_list& files) {
    for (std::size_t i = 0; i < regions.size(); ++i) add(regions[i], files.at(i));
}

void memory_table::add(const mem_region& region, const file_descriptor& file) {
    if (region.size == 0) refuse(describe(region) + " is empty");
    if (wraps(region.guest_addr, region.size) || wraps(region.user_addr, region.size) ||
        wraps(region.mmap_offset, region.size)) {
        refuse(describe(region) + ", user address " + hex(region.user_addr) + ", file offset " +
               hex(region.mmap_offset) + " wraps around the end of an address space");
    }
    if (regions_.size() == max_regions) {
        refuse(describe(region) + " is one more than the " + std::to_string(max_regions) +
               " that are possible");
    }
    for (const auto& other : regions_) {
        const mem_region& o = other->where;
        if (overlap(region.guest_addr, region.size, o.guest_addr, o.size)) {
            refuse(describe(region) + " overlaps the " + describe(o));
        }
        if (overlap(region.user_addr, region.size, o.user_addr, o.size)) {
            refuse(describe(region) + " overlaps the " + describe(o) + " in user addresses (" +
                   hex(region.user_addr) + ", " + hex(o.user_addr) + ")");
        }
    }
    try {
        regions_.push_back(std::make_shared<const entry>(region, file));
    } catch (const error& e) {
        refuse(describe(region) + ": " + e.what());
    }
}

void memory_table::remove(const mem_region& region) {
    const auto found = std::find_if(regions_.begin(), regions_.end(), [&](const auto& other) {
        const mem_region& o = other->where;
        return o.guest_addr == region.guest_addr && o.user_addr == region.user_addr &&
               o.size == region.size;
    });
    if (found == regions_.end()) {
        refuse(describe(region) + ", user address " + hex(region.user_addr) +
               " is not in the table and cannot be removed");
    }
    regions_.erase(found);
}

std::optional<std::uint64_t> memory_table::guest_address(std::uint64_t user,
                                                         std::uint64_t size) const {
    for (const auto& r : regions_) {
        const std::uint64_t offset = user - r->where.user_addr;
        if (user < r->where.user_addr || offset >= r->where.size) continue;
        if (size > r->where.size - offset) return std::nullopt;
        return r->where.guest_addr + offset;
    }
    return std::nullopt;
}

void memory_table::install(guest_memory& view) const {
    view.clear_regions();
    for (const auto& r : regions_) {
        view.add_region({r->where.guest_addr, r->where.size, r->map.data()});
    }
}

bool memory_table::lost() const {
    for (const auto& r : regions_) {
        if (r->map.lost()) return true;
    }
    return false;
}

shared_memory::shared_memory(std::uint64_t size)
    : file_(::memfd_create("scmi-vp guest memory", MFD_CLOEXEC | MFD_ALLOW_SEALING)), size_(size) {
    // Sealed, so that the back end cannot cut it off below us (SIGBUS).
    if (!file_.valid() || ::ftruncate(file_.get(), static_cast<off_t>(size)) != 0 ||
        ::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        throw error(error_kind::output, "cannot make a shared memory of " + hex(size) +
                                            " bytes: " + std::strerror(errno));
    }
    map_ = std::make_unique<mapping>(file_, 0, size);
}

mem_region shared_memory::region(std::uint64_t guest_addr) const {
    return {guest_addr, size_, reinterpret_cast<std::uint64_t>(data()), 0};
}

}  // namespace scmi_vp::virtio::vhost_user
