// SPDX-License-Identifier: Apache-2.0
// The virtio-mmio register file: the table, decoding, and what each write means. Section numbers
// are those of virtio 1.x chapter 4.2; where it is silent the choice is named in the comment.
#include "virtio/mmio_registers.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/error.h"

namespace scmi_vp::virtio {

using namespace mmio;

namespace {
constexpr std::uint32_t magic = 0x74726976;  ///< "virt", little-endian
constexpr std::uint32_t all_ones = 0xffffffff;
}  // namespace

constexpr register_info register_table[] = {
    {magic_value, "MagicValue", access::read_only, false, magic, "\"virt\""},
    {version, "Version", access::read_only, false, 2, "register layout version"},
    {mmio::device_id, "DeviceID", access::read_only, false, scmi_device_id,
     "virtio device type; 0 is an empty slot"},
    {vendor_id, "VendorID", access::read_only, false, 0x554d4551, "who made the device"},
    {device_features, "DeviceFeatures", access::read_only, false, 0,
     "offered feature bits of the word that DeviceFeaturesSel selects"},
    {device_features_sel, "DeviceFeaturesSel", access::write_only, false, 0,
     "feature word to read"},
    {driver_features, "DriverFeatures", access::write_only, false, 0,
     "accepted feature bits of the word that DriverFeaturesSel selects"},
    {driver_features_sel, "DriverFeaturesSel", access::write_only, false, 0,
     "feature word to write"},
    {queue_sel, "QueueSel", access::write_only, false, 0, "queue that the queue registers mean"},
    {mmio::queue_size_max, "QueueSizeMax", access::read_only, true, 0,
     "most entries; 0 when the queue does not exist"},
    {queue_size, "QueueSize", access::write_only, true, 0, "entries to use, a power of two"},
    {queue_ready, "QueueReady", access::read_write, true, 0, "1: the device may use the queue"},
    {queue_notify, "QueueNotify", access::write_only, false, 0, "index of a queue to look at"},
    {mmio::interrupt_status, "InterruptStatus", access::read_only, false, 0,
     "bit 0 used buffer, bit 1 configuration change or device needs reset"},
    {interrupt_ack, "InterruptACK", access::write_only, false, 0,
     "bits of InterruptStatus to clear"},
    {mmio::status, "Status", access::read_write, false, 0, "device status; 0 resets the device"},
    {queue_desc_low, "QueueDescLow", access::write_only, true, 0, "descriptor area, bits 31:0"},
    {queue_desc_high, "QueueDescHigh", access::write_only, true, 0, "descriptor area, bits 63:32"},
    {queue_driver_low, "QueueDriverLow", access::write_only, true, 0, "driver area, bits 31:0"},
    {queue_driver_high, "QueueDriverHigh", access::write_only, true, 0, "driver area, bits 63:32"},
    {queue_device_low, "QueueDeviceLow", access::write_only, true, 0, "device area, bits 31:0"},
    {queue_device_high, "QueueDeviceHigh", access::write_only, true, 0, "device area, bits 63:32"},
    {shm_sel, "SHMSel", access::write_only, false, 0, "shared memory region to describe"},
    {shm_len_low, "SHMLenLow", access::read_only, false, all_ones, "its length; all ones: none"},
    {shm_len_high, "SHMLenHigh", access::read_only, false, all_ones, "its length, bits 63:32"},
    {shm_base_low, "SHMBaseLow", access::read_only, false, all_ones, "its base; all ones: none"},
    {shm_base_high, "SHMBaseHigh", access::read_only, false, all_ones, "its base, bits 63:32"},
    {queue_reset, "QueueReset", access::read_write, true, 0, "reads 0: RING_RESET is not offered"},
    {mmio::config_generation, "ConfigGeneration", access::read_only, false, 0,
     "changes with the configuration space"},
};
constexpr std::size_t register_table_size = sizeof register_table / sizeof register_table[0];

namespace {

/// Row number plus one of each word below the configuration space; 0 is a hole.
constexpr std::array<std::uint8_t, config / 4> make_index() {
    std::array<std::uint8_t, config / 4> index{};
    for (std::size_t i = 0; i < register_table_size; ++i) {
        index[register_table[i].offset / 4] = static_cast<std::uint8_t>(i + 1);
    }
    return index;
}
constexpr std::array<std::uint8_t, config / 4> row_of = make_index();

constexpr std::uint32_t driver_bits = device_status::acknowledge | device_status::driver |
                                      device_status::driver_ok | device_status::features_ok |
                                      device_status::failed;

std::uint32_t low(std::uint64_t v) {
    return static_cast<std::uint32_t>(v);
}
std::uint32_t high(std::uint64_t v) {
    return static_cast<std::uint32_t>(v >> 32);
}
void set_low(std::uint64_t& to, std::uint32_t v) {
    to = (to & ~std::uint64_t{all_ones}) | v;
}
void set_high(std::uint64_t& to, std::uint32_t v) {
    to = low(to) | (std::uint64_t{v} << 32);
}

std::string hex(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

void check_features(const device_config& c) {
    if ((c.offered & feature::version_1) == 0) {
        throw error(error_kind::config, "virtio features " + hex(c.offered) +
                                            " lack VERSION_1 (bit 32): a version 2 virtio-mmio "
                                            "device must offer it");
    }
    // FEAT-08: nothing that could not be honoured. SHARED_MEMORY needs regions, which there are
    // not.
    std::uint64_t possible = feature::version_1 | feature::indirect_desc | feature::event_idx;
    possible |= c.device_id == scmi_device_id ? feature::scmi_p2a_channels : 0xffffff;
    if (const std::uint64_t extra = c.offered & ~possible) {
        throw error(error_kind::config,
                    "virtio features " + hex(c.offered) + " have bits " + hex(extra) +
                        " that this device cannot honour: offer only " + hex(possible));
    }
}

void check_queues(const device_config& c) {
    const bool p2a = c.device_id == scmi_device_id && (c.offered & feature::scmi_p2a_channels) != 0;
    const std::size_t least = p2a ? 2 : 1;
    if (c.queue_size_max.size() < least || c.queue_size_max.size() > 65535) {
        throw error(error_kind::config,
                    "virtio device with " + std::to_string(c.queue_size_max.size()) +
                        " queues: it needs at least " + std::to_string(least) +
                        (p2a ? " (P2A_CHANNELS is offered)" : "") + " and at most 65535");
    }
    for (std::size_t i = 0; i < c.queue_size_max.size(); ++i) {
        if (legal_queue_size(c.queue_size_max[i])) continue;
        throw error(error_kind::config,
                    "queue " + std::to_string(i) + " of size " +
                        std::to_string(c.queue_size_max[i]) +
                        ": a split ring has a power of two up to 32768 entries");
    }
}

bool in_memory(const guest_memory* memory, std::uint64_t address, std::uint64_t size,
               bool writable) {
    if (size - 1 > UINT64_MAX - address) return false;
    if (memory == nullptr) return true;
    return writable ? memory->contains_writable(address, size) : memory->contains(address, size);
}

}  // namespace

const register_info* find_register(std::uint32_t offset) {
    if (offset >= config || offset % 4 != 0 || row_of[offset / 4] == 0) return nullptr;
    return &register_table[row_of[offset / 4] - 1];
}

mmio_register_file::mmio_register_file(device_config config, guest_memory* memory)
    : config_(std::move(config)), memory_(memory) {
    check_features(config_);
    check_queues(config_);
    reset();
}

/// RST-01, RST-04: complete within the write, because Linux does not poll for it.
void mmio_register_file::reset() {
    state_.status = 0;
    state_.accepted = 0;
    state_.illegal_feature_word = false;
    state_.queues.assign(config_.queue_size_max.size(), queue_config{});
    device_features_sel_ = driver_features_sel_ = queue_sel_ = shm_sel_ = 0;
    interrupt_status_ = 0;
}

// --- reads ---

std::uint32_t mmio_register_file::read(std::uint32_t offset, unsigned size,
                                       register_effect& effect) {
    if (offset >= window_size) {
        effect.guest_error = "read beyond the device's window";
        return 0;
    }
    if (offset >= mmio::config) return 0;  // CFG-07: an SCMI device has none; CFG-08: any width
    if (size != 4 || offset % 4 != 0) {
        effect.guest_error = "control register read that is not an aligned 32-bit access (4.2.2.2)";
        return 0;
    }
    const register_info* const info = find_register(offset);
    if (info == nullptr || info->direction == access::write_only) {
        effect.guest_error = info == nullptr ? "read of a reserved offset (4.2.2.2)"
                                             : "read of a write-only register (4.2.2.2)";
        return 0;
    }
    return value_of(offset);
}

std::uint32_t mmio_register_file::peek(std::uint32_t offset) const {
    return value_of(offset & ~3u);
}

/// Selected registers are evaluated here, at the read, not when the selector is written.
std::uint32_t mmio_register_file::value_of(std::uint32_t offset) const {
    switch (offset) {
        case magic_value:
            return magic;
        case version:
            return 2;
        case mmio::device_id:
            return config_.device_id;
        case vendor_id:
            return config_.vendor_id;
        case device_features:
            // FEAT-11: words 2 and up exist for the driver to ask, and are empty.
            return device_features_sel_ == 0   ? low(config_.offered)
                   : device_features_sel_ == 1 ? high(config_.offered)
                                               : 0;
        case mmio::queue_size_max:
        case queue_ready:
            return queue_value(offset);
        case mmio::interrupt_status:
            return interrupt_status_;
        case mmio::status:
            return state_.status;
        case shm_len_low:
        case shm_len_high:
        case shm_base_low:
        case shm_base_high:
            return all_ones;
        default:
            return 0;
    }
}

std::uint32_t mmio_register_file::queue_value(std::uint32_t offset) const {
    const queue_config* const queue = selected();
    if (queue == nullptr) return 0;
    return offset == queue_ready ? queue->ready : config_.queue_size_max[queue_sel_];
}

/// SCMI-03: the event queue is there only with P2A_CHANNELS; before FEATURES_OK, if it is offered.
bool mmio_register_file::queue_exists(std::uint32_t queue) const {
    if (queue >= state_.queues.size()) return false;
    if (config_.device_id != scmi_device_id || queue != scmi_eventq) return true;
    const bool settled = (state_.status & device_status::features_ok) != 0;
    return ((settled ? state_.accepted : config_.offered) & feature::scmi_p2a_channels) != 0;
}

const queue_config* mmio_register_file::selected() const {
    return queue_exists(queue_sel_) ? &state_.queues[queue_sel_] : nullptr;
}

ring_layout mmio_register_file::layout(unsigned queue) const {
    if (queue >= state_.queues.size()) {
        throw error(error_kind::model, "layout of queue " + std::to_string(queue) +
                                           ", but there are " +
                                           std::to_string(state_.queues.size()));
    }
    const queue_config& q = state_.queues[queue];
    return {q.size, q.desc, q.driver_area, q.device_area};
}

ring_features mmio_register_file::features() const {
    return {state_.has(feature::event_idx), state_.has(feature::indirect_desc)};
}

// --- writes ---

register_effect mmio_register_file::write(std::uint32_t offset, unsigned size,
                                          std::uint32_t value) {
    register_effect effect;
    if (offset >= mmio::config) {
        effect.guest_error = offset >= window_size
                                 ? "write beyond the device's window"
                                 : "write to the configuration space: this device has none";
        return effect;
    }
    if (size != 4 || offset % 4 != 0) {
        effect.guest_error =
            "control register write that is not an aligned 32-bit access (4.2.2.2)";
        return effect;
    }
    const register_info* const info = find_register(offset);
    if (info == nullptr || info->direction == access::read_only) {
        effect.guest_error = info == nullptr ? "write to a reserved offset (4.2.2.2)"
                                             : "write to a read-only register (4.2.2.2)";
        return effect;
    }
    write_register(offset, value, effect);
    return effect;
}

/// Only registers that may be written come here.
void mmio_register_file::write_register(std::uint32_t offset, std::uint32_t value,
                                        register_effect& effect) {
    switch (offset) {
        case queue_notify:
            return write_notify(value, effect);
        case interrupt_ack:
            if ((value & ~3u) != 0) {
                effect.guest_error = "InterruptACK of undefined bits, those were ignored (4.2.2.2)";
            }
            interrupt_status_ &= ~value;
            return;
        case mmio::status:
            return write_status(value, effect);
        case device_features_sel:
            device_features_sel_ = value;
            return;
        case driver_features_sel:
            driver_features_sel_ = value;
            return;
        case driver_features:
            return write_driver_features(value, effect);
        case queue_sel:
            queue_sel_ = value;
            return;
        case shm_sel:
            shm_sel_ = value;
            return;
        default:
            return write_queue_register(offset, value, effect);
    }
}

void mmio_register_file::write_driver_features(std::uint32_t value, register_effect& effect) {
    if ((state_.status & device_status::features_ok) != 0) {
        effect.guest_error = "DriverFeatures written after FEATURES_OK (3.1.1)";
    } else if (driver_features_sel_ == 0) {
        set_low(state_.accepted, value);
    } else if (driver_features_sel_ == 1) {
        set_high(state_.accepted, value);
    } else if (value != 0) {
        state_.illegal_feature_word = true;
        effect.guest_error =
            "feature bits accepted in a word that has none; FEATURES_OK will be refused";
    }
}

void mmio_register_file::write_queue_register(std::uint32_t offset, std::uint32_t value,
                                              register_effect& effect) {
    if (offset == queue_reset) {
        effect.guest_error = "QueueReset written without RING_RESET negotiated (4.2.2.2)";
        return;
    }
    if (!queue_exists(queue_sel_)) {
        effect.guest_error = "queue register written while QueueSel names no queue";
        return;
    }
    queue_config& queue = state_.queues[queue_sel_];
    if (offset == queue_ready) return write_queue_ready(queue, value, effect);
    if (queue.ready) {
        effect.guest_error = "queue configuration written while QueueReady is 1 (4.2.2.2)";
        return;
    }
    switch (offset) {
        case queue_size:
            // An illegal size is kept, and refused at QueueReady (MMIO-20).
            queue.size_written = value;
            queue.size = legal_queue_size(value) ? static_cast<std::uint16_t>(value) : 0;
            return;
        case queue_desc_low:
            return set_low(queue.desc, value);
        case queue_desc_high:
            return set_high(queue.desc, value);
        case queue_driver_low:
            return set_low(queue.driver_area, value);
        case queue_driver_high:
            return set_high(queue.driver_area, value);
        case queue_device_low:
            return set_low(queue.device_area, value);
        case queue_device_high:
            return set_high(queue.device_area, value);
        default:
            return;
    }
}

void mmio_register_file::write_queue_ready(queue_config& queue, std::uint32_t value,
                                           register_effect& effect) {
    effect.queue = static_cast<std::uint16_t>(queue_sel_);
    if (value > 1)
        effect.guest_error = "QueueReady written with more than bit 0, only that was used";
    if ((value & 1) == 0) {
        effect.queue_disabled = std::exchange(queue.ready, false);
        return;
    }
    if (queue.ready) {
        effect.guest_error = "QueueReady written 1 while it is 1";
    } else if ((state_.status & device_status::features_ok) == 0) {
        effect.guest_error = "QueueReady written 1 before FEATURES_OK: the ring format is unknown";
    } else if (!state_.alive()) {
        effect.guest_error = "QueueReady written 1 on a device that must be reset first";
    } else if (const char* refused = queue_refused(queue)) {
        // MMIO-20, MMIO-32
        effect.guest_error = refused;
        effect.needs_reset = true;
        enter_needs_reset();
    } else {
        queue.ready = true;
        effect.queue_enabled = true;
    }
}

const char* mmio_register_file::queue_refused(const queue_config& q) const {
    if (q.size == 0) return "QueueReady with a QueueSize that is no power of two up to 32768";
    if (q.size > config_.queue_size_max[queue_sel_])
        return "QueueReady with QueueSize over QueueSizeMax";
    if (q.desc % 16 != 0) return "QueueReady with a descriptor area that is not 16-byte aligned";
    if (q.driver_area % 2 != 0) return "QueueReady with a driver area that is not 2-byte aligned";
    if (q.device_area % 4 != 0) return "QueueReady with a device area that is not 4-byte aligned";
    if (!in_memory(memory_, q.desc, desc_area_bytes(q.size), false)) {
        return "QueueReady with a descriptor area that is not all in memory";
    }
    if (!in_memory(memory_, q.driver_area, avail_area_bytes(q.size), false)) {
        return "QueueReady with a driver area that is not all in memory";
    }
    if (!in_memory(memory_, q.device_area, used_area_bytes(q.size), true)) {
        return "QueueReady with a device area that is not all in writable memory";
    }
    return nullptr;
}

void mmio_register_file::write_notify(std::uint32_t value, register_effect& effect) {
    if (value >= state_.queues.size()) {
        effect.guest_error = "QueueNotify of a queue that does not exist";
    } else if (!state_.driver_ok()) {
        effect.guest_error = "QueueNotify before DRIVER_OK (3.1.1)";
    } else if (!state_.alive()) {
        effect.guest_error = "QueueNotify on a device that must be reset first";
    } else if (!state_.queues[value].ready) {
        effect.guest_error = "QueueNotify of a queue that is not ready";
    } else {
        effect.kick = true;
        effect.queue = static_cast<std::uint16_t>(value);
    }
}

void mmio_register_file::write_status(std::uint32_t value, register_effect& effect) {
    if (value == 0) {
        reset();
        effect.reset = true;
        return;
    }
    const std::uint32_t before = state_.status;
    std::uint32_t added = value & driver_bits & ~before;
    // A driver that reads, modifies and writes returns NEEDS_RESET as it read it.
    if ((value & ~(driver_bits | (before & device_status::needs_reset))) != 0) {
        effect.guest_error =
            "Status written with bits that are not the driver's, those were ignored";
    }
    if ((before & driver_bits & ~value) != 0) {
        effect.guest_error = "Status bits cleared without a reset, they stay set (2.1.1)";
    }
    if ((before & device_status::failed) != 0 && added != 0) {
        effect.guest_error = "Status written after FAILED without a reset (2.1.1)";
        return;
    }
    if ((added & device_status::features_ok) != 0) {
        if (const char* refused = features_refused()) {
            effect.guest_error = refused;
            added &= ~device_status::features_ok;
        }
    }
    if ((added & device_status::driver_ok) != 0 &&
        ((before | added) & device_status::features_ok) == 0) {
        // STAT-10
        effect.guest_error = "DRIVER_OK without FEATURES_OK, it was ignored (3.1.1)";
        added &= ~device_status::driver_ok;
    }
    state_.status = before | added;
    effect.driver_ok = (added & device_status::driver_ok) != 0 && state_.alive();
}

/// FEAT-01, FEAT-07, FEAT-19
const char* mmio_register_file::features_refused() const {
    if (state_.illegal_feature_word || (state_.accepted & ~config_.offered) != 0) {
        return "FEATURES_OK refused: features were accepted that are not offered (2.2.1)";
    }
    if (!state_.has(feature::version_1))
        return "FEATURES_OK refused: VERSION_1 is not accepted (6.2)";
    return nullptr;
}

void mmio_register_file::enter_needs_reset() {
    if ((state_.status & device_status::needs_reset) != 0) return;
    state_.status |= device_status::needs_reset;
    if (state_.driver_ok()) interrupt_status_ |= interrupt_config_change;
}

}  // namespace scmi_vp::virtio
