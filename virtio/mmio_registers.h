// SPDX-License-Identifier: Apache-2.0
// The virtio-mmio version 2 register file (virtio 1.x section 4.2.2) as a table and pure state:
// told of each access, it says what the device has to do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "virtio/device_state.h"

namespace scmi_vp::virtio {

enum class access : std::uint8_t { read_only, write_only, read_write };

/// One row per register: decoding, documentation, trace names and tests come from here.
struct register_info {
    std::uint32_t offset;
    std::string_view name;  ///< the specification's: "QueueNotify"
    access direction;
    bool per_queue;       ///< selected by QueueSel
    std::uint32_t reset;  ///< 0 where the configuration decides
    std::string_view meaning;
};
extern const register_info register_table[];
extern const std::size_t register_table_size;
/// The row of that offset, or nullptr: a hole, or device configuration space.
const register_info* find_register(std::uint32_t offset);

namespace mmio {
inline constexpr std::uint32_t magic_value = 0x000, version = 0x004, device_id = 0x008,
                               vendor_id = 0x00c, device_features = 0x010,
                               device_features_sel = 0x014, driver_features = 0x020,
                               driver_features_sel = 0x024, queue_sel = 0x030,
                               queue_size_max = 0x034, queue_size = 0x038, queue_ready = 0x044,
                               queue_notify = 0x050, interrupt_status = 0x060,
                               interrupt_ack = 0x064, status = 0x070, queue_desc_low = 0x080,
                               queue_desc_high = 0x084, queue_driver_low = 0x090,
                               queue_driver_high = 0x094, queue_device_low = 0x0a0,
                               queue_device_high = 0x0a4, shm_sel = 0x0ac, shm_len_low = 0x0b0,
                               shm_len_high = 0x0b4, shm_base_low = 0x0b8, shm_base_high = 0x0bc,
                               queue_reset = 0x0c0, config_generation = 0x0fc, config = 0x100;
inline constexpr std::uint32_t window_size = 0x200;
inline constexpr std::uint32_t interrupt_used_buffer = 1, interrupt_config_change = 2;
}  // namespace mmio

/// What a register write makes the device do, in this order.
struct register_effect {
    bool reset = false;           ///< status := 0 was written; state is already reset
    bool driver_ok = false;       ///< DRIVER_OK went from 0 to 1: look at all ready queues
    bool queue_enabled = false;   ///< `queue` became ready
    bool queue_disabled = false;  ///< `queue` was stopped: drop what it has in flight
    bool kick = false;            ///< QueueNotify for `queue`, DRIVER_OK and ready
    std::uint16_t queue = 0;
    bool needs_reset = false;  ///< the write was fatal (illegal queue): DEVICE_NEEDS_RESET was set
    const char* guest_error = nullptr;  ///< the access breaks a rule; one sentence. It was ignored,
                                        ///< except as the sentence says
};

class mmio_register_file {
public:
    /// Throws scmi_vp::error (config): no VERSION_1, a feature that cannot be honoured, a queue
    /// size of 0, over 32768 or no power of two, too few queues. The message names the value and
    /// the rule.
    explicit mmio_register_file(device_config config, guest_memory* memory = nullptr);

    /// A read of `size` bytes at `offset` below window_size; any access gives a value (0 when
    /// illegal, and `effect.guest_error` says why).
    std::uint32_t read(std::uint32_t offset, unsigned size, register_effect& effect);
    register_effect write(std::uint32_t offset, unsigned size, std::uint32_t value);

    /// What every request writes, without a register_effect. InterruptACK of bits that exist; false
    /// (nothing done) of others.
    bool acknowledge(std::uint32_t bits) {
        constexpr std::uint32_t all = mmio::interrupt_used_buffer | mmio::interrupt_config_change;
        if ((bits & ~all) != 0) return false;
        interrupt_status_ &= ~bits;
        return true;
    }
    /// Whether QueueNotify of that queue is legal now.
    bool kicks(std::uint32_t queue) const {
        return queue < state_.queues.size() && state_.driver_ok() && state_.alive() &&
               state_.queues[queue].ready;
    }

    /// A read of the register word that holds `offset`, without side effects (debug transport).
    std::uint32_t peek(std::uint32_t offset) const;

    /// Device to driver. The interrupt line is high while interrupt_status() != 0 (4.2.3.4).
    void raise_used_buffer() { interrupt_status_ |= mmio::interrupt_used_buffer; }
    void enter_needs_reset();  ///< sets the status bit and, with DRIVER_OK, the config-change
                               ///< interrupt (STAT-09)
    std::uint32_t interrupt_status() const { return interrupt_status_; }

    const device_state& state() const { return state_; }
    const device_config& config() const { return config_; }
    /// Throws scmi_vp::error (model) for a queue that does not exist.
    ring_layout layout(unsigned queue) const;
    ring_features features() const;

private:
    std::uint32_t value_of(std::uint32_t offset) const;
    const queue_config* selected() const;  ///< nullptr: QueueSel names no queue that exists
    std::uint32_t queue_value(std::uint32_t offset) const;
    void write_register(std::uint32_t offset, std::uint32_t value, register_effect& effect);
    void write_queue_register(std::uint32_t offset, std::uint32_t value, register_effect& effect);
    void write_driver_features(std::uint32_t value, register_effect& effect);
    void write_status(std::uint32_t value, register_effect& effect);
    void write_queue_ready(queue_config& queue, std::uint32_t value, register_effect& effect);
    void write_notify(std::uint32_t value, register_effect& effect);
    const char* features_refused() const;
    const char* queue_refused(const queue_config& queue) const;
    bool queue_exists(std::uint32_t queue) const;
    void reset();

    device_config config_;
    device_state state_;
    guest_memory* memory_;  ///< to validate ring areas at QueueReady (MMIO-32), may be nullptr
    std::uint32_t device_features_sel_ = 0, driver_features_sel_ = 0, queue_sel_ = 0, shm_sel_ = 0;
    std::uint32_t interrupt_status_ = 0;
};

}  // namespace scmi_vp::virtio
