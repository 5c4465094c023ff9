// SPDX-License-Identifier: Apache-2.0
// For fuzzing: any bytes as the life of a hostile front end. The same harness serves the seeded
// test and the libFuzzer target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "virtio/vhost_user/testing.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::virtio::vhost_user {

/// The descriptors a hostile front end has at hand; made once, copied for each use.
struct fuzz_descriptors {
    fuzz_descriptors() : memory(make_memfd(0x8000)), event(make_eventfd()), other(make_memfd(16)) {
        auto both = unix_stream::make_pair();
        near = both.first.take();
        far = both.second.take();
    }
    file_descriptor pick(unsigned n) const {
        const int choice[] = {memory.get(), event.get(), near.get(), other.get()};
        return copy_of(choice[n % 4]);
    }
    file_descriptor memory, event, other, near, far;
};

inline constexpr std::uint64_t fuzz_user_base = 0x700000;

/// Scripts of messages that are legal, nearly legal or noise.
class fuzz_script_writer {
public:
    using bytes = std::vector<std::uint8_t>;
    using r = front_request;
    explicit fuzz_script_writer(std::mt19937_64& rng) : rng_(rng) {}

    /// Mostly the way of a good front end, with something else in between now and then.
    const bytes& write() {
        script_.assign(1, static_cast<std::uint8_t>(rng_()));
        const bool in_order = chance(2);
        if (in_order) good_setup();
        const unsigned more = static_cast<unsigned>(rng_() % 8);
        for (unsigned i = 0; i < more; ++i) anything();
        if (chance(3) && script_.size() > 2) {
            script_[1 + rng_() % (script_.size() - 1)] ^= static_cast<std::uint8_t>(rng_());
        }
        if (chance(8)) script_.resize(rng_() % script_.size() + 1);
        return script_;
    }

private:
    bool chance(unsigned n) { return rng_() % n == 0; }
    void put(unsigned fds, unsigned kind, const wire& w) {
        script_.push_back(static_cast<std::uint8_t>(fds << 2 | kind));
        script_.insert(script_.end(), w.begin(), w.end());
    }
    std::uint32_t flags() { return chance(3) ? 1 : 9; }
    void good_setup() {
        script_[0] |= 1;
        put(0, 0, encode(r::set_protocol_features, 1, supported_protocol_features));
        put(0, 0,
            encode(r::set_features, flags(),
                   feature::version_1 | feature::event_idx | feature::indirect_desc |
                       (chance(4) ? 0 : feature_protocol_features)));
        put(1, 0, encode(r::set_mem_table, flags(), mem_table{{{0, 0x8000, fuzz_user_base, 0}}}));
        for (unsigned q = 0; q < 2; ++q) {
            const std::uint64_t at = fuzz_user_base + q * 0x4000;
            put(0, 0, encode(r::set_vring_num, flags(), vring_state{q, 16}));
            put(0, 0, encode(r::set_vring_base, flags(), vring_state{q, some_base()}));
            put(0, 0,
                encode(r::set_vring_addr, flags(),
                       vring_addr{q, 0, at, at + 0x2000, at + 0x1000, 0}));
            put(1, 1, encode(r::set_vring_kick, flags(), fd_word(q)));
            if (chance(2)) put(1, 1 + rng_() % 2, encode(r::set_vring_call, flags(), fd_word(q)));
            put(0, 0, encode(r::set_vring_enable, flags(), vring_state{q, 1}));
        }
    }
    static vring_fd fd_word(unsigned q) { return {static_cast<std::uint8_t>(q), false}; }
    std::uint32_t some_base() {
        return chance(2) ? 0 : static_cast<std::uint32_t>(rng_() % 0x10000);
    }
    std::uint64_t some_value() {
        const std::uint64_t likely[] = {0, 1, 2, 16, 0x1000, fuzz_user_base, 0x8000, ~0ull};
        return chance(8) ? rng_() : likely[rng_() % 8] + (chance(4) ? rng_() % 64 : 0);
    }
    void anything() {
        const auto id = static_cast<std::uint32_t>(chance(50) ? rng_() : rng_() % 46);
        const request_info* info = find_front_request(id);
        std::size_t size = rng_() % 64;
        if (info != nullptr && !chance(10)) {
            const std::size_t likely[] = {0, 8, 8, 40, 40, 40, 16, 8, 16, 32, 24, 24, 8, 40, 16, 8};
            size = likely[static_cast<std::size_t>(info->body)];
        }
        bytes body;
        while (body.size() < size) {
            std::uint64_t word = some_value();
            if (body.empty() && info != nullptr && info->body != payload_kind::u64) {
                word = rng_() % 3 | (chance(2) ? some_value() << 32 : 0);
            }
            for (unsigned i = 0; i < 8; ++i)
                body.push_back(static_cast<std::uint8_t>(word >> 8 * i));
        }
        body.resize(size);
        const unsigned fds = info == nullptr || chance(6) ? rng_() % 4 : info->min_fds;
        const bool ring_bell = info != nullptr && info->body == payload_kind::vring_fd;
        put(ring_bell && !chance(3) ? 1 : fds,
            ring_bell ? 1 + static_cast<unsigned>(rng_() % 2) : static_cast<unsigned>(rng_() % 4),
            encode(id, chance(40) ? static_cast<std::uint32_t>(rng_() % 32) : flags(),
                   opaque{body}));
    }

    std::mt19937_64& rng_;
    bytes script_;
};

struct fuzz_counts {
    unsigned messages = 0, refused = 0, ended = 0, started = 0, kicked = 0, tables = 0,
             violations = 0;
};

/// Script: per message one byte for the descriptors (bits 5:2 how many, bits 1:0 the first kind),
/// then the message: its header, and so many bytes of payload as it says or as there are.
inline void fuzz_session(const std::uint8_t* data, std::size_t size, const fuzz_descriptors& fds,
                         fuzz_counts& counts) {
    if (size == 0) return;
    session_config config;
    config.queue_size_max = {64, 64};
    config.protocol_features = (data[0] & 1) != 0 ? supported_protocol_features : offer_for_qemu;
    echo_device device(config);
    std::size_t at = 1;
    while (at + 1 + header_bytes <= size && !device.s.ended()) {
        const unsigned with = data[at++];
        std::uint32_t announced = 0;
        std::memcpy(&announced, data + at + 8, 4);
        const std::size_t length =
            std::min<std::size_t>(header_bytes + std::size_t{announced}, size - at);
        fd_list list;
        for (unsigned i = 0; i < (with >> 2 & 15); ++i) list.push_back(fds.pick(with + i));
        const effects e = device.apply(device.s.handle(data + at, length, std::move(list)));
        at += length;
        ++counts.messages;
        counts.refused += !e.complaint.empty() && !e.ended;
        counts.ended += e.ended;
        counts.started += e.start != 0;
        counts.kicked += e.kick != 0;
        counts.tables += e.memory_changed && !e.ended;
        // What must hold whatever was sent.
        counts.violations += e.ended != device.s.ended();
        counts.violations += e.ended && e.complaint.empty();
        counts.violations += (e.start & (e.stop | e.pause | e.resume)) != 0;
        counts.violations +=
            !e.reply.empty() && (e.reply.size() != 20 || e.reply[4] != reply_flags);
    }
    device.apply(device.s.close("end of script"));
    counts.violations += !device.view.regions().empty();
}

}  // namespace scmi_vp::virtio::vhost_user
