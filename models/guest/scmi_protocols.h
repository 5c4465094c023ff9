// SPDX-License-Identifier: Apache-2.0
// What Linux' SCMI protocols and their users send, in their order: the probe (Base, Clock, Sensor;
// clk-scmi, scmi-hwmon, iio-scmi) and the run-time calls
// (drivers/firmware/arm_scmi/{driver,base,clock,sensors}.c, drivers/clk/clk-scmi.c,
// drivers/hwmon/scmi-hwmon.c, drivers/iio/common/scmi_sensors/scmi_iio.c, v6.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/guest/scmi_agent.h"

namespace scmi_vp::models {

/// What the guest learnt about the platform.
struct sensor_info {
    std::uint32_t id = 0;
    std::string name;
    std::uint8_t type = 0;
    bool async = false;
};
struct clock_info {
    std::string name;
    bool valid = false;       ///< CLOCK_ATTRIBUTES was answered
    bool registered = false;  ///< clk-scmi made a clock of it
    std::uint64_t rate = 0;
    std::size_t rates = 0;    ///< described
};

class scmi_protocols {
public:
    scmi_protocols(scmi_agent& agent, const guest_config& config) : agent_(agent), config_(config) {}

    /// scmi_probe from "Core Enabled" on: Base, then each device tree child's drivers, in this
    /// thread. False if Base cannot be reached.
    bool probe(guest_context& c);

    /// A run-time call; 0 or a negative errno (-ENODEV: the driver did not find that id).
    int make(guest_context& c, const call& what);

    const std::vector<sensor_info>& sensors() const { return sensors_; }
    const std::vector<clock_info>& clocks() const { return clocks_; }
    std::uint64_t last_value() const { return last_value_; }  ///< what the last read returned

private:
    int simple(guest_context& c, std::uint8_t protocol, std::uint8_t message, std::uint16_t reply_bytes,
               const char* caller, std::vector<std::uint8_t>* reply);
    bool probe_base(guest_context& c);
    int base_list(guest_context& c, unsigned protocols, std::vector<std::uint8_t>& found);
    bool probe_driver(guest_context& c, const std::string& driver);
    bool probe_clk_scmi(guest_context& c);
    int init_clock(guest_context& c);
    int clock_attributes(guest_context& c, std::uint32_t id, std::uint32_t version);
    int clock_rates(guest_context& c, std::uint32_t id);
    int clock_rate_get(guest_context& c, std::uint32_t id);
    int init_sensor(guest_context& c);
    int sensor_descriptions(guest_context& c, std::uint32_t version, std::size_t count);
    int sensor_read(guest_context& c, const sensor_info& s);
    int clock_set(guest_context& c, const call& what);

    scmi_agent& agent_;
    const guest_config& config_;
    std::vector<std::uint8_t> implemented_;
    std::vector<sensor_info> sensors_;
    std::vector<clock_info> clocks_;
    std::uint64_t last_value_ = 0;
};

}  // namespace scmi_vp::models
