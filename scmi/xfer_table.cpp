// SPDX-License-Identifier: Apache-2.0
// The agent's xfer bookkeeping, after Linux drivers/firmware/arm_scmi/driver.c (v5.15 to v6.1).
// Function names in comments are that file's.
#include "scmi/xfer_table.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace scmi_vp::scmi {

xfer_table::xfer_table(std::uint32_t max_msg, std::uint32_t max_msg_size, transfer_counter& counter)
    : counter_(counter), max_msg_size_(max_msg_size) {
    // __scmi_xfer_info_init refuses the same range.
    if (max_msg == 0 || max_msg > msg_token_max) {
        throw error(error_kind::config, "max_msg is " + std::to_string(max_msg) +
                                            ": give 1 to 1024 messages in flight");
    }
    if (max_msg_size == 0 || max_msg_size > UINT16_MAX) {
        throw error(error_kind::config, "max_msg_size is " + std::to_string(max_msg_size) +
                                            ": give 1 to 65535 payload bytes");
    }
    xfers_.resize(max_msg);
    free_.reserve(max_msg);
    // Each new xfer goes to the head of the free list, so the last one is taken first.
    for (std::uint32_t i = 0; i < max_msg; ++i) {
        xfers_[i].index = static_cast<std::uint16_t>(i);
        xfers_[i].buf.resize(max_msg_size);
        free_.push_back(static_cast<std::uint16_t>(i));
    }
}

// scmi_xfer_token_set: the first free token from the candidate on, else from 0 on. A candidate is
// nearly always free, since tokens are drawn in sequence and few are in flight.
std::uint32_t xfer_table::free_token(std::uint32_t candidate) const {
    for (std::uint32_t t = candidate; t < msg_token_max; ++t) {
        if (!tokens_[t]) return t;
    }
    for (std::uint32_t t = 0; t < candidate; ++t) {
        if (!tokens_[t]) return t;
    }
    return msg_token_max;
}

xfer* xfer_table::get(xfer_error& why) {
    if (free_.empty()) {
        why = xfer_error::no_slot;
        return nullptr;
    }
    const std::uint32_t transfer_id = ++counter_.value;
    const std::uint32_t candidate = transfer_id % msg_token_max;
    const std::uint32_t token = free_token(candidate);
    // Out of reach while every xfer holds one token and the pool has at most as many.
    if (token == msg_token_max) {
        why = xfer_error::no_token;
        return nullptr;
    }
    // The signed difference: after a search that wrapped to 0 the counter goes back.
    counter_.value += token - candidate;

    xfer& x = xfers_[free_.back()];
    free_.pop_back();
    x.transfer_id = transfer_id;
    x.hdr = header{};
    x.hdr.token = static_cast<std::uint16_t>(token);
    x.poll = false;
    x.pending = true;
    x.expects_delayed = false;
    x.users = 1;
    x.tx_len = x.rx_len = 0;
    x.user = nullptr;
    tokens_.set(token);
    by_token_[token] = x.index;
    ++in_use_;
    why = xfer_error::none;
    return &x;
}

void xfer_table::put(xfer& x) {
    if (x.users == 0) put_too_often(x);
    if (--x.users != 0) return;
    x.pending = false;
    tokens_.reset(x.hdr.token);
    free_.push_back(x.index);
    --in_use_;
}

void xfer_table::put_too_often(const xfer& x) {
    throw error(error_kind::model,
                "xfer " + std::to_string(x.index) + " is put more often than it was taken");
}

void xfer_table::prepare_to_send(xfer& x) {
    x.status = 0;
    x.state = xfer_state::sent_ok;
}

// scmi_xfer_command_acquire, scmi_msg_response_validate, scmi_xfer_state_update.
rx_result xfer_table::receive(std::uint32_t header_word) {
    const header received = header::unpack(header_word);
    if (received.type == message_type::notification) return {rx_verdict::notification};
    if (received.type == message_type::reserved) return {rx_verdict::unknown_type};
    if (!tokens_[received.token]) return {rx_verdict::unexpected};

    xfer& x = xfers_[by_token_[received.token]];
    const bool delayed = received.type == message_type::delayed_response;
    if (delayed && !x.expects_delayed) return {rx_verdict::delayed_unexpected, &x};
    if (x.state == xfer_state::dresp_ok || (x.state == xfer_state::resp_ok && !delayed)) {
        return {rx_verdict::invalid, &x};
    }
    rx_verdict verdict = delayed ? rx_verdict::delayed_response : rx_verdict::response;
    if (delayed && x.state == xfer_state::sent_ok) {
        x.status = 0;  // the response is taken to have been a success
        verdict = rx_verdict::delayed_early;
    }
    ++x.users;
    x.hdr.type = received.type;
    x.state = delayed ? xfer_state::dresp_ok : xfer_state::resp_ok;
    return {verdict, &x};
}

// msg_fetch_response (msg.c), after the reset of rx.len in scmi_handle_response.
void xfer_table::fetch_response(xfer& x, const std::uint8_t* message, std::size_t rx_bytes) {
    constexpr std::size_t prefix = 8;  // header and status
    if (x.hdr.type == message_type::delayed_response) {
        x.rx_len = static_cast<std::uint16_t>(max_msg_size_);
    }
    x.status = boost::endian::load_little_s32(message + 4);
    const std::size_t arrived = rx_bytes >= prefix ? rx_bytes - prefix : 0;
    const std::size_t room = std::min<std::size_t>(x.rx_len, max_msg_size_);
    x.rx_len = static_cast<std::uint16_t>(std::min(room, arrived));
    std::memcpy(x.buf.data(), message + prefix, x.rx_len);
}

// scmi_linux_errmap, common.h.
int linux_errno(std::int32_t raw_status) {
    switch (static_cast<status>(raw_status)) {
        case status::success:
            return 0;
        case status::not_supported:
            return -EOPNOTSUPP;
        case status::invalid_parameters:
            return -EINVAL;
        case status::denied:
            return -EACCES;
        case status::not_found:
            return -ENOENT;
        case status::out_of_range:
            return -ERANGE;
        case status::busy:
            return -EBUSY;
        case status::comms_error:
            return -ECOMM;
        case status::generic_error:
            return -EIO;
        case status::hardware_error:
            return -EREMOTEIO;
        case status::protocol_error:
            return -EPROTO;
        default:
            return -EIO;  // IN_USE of SCMI 3.2 has no entry either
    }
}

}  // namespace scmi_vp::scmi
