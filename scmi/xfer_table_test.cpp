// SPDX-License-Identifier: Apache-2.0
// The xfer table against Linux drivers/firmware/arm_scmi/driver.c, v5.15 to v6.1.
#include "scmi/xfer_table.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/error.h"

namespace scmi_vp::scmi {
namespace {

std::uint32_t word(message_type type, std::uint32_t token) {
    return header{6, type, 0x15, std::uint16_t(token)}.pack();
}

class xfers : public testing::Test {
protected:
    xfer* take(xfer_table& t) {
        xfer_error why{};
        xfer* x = t.get(why);
        EXPECT_EQ(why, xfer_error::none);
        return x;
    }
    transfer_counter counter;
};

// scmi_xfer_get counts before it draws: the first token after boot is 1, as recorded.
TEST_F(xfers, first_token_is_one) {
    xfer_table t(4, 128, counter);
    xfer* x = take(t);
    EXPECT_EQ(x->transfer_id, 1u);
    EXPECT_EQ(x->hdr.token, 1);
    EXPECT_TRUE(x->pending);
    EXPECT_EQ(x->users, 1);
    EXPECT_FALSE(x->poll);
    EXPECT_FALSE(x->expects_delayed);
    EXPECT_EQ(x->tx_len, 0);
    EXPECT_EQ(x->rx_len, 0);
    EXPECT_EQ(x->buf.size(), 128u);
    EXPECT_EQ(t.in_use(), 1u);
}

// scmi_xfer_token_set: seq = transfer_id mod 1024 while the candidate is free.
TEST_F(xfers, token_follows_the_transfer_id_and_wraps_to_zero) {
    xfer_table t(1, 16, counter);
    for (std::uint32_t id = 1; id <= 3000; ++id) {
        xfer* x = take(t);
        EXPECT_EQ(x->transfer_id, id);
        ASSERT_EQ(x->hdr.token, id % 1024);
        t.put(*x);
    }
}

// 5 and 6 are still in flight when the counter steps to 1029: transfer_id 1029, seq 7; the counter
// moves to 1031 and the next xfer is 1032 / seq 8.
TEST_F(xfers, a_taken_candidate_moves_the_counter_by_the_difference) {
    xfer_table t(4, 16, counter);
    counter.value = 4;
    xfer* five = take(t);
    xfer* six = take(t);
    ASSERT_EQ(five->hdr.token, 5);
    ASSERT_EQ(six->hdr.token, 6);
    counter.value = 1028;
    xfer* x = take(t);
    EXPECT_EQ(x->transfer_id, 1029u);
    EXPECT_EQ(x->hdr.token, 7);
    EXPECT_EQ(counter.value, 1031u);
    xfer* next = take(t);
    EXPECT_EQ(next->transfer_id, 1032u);
    EXPECT_EQ(next->hdr.token, 8);
}

// The search wraps to 0 and the counter goes back, so that a transfer_id can come twice.
TEST_F(xfers, a_search_that_wraps_takes_the_counter_back) {
    xfer_table t(4, 16, counter);
    counter.value = 1022;
    xfer* last = take(t);
    ASSERT_EQ(last->hdr.token, 1023);
    counter.value = 2046;
    xfer* x = take(t);
    EXPECT_EQ(x->transfer_id, 2047u);  // candidate 1023 is taken
    EXPECT_EQ(x->hdr.token, 0);
    EXPECT_EQ(counter.value, 1024u);  // 2047 - 1023
    xfer* next = take(t);
    EXPECT_EQ(next->transfer_id, 1025u);
    EXPECT_EQ(next->hdr.token, 1);
}

TEST_F(xfers, the_transfer_id_wraps_at_32_bits) {
    xfer_table t(2, 16, counter);
    counter.value = UINT32_MAX;
    xfer* x = take(t);
    EXPECT_EQ(x->transfer_id, 0u);
    EXPECT_EQ(x->hdr.token, 0);
}

// The empty pool is detected first and consumes no value.
TEST_F(xfers, an_empty_pool_does_not_move_the_counter) {
    xfer_table t(2, 16, counter);
    xfer* a = take(t);
    take(t);
    xfer_error why = xfer_error::none;
    EXPECT_EQ(t.get(why), nullptr);
    EXPECT_EQ(why, xfer_error::no_slot);
    EXPECT_EQ(counter.value, 2u);
    t.put(*a);
    EXPECT_EQ(take(t)->transfer_id, 3u);
}

// transfer_last_id is static: all tables of a guest share it, notifications too (gaps in the
// tokens).
TEST_F(xfers, tables_share_the_counter) {
    xfer_table a(2, 16, counter), b(2, 16, counter);
    EXPECT_EQ(take(a)->hdr.token, 1);
    EXPECT_EQ(take(b)->hdr.token, 2);
    EXPECT_EQ(take(a)->hdr.token, 3);
}

// hlist_add_head: the xfer object that was put last is taken first; its token is not taken again.
TEST_F(xfers, objects_are_reused_last_in_first_out_but_tokens_are_not) {
    xfer_table t(4, 16, counter);
    xfer *a = take(t), *b = take(t);
    t.put(*a);
    t.put(*b);
    xfer* c = take(t);
    EXPECT_EQ(c, b);
    EXPECT_EQ(c->hdr.token, 3);
    EXPECT_EQ(take(t), a);
}

TEST_F(xfers, all_1024_tokens_can_be_in_flight) {
    xfer_table t(1024, 4, counter);
    std::set<std::uint16_t> tokens;
    for (int i = 0; i < 1024; ++i) tokens.insert(take(t)->hdr.token);
    EXPECT_EQ(tokens.size(), 1024u);
    EXPECT_EQ(t.in_use(), 1024u);
    xfer_error why{};
    EXPECT_EQ(t.get(why), nullptr);
    EXPECT_EQ(why, xfer_error::no_slot);
}

// __scmi_xfer_info_init: "Invalid maximum messages" for 0 and for more than MSG_TOKEN_MAX.
TEST_F(xfers, sizes_out_of_range_are_refused) {
    const auto refused = [this](std::uint32_t max_msg, std::uint32_t size, const char* field) {
        try {
            xfer_table t(max_msg, size, counter);
            ADD_FAILURE() << max_msg << " " << size;
        } catch (const error& e) {
            EXPECT_EQ(e.kind(), error_kind::config);
            EXPECT_NE(std::string(e.what()).find(field), std::string::npos) << e.what();
        }
    };
    refused(0, 128, "max_msg is 0");
    refused(1025, 128, "max_msg is 1025");
    refused(16, 0, "max_msg_size is 0");
    refused(16, 65536, "max_msg_size is 65536");
}

TEST_F(xfers, a_put_too_many_is_a_defect) {
    xfer_table t(2, 16, counter);
    xfer* x = take(t);
    t.put(*x);
    EXPECT_THROW(t.put(*x), error);
    EXPECT_EQ(t.in_use(), 0u);
}

// scmi_msg_response_validate, one row per case: whether a delayed response is awaited, the state,
// the message that comes, and what becomes of it.
TEST_F(xfers, state_machine) {
    using mt = message_type;
    using xs = xfer_state;
    using rv = rx_verdict;
    const struct {
        bool expects_delayed;
        xs before;
        mt type;
        rv verdict;
        xs after;
    } rows[] = {
        {false, xs::sent_ok, mt::command, rv::response, xs::resp_ok},
        {false, xs::resp_ok, mt::command, rv::invalid, xs::resp_ok},
        {false, xs::dresp_ok, mt::command, rv::invalid, xs::dresp_ok},
        {false, xs::sent_ok, mt::delayed_response, rv::delayed_unexpected, xs::sent_ok},
        {false, xs::resp_ok, mt::delayed_response, rv::delayed_unexpected, xs::resp_ok},
        {false, xs::dresp_ok, mt::delayed_response, rv::delayed_unexpected, xs::dresp_ok},
        {true, xs::sent_ok, mt::command, rv::response, xs::resp_ok},
        {true, xs::resp_ok, mt::command, rv::invalid, xs::resp_ok},
        {true, xs::dresp_ok, mt::command, rv::invalid, xs::dresp_ok},
        {true, xs::sent_ok, mt::delayed_response, rv::delayed_early, xs::dresp_ok},
        {true, xs::resp_ok, mt::delayed_response, rv::delayed_response, xs::dresp_ok},
        {true, xs::dresp_ok, mt::delayed_response, rv::invalid, xs::dresp_ok},
        {true, xs::sent_ok, mt::notification, rv::notification, xs::sent_ok},
        {true, xs::sent_ok, mt::reserved, rv::unknown_type, xs::sent_ok},
    };
    int n = 0;
    for (const auto& row : rows) {
        SCOPED_TRACE(n++);
        xfer_table t(2, 16, counter);
        xfer* x = take(t);
        t.prepare_to_send(*x);
        x->expects_delayed = row.expects_delayed;
        x->state = row.before;
        x->status = 77;
        const rx_result r = t.receive(word(row.type, x->hdr.token));
        EXPECT_EQ(r.verdict, row.verdict);
        EXPECT_EQ(x->state, row.after);
        const bool accepted = row.verdict == rv::response || row.verdict == rv::delayed_response ||
                              row.verdict == rv::delayed_early;
        EXPECT_EQ(x->users, accepted ? 2 : 1);
        const bool matched = row.verdict != rv::notification && row.verdict != rv::unknown_type;
        EXPECT_EQ(r.x, matched ? x : nullptr);
        if (accepted) {
            EXPECT_EQ(x->hdr.type, row.type);
        }
        // A delayed response that comes first stands for a successful response.
        EXPECT_EQ(x->status, row.verdict == rv::delayed_early ? 0 : 77);
    }
}

// Only token and type are looked at: another protocol and message id are accepted.
TEST_F(xfers, protocol_and_message_of_a_reply_are_not_compared) {
    xfer_table t(2, 16, counter);
    xfer* x = take(t);
    x->hdr.protocol_id = 0x14;
    x->hdr.message_id = 3;
    const header other{0x77, message_type::command, 0x99, x->hdr.token};
    EXPECT_EQ(t.receive(other.pack()).verdict, rx_verdict::response);
    EXPECT_EQ(x->hdr.protocol_id, 0x14);
    EXPECT_EQ(x->hdr.message_id, 3);
}

// A late reply after the timeout finds no pending xfer, whatever its type.
TEST_F(xfers, replies_without_a_pending_xfer_are_unexpected) {
    xfer_table t(2, 16, counter);
    xfer* x = take(t);
    const std::uint16_t token = x->hdr.token;
    EXPECT_EQ(t.receive(word(message_type::command, token + 1)).verdict, rx_verdict::unexpected);
    t.put(*x);
    EXPECT_FALSE(x->pending);
    const rx_result late = t.receive(word(message_type::command, token));
    EXPECT_EQ(late.verdict, rx_verdict::unexpected);
    EXPECT_EQ(late.x, nullptr);
    EXPECT_EQ(t.receive(word(message_type::delayed_response, token)).verdict,
              rx_verdict::unexpected);
}

// The reference of receive() keeps an xfer alive that its sender has already left.
TEST_F(xfers, a_reply_in_progress_outlives_the_timeout) {
    xfer_table t(1, 16, counter);
    xfer* x = take(t);
    const rx_result r = t.receive(word(message_type::command, x->hdr.token));
    t.put(*x);  // the sender times out
    EXPECT_EQ(t.in_use(), 1u);
    EXPECT_TRUE(x->pending);
    xfer_error why{};
    EXPECT_EQ(t.get(why), nullptr);
    t.put(*r.x);
    EXPECT_EQ(t.in_use(), 0u);
    EXPECT_EQ(take(t), x);
}

// An iterator sends again with the same xfer: the state goes back, so that a duplicate of the first
// reply is taken for the second's.
TEST_F(xfers, a_duplicate_is_accepted_after_the_xfer_is_sent_again) {
    xfer_table t(1, 16, counter);
    xfer* x = take(t);
    t.prepare_to_send(*x);
    EXPECT_EQ(t.receive(word(message_type::command, x->hdr.token)).verdict, rx_verdict::response);
    EXPECT_EQ(t.receive(word(message_type::command, x->hdr.token)).verdict, rx_verdict::invalid);
    x->status = -5;
    t.prepare_to_send(*x);
    EXPECT_EQ(x->status, 0);
    EXPECT_EQ(t.receive(word(message_type::command, x->hdr.token)).verdict, rx_verdict::response);
}

// msg_fetch_response: status from word 0 of what the buffer holds, even if the length is short.
TEST_F(xfers, fetching_takes_status_and_the_shortest_length) {
    std::uint8_t message[8 + 12] = {1, 2, 3, 4, 0xfe, 0xff, 0xff, 0xff};
    for (int i = 0; i < 12; ++i) message[8 + i] = std::uint8_t(0xa0 + i);
    const struct {
        std::uint16_t expected;
        std::size_t rx_bytes;
        std::uint16_t got;
    } rows[] = {{8, 16, 8}, {8, 20, 8}, {8, 12, 4},   {8, 8, 0},
                {8, 7, 0},  {8, 0, 0},  {12, 20, 12}, {0, 20, 0}};
    for (const auto& row : rows) {
        xfer_table t(1, 12, counter);
        xfer* x = take(t);
        std::fill(x->buf.begin(), x->buf.end(), std::uint8_t(0xee));
        x->rx_len = row.expected;
        t.fetch_response(*x, message, row.rx_bytes);
        EXPECT_EQ(x->status, -2);
        ASSERT_EQ(x->rx_len, row.got);
        for (std::size_t i = 0; i < x->buf.size(); ++i) {
            EXPECT_EQ(x->buf[i], i < row.got ? 0xa0 + i : 0xeeu);
        }
    }
}

// scmi_handle_response: the response shrank rx.len to 0, the delayed response may fill the message.
TEST_F(xfers, the_expected_length_is_whole_again_for_a_delayed_response) {
    xfer_table t(1, 32, counter);
    xfer* x = take(t);
    x->expects_delayed = true;
    x->rx_len = 8;
    const std::uint8_t response[8] = {};
    t.receive(word(message_type::command, x->hdr.token));
    t.fetch_response(*x, response, 8);
    ASSERT_EQ(x->rx_len, 0);
    const std::uint8_t delayed[8 + 12] = {0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0xcb, 0xaf};
    t.receive(word(message_type::delayed_response, x->hdr.token));
    t.fetch_response(*x, delayed, sizeof delayed);
    EXPECT_EQ(x->rx_len, 12);
    EXPECT_EQ(get_u32(x->buf.data(), x->rx_len, 4), 0xafcbu);
}

// A device may claim more bytes than a message can hold: the buffer is never overrun.
TEST_F(xfers, a_reply_longer_than_a_message_is_cut) {
    xfer_table t(1, 16, counter);
    xfer* x = take(t);
    x->rx_len = 4000;
    const std::vector<std::uint8_t> message(200, 9);
    t.fetch_response(*x, message.data(), message.size());
    EXPECT_EQ(x->rx_len, 16);
    EXPECT_EQ(x->buf, std::vector<std::uint8_t>(16, 9));
}

// Random traffic: a token is found exactly while its xfer is in use, and no token is given twice.
TEST_F(xfers, bookkeeping_holds_under_random_traffic) {
    std::mt19937 random(20230617);
    xfer_table t(64, 8, counter);
    std::vector<xfer*> taken;
    for (int step = 0; step < 100'000; ++step) {
        if (random() % 2 && taken.size() < 64) {
            taken.push_back(take(t));
            for (std::size_t i = 0; i + 1 < taken.size(); ++i) {
                ASSERT_NE(taken[i]->hdr.token, taken.back()->hdr.token);
            }
        } else if (!taken.empty()) {
            std::swap(taken[random() % taken.size()], taken.back());
            t.put(*taken.back());
            taken.pop_back();
        }
        ASSERT_EQ(t.in_use(), taken.size());
    }
    std::set<std::uint16_t> tokens;
    for (const xfer* x : taken) tokens.insert(x->hdr.token);
    for (std::uint32_t token = 0; token < 1024; ++token) {
        const bool unexpected =
            t.receive(word(message_type::command, token)).verdict == rx_verdict::unexpected;
        EXPECT_EQ(unexpected, tokens.count(std::uint16_t(token)) == 0);
    }
}

// scmi_to_linux_errno; IN_USE of SCMI 3.2 and everything else is -EIO.
TEST(linux_errno, maps_as_the_driver_does) {
    const int expected[] = {0,      -EOPNOTSUPP, -EINVAL, -EACCES,    -ENOENT, -ERANGE,
                            -EBUSY, -ECOMM,      -EIO,    -EREMOTEIO, -EPROTO, -EIO};
    for (int code = 0; code < 12; ++code) EXPECT_EQ(linux_errno(-code), expected[code]);
    EXPECT_EQ(linux_errno(-128), -EIO);
    EXPECT_EQ(linux_errno(1), -EIO);
    EXPECT_EQ(linux_errno(INT32_MIN), -EIO);
}

}  // namespace
}  // namespace scmi_vp::scmi
