// SPDX-License-Identifier: Apache-2.0
// Ownership as one tag per byte of memory: what the byte is part of decides who may read and who
// may write it.
#include "virtio/ownership_checker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

namespace scmi_vp::virtio {

namespace {

/// What a byte is part of.
enum tag : std::uint8_t { nobody, desc_area, avail_area, used_area, readable, writable, tag_count };

struct rule {
    unsigned forbidden;  ///< one bit per tag
    const char* text[tag_count];
    const char* source[tag_count];
};
constexpr unsigned bit(tag t) {
    return 1u << t;
}

constexpr const char* stray = "the device may only touch what was made available to it";
constexpr const char* in_flight = "the driver may not modify a buffer that the device has";

/// By who * 2 + is_write.
constexpr rule rules[4] = {
    {bit(writable),
     {"", "", "", "", "", "the driver may not rely on a device-writable buffer before it is used"},
     {"", "", "", "", "", "virtio 2.7.8.3"}},
    {bit(used_area) | bit(readable) | bit(writable),
     {"", "", "", "the driver never writes the device area (used ring)", in_flight, in_flight},
     {"", "", "", "virtio 2.7.8", "virtio 3.3", "virtio 3.3"}},
    {bit(nobody) | bit(writable),
     {stray, "", "", "", "", "the device should not read a device-writable buffer"},
     {"virtio 2.7.5", "", "", "", "", "virtio 2.7.5.1"}},
    {bit(nobody) | bit(desc_area) | bit(avail_area) | bit(readable),
     {stray, "the device never writes a descriptor", "the device never writes the available ring",
      "", "the device never writes a device-readable buffer", ""},
     {"virtio 2.7.5", "virtio 2.7.5.1", "virtio 2.7.6", "", "virtio 2.7.5.1", ""}},
};

constexpr std::uint64_t page_bytes = 4096;

/// Whether all n >= 1 tags are the same. Accesses are mostly of 2, 8 or 16 bytes: no call for them.
bool uniform(const std::uint8_t* tags, std::size_t n) {
    if (n < 8) {
        std::size_t i = 1;
        while (i < n && tags[i] == tags[0]) ++i;
        return i == n;
    }
    const std::uint64_t expected = 0x0101010101010101u * tags[0];
    const auto word_at = [tags](std::size_t i) {
        std::uint64_t word;
        std::memcpy(&word, tags + i, sizeof word);
        return word;
    };
    for (std::size_t i = 0; i + 8 < n; i += 8) {
        if (word_at(i) != expected) return false;
    }
    return word_at(n - 8) == expected;
}

}  // namespace

/// Tags of all memory that is not the driver's own, and what is in flight.
struct ownership_checker::impl {
    struct page {
        std::array<std::uint8_t, page_bytes> tags{};
    };
    struct span {
        std::uint64_t address;
        std::uint64_t size;
    };
    struct flight {
        bool active = false;
        std::vector<span> spans;
        std::vector<std::uint16_t> descriptors;
    };
    enum desc_state : std::uint8_t { idle, written, exposed };
    struct queue {
        bool live = false;
        ring_layout layout;
        std::vector<std::uint8_t> descriptors;  ///< desc_state of each
        std::vector<std::uint16_t> written;     ///< since the last chain was made available
        std::vector<flight> flights;            ///< by head
    };
    struct cached {
        std::uint64_t number = UINT64_MAX;
        page* tags = nullptr;
    };

    /// The page, or nullptr when nothing in it was ever tagged.
    page* find(std::uint64_t number) {
        cached& c = cache[number % cache.size()];
        if (c.number == number) return c.tags;
        const auto it = pages.find(number);
        c = {number, it == pages.end() ? nullptr : it->second.get()};
        return c.tags;
    }
    page& make(std::uint64_t number) {
        if (page* p = find(number)) return *p;
        page* const p = (pages[number] = std::make_unique<page>()).get();
        cache[number % cache.size()] = {number, p};
        return *p;
    }
    /// Calls f(first tag, count) for each page's part, f(nullptr, count) for an untouched one.
    template <class F>
    void each(std::uint64_t address, std::uint64_t size, bool create, F f) {
        while (size != 0) {
            const std::uint64_t offset = address % page_bytes;
            const std::uint64_t part = std::min(size, page_bytes - offset);
            page* const p = create ? &make(address / page_bytes) : find(address / page_bytes);
            if (!f(p ? p->tags.data() + offset : nullptr, static_cast<std::size_t>(part))) return;
            address += part, size -= part;
        }
    }
    void mark(std::uint64_t address, std::uint64_t size, tag t) {
        each(address, size, true, [t](std::uint8_t* tags, std::size_t n) {
            std::memset(tags, t, n);
            return true;
        });
    }
    bool is_free(std::uint64_t address, std::uint64_t size) {
        bool free = true;
        each(address, size, false, [&free](const std::uint8_t* tags, std::size_t n) {
            free = tags == nullptr || (tags[0] == nobody && uniform(tags, n));
            return free;
        });
        return free;
    }

