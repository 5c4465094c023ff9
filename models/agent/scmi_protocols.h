// SPDX-License-Identifier: Apache-2.0
// What Linux' SCMI protocols and their users send, in their order: the probe and the run-time calls
// (v6.1 drivers/firmware/arm_scmi/{driver,base,clock,perf,power,sensors,scmi_pm_domain}.c and the
// drivers that user_drivers() lists). Each protocol has a file of its own, protocol_*.cpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "models/agent/scmi_agent.h"
#include "models/agent/scmi_notifications.h"

namespace scmi_vp::models {

/// What the guest learnt about the platform. A sensor that a listing left out stays blank
/// (sensors.c scmi_sensors_protocol_init: an array of as many as the attributes say).
struct sensor_info {
    std::uint32_t id = 0;
    std::string name;
    std::uint8_t type = 0;
    bool async = false;
    int scale = 0;               ///< power of ten of its readings' unit
    unsigned axes = 0;           ///< 0: scalar
    std::uint8_t axis_type = 0;  ///< of the first axis
};
struct clock_info {
    std::string name;
    bool discrete = false;    ///< CLOCK_DESCRIBE_RATES gave a list, not a range
    bool registered = false;  ///< clk-scmi made a clock of it
    std::uint64_t rate = 0;
    std::size_t rates = 0;  ///< described
    std::uint32_t enable_latency_us = UINT32_MAX;
    bool atomic = false;  ///< clk-scmi enables it in atomic context
};

struct perf_domain_info {
    std::string name;
    std::uint32_t mult_factor = 0;      ///< Hz per level; 0: the attributes were not answered
    std::vector<std::uint32_t> levels;  ///< described, ascending
    bool policy = false;                ///< cpufreq made a policy of it
    std::uint32_t level = 0;            ///< when its policy came up
};
struct power_domain_info {
    std::string name;
    bool registered = false;  ///< genpd made a domain of it
    bool on = false;          ///< when it was registered
};

class scmi_protocols : private event_sources {
public:
    scmi_protocols(scmi_agent& agent, const guest_config& config)
        : agent_(agent), config_(config), notifications_(agent, *this) {
        agent.set_listener(&notifications_);
    }

    /// scmi_probe from "Core Enabled" on: Base, then each device tree child's drivers, in this
    /// thread. False if Base cannot be reached.
    bool probe(guest_context& c);

    /// The instance goes, its users first (scmi_remove). What they had learnt is forgotten.
    void remove();

    /// The module of scmi-vp-caller is loaded: what no other driver holds is initialised.
    void load_caller(guest_context& c);
    /// The domains that genpd switches off when the boot is over, in its order.
    std::vector<std::uint32_t> unused_power_domains() const;
    void power_off_unused(guest_context& c, std::uint32_t domain) { power_set(c, domain, false); }

    /// A run-time call; 0 or a negative errno (-ENODEV: the driver did not find that id).
    int make(guest_context& c, const call& what);

    /// Whether the clock framework makes this call with a spinlock held and interrupts off.
    bool is_atomic(const call& what) const {
        const bool gate =
            what.kind == call_kind::clock_enable || what.kind == call_kind::clock_disable;
        return gate && !called(scmi::protocol::clock) && what.id < clocks_.size() &&
               clocks_[what.id].atomic;
    }

