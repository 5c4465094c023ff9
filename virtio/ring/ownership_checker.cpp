// SPDX-License-Identifier: Apache-2.0
// Ownership as one tag per byte of memory: what the byte is part of decides who may read and who
// may write it.
#include "virtio/ring/ownership_checker.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

namespace scmi_vp::virtio {

namespace {

/// What a byte is part of, and so who may do what with it: kind * 16 + the bits of memory_tag.
/// `nobody` is 0, so that fresh memory is untagged; the driver's writes to descriptors are looked
/// at closer (which ones, and whether the device has them).
constexpr std::uint8_t tag_of(unsigned kind, unsigned bits) {
    return static_cast<std::uint8_t>(kind << 4 | bits);
}
using namespace memory_tag;
constexpr std::uint8_t nobody = 0;
constexpr std::uint8_t desc_area = tag_of(1, device_may_read | driver_may_not_write);
constexpr std::uint8_t avail_area = tag_of(2, device_may_read);
constexpr std::uint8_t used_area =
    tag_of(3, device_may_read | device_may_write | driver_may_not_write);
constexpr std::uint8_t readable = tag_of(4, device_may_read | driver_may_not_write);
constexpr std::uint8_t writable =
    tag_of(5, device_may_write | driver_may_not_read | driver_may_not_write);

/// Why an access to a byte of each kind is refused.
struct rule {
    const char* text[6];
    const char* source[6];
};

constexpr const char* stray = "the device may only touch what was made available to it";
constexpr const char* in_flight = "the driver may not modify a buffer that the device has";

/// By who * 2 + is_write.
constexpr rule rules[4] = {
    {{"", "", "", "", "", "the driver may not rely on a device-writable buffer before it is used"},
     {"", "", "", "", "", "virtio 2.7.8.3"}},
    {{"", "", "", "the driver never writes the device area (used ring)", in_flight, in_flight},
     {"", "", "", "virtio 2.7.8", "virtio 3.3", "virtio 3.3"}},
    {{stray, "", "", "", "", "the device should not read a device-writable buffer"},
     {"virtio 2.7.5", "", "", "", "", "virtio 2.7.5.1"}},
    {{stray, "the device never writes a descriptor", "the device never writes the available ring",
      "", "the device never writes a device-readable buffer", ""},
     {"virtio 2.7.5", "virtio 2.7.5.1", "virtio 2.7.6", "", "virtio 2.7.5.1", ""}},
};

bool allowed(actor who, bool write, std::uint8_t tag) {
    if (who == actor::device) return (tag & (write ? device_may_write : device_may_read)) != 0;
    return (tag & (write ? driver_may_not_write : driver_may_not_read)) == 0;
}

constexpr std::uint64_t arena_bytes = 16 << 20;
struct free_memory {
    void operator()(std::uint8_t* p) const { std::free(p); }
};
/// From calloc: the host gives pages as they are touched, zeroed.
using arena = std::unique_ptr<std::uint8_t[], free_memory>;

}  // namespace

/// Tags of all memory that is not the driver's own, and what is in flight.
struct ownership_checker::impl {
    struct span {
        std::uint64_t address;
        std::uint64_t size;
    };
    struct flight {
        bool active = false;
        boost::container::small_vector<span, 3> spans;  ///< request, response, indirect table
        boost::container::small_vector<std::uint16_t, 4> descriptors;
    };
    enum desc_state : std::uint8_t { idle, written, exposed };
    struct queue {
        bool live = false;
        ring_layout layout;
        std::vector<std::uint8_t> descriptors;  ///< desc_state of each
        std::vector<std::uint16_t> written;     ///< since the last chain was made available
        std::vector<flight> flights;            ///< by head
    };
    /// The tags of the arena that holds `address`.
    std::uint8_t* arena_at(std::uint64_t address) {
        const std::uint64_t number = address / arena_bytes;
        return number == last_number ? last_arena : find_arena(number);
    }
    [[gnu::noinline]] std::uint8_t* find_arena(std::uint64_t number) {
        arena& a = arenas[number];
        if (!a) a.reset(static_cast<std::uint8_t*>(std::calloc(arena_bytes, 1)));
        if (!a) throw std::bad_alloc();
        last_number = number;
        return last_arena = a.get();
    }
    /// Calls f(first tag, count) for each arena's part until it returns false.
    template <class F>
    void each(std::uint64_t address, std::uint64_t size, F f) {
        while (size != 0) {
            const std::uint64_t offset = address % arena_bytes;
            const std::uint64_t part = std::min(size, arena_bytes - offset);
            if (!f(arena_at(address) + offset, static_cast<std::size_t>(part))) return;
            address += part, size -= part;
        }
    }
    /// The tags of a buffer, if they are in one arena. Else nullptr.
    std::uint8_t* tags_of(std::uint64_t address, std::uint64_t size) {
        const std::uint64_t offset = address % arena_bytes;
        return size <= arena_bytes - offset ? arena_at(address) + offset : nullptr;
    }
    /// Messages are short: 8 to 16 tags are two words that may overlap.
    static bool is_short(std::uint64_t size) { return size - 8 <= 8; }
    void mark(std::uint64_t address, std::uint64_t size, std::uint8_t tag) {
        std::uint8_t* const tags = tags_of(address, size);
        if (!tags) return mark_apart(address, size, tag);
        is_short(size) ? mark_short(tags, size, tag) : fill(tags, size, tag);
    }
    bool is_free(std::uint64_t address, std::uint64_t size) {
        const std::uint8_t* const tags = tags_of(address, size);
        return tags ? all_zero(tags, size) : is_free_apart(address, size);
    }
    /// Gives a buffer to the device; false if all or part of it is in use.
    bool lend(flight& f, const buffer& b, std::uint8_t tag) {
        const std::uint64_t address = b.address, size = b.size;
        std::uint8_t* const tags = tags_of(address, size);
        if (tags && is_short(size)) {
            std::uint64_t first = 0, last = 0;
            std::memcpy(&first, tags, 8);
            std::memcpy(&last, tags + size - 8, 8);
            if ((first | last) != 0) return false;
            mark_short(tags, size, tag);
        } else {
            if (!is_free(address, size)) return false;
            mark(address, size, tag);
        }
        span& s = f.spans.emplace_back();
        s.address = address;
        s.size = size;
        return true;
    }
    static void mark_short(std::uint8_t* tags, std::uint64_t size, std::uint8_t tag) {
        const std::uint64_t word = 0x0101010101010101u * tag;
        std::memcpy(tags, &word, 8);
        std::memcpy(tags + size - 8, &word, 8);
    }
    [[gnu::cold]] void mark_apart(std::uint64_t address, std::uint64_t size, std::uint8_t tag) {
        each(address, size, [tag](std::uint8_t* tags, std::size_t n) {
            fill(tags, n, tag);
            return true;
        });
    }
    [[gnu::cold]] bool is_free_apart(std::uint64_t address, std::uint64_t size) {
        bool free = true;
        each(address, size,
             [&free](const std::uint8_t* tags, std::size_t n) { return free = all_zero(tags, n); });
        return free;
    }
    /// Two words of memory at a time, in one register.
    typedef std::uint64_t two_words __attribute__((vector_size(16)));
    [[gnu::noinline]] static void fill(std::uint8_t* tags, std::size_t n, std::uint8_t tag) {
        if (n < 16 || n > 512) {
            std::memset(tags, tag, n);
            return;
        }
        const std::uint64_t word = 0x0101010101010101u * tag;
        const two_words both = {word, word};
        std::memcpy(tags + n - 16, &both, 16);  // may overlap what the loops write
        for (; n >= 64; tags += 64, n -= 64) {
            for (std::size_t i = 0; i < 64; i += 16) std::memcpy(tags + i, &both, 16);
        }
        for (; n >= 16; tags += 16, n -= 16) std::memcpy(tags, &both, 16);
    }
    [[gnu::noinline]] static bool all_zero(const std::uint8_t* tags, std::size_t n) {
        std::uint64_t any = 0;
        if (n < 16) {
            while (n != 0) any |= tags[--n];
            return any == 0;
        }
        const auto both = [](const std::uint8_t* at) {
            two_words w;
            std::memcpy(&w, at, sizeof w);
            return w;
        };
        two_words seen = both(tags + n - 16);  // may overlap what the loops see
        for (; n >= 64; tags += 64, n -= 64) {
            seen |= both(tags) | both(tags + 16) | both(tags + 32) | both(tags + 48);
        }
        for (; n >= 16; tags += 16, n -= 16) seen |= both(tags);
        return (seen[0] | seen[1]) == 0;
    }

