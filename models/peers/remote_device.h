// SPDX-License-Identifier: Apache-2.0
// A foreign SCMI device behind the modelled guest: what the guest's transport does goes to a
// vhost-user back end, in wall-clock time, as QEMU does it for a real guest.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/monitor.h"
#include "models/peers/wall_clock.h"
#include "models/platform/scmi_device.h"
#include "virtio/vhost_user/channel.h"
#include "virtio/vhost_user/front.h"
#include "virtio/vhost_user/memory.h"
#include "virtio/vhost_user/session.h"

namespace scmi_vp::models {

class remote_device : public device_backend, public wall_client {
public:
    /// Connects to the socket at `path` and negotiates. `memory` is the guest's, at `base`, and
    /// what `view` shows. Throws scmi_vp::error (input): nobody listens, or whoever listens is no
    /// such device.
    remote_device(const std::string& path, bool in_band,
                  const virtio::vhost_user::shared_memory& memory, std::uint64_t base,
                  virtio::guest_memory& view, monitor& mon);

    /// What the device offers of the features that the modelled driver knows.
    std::uint64_t features() const;
    /// Why the connection is over; empty while it is not. The guest goes on without a device then.
    const std::string& failure() const { return failure_; }
    /// From the doorbell to the call, in real time, in the order of the replies.
    const std::vector<sim_time>& responses() const { return responses_; }
    /// Replies beyond the first most_responses, and those that no doorbell of their own had asked
    /// for: they are in no list.
    std::uint64_t not_listed() const { return not_listed_; }
    static constexpr std::size_t most_responses = 10'000'000;
    std::uint64_t calls() const { return calls_; }

    void connect(device_front& front) override { front_ = &front; }
    void start(unsigned queue, const virtio::ring_layout& layout, virtio::ring_features features,
               bool p2a_channels) override;
    void stop(unsigned queue) override;
    void kick(unsigned queue) override;
    void reset() override;
    bool has_work(unsigned queue) override;

    void watch(std::vector<pollfd>& fds) override;
    void serve(const pollfd* fds, std::size_t n) override;

private:
    using channel = virtio::vhost_user::channel;
    using front_end = virtio::vhost_user::front_end;
    static constexpr unsigned queues = 2;
    /// What is known of the chains of a queue.
    struct ring {
        virtio::ring_layout layout;
        std::uint16_t announced = 0;  ///< available index at the last doorbell
        std::uint16_t used = 0;       ///< used index up to which replies were looked at
        std::vector<sim_time> rung;   ///< by head: host time of its doorbell; 0 = none
    };

    front_end make_front(const virtio::vhost_user::shared_memory& memory, std::uint64_t base,
                         bool in_band);
    void exchange();
    void await_reply();
    [[noreturn]] void closed_when_asked(const virtio::vhost_user::request_info& asked);
    void take_reply();
    void bring_up();
    void send_kick(unsigned queue);
    void announce();
    void collect();
    void replied(std::uint16_t head);
    void delayed_came(std::uint16_t head);
    void called(unsigned queue);
    void serve_main();
    void serve_back();
    void fail(const std::string& why);

    virtio::guest_memory& view_;
    monitor& mon_;
    device_front* front_ = nullptr;
    channel main_;
    std::pair<virtio::unix_stream, virtio::unix_stream> pair_;
    std::optional<channel> back_;
    front_end peer_;
    std::array<ring, queues> rings_;
    std::array<bool, queues> kick_due_{};
    std::uint64_t accepted_ = 0, calls_ = 0, not_listed_ = 0;
    std::vector<sim_time> responses_;
    std::string failure_;
};

}  // namespace scmi_vp::models
