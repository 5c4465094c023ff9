// SPDX-License-Identifier: Apache-2.0
// See scmi_channel.h.
#include "models/transports/virtio/scmi_channel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "models/waves.h"

namespace scmi_vp::models {
namespace {

constexpr std::size_t header_bytes = 4;  // VIRTIO_SCMI_MAX_PDU_SIZE = payload + header + status
constexpr std::size_t response_overhead = 8;
constexpr std::uint64_t slab_bytes = 64;            // kmalloc places buffers apart
constexpr std::uint32_t indirect_table_bytes = 32;  // two descriptors

std::uint32_t limited(std::uint32_t messages) {
    return std::min(messages, scmi::msg_token_max);
}

/// Header and payload, the first eight bytes in one store: they are about to be read as a word.
void put_pdu(std::uint8_t* pdu, const scmi::xfer& x) {
    std::uint64_t first = x.hdr.pack();
    if (x.tx_len < 4) {
        std::memcpy(pdu, &first, header_bytes);
        std::memcpy(pdu + header_bytes, x.buf.data(), x.tx_len);
        return;
    }
    std::uint32_t word;
    std::memcpy(&word, x.buf.data(), sizeof word);
    first |= std::uint64_t{word} << 32;
    std::memcpy(pdu, &first, sizeof first);
    if (x.tx_len == 8) {
        std::memcpy(&word, x.buf.data() + 4, sizeof word);
        std::memcpy(pdu + sizeof first, &word, sizeof word);
    } else {
        std::memcpy(pdu + sizeof first, x.buf.data() + 4, x.tx_len - 4u);
    }
}

}  // namespace

scmi_channel::scmi_channel(guest_kernel& kernel, virtio_driver& driver,
                           virtio::guest_memory& memory, guest_allocator& allocator,
                           guest_latencies& extra)
    : kernel_(kernel), driver_(driver), memory_(memory), allocator_(allocator), extra_(extra) {}

void scmi_channel::set_up(guest_context& c, std::uint32_t max_msg_size) {
    pdu_bytes_ = max_msg_size + response_overhead;
    // virtio_get_max_msg: two descriptors a command, whatever indirect descriptors could do.
    tx_max_ = limited(driver_.queue(virtio::scmi_cmdq).layout().size / 2u);
    tx_messages_.resize(tx_max_);
    free_.set_capacity(tx_max_);
    for (vio_message& m : tx_messages_) {
        m.request_address = allocator_.take(pdu_bytes_, slab_bytes);
        m.input_address = allocator_.take(pdu_bytes_, slab_bytes);
        free_.push_back(&m);
    }
    indirect_tables_ = allocator_.take(std::uint64_t(indirect_table_bytes) * tx_max_, slab_bytes);
    if (!driver_.has_eventq()) return;
    rx_max_ = limited(driver_.queue(virtio::scmi_eventq).layout().size);
    rx_messages_.resize(rx_max_);
    for (vio_message& m : rx_messages_) {
        m.input_address = allocator_.take(pdu_bytes_, slab_bytes);
        take_lock(c, locks_[virtio::scmi_eventq]);
        c.spend(kernel_.costs().ring_add);
        c.sync();
        if (repost(m)) driver_.write(c, virtio::mmio::queue_notify, virtio::scmi_eventq);
        release_lock(c, locks_[virtio::scmi_eventq]);
    }
}

void scmi_channel::shut_down() {
    for (vio_message& m : tx_messages_) {
        if (m.carried) kernel_.mon().unpin(*m.carried);
    }
    tx_messages_.clear();
    rx_messages_.clear();
    free_.clear();
    pending_.clear();
    work_queued_ = false;
    tx_max_ = rx_max_ = 0;
}

bool scmi_channel::repost(vio_message& m) {
    virtio::driver_queue& q = driver_.queue(virtio::scmi_eventq);
    const virtio::buffer in{m.input_address, pdu_bytes_};
    std::uint16_t head = 0;
    if (q.add(nullptr, 0, &in, 1, &m, &head) != virtio::add_result::added) return false;
    monitor& mon = kernel_.mon();
    if (mon.ownership())
        mon.ownership()->made_available(virtio::scmi_eventq, head, nullptr, 0, &in, 1);
    if (waves* w = mon.wave()) {
        w->queue_index(now(), virtio::scmi_eventq, queue_wave::avail, q.avail_index());
    }
    return q.kick_prepare();
}

void scmi_channel::take_lock(guest_context& c, channel_lock& l) {
    c.sync();                   // an interrupt that comes before this is not held off by it
    kernel_.irqs_off(c.cpu());  // spin_lock_irqsave
    while (rarely(l.held)) c.wait_for(l.released);
    l.held = true;
}

void scmi_channel::release_lock(guest_context& c, channel_lock& l) {
    if (kernel_.config().cpus > 1) c.sync();  // another CPU sees when it is free
    l.held = false;
    l.released.notify_delta();
    kernel_.irqs_on(c.cpu());
}

int scmi_channel::send(guest_context& c, const scmi::xfer& x, request& r, vio_message*& sent) {
    if (rarely(free_.empty())) return -EBUSY;
    vio_message& m = *free_.front();
    free_.pop_front();
    sent = &m;
    m.users = 1;
    m.poll = vio_message::polling::none;
    monitor& mon = kernel_.mon();

    // msg_tx_prepare: header and payload into the request buffer.
    std::uint8_t pdu[header_bytes + max_payload_bytes];
    const std::size_t command_bytes = header_bytes + x.tx_len;
    put_pdu(pdu, x);
    c.spend(kernel_.costs().copy_message);
    memory_.write(virtio::actor::driver, m.request_address, pdu, command_bytes);
    m.carried = &r;
    mon.pin(r);

    c.spend(extra_.lock.next());
    take_lock(c, locks_[virtio::scmi_cmdq]);
    mon.mark(r, instant::locked, c.stamp());
    c.spend(kernel_.costs().ring_add);
    c.spend(extra_.publish.next());
    c.sync();  // publishing can be seen by the device

    virtio::driver_queue& q = driver_.queue(virtio::scmi_cmdq);
    if (rarely(x.poll)) {
        m.poll_index = q.enable_cb_prepare();
        m.poll = vio_message::polling::under_way;
        m.users = 2;
    }
    const std::uint64_t table =
        indirect_tables_ +
        indirect_table_bytes * static_cast<std::uint64_t>(&m - tx_messages_.data());
    const virtio::buffer out[] = {{m.request_address, static_cast<std::uint32_t>(command_bytes)},
                                  {table, indirect_table_bytes}};
    const virtio::buffer in{m.input_address,
                            static_cast<std::uint32_t>(response_overhead + x.rx_len)};
    std::uint16_t head = 0;
    const virtio::add_result added = q.add(out, 1, &in, 1, &m, &head, table);
    if (__builtin_expect(added == virtio::add_result::added, 1)) {
        if (mon.ownership()) {
            mon.ownership()->made_available(virtio::scmi_cmdq, head, out,
                                            driver_.has_indirect() ? 2 : 1, &in, 1);
        }
        mon.published(r, head, now());
        if (waves* w = mon.wave()) {
            w->queue_index(now(), virtio::scmi_cmdq, queue_wave::avail, q.avail_index());
        }
        if (q.kick_prepare()) driver_.write(c, virtio::mmio::queue_notify, virtio::scmi_cmdq);
    }
    release_lock(c, locks_[virtio::scmi_cmdq]);
    if (added == virtio::add_result::added) return 0;
    return not_added(c, m, added == virtio::add_result::no_space ? -ENOSPC : -EIO);
}

int scmi_channel::not_added(guest_context& c, vio_message& m, int err) {
    kernel_.printk(
        "scmi_virtio virtio0: failed to add to TX virtqueue (" + std::to_string(err) + ")",
        c.time());
    free_.push_back(&m);
    kernel_.mon().unpin(*std::exchange(m.carried, nullptr));
    return err;
}

}  // namespace scmi_vp::models
