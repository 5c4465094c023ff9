// SPDX-License-Identifier: Apache-2.0
// One platform for several agents without the modelled guest: each has a device and a memory of its
// own, behind them is one server. What one agent sets, the others see.
#pragma once

#include <deque>
#include <memory>

#include <systemc>

#include "models/config.h"
#include "models/monitor.h"
#include "models/platform/scmi_device.h"

namespace scmi_vp::models {

class shared_platform : public sc_core::sc_module {
public:
    /// Throws scmi_vp::error (config) when the platform has fewer agents. Host workers, latencies
    /// and losses are each agent's own; the host's pauses are the same for all.
    shared_platform(sc_core::sc_module_name name, const system_config& config, unsigned agents);

    unsigned agents() const { return static_cast<unsigned>(devices_.size()); }
    scmi_device& device(unsigned agent) { return *devices_.at(agent); }
    virtio::guest_memory& view(unsigned agent) { return views_.at(agent); }
    std::uint64_t served() const;
    std::uint64_t malformed() const;

private:
    /// Guests make the requests: no records.
    class no_sink : public run_sink {
    public:
        void on_request(const request&) override {}
        void on_ftrace(const traces::ftrace_event&) override {}
        void on_log(const traces::log_line&) override {}
        void on_register(sim_time, const traces::register_trace_line&) override {}
        void on_violation(const violation&) override {}
    };

    no_sink sink_;
    std::deque<monitor> monitors_;
    std::deque<virtio::guest_memory> views_;
    std::vector<std::unique_ptr<scmi_device>> devices_;
};

}  // namespace scmi_vp::models