    void end(queue& q, flight& f) {
        for (const span& s : f.spans) mark(s.address, s.size, nobody);
        for (const std::uint16_t d : f.descriptors) q.descriptors[d] = idle;
        f.active = false;
        f.spans.clear();
        f.descriptors.clear();
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
    /// The driver writes descriptors: true when one of them is exposed to the device.
    bool write_descriptors(std::uint64_t address, std::uint64_t size);

    std::unordered_map<std::uint64_t, std::unique_ptr<page>> pages;
    std::array<cached, 64> cache;
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
        tag what;
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
    if (queue >= impl_->queues.size() || !impl_->queues[queue].live ||
        head >= impl_->queues[queue].layout.size) {
        violation(actor::driver, true, 0, 0,
                  "head " + std::to_string(head) + " was made available in queue " +
                      std::to_string(queue) + ", which has no such descriptor",
                  "virtio 2.7.6");
        return;
    }
    impl::queue& q = impl_->queues[queue];
    impl::flight& f = q.flights[head];
    if (f.active) {
        violation(actor::driver, true, q.layout.desc + 16ull * head, 16,
                  "head " + std::to_string(head) + " was made available twice", "virtio 2.7.13");
        return;
    }
    f.active = true;
    for (std::size_t i = 0; i < readable_count + writable_count; ++i) {
        const bool in = i < readable_count;
        const buffer& b = in ? readables_[i] : writables_[i - readable_count];
        if (!impl_->is_free(b.address, b.size)) {
            violation(actor::driver, true, b.address, b.size,
                      "a buffer was made available while all or part of it is in use",
                      "virtio 2.7.13");
            continue;
        }
        impl_->mark(b.address, b.size, in ? readable : writable);
        f.spans.push_back({b.address, b.size});
    }
    for (const std::uint16_t d : q.written) q.descriptors[d] = impl::exposed;
    f.descriptors.swap(q.written);
}

void ownership_checker::made_used(unsigned queue, std::uint16_t head) {
    if (queue < impl_->queues.size() && impl_->queues[queue].live) {
        impl::queue& q = impl_->queues[queue];
        if (head < q.flights.size() && q.flights[head].active)
            return impl_->end(q, q.flights[head]);
    }
    violation(actor::device, true, 0, 0,
              "head " + std::to_string(head) + " of queue " + std::to_string(queue) +
                  " was returned, but the device does not have it",
              "virtio 2.7.8");
}

void ownership_checker::on_read(actor who, std::uint64_t address, std::size_t size) {
    check(who, false, address, size);
}

void ownership_checker::on_write(actor who, std::uint64_t address, std::size_t size) {
    check(who, true, address, size);
}

void ownership_checker::check(actor who, bool write, std::uint64_t address, std::size_t size) {
    ++accesses_;
    const rule& r = rules[static_cast<unsigned>(who) * 2 + (write ? 1 : 0)];
    int broken = -1;
    bool descriptors = false;
    impl_->each(address, size, false, [&](const std::uint8_t* tags, std::size_t n) {
        if (tags == nullptr) {
            if ((r.forbidden & bit(nobody)) != 0) broken = nobody;
            return broken < 0;
        }
        // Nearly every access meets one tag only.
        const std::size_t distinct = uniform(tags, n) ? 1 : n;
        for (std::size_t i = 0; i < distinct && broken < 0; ++i) {
            if (((r.forbidden >> tags[i]) & 1) != 0) broken = tags[i];
            if (tags[i] == desc_area) descriptors = true;
        }
        return broken < 0;
    });
    if (broken >= 0) violation(who, write, address, size, r.text[broken], r.source[broken]);
    if (descriptors && write && who == actor::driver && impl_->write_descriptors(address, size)) {
        violation(who, write, address, size,
                  "the driver may not modify a descriptor that the device has", "virtio 3.3");
    }
}

}  // namespace scmi_vp::virtio
