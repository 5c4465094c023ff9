// SPDX-License-Identifier: Apache-2.0
// The agent's xfer bookkeeping: pool, monotonic tokens, pending table, states. Pure state, modelled
// on Linux drivers/firmware/arm_scmi/driver.c v5.15 to v6.1 (scmi_xfer_get, scmi_xfer_token_set,
// __scmi_xfer_put, scmi_xfer_command_acquire, scmi_msg_response_validate, scmi_handle_response).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <vector>

#include "scmi/message.h"

namespace scmi_vp::scmi {

inline constexpr std::uint32_t msg_token_max = 1024;  ///< MSG_TOKEN_MAX, 10-bit token

enum class xfer_state : std::uint8_t { sent_ok = 0, resp_ok = 1, dresp_ok = 2 };

/// One transfer (struct scmi_xfer). tx and rx share one buffer, as since v5.15.
struct xfer {
    std::uint16_t index = 0;  ///< place in the pool, constant
    std::uint32_t transfer_id = 0;
    header hdr;  ///< hdr.token is the seq
    bool poll = false;
    bool pending = false;
    bool expects_delayed = false;  ///< async_done is set
    xfer_state state = xfer_state::sent_ok;
    std::int32_t status = 0;  ///< hdr.status: raw SCMI status of the last reply
    std::uint16_t users = 0;
    std::uint16_t tx_len = 0;  ///< command payload bytes
    std::uint16_t rx_len = 0;  ///< before the reply: expected payload after status; after: fetched
    std::vector<std::uint8_t> buf;  ///< max_msg_size bytes, shared by tx and rx
    void* user = nullptr;           ///< the caller's record
};

/// Shared by all xfer tables of a guest: the global transfer_id counter (static atomic in
/// driver.c).
struct transfer_counter {
    std::uint32_t value = 0;
};

/// What a received header leads to (scmi_handle_response).
enum class rx_verdict : std::uint8_t {
    response,            ///< plain response, accepted: fetch it, complete `done`
    delayed_response,    ///< accepted: fetch it, complete the delayed wait
    delayed_early,       ///< delayed before plain, valid: also complete `done`, log U3 first
    unexpected,          ///< no pending xfer with that token: log U1
    delayed_unexpected,  ///< delayed for a synchronous xfer: log U2 then U4
    invalid,             ///< pending but not acceptable in this state: log U4
    notification,        ///< type 3
    unknown_type,        ///< type 1: one-time warning U5
};

struct rx_result {
    rx_verdict verdict;
    /// With `users` raised for response, delayed_response, delayed_early: release it with put. Only
    /// to look at (token, state) for delayed_unexpected and invalid; nullptr for the others.
    xfer* x = nullptr;
};

enum class xfer_error : std::uint8_t { none, no_slot, no_token };

class xfer_table {
public:
    /// `max_msg` xfers (1..1024) of `max_msg_size` bytes (1..65535). The counter must outlive the
    /// table. Throws scmi_vp::error (config) out of these ranges (Linux: probe fails with -EINVAL).
    xfer_table(std::uint32_t max_msg, std::uint32_t max_msg_size, transfer_counter& counter);

    /// Takes a free xfer and a token (scmi_xfer_get + scmi_xfer_token_set): candidate is the
    /// counter modulo 1024; in use, the next free one, and the counter moves by the signed
    /// difference, the xfer keeps the transfer_id that it drew. users = 1, pending, poll false,
    /// lengths 0. nullptr with `why` when the pool is empty (then the counter does not move) or no
    /// token is free.
    xfer* get(xfer_error& why);

    /// Drops a reference; the last one clears pending, frees the token and pushes the xfer at the
    /// head of the free list (LIFO). Throws scmi_vp::error (model) if the xfer is not in use.
    void put(xfer& x);

    /// State as before sending (status 0, SENT_OK); also when an xfer is used again by a list
    /// reader.
    void prepare_to_send(xfer& x);

    /// Classifies a received header and moves the xfer's state (B.3 steps 1 to 5: only token and
    /// type are looked at).
    rx_result receive(std::uint32_t header_word);

    /// Copies a fetched message (as it lies in the transport's buffer) into the xfer: status is
    /// payload word 0 of what the buffer holds even if `rx_bytes` is short; rx_len = min(expected,
    /// rx_bytes - 8, 0 if shorter). If receive() has classified it as a delayed response
    /// (hdr.type), the expected length is reset to max_msg_size first, since the response may have
    /// shrunk it (scmi_handle_response). `message` must have max(8, rx_bytes) readable bytes.
    void fetch_response(xfer& x, const std::uint8_t* message, std::size_t rx_bytes);

    std::uint32_t in_use() const { return in_use_; }
    std::uint32_t max_msg() const { return static_cast<std::uint32_t>(xfers_.size()); }
    const std::vector<xfer>& all() const { return xfers_; }

private:
    std::uint32_t free_token(std::uint32_t candidate) const;
    [[gnu::cold]] [[noreturn]] static void put_too_often(const xfer& x);

    std::vector<xfer> xfers_;
    std::vector<std::uint16_t> free_;  ///< LIFO
    std::bitset<msg_token_max> tokens_;
    std::array<std::uint16_t, msg_token_max> by_token_{};
    transfer_counter& counter_;
    std::uint32_t max_msg_size_;
    std::uint32_t in_use_ = 0;
};

/// Linux errno (negative) of a raw SCMI status (scmi_to_linux_errno): -1 -> -EOPNOTSUPP, ... other
/// -> -EIO.
int linux_errno(std::int32_t raw_status);

}  // namespace scmi_vp::scmi
