// SPDX-License-Identifier: Apache-2.0
// The one view of guest memory: every access by driver or device goes through it, so ownership is
// checked, double fetches are provoked and traces are taken in one place.
//
// A view is a list of directly accessible regions (from TLM DMI, or from a vhost-user memory table)
// and an optional slow path for what has none. An observer costs one branch when there is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace scmi_vp::virtio {

/// Who touches memory.
enum class actor : std::uint8_t { driver, device };

/// Sees every access, before a read returns and after a write is done.
class memory_observer {
public:
    virtual ~memory_observer() = default;
    virtual void on_read(actor who, std::uint64_t address, std::size_t size) = 0;
    virtual void on_write(actor who, std::uint64_t address, std::size_t size) = 0;
};

/// Access to memory without direct regions (a TLM path that refuses DMI). Returns false when the
/// address is not memory. Asked only for addresses that no region covers.
class memory_port {
public:
    virtual ~memory_port() = default;
    /// Whether all of [address, address + size) is memory behind this port. Not an access.
    virtual bool covers(std::uint64_t address, std::uint64_t size) = 0;
    virtual bool read(std::uint64_t address, void* data, std::size_t size) = 0;
    virtual bool write(std::uint64_t address, const void* data, std::size_t size) = 0;
};

/// See the top of the file. Not thread-safe. All multi-byte fields are little-endian (virtio 1.x).
class guest_memory {
public:
    struct region {
        std::uint64_t base;
        std::uint64_t size;
        std::uint8_t* data;
        bool writable = true;
    };

    /// Throws scmi_vp::error (config) if it is empty, has no data, overlaps another region or
    /// wraps.
    void add_region(region r);
    void clear_regions() { regions_.clear(), last_ = 0; }
    const std::vector<region>& regions() const { return regions_; }
    void set_port(memory_port* port) { port_ = port; }
    void set_observer(memory_observer* observer) { observer_ = observer; }
    memory_observer* observer() const { return observer_; }

    /// True when all of [address, address + size) is memory (may span adjoining regions; wraps and
    /// holes are not). Not an access: no observer.
    bool contains(std::uint64_t address, std::uint64_t size) const {
        return direct(address, size, false) != nullptr || covers(address, size, false);
    }
    /// The same, and none of it is read-only.
    bool contains_writable(std::uint64_t address, std::uint64_t size) const {
        return direct(address, size, true) != nullptr || covers(address, size, true);
    }

    /// Copies; false (nothing copied, unless a port fails half-way) when not all of it is memory,
    /// or a write meets a read-only region.
    bool read(actor who, std::uint64_t address, void* data, std::size_t size) {
        const bool ok = copy_out(address, data, size);
        if (observer_ && ok) observer_->on_read(who, address, size);
        return ok;
    }
    bool write(actor who, std::uint64_t address, const void* data, std::size_t size) {
        const bool ok = copy_in(address, data, size);
        if (observer_ && ok) observer_->on_write(who, address, size);
        return ok;
    }

    /// Loads and stores of one little-endian field. A load from outside memory gives 0 and sets
    /// `fault`; a store outside is dropped and sets it.
    template <class T>
    T load(actor who, std::uint64_t address) {
        T value{};
        if (!read(who, address, &value, sizeof value)) fault_ = true;
        return value;
    }
    template <class T>
    void store(actor who, std::uint64_t address, T value) {
        if (!write(who, address, &value, sizeof value)) fault_ = true;
    }
    bool fault() const { return fault_; }
    void clear_fault() { fault_ = false; }

private:
    bool copy_out(std::uint64_t address, void* data, std::size_t size) {
        if (std::uint8_t* p = direct(address, size, false)) return std::memcpy(data, p, size), true;
        return copy_out_slow(address, data, size);
    }
    bool copy_in(std::uint64_t address, const void* data, std::size_t size) {
        if (std::uint8_t* p = direct(address, size, true)) return std::memcpy(p, data, size), true;
        return copy_in_slow(address, data, size);
    }
    std::uint8_t* direct(std::uint64_t address, std::uint64_t size, bool writing) const {
        if (last_ >= regions_.size()) return nullptr;
        const region& r = regions_[last_];
        const std::uint64_t offset = address - r.base;
        if (offset >= r.size || r.size - offset < size || (writing && !r.writable)) return nullptr;
        return r.data + offset;
    }
    bool copy_out_slow(std::uint64_t address, void* data, std::size_t size);
    bool copy_in_slow(std::uint64_t address, const void* data, std::size_t size);
    bool covers(std::uint64_t address, std::uint64_t size, bool writing) const;

    /// A part of an access that lies in one region (data != nullptr) or between two.
    struct piece {
        std::uint8_t* data;
        std::uint64_t size;
        bool writable;
    };
    piece piece_at(std::uint64_t address, std::uint64_t size) const;
    std::size_t region_after(std::uint64_t address) const;

    std::vector<region> regions_;  ///< ascending by base
    std::size_t last_ = 0;         ///< region of the last slow access
    memory_port* port_ = nullptr;
    memory_observer* observer_ = nullptr;
    bool fault_ = false;
};

}  // namespace scmi_vp::virtio