    void end(queue& q, flight& f) {
        for (const span& s : f.spans) mark(s.address, s.size, nobody);
        std::uint8_t* const states = q.descriptors.data();
        for (const std::uint16_t d : f.descriptors) states[d] = idle;
        f.active = false;
        f.spans.clear();
        f.descriptors.clear();
    }
    /// nullptr: it is not live, or has no such head.
    queue* live_queue(unsigned number, std::uint16_t head) {
        if (number >= queues.size()) return nullptr;
        queue& q = queues[number];
        return q.live && head < q.layout.size ? &q : nullptr;
    }
    void stop(queue& q) {
        if (!q.live) return;
        for (flight& f : q.flights) {
            if (f.active) end(q, f);
        }
        mark(q.layout.desc, desc_area_bytes(q.layout.size), nobody);
        mark(q.layout.avail, avail_area_bytes(q.layout.size), nobody);
        mark(q.layout.used, used_area_bytes(q.layout.size), nobody);
        q.live = false;
        q.written.clear();
    }
    /// The driver writes one whole descriptor that the device does not have; false: look closer.
    bool write_idle_descriptor(std::uint64_t address) {
        for (queue& q : queues) {
            const std::uint64_t offset = address - q.layout.desc, i = offset / 16;
            if (!q.live || i >= q.layout.size || offset % 16 != 0) continue;
            std::uint8_t& state = q.descriptors[i];
            if (state == exposed) return false;
            if (state == idle) q.written.push_back(static_cast<std::uint16_t>(i));
            state = written;
            return true;
        }
        return false;
    }
    /// The driver writes descriptors: true when one of them is exposed to the device.
    bool write_descriptors(std::uint64_t address, std::uint64_t size);

