// SPDX-License-Identifier: Apache-2.0
// For tests: a guest behind a vhost-user front end, in a thread or process of its own, in real
// time: its memory, its rings, and blocking commands with a time limit.
#pragma once

#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "scmi/message.h"
#include "virtio/vhost_user/channel.h"
#include "virtio/vhost_user/front.h"
#include "virtio/vhost_user/memory.h"
#include "virtio/vhost_user/session.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::models::testing_tools {

namespace vhost_user = virtio::vhost_user;

inline bool readable(int fd, int milliseconds) {
    pollfd p{fd, POLLIN, 0};
    return ::poll(&p, 1, milliseconds) == 1;
}

/// Waits while others wait to be accepted.
inline virtio::unix_stream connect_to(const std::string& path) {
    for (int i = 0;; ++i) {
        try {
            return virtio::unix_stream::connect(path);
        } catch (const error&) {
            if (i == 1000) throw;
            ::usleep(1000);
        }
    }
}

/// A folder for sockets, gone with it.
struct socket_folder {
    socket_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "scmi-vp-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path = name;
    }
    ~socket_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    socket_folder(const socket_folder&) = delete;
    socket_folder& operator=(const socket_folder&) = delete;
    std::string operator/(const char* name) const { return (path / name).string(); }
    std::filesystem::path path;
};

/// Throws std::runtime_error when something does not come within `limit_ms`.
class real_guest {
public:
    static constexpr std::uint16_t ring_size = 64;

    explicit real_guest(const std::string& path, bool in_band = false,
                        virtio::ring_features ring = {})
        : in_band_(in_band), ring_(ring), main_(connect_to(path), vhost_user::traffic::replies) {
        for (unsigned q = 0; q < 2; ++q) {
            layouts_[q] = virtio::ring_layout::linux_block(q * 0x4000, ring_size, 4096);
        }
        view_.set_concurrent(true);
        view_.add_region({0, memory_bytes, memory_.data(), true});
        if (in_band_) {
            pair_ = virtio::unix_stream::make_pair();
            back_.emplace(std::move(pair_.first), vhost_user::traffic::requests);
        }
        front_.emplace(config());
        new_rings();
    }

    /// All messages of the sequence under way.
    void exchange() {
        while (auto m = front_->next()) {
            main_.send(m->bytes, m->fds.data(), m->fds.size());
            if (front_->awaited()) take_reply();
        }
    }
    void connect() {
        exchange();
        if (front_->now() != vhost_user::front_end::state::running) {
            throw std::runtime_error("the sequence did not end in `running`");
        }
    }
    void stop() {
        front_->stop();
        exchange();
    }
    /// Empty rings, from index 0; after stop().
    void new_driver() {
        const std::vector<std::uint8_t> zeroes(0x8000);
        view_.write(virtio::actor::driver, 0, zeroes.data(), zeroes.size());
        new_rings();
        for (unsigned q = 0; q < 2; ++q) front_->set_base(q, 0);
    }
    void restart() {
        front_->restart();
        exchange();
    }

    /// Puts a command into the ring and kicks; its slot is `slot`.
    void send(unsigned slot, std::uint8_t protocol, std::uint8_t message,
              std::vector<std::uint32_t> payload = {}) {
        payload.insert(payload.begin(), scmi::header{message, scmi::message_type::command, protocol,
                                                     std::uint16_t(slot)}
                                            .pack());
        const auto size = static_cast<std::uint32_t>(4 * payload.size());
        view_.write(virtio::actor::driver, command_at(slot), payload.data(), size);
        const virtio::buffer out{command_at(slot), size}, in{reply_at(slot), 256};
        slots_[slot] = slot;
        if (rings[0].add(&out, 1, &in, 1, &slots_[slot]) != virtio::add_result::added) {
            throw std::runtime_error("the ring is full");
        }
        if (rings[0].kick_prepare()) kick(0);
    }
    void post_event(unsigned slot) {
        const virtio::buffer in{event_at(slot), 256};
        slots_[slot] = slot;
        rings[1].add(nullptr, 0, &in, 1, &slots_[slot]);
        kick(1);
    }
    void kick(unsigned queue) {
        vhost_user::wire message;
        front_->kick(queue, message);
        if (message.empty()) return;
        main_.send(message);
        take_reply();
    }

