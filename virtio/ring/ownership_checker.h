// SPDX-License-Identifier: Apache-2.0
// Who may touch what in a virtqueue: a passive observer of guest memory. Nobody touches a buffer
// that is not theirs (virtio 1.x 2.7.5.1, 2.7.13, 3.3), the device never writes descriptors or the
// available ring, the driver never writes the used ring.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "virtio/ring/split_ring.h"

namespace scmi_vp::virtio {

/// A broken rule, reported once per occurrence.
struct ownership_violation {
    actor who;
    bool write;
    std::uint64_t address;
    std::size_t size;
    std::string rule;    ///< one sentence
    const char* source;  ///< "virtio 2.7.5.1"
};

/// Costs about a nanosecond per access: ownership is a tag per byte of memory (memory_tags), in
/// lazily made arenas, so guest_memory itself sees that an access is allowed. Memory that belongs
/// to no queue is the driver's.
class ownership_checker final : public memory_observer {
public:
    using report = std::function<void(const ownership_violation&)>;
    explicit ownership_checker(report r);
    ~ownership_checker() override;
    ownership_checker(const ownership_checker&) = delete;
    ownership_checker& operator=(const ownership_checker&) = delete;

    /// A queue became live or was stopped (all its buffers go back to the driver).
    void queue_enabled(unsigned queue, const ring_layout& layout);
    void queue_disabled(unsigned queue);
    /// All queues were stopped by a device reset.
    void reset();

    /// The driver made a chain available: called when its descriptors are written (those written
    /// since the last call are its own) and before the device can see its available index. An
    /// indirect table is given as one more readable buffer: the device may only read it.
    void made_available(unsigned queue, std::uint16_t head, const buffer* readable,
                        std::size_t readables, const buffer* writable, std::size_t writables);
    /// The device returned it: called after its used index was published.
    void made_used(unsigned queue, std::uint16_t head);

    memory_tags tags_at(std::uint64_t address) override;
    void on_read(actor who, std::uint64_t address, std::size_t size) override {
        check(who, false, address, size);
    }
    void on_write(actor who, std::uint64_t address, std::size_t size) override;

    std::uint64_t violations() const { return violations_; }
    std::uint64_t accesses() const { return accesses_; }

private:
    struct impl;
    void check(actor who, bool write, std::uint64_t address, std::size_t size);
    [[gnu::cold]] void cannot_be_available(unsigned queue, std::uint16_t head);
    [[gnu::cold]] void in_use(const buffer& b);
    [[gnu::cold]] void not_out(unsigned queue, std::uint16_t head);
    [[gnu::cold]] void violation(actor who, bool write, std::uint64_t address, std::size_t size,
                                 std::string rule, const char* source);

    std::unique_ptr<impl> impl_;
    report report_;
    std::uint64_t violations_ = 0, accesses_ = 0;
};

}  // namespace scmi_vp::virtio