    std::unordered_map<std::uint64_t, arena> arenas;
    std::uint64_t last_number = UINT64_MAX;
    std::uint8_t* last_arena = nullptr;
    std::vector<queue> queues;
};

bool ownership_checker::impl::write_descriptors(std::uint64_t address, std::uint64_t size) {
    bool bad = false;
    for (queue& q : queues) {
        if (!q.live) continue;
        const std::uint64_t table = q.layout.desc;
        const std::uint64_t table_end = table + desc_area_bytes(q.layout.size);
        const std::uint64_t begin = std::max(address, table);
        const std::uint64_t end = std::min(address + size, table_end);
        for (std::uint64_t at = begin; at < end; at = (at / 16 + 1) * 16) {
            const auto i = static_cast<std::uint16_t>((at - table) / 16);
            if (q.descriptors[i] == exposed) bad = true;
            if (q.descriptors[i] != idle) continue;
            q.descriptors[i] = written;
            q.written.push_back(i);
        }
    }
    return bad;
}

ownership_checker::ownership_checker(report r)
    : impl_(std::make_unique<impl>()), report_(std::move(r)) {}
ownership_checker::~ownership_checker() = default;

void ownership_checker::violation(actor who, bool write, std::uint64_t address, std::size_t size,
                                  std::string rule, const char* source) {
    ++violations_;
    if (report_) report_({who, write, address, size, std::move(rule), source});
}

void ownership_checker::queue_enabled(unsigned queue, const ring_layout& layout) {
    if (queue >= impl_->queues.size()) impl_->queues.resize(queue + 1);
    impl::queue& q = impl_->queues[queue];
    impl_->stop(q);
    const struct {
        std::uint64_t address, size;
        std::uint8_t what;
    } areas[] = {{layout.desc, desc_area_bytes(layout.size), desc_area},
                 {layout.avail, avail_area_bytes(layout.size), avail_area},
                 {layout.used, used_area_bytes(layout.size), used_area}};
    for (const auto& a : areas) {
        if (!impl_->is_free(a.address, a.size)) {
            violation(actor::driver, true, a.address, a.size,
                      "queue " + std::to_string(queue) + " shares memory with a queue in use",
                      "virtio 2.7");
        }
        impl_->mark(a.address, a.size, a.what);
    }
    q.live = true;
    q.layout = layout;
    q.descriptors.assign(layout.size, impl::idle);
    q.written.clear();
    q.flights.resize(layout.size);
}

void ownership_checker::queue_disabled(unsigned queue) {
    if (queue < impl_->queues.size()) impl_->stop(impl_->queues[queue]);
}

void ownership_checker::reset() {
    for (impl::queue& q : impl_->queues) impl_->stop(q);
}

void ownership_checker::made_available(unsigned queue, std::uint16_t head, const buffer* readables_,
                                       std::size_t readable_count, const buffer* writables_,
                                       std::size_t writable_count) {
    impl::queue* const q = impl_->live_queue(queue, head);
    if (q == nullptr || q->flights[head].active) return cannot_be_available(queue, head);
    impl::flight& f = q->flights[head];
    f.active = true;
    std::uint8_t tag = readable;
    for (const buffer* b = readables_;; ++b) {
        if (tag == readable && b == readables_ + readable_count) b = writables_, tag = writable;
        if (tag == writable && b == writables_ + writable_count) break;
        if (!impl_->lend(f, *b, tag)) in_use(*b);
    }
    std::uint8_t* const states = q->descriptors.data();
    f.descriptors.clear();
    for (const std::uint16_t d : q->written) {
        states[d] = impl::exposed;
        f.descriptors.push_back(d);
    }
    q->written.clear();
}

void ownership_checker::cannot_be_available(unsigned queue, std::uint16_t head) {
    if (const impl::queue* const q = impl_->live_queue(queue, head)) {
        violation(actor::driver, true, q->layout.desc + 16ull * head, 16,
                  "head " + std::to_string(head) + " was made available twice", "virtio 2.7.13");
        return;
    }
    violation(actor::driver, true, 0, 0,
              "head " + std::to_string(head) + " was made available in queue " +
                  std::to_string(queue) + ", which has no such descriptor",
              "virtio 2.7.6");
}

void ownership_checker::in_use(const buffer& b) {
    violation(actor::driver, true, b.address, b.size,
              "a buffer was made available while all or part of it is in use", "virtio 2.7.13");
}

void ownership_checker::made_used(unsigned queue, std::uint16_t head) {
    impl::queue* const q = impl_->live_queue(queue, head);
    if (q == nullptr || !q->flights[head].active) return not_out(queue, head);
    impl_->end(*q, q->flights[head]);
}

void ownership_checker::not_out(unsigned queue, std::uint16_t head) {
    violation(actor::device, true, 0, 0,
              "head " + std::to_string(head) + " of queue " + std::to_string(queue) +
                  " was returned, but the device does not have it",
              "virtio 2.7.8");
}

memory_tags ownership_checker::tags_at(std::uint64_t address) {
    return {address / arena_bytes * arena_bytes, arena_bytes, impl_->arena_at(address), &accesses_};
}

void ownership_checker::on_write(actor who, std::uint64_t address, std::size_t size) {
    if (who == actor::driver && size == 16 && impl_->write_idle_descriptor(address)) {
        ++accesses_;
    } else {
        check(who, true, address, size);
    }
}

void ownership_checker::check(actor who, bool write, std::uint64_t address, std::size_t size) {
    ++accesses_;
    const bool driver_writes = write && who == actor::driver;
    bool descriptors = false;
    const rule& r = rules[static_cast<unsigned>(who) * 2 + (write ? 1 : 0)];
    impl_->each(address, size, [&](const std::uint8_t* tags, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            if (driver_writes && tags[i] == desc_area) {
                descriptors = true;
            } else if (!allowed(who, write, tags[i])) {
                violation(who, write, address, size, r.text[tags[i] >> 4], r.source[tags[i] >> 4]);
                return false;
            }
        }
        return true;
    });
    if (descriptors && impl_->write_descriptors(address, size)) {
        violation(who, write, address, size,
                  "the driver may not modify a descriptor that the device has", "virtio 3.3");
    }
}

}  // namespace scmi_vp::virtio