    /// The next reply's slot; its words are in reply().
    unsigned wait(unsigned queue = 0, int ms = limit_ms) {
        for (;;) {
            const auto used = rings[queue].get_buf();
            if (used.token) return *static_cast<unsigned*>(used.token);
            if (!hear(queue, ms)) throw std::runtime_error("no reply within the time limit");
        }
    }
    /// With EVENT_IDX: until the device has taken `n` commands.
    void await_taken(unsigned n) {
        for (int i = 0; i < limit_ms; ++i) {
            if (view_.load<std::uint16_t>(virtio::actor::driver, layouts_[0].avail_event()) == n) {
                return;
            }
            ::usleep(1000);
        }
        throw std::runtime_error("not taken within the time limit");
    }
    bool quiet(unsigned queue, int ms) { return !hear(queue, ms) && !rings[queue].more_used(); }
    std::vector<std::uint32_t> reply(unsigned slot, unsigned queue = 0, unsigned words = 8) {
        std::vector<std::uint32_t> w(words);
        view_.read(virtio::actor::driver, queue ? event_at(slot) : reply_at(slot), w.data(),
                   4 * w.size());
        return w;
    }
    /// A Base PROTOCOL_VERSION command and its answer.
    std::uint32_t base_version(unsigned slot = 0) {
        send(slot, scmi::protocol::base, 0);
        if (wait() != slot) throw std::runtime_error("another command was answered");
        return reply(slot)[2];
    }
    /// The back end has closed the connection.
    bool closed(int ms = limit_ms) {
        while (readable(main_.fd(), ms)) {
            try {
                if (main_.receive() == vhost_user::channel::outcome::closed) return true;
            } catch (const std::exception&) {
                return true;
            }
        }
        return false;
    }
    int fd() const { return main_.fd(); }
    void raw(const void* data, std::size_t size) {
        main_.send(vhost_user::wire(static_cast<const std::uint8_t*>(data),
                                    static_cast<const std::uint8_t*>(data) + size));
    }
    /// The other side gets SIGBUS where it touches it.
    void cut_off_memory() {
        if (::ftruncate(file_.get(), 0) != 0) throw std::runtime_error("ftruncate");
    }
    vhost_user::front_end& front() { return *front_; }
    virtio::guest_memory& view() { return view_; }
    const virtio::ring_layout& layout(unsigned q) const { return layouts_[q]; }

    std::array<virtio::driver_queue, 2> rings;
    static constexpr int limit_ms = 5000;

private:
    static std::uint64_t command_at(unsigned slot) { return 0x8000 + 256 * std::uint64_t{slot}; }
    static std::uint64_t reply_at(unsigned slot) { return 0xc000 + 256 * std::uint64_t{slot}; }
    static std::uint64_t event_at(unsigned slot) { return 0x10000 + 256 * std::uint64_t{slot}; }

    vhost_user::front_config config() {
        vhost_user::front_config c;
        c.features = virtio::feature::version_1 | virtio::feature::scmi_p2a_channels;
        if (ring_.event_idx) c.features |= virtio::feature::event_idx;
        if (in_band_) {
            c.protocol_features = vhost_user::offer_for_uml_time_travel;
            c.backend_channel = pair_.second.fd();
        }
        const auto user = reinterpret_cast<std::uint64_t>(memory_.data());
        c.memory = {{{0, memory_bytes, user, 0}, file_.get()}};
        c.queues = {{layouts_[0], 0}, {layouts_[1], 0}};
        return c;
    }
    void new_rings() {
        for (unsigned q = 0; q < 2; ++q) rings[q] = virtio::driver_queue(view_, layouts_[q], ring_);
    }
    void take_reply() {
        while (main_.receive() != vhost_user::channel::outcome::message) {
            if (!readable(main_.fd(), limit_ms)) throw std::runtime_error("no answer to a message");
        }
        front_->on_reply(main_.data(), main_.size(), main_.take_fds().size());
    }
    /// Waits for a call of the queue.
    bool hear(unsigned queue, int ms) {
        if (!in_band_) {
            const int fd = front_->call_bell(queue).fd();
            if (!readable(fd, ms)) return false;
            front_->call_bell(queue).listen();
            return true;
        }
        if (!readable(back_->fd(), ms)) return false;
        if (back_->receive() != vhost_user::channel::outcome::message) return false;
        const auto event =
            front_->on_backend_request(back_->data(), back_->size(), back_->take_fds().size());
        if (!event.reply.empty()) back_->send(event.reply);
        return true;
    }

    bool in_band_;
    virtio::ring_features ring_;
    vhost_user::channel main_;
    std::pair<virtio::unix_stream, virtio::unix_stream> pair_;
    std::optional<vhost_user::channel> back_;
    static virtio::file_descriptor make_file() {
        virtio::file_descriptor file(::memfd_create("test", MFD_CLOEXEC));
        if (::ftruncate(file.get(), memory_bytes) != 0) throw std::runtime_error("ftruncate");
        return file;
    }
    static constexpr std::uint64_t memory_bytes = 1 << 17;
    virtio::file_descriptor file_ = make_file();
    vhost_user::mapping memory_{file_, 0, memory_bytes};
    std::array<virtio::ring_layout, 2> layouts_;
    virtio::guest_memory view_;
    std::optional<vhost_user::front_end> front_;
    std::array<unsigned, ring_size> slots_{};
};

}  // namespace scmi_vp::models::testing_tools