    const std::vector<sensor_info>& sensors() const { return sensors_; }
    const std::vector<clock_info>& clocks() const { return clocks_; }
    const std::vector<perf_domain_info>& perf_domains() const { return perf_domains_; }
    const std::vector<power_domain_info>& power_domains() const { return power_domains_; }
    std::uint64_t last_value() const { return last_value_; }  ///< what the last read returned
    scmi_notifications& notifications() { return notifications_; }
    /// What a real driver would have done and this one does not, each said once.
    const std::vector<std::string>& not_modelled() const { return not_modelled_; }

private:
    int simple(guest_context& c, std::uint8_t protocol, std::uint8_t message,
               std::uint16_t reply_bytes, const char* caller, std::vector<std::uint8_t>* reply);
    bool probe_base(guest_context& c);
    int base_list(guest_context& c, unsigned protocols, std::vector<std::uint8_t>& found);
    void extended_name(guest_context& c, std::uint8_t protocol, std::uint8_t message,
                       std::uint32_t id, std::string& name);
    /// By a driver's device, "scmi-cpufreq scmi_dev.3".
    void log_device(guest_context& c, const std::string& device, const std::string& text);
    /// Makes the device of a driver and probes it; a failure is logged by the driver core.
    void add_device(guest_context& c, const user_driver& driver);
    /// 0 or a negative errno.
    int probe_driver(guest_context& c, const user_driver& driver, const std::string& device);
    int probe_sensor_user(guest_context& c, std::string_view driver, const std::string& device);
    /// scmi_protocol_acquire: initialises a protocol that no other driver holds.
    int acquire(guest_context& c, std::uint8_t protocol_id);
    int initialise(guest_context& c, std::uint8_t protocol_id);
    void forget(std::uint8_t protocol_id);
    bool called(std::uint8_t protocol_id) const;
    bool held(std::uint8_t protocol_id) const;
    bool usable(std::uint8_t protocol_id) const;
    int probe_clk_scmi(guest_context& c, const std::string& device);
    bool register_clock(guest_context& c, std::uint32_t id);
    int init_clock(guest_context& c);
    int clock_attributes(guest_context& c, std::uint32_t id, std::uint32_t version);
    int clock_rates(guest_context& c, std::uint32_t id);
    int clock_rate_get(guest_context& c, std::uint32_t id);
    int probe_cpufreq(guest_context& c, const std::string& device);
    bool cpufreq_online(guest_context& c, std::uint32_t id);
    int init_performance(guest_context& c);
    bool perf_attributes(guest_context& c, std::uint32_t id, std::uint32_t version);
    void perf_fast_channels(guest_context& c, std::uint32_t id);
    void fast_channel(guest_context& c, std::uint8_t message, std::uint8_t bytes,
                      std::uint32_t domain);
    int describe_fast_channel(guest_context& c, std::uint8_t message, std::uint8_t bytes,
                              std::uint32_t domain);
    int perf_call(guest_context& c, const call& what);
    int perf_levels(guest_context& c, std::uint32_t id);
    int perf_level_get(guest_context& c, std::uint32_t id, bool poll = false);
    int perf_level_set(guest_context& c, std::uint32_t id, std::uint32_t level, bool poll = false);
    int probe_power_domain(guest_context& c, const std::string& device);
    int init_power(guest_context& c);
    void power_attributes(guest_context& c, std::uint32_t id, std::uint32_t version);
    int power_state_get(guest_context& c, std::uint32_t id);
    int power_set(guest_context& c, std::uint32_t id, bool on);
    int init_sensor(guest_context& c);
    int sensor_descriptions(guest_context& c, std::uint32_t version);
    int sensor_description(guest_context& c, const transfer& t, std::size_t& at,
                           std::uint32_t version, sensor_info& s);
    int sensor_intervals(guest_context& c, const sensor_info& s);
    int sensor_axes(guest_context& c, std::uint32_t version, sensor_info& s);
    int sensor_axis_names(guest_context& c, const sensor_info& s);
    int probe_hwmon(guest_context& c);
    int probe_iio(guest_context& c, const std::string& device);
    int sensor_read(guest_context& c, std::uint32_t id);
    int hwmon_read(guest_context& c, std::uint32_t id);
    bool read_through_hwmon(std::uint32_t id) const;
    const sensor_info* hwmon_channel(std::uint32_t id) const;
    int clock_call(guest_context& c, const call& what);
    int clock_file_read(guest_context& c, std::uint32_t id);
    bool read_through_debugfs(std::uint32_t id) const;
    int clock_set(guest_context& c, const call& what);
    int clock_rate_set(guest_context& c, const call& what);
    // protocol_operations.cpp
    struct operation {
        std::uint8_t protocol_id, message_id;
        std::uint16_t reply_bytes;  ///< 0: up to max_msg_size
        const char* caller;         ///< as the timeout message names it
        std::int32_t resource;
    };
    int command(guest_context& c, const operation& o, std::initializer_list<std::uint32_t> words);
    int make_operation(guest_context& c, const call& what);
    std::uint32_t sources_of(std::uint8_t protocol_id) const override;
    std::uint32_t readings_of(std::uint32_t sensor) const override;
    int set_notify_enabled(guest_context& c, std::uint8_t protocol_id, std::uint8_t event,
                           std::uint32_t source, bool enable) override;

    scmi_agent& agent_;
    const guest_config& config_;
    std::vector<std::uint8_t> implemented_;
    unsigned next_device_ = 0;          ///< number of the next one on the bus
    std::vector<std::uint8_t> held_;    ///< protocols that are initialised
    std::vector<std::uint8_t> called_;  ///< those that scmi-vp-caller holds
    std::vector<sensor_info> sensors_;
    bool hwmon_ = false;  ///< scmi-hwmon shows them
    std::vector<clock_info> clocks_;
    std::vector<perf_domain_info> perf_domains_;
    std::vector<power_domain_info> power_domains_;
    std::uint32_t perf_version_ = 0;
    std::uint32_t clock_max_async_ = 0, clock_async_ = 0;  ///< rate sets: may be, are in flight
    std::uint64_t last_value_ = 0;
    std::vector<std::string> not_modelled_;
    scmi_notifications notifications_;
};

}  // namespace scmi_vp::models
