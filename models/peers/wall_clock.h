// SPDX-License-Identifier: Apache-2.0
// SystemC paced by the host's clock: simulated time is the time since the run began, and whoever
// comes over a socket is served at it.
//
// Between two events it sleeps in ppoll until a descriptor is ready or the next event is almost
// due; the last microseconds it looks again and again. An event runs at its simulated time, but as
// much later in real time as the host lets it: lateness() counts that. No event runs earlier, and
// what clients tell the models by pass_on() has come before that simulated time: what takes a
// millisecond in the models never takes less for those outside.
#pragma once

#include <cstdint>
#include <vector>

#include <poll.h>

#include "base/time.h"
#include "traces/span_histogram.h"

namespace scmi_vp::models {

/// Somebody who is served in wall-clock time.
class wall_client {
public:
    virtual ~wall_client() = default;
    /// Appends what to poll; it may be nothing.
    virtual void watch(std::vector<pollfd>& fds) = 0;
    /// What poll found for these descriptors, in their order. Never waits. What it takes in may
    /// have come after now(), which is behind the wall's time by what the host makes of it: the
    /// models hear of it by pass_on().
    virtual void serve(const pollfd* fds, std::size_t n) = 0;
    /// When it wants overdue() to be called, though nothing may have come.
    virtual sim_time deadline() const { return sim_time::max(); }
    virtual void overdue() {}
    /// Tells the models what has been taken in, now that now() is after it. True if there was
    /// something.
    virtual bool pass_on() { return false; }
};

class wall_clock {
public:
    /// Time begins now. Asks the kernel for exact timers in this thread.
    wall_clock();

    /// Clients are served in the order in which they were added; they must live as long as this.
    void add(wall_client& client) { clients_.push_back(&client); }

    enum class ending : std::uint8_t {
        stopped,   ///< stop() was called
        deadline,  ///< `until` was reached
        finished,  ///< the models called sc_stop
    };
    /// Runs until one of the endings. Throws what clients and models throw.
    ending run(sim_time until);
    /// Ends the run, from within a client.
    void stop() { stopped_ = true; }

    /// Real time since the beginning; simulated time follows it.
    sim_time elapsed() const;
    /// So long before an event it stops sleeping: a host needs tens of microseconds to wake up.
    sim_time awake_before = microseconds(60);
    /// So long after it had something to do it does not sleep: the next request is often near, and
    /// to be woken up takes longer than the request itself. (0 on a single CPU.)
    sim_time awake_after;
    /// How late events were, each counted once per wake-up.
    const traces::span_histogram& lateness() const { return lateness_; }

private:
    bool catch_up();
    void advance_some(sim_time to);
    bool wait(sim_time until);
    int sleep(sim_time until);
    void serve();
    bool pass_on();
    void call_overdue();

    sim_time begin_;
    std::vector<wall_client*> clients_;
    std::vector<pollfd> fds_;
    std::vector<std::size_t> counts_;  ///< descriptors of each client
    traces::span_histogram lateness_;
    bool stopped_ = false;
    sim_time active_;  ///< when it last had something to do
};

/// The host's monotonic clock.
sim_time host_time();

}  // namespace scmi_vp::models
