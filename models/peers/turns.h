// SPDX-License-Identifier: Apache-2.0
// SystemC and a guest whose clock we own, in turns on one calendar: time goes to the earlier of the
// simulator's next event and what the guest asks for, the simulator first when both are equal.
//
// Rules that keep it free of deadlocks and races (Linux 6.1 arch/um/kernel/time.c, virtio_uml.c):
// the guest is never interrupted while it runs; a kick is acknowledged at once and acted on when
// the guest waits; while a call's acknowledgement is awaited, its clock and its messages are
// served.
#pragma once

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "models/peers/time_travel.h"
#include "models/peers/vhost_user_peer.h"
#include "virtio/vhost_user/unix_socket.h"

namespace scmi_vp::models {

class turns {
public:
    enum class ending : std::uint8_t {
        gone,      ///< the guest has ended and closed its sockets
        deadline,  ///< the next thing to do lies beyond the limit
        asleep,    ///< neither side has anything left to do
    };

    /// `calendar` is the guest's connection to its clock.
    turns(virtio::unix_stream calendar, vhost_user_peer& peer);

    /// Runs both until one of the endings; call it once. Throws scmi_vp::error: whatever breaks a
    /// protocol, and a guest that says nothing for `patience_s` seconds of host time.
    ending run(sim_time until);

    const guest_clock& clock() const { return clock_; }
    /// Messages from the guest about time.
    std::uint64_t messages() const { return messages_; }

    int patience_s = 60;
    /// Set by a signal handler: the run is given up with an error, so that everything is cleaned
    /// up.
    const volatile std::sig_atomic_t* stop = nullptr;

private:
    bool serve_calendar();
    void serve_peer();
    void serve_one();
    void finish_turn();
    void interrupt();
    bool gone() const { return !calendar_.valid(); }
    bool take_message(time_travel_message& m);
    void tell(const time_travel_message* m, std::size_t n);
    void shorten_free_time();
    void give_turn();

    virtio::unix_stream calendar_;
    vhost_user_peer& peer_;
    guest_clock clock_;
    std::array<std::uint8_t, 16 * sizeof(time_travel_message)> incoming_{};
    std::size_t first_ = 0, have_ = 0;  ///< bytes of incoming_ that are used up, and that are there
    std::uint64_t messages_ = 0;
    bool interrupted_ = false;       ///< since its last turn
    bool after_interrupt_ = false;   ///< so was its last turn
    bool reads_clock_after_ = true;  ///< its turn after an interrupt goes on to later times
    bool moved_ = false;             ///< in its last turn
};

}  // namespace scmi_vp::models
