// SPDX-License-Identifier: Apache-2.0
// The one view of guest memory: every access by driver or device goes through it, so ownership is
// checked, double fetches are provoked and traces are taken in one place.
//
// A view is a list of directly accessible regions (from TLM DMI, or from a vhost-user memory table)
// and an optional slow path for what has none. An observer costs one branch when there is none.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace scmi_vp::virtio {

/// Who touches memory.
enum class actor : std::uint8_t { driver, device };

/// One tag per byte of memory, kept by an observer: what it need not be told of. Bits of a tag:
namespace memory_tag {
inline constexpr std::uint8_t device_may_read = 1, device_may_write = 2, driver_may_not_read = 4,
                              driver_may_not_write = 8;
}
struct memory_tags {
    std::uint64_t base = 0, size = 0;  ///< where in memory
    const std::uint8_t* tags = nullptr;
    std::uint64_t* passed = nullptr;  ///< counts the accesses that were not told
};

/// Sees every access, before a read returns and after a write is done; but for those that its own
/// tags allow for all of their bytes.
class memory_observer {
public:
    virtual ~memory_observer() = default;
    /// Tags around that address, valid as long as the observer is set; none: all is told.
    virtual memory_tags tags_at(std::uint64_t address) { return {}; }
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
        std::uint64_t base = 0;
        std::uint64_t size = 0;
        std::uint8_t* data = nullptr;
        bool writable = true;
    };

    /// Throws scmi_vp::error (config) if it is empty, has no data, overlaps another region or
    /// wraps.
    void add_region(region r);
    void clear_regions() { regions_.clear(), near_ = window{}; }
    const std::vector<region>& regions() const { return regions_; }
    void set_port(memory_port* port) { port_ = port; }
    void set_observer(memory_observer* observer) { observer_ = observer, near_ = window{}; }
    memory_observer* observer() const { return observer_; }

    /// The other side runs at the same time on another CPU (a real guest): fence() becomes one.
    void set_concurrent(bool concurrent) { concurrent_ = concurrent; }
    bool concurrent() const { return concurrent_; }
    /// Between a store and a load that the other side must see in this order (virtio 2.7.13.4.1,
    /// 2.7.7.2: an index is published before the other's wish to be told is read).
    void fence() const {
        if (concurrent_) std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    /// Between two loads or two stores; the hosts' strong ordering makes it free on x86.
    static void keep_order() { std::atomic_thread_fence(std::memory_order_acq_rel); }

    /// True when all of [address, address + size) is memory (may span adjoining regions; wraps and
    /// holes are not). Not an access: no observer.
    bool contains(std::uint64_t address, std::uint64_t size) const {
        return direct(address, size, false) != nullptr || covers(address, size, false);
    }
    /// The same, and none of it is read-only.
    bool contains_writable(std::uint64_t address, std::uint64_t size) const {
        return direct(address, size, true) != nullptr || covers(address, size, true);
    }

    /// True only where contains() or contains_writable() is: looks no further than at the memory of
    /// the latest slow access.
    bool near(std::uint64_t address, std::uint64_t size, bool writable) const {
        return direct(address, size, writable) != nullptr;
    }

    /// Copies; false (nothing copied, unless a port fails half-way) when not all of it is memory,
    /// or a write meets a read-only region.
    ///
    /// Ring fields have 2, 4, 8 or 16 bytes: where the size is known at compile time, an access to
    /// them costs a dozen instructions, ownership included.
    [[gnu::always_inline]] bool read(actor who, std::uint64_t address, void* data,
                                     std::size_t size) {
        if (!is_field(size)) return read_any(who, address, data, size);
        const std::uint64_t offset = address - near_.base;
        if (__builtin_expect(offset >= near_.field_reads, 0))
            return read_far(who, address, data, size);
        copy_field(static_cast<std::uint8_t*>(data), near_.data + offset, size);
        tell(who, false, address, offset, size);
        return true;
    }
    [[gnu::always_inline]] bool write(actor who, std::uint64_t address, const void* data,
                                      std::size_t size) {
        if (!is_field(size)) return write_any(who, address, data, size);
        const std::uint64_t offset = address - near_.base;
        if (__builtin_expect(offset >= near_.field_writes, 0))
            return write_far(who, address, data, size);
        copy_field(near_.data + offset, data, size);
        tell(who, true, address, offset, size);
        return true;
    }

    /// Loads and stores of one little-endian field. A load from outside memory gives 0 and sets
    /// `fault`; a store outside is dropped and sets it.
    template <class T>
    [[gnu::always_inline]] T load(actor who, std::uint64_t address) {
        T value;
        if (read(who, address, &value, sizeof value)) return value;
        fault_ = true;
        return T{};
    }
    template <class T>
    [[gnu::always_inline]] void store(actor who, std::uint64_t address, T value) {
        if (!write(who, address, &value, sizeof value)) fault_ = true;
    }
    bool fault() const { return fault_; }
    void clear_fault() { fault_ = false; }

private:
    static constexpr std::size_t longest_field = 16;  ///< a descriptor

    /// Where the last slow access was: memory that is direct, and the observer's tags for it.
    struct window {
        std::uint64_t base = 0, size = 0;
        std::uint8_t* data = nullptr;
        const std::uint8_t* tags = nullptr;  ///< nullptr: the observer is told of everything
        std::uint64_t* passed = nullptr;
        bool writable = true;
        /// Offsets below these are those of fields that lie in here and need no closer look: none
        /// without tags.
        std::uint64_t field_reads = 0, field_writes = 0;
    };

    [[gnu::always_inline]] static bool is_field(std::size_t size) {
        return __builtin_constant_p(size) && (size == 2 || size == 4 || size == 8 || size == 16);
    }
    [[gnu::always_inline]] static void copy_field(std::uint8_t* to, const void* from,
                                                  std::size_t size) {
        if (size != 16) {
            std::memcpy(to, from, size);
        } else {  // a descriptor, made of two words in registers
            std::memcpy(to, from, 8);
            std::memcpy(to + 8, static_cast<const std::uint8_t*>(from) + 8, 8);
        }
    }
    std::uint8_t* direct(std::uint64_t address, std::uint64_t size, bool writing) const {
        const std::uint64_t offset = address - near_.base;
        if (offset >= near_.size || near_.size - offset < size || (writing && !near_.writable)) {
            return nullptr;
        }
        return near_.data + offset;
    }
    /// The observer has tags here: it is told what they do not allow.
    [[gnu::always_inline]] void tell(actor who, bool write, std::uint64_t address,
                                     std::uint64_t offset, std::size_t size) const {
        const std::uint8_t bit =
            who == actor::device
                ? (write ? memory_tag::device_may_write : memory_tag::device_may_read)
                : (write ? memory_tag::driver_may_not_write : memory_tag::driver_may_not_read);
        if (__builtin_expect(all_are(bit, who == actor::device, near_.tags + offset, size), 1)) {
            ++*near_.passed;
        } else if (write) {
            observer_->on_write(who, address, size);
        } else {
            tell_read(who, address, size);
        }
    }
    [[gnu::noinline]] void tell_read(actor who, std::uint64_t address, std::size_t size) const {
        observer_->on_read(who, address, size);
    }
    /// Whether that bit has that value in all of n tags.
    [[gnu::always_inline]] static bool all_are(std::uint8_t bit, bool value,
                                               const std::uint8_t* tags, std::size_t n) {
        const auto same = [bit, value, tags](auto word, std::size_t at) {
            const auto mask = static_cast<decltype(word)>(0x0101010101010101u * bit);
            std::memcpy(&word, tags + at, sizeof word);
            return (word & mask) == (value ? mask : 0);
        };
        if (n == 2) return same(std::uint16_t{}, 0);
        if (n == 4) return same(std::uint32_t{}, 0);
        if (n == 8) return same(std::uint64_t{}, 0);
        if (n == 16) {
            std::uint64_t first, last;
            std::memcpy(&first, tags, 8);
            std::memcpy(&last, tags + 8, 8);
            const std::uint64_t mask = 0x0101010101010101u * bit;
            return value ? (first & last & mask) == mask : ((first | last) & mask) == 0;
        }
        return all_are_of_any(bit, value, tags, n);
    }
    bool is_message(std::uint64_t offset, std::uint64_t limit, std::size_t size) const;
    static void copy(void* to, const void* from, std::size_t size);
    static void copy_message(std::uint8_t* to, const std::uint8_t* from, std::size_t size);
    static bool message_allowed(actor who, bool write, const std::uint8_t* tags, std::size_t size);
    static bool all_are_of_any(std::uint8_t bit, bool value, const std::uint8_t* tags,
                               std::size_t n);
    bool read_any(actor who, std::uint64_t address, void* data, std::size_t size);
    bool write_any(actor who, std::uint64_t address, const void* data, std::size_t size);
    [[gnu::noinline]] bool read_other(actor who, std::uint64_t address, void* data,
                                      std::size_t size);
    [[gnu::noinline]] bool write_other(actor who, std::uint64_t address, const void* data,
                                       std::size_t size);
    // A field somewhere else than near the last slow access. Not gnu::cold, nor is tell_read: gcc
    // 12 then takes what follows the call, the fast path's end included, for cold, too.
    [[gnu::noinline]] bool read_far(actor who, std::uint64_t address, void* data,
                                    std::size_t size) {
        return read_any(who, address, data, size);
    }
    [[gnu::noinline]] bool write_far(actor who, std::uint64_t address, const void* data,
                                     std::size_t size) {
        return write_any(who, address, data, size);
    }
    [[gnu::cold]] bool read_slowly(actor who, std::uint64_t address, void* data, std::size_t size);
    [[gnu::cold]] bool write_slowly(actor who, std::uint64_t address, const void* data,
                                    std::size_t size);
    bool copy_out_slow(std::uint64_t address, void* data, std::size_t size);
    bool copy_in_slow(std::uint64_t address, const void* data, std::size_t size);
    void look_at(std::uint64_t address);
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
    window near_;
    memory_port* port_ = nullptr;
    memory_observer* observer_ = nullptr;
    bool fault_ = false, concurrent_ = false;
};

}  // namespace scmi_vp::virtio
