// SPDX-License-Identifier: Apache-2.0
// Memory shared over vhost-user: the back end's table of mapped regions with its two translations,
// and the memfd that our own front end shares.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "virtio/ring/guest_memory.h"
#include "virtio/vhost_user/file_descriptor.h"
#include "virtio/vhost_user/message.h"

namespace scmi_vp::virtio::vhost_user {

/// A shared, writable mapping of a part of a file.
///
/// The peer may cut the file off after it was mapped; touching it then raises SIGBUS. A handler
/// puts zeroes in the place of a mapping that is hit, so that the process survives, and `lost` says
/// so. (Signals of memory that is not ours go to the handler that was there before.)
class mapping {
public:
    /// Throws scmi_vp::error (input): no ordinary file, too short, not writable, no room.
    mapping(const file_descriptor& file, std::uint64_t offset, std::uint64_t size);
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;
    ~mapping();

    std::uint8_t* data() const { return data_; }
    bool lost() const;

private:
    void* start_ = nullptr;  ///< of the pages
    std::size_t length_ = 0;
    std::uint8_t* data_ = nullptr;
    std::size_t guard_ = 0;  ///< slot of the SIGBUS handler
};

/// Regions that a front end shares. Copying is cheap: copies share the mappings, which go with the
/// last copy.
class memory_table {
public:
    memory_table() = default;
    /// Region i is in file i (vhost-user.rst, SET_MEM_TABLE). Throws scmi_vp::error (input) as
    /// `add`.
    memory_table(const std::vector<mem_region>& regions, const fd_list& files);

    /// Throws scmi_vp::error (input) when the region is empty, wraps, overlaps another in guest or
    /// user addresses, is one too many, or cannot be mapped. Nothing has changed then.
    void add(const mem_region& region, const file_descriptor& file);
    /// The region with the same guest address, user address and size. Throws when there is none.
    void remove(const mem_region& region);

    bool empty() const { return regions_.empty(); }
    std::size_t size() const { return regions_.size(); }
    const mem_region& region(std::size_t i) const { return regions_[i]->where; }

    /// Where [user, user + size) of the front end's address space lies in guest-physical memory; it
    /// must lie in one region.
    std::optional<std::uint64_t> guest_address(std::uint64_t user, std::uint64_t size) const;
    /// Replaces what `view` has. The view must be cleared before this table's mappings go.
    void install(guest_memory& view) const;
    /// The front end has cut off a file below a region that was touched.
    bool lost() const;

private:
    struct entry {
        entry(const mem_region& r, const file_descriptor& file)
            : where(r), map(file, r.mmap_offset, r.size) {}
        mem_region where;
        mapping map;
    };
    std::vector<std::shared_ptr<const entry>> regions_;
};

/// Memory that this process shares: a memfd that nobody can resize any more.
class shared_memory {
public:
    /// Zeroed. Throws scmi_vp::error (output) when there is no room for it.
    explicit shared_memory(std::uint64_t size);

    int fd() const { return file_.get(); }
    std::uint8_t* data() const { return map_->data(); }
    std::uint64_t size() const { return size_; }
    /// Its region of a memory table, with this process' addresses as user addresses.
    mem_region region(std::uint64_t guest_addr) const;

private:
    file_descriptor file_;
    std::uint64_t size_;
    std::unique_ptr<mapping> map_;
};

}  // namespace scmi_vp::virtio::vhost_user
