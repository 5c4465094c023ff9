// SPDX-License-Identifier: Apache-2.0
// What an agent may expect of a stream, from the specification alone (Arm DEN0056, the versions
// that a platform_description has at first, and virtio 5.17.6.1): it is told what was sent and what
// came, in any order and beside any other agents, and fails the test where that is wrong.
//
// Not from the platform's own table of messages (scmi/message.cpp): this one is to find its errors.
#pragma once

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "models/peers/stream_player_testing.h"

namespace scmi_vp::models::testing_tools {

/// A command of the specification.
struct spec_row {
    enum about : std::uint8_t { nothing, power, perf, clock, sensor };
    std::uint8_t protocol, message;
    std::size_t command_words;    ///< of the payload
    std::size_t value_words;      ///< after the status, if it is SUCCESS and `entry_words` is 0
    std::size_t entry_words = 0;  ///< of a list; a word says how many there are
    about names = nothing;        ///< what kind of thing its word `id_word` names
    std::size_t id_word = 0;
    std::int8_t event = -1;  ///< the notification that it switches on
};

// Sections 4.2 to 4.6 of v2.0: Base, Power, Performance 2.0; Clock, Sensor 1.0.
inline constexpr spec_row specification[] = {
    {0x10, 0x0, 0, 1},
    {0x10, 0x1, 0, 1},
    {0x10, 0x2, 1, 1},
    {0x10, 0x3, 0, 4},
    {0x10, 0x4, 0, 4},
    {0x10, 0x5, 0, 1},
    {0x10, 0x6, 1, 0, 1},
    {0x10, 0x7, 1, 5},
    {0x10, 0x8, 1, 0, 0, spec_row::nothing, 0, 0},
    {0x11, 0x0, 0, 1},
    {0x11, 0x1, 0, 4},
    {0x11, 0x2, 1, 1},
    {0x11, 0x3, 1, 5, 0, spec_row::power},
    {0x11, 0x4, 3, 0, 0, spec_row::power, 1},
    {0x11, 0x5, 1, 1, 0, spec_row::power},
    {0x11, 0x6, 2, 0, 0, spec_row::power, 0, 0},
    {0x11, 0x7, 2, 0, 0, spec_row::power},
    {0x13, 0x0, 0, 1},
    {0x13, 0x1, 0, 4},
    {0x13, 0x2, 1, 1},
    {0x13, 0x3, 1, 8, 0, spec_row::perf},
    {0x13, 0x4, 2, 0, 3, spec_row::perf},
    {0x13, 0x5, 3, 0, 0, spec_row::perf},
    {0x13, 0x6, 1, 2, 0, spec_row::perf},
    {0x13, 0x7, 2, 0, 0, spec_row::perf},
    {0x13, 0x8, 1, 1, 0, spec_row::perf},
    {0x13, 0x9, 2, 0, 0, spec_row::perf, 0, 0},
    {0x13, 0xa, 2, 0, 0, spec_row::perf, 0, 1},
    {0x13, 0xb, 2, 11, 0, spec_row::perf},
    {0x14, 0x0, 0, 1},
    {0x14, 0x1, 0, 1},
    {0x14, 0x2, 1, 1},
    {0x14, 0x3, 1, 5, 0, spec_row::clock},
    {0x14, 0x4, 2, 0, 2, spec_row::clock},
    {0x14, 0x5, 4, 0, 0, spec_row::clock, 1},
    {0x14, 0x6, 1, 2, 0, spec_row::clock},
    {0x14, 0x7, 2, 0, 0, spec_row::clock},
    {0x15, 0x0, 0, 1},
    {0x15, 0x1, 0, 4},
    {0x15, 0x2, 1, 1},
    {0x15, 0x3, 1, 0, 7},
    {0x15, 0x4, 2, 0, 0, spec_row::sensor, 0, 0},
    {0x15, 0x5, 4, 0, 0, spec_row::sensor},
    {0x15, 0x6, 2, 2, 0, spec_row::sensor},
};

inline const spec_row* find_row(std::uint8_t protocol, std::uint8_t message) {
    for (const spec_row& r : specification) {
        if (r.protocol == protocol && r.message == message) return &r;
    }
    return nullptr;
}

class stream_oracle {
public:
    explicit stream_oracle(const scmi::platform_description& platform) : platform_(platform) {}

    /// Tokens of commands without an answer must differ.
    void sent(const byte_string& command) {
        const scmi::header h = header_of(command);
        ASSERT_TRUE(unanswered_.emplace(h.token, command).second);
        const spec_row* const row = find_row(h.protocol_id, h.message_id);
        if (row && row->event >= 0 && fits(*row, command)) {
            const std::uint32_t id = row->names == spec_row::nothing ? 0 : word(command, 0);
            asked_.insert({row->protocol, std::uint8_t(row->event), id});
        }
    }
    void came(const byte_string& m) {
        SCOPED_TRACE(testing::PrintToString(m));
        ASSERT_GE(m.size(), 4u);
        switch (header_of(m).type) {
            case scmi::message_type::notification:
                return notified(m);
            case scmi::message_type::delayed_response:
                return delayed(m);
            default:
                return answered(m);
        }
    }
    /// Every answer and delayed response that is due has come.
    bool satisfied() const { return unanswered_.empty() && late_.empty(); }
    std::size_t answers() const { return answers_; }
    std::size_t notifications() const { return notifications_; }
    std::size_t delayed_responses() const { return delayed_; }

private:
    using status = scmi::status;

    static std::uint32_t word(const byte_string& m, std::size_t n) {
        return scmi::get_u32(m.data(), m.size(), 4 + 4 * n);
    }
    static bool fits(const spec_row& row, const byte_string& command) {
        return command.size() == 4 + 4 * row.command_words;
    }
    std::size_t count(spec_row::about what) const {
        switch (what) {
            case spec_row::power:
                return platform_.power_domains.size();
            case spec_row::perf:
                return platform_.performance_domains.size();
            case spec_row::clock:
                return platform_.clocks.size();
            case spec_row::sensor:
                return platform_.sensors.size();
            case spec_row::nothing:
                break;
        }
        return 0;
    }

    void answered(const byte_string& m) {
        const auto it = unanswered_.find(header_of(m).token);
        ASSERT_NE(it, unanswered_.end()) << "nothing was asked for with this token";
        const byte_string command = it->second;
        unanswered_.erase(it);
        ++answers_;
        SCOPED_TRACE("the command " + testing::PrintToString(command));
        EXPECT_TRUE(std::equal(m.begin(), m.begin() + 4, command.begin())) << "4.1.3: its header";
        ASSERT_GE(m.size(), 8u) << "4.1.4: a status";
        const auto s = status(std::int32_t(word(m, 0)));
        const scmi::header h = header_of(command);
        const spec_row* const row = find_row(h.protocol_id, h.message_id);
        judge_status(s, h, row, command);
        if (s != status::success) {
            EXPECT_EQ(m.size(), 8u) << "virtio 5.17.6.1: no values";
        } else if (row) {
            judge_values(*row, command, m);
        }
    }

    /// What the specification leaves no choice about, and else nothing that makes no sense.
    void judge_status(status s, const scmi::header& h, const spec_row* row,
                      const byte_string& command) {
        const bool served =
            h.protocol_id == scmi::protocol::base ||
            std::count(platform_.protocols.begin(), platform_.protocols.end(), h.protocol_id) != 0;
        if (h.type != scmi::message_type::command) return is(s, status::protocol_error);
        if (!served) return is(s, status::not_supported);
        if (!row) return is(s, platform_.unknown_message);
        if (!fits(*row, command)) return is(s, status::protocol_error);
        if (row->names != spec_row::nothing && word(command, row->id_word) >= count(row->names)) {
            return is(s, status::not_found);
        }
        if (h.message_id < 2) return is(s, status::success);
        if (h.message_id == 2) return judge_message_attributes(s, h, word(command, 0));
        static constexpr std::array sensible{status::success, status::not_supported,
                                             status::invalid_parameters, status::out_of_range,
                                             status::busy};
        // They name an agent, and a message.
        const bool other_names = (h.protocol_id == scmi::protocol::base && h.message_id == 7) ||
                                 (h.protocol_id == scmi::protocol::perf && h.message_id == 0xb);
        EXPECT_TRUE(std::count(sensible.begin(), sensible.end(), s) != 0 ||
                    (other_names && s == status::not_found))
            << name_of(s);
    }
    /// 4.2.2.4: NOT_FOUND is how an agent learns that a message is absent.
    void judge_message_attributes(status s, const scmi::header& h, std::uint32_t message) {
        const spec_row* const row =
            message < 256 ? find_row(h.protocol_id, std::uint8_t(message)) : nullptr;
        // The platform has no FastChannels, and cannot notify of changes that are only requested.
        const bool absent = (h.protocol_id == scmi::protocol::perf && message == 0xb) ||
                            (h.protocol_id == scmi::protocol::power && message == 7);
        is(s, row && !absent ? status::success : status::not_found);
    }
    static void is(status s, status expected) {
        EXPECT_EQ(s, expected) << name_of(s) << " instead of " << name_of(expected);
    }

    void judge_values(const spec_row& row, const byte_string& command, const byte_string& m) {
        std::size_t values = row.value_words;
        if (row.entry_words != 0) {
            const std::size_t entries = word(m, 1) & 0xfff;  // 4.2.2.8: all of the word
            const bool ids = row.protocol == scmi::protocol::base;
            values = 1 + row.entry_words * (ids ? (entries + 3) / 4 : entries);
        }
        const bool read = row.protocol == scmi::protocol::sensor && row.message == 6;
        if (read && (word(command, 1) & 1) != 0) values = 0;
        const bool set = row.protocol == scmi::protocol::clock && row.message == 5;
        EXPECT_EQ(m.size(), 8 + 4 * values);
        if ((read && values == 0) || (set && (word(command, 0) & 3) == 1)) {
            late_[header_of(command).token] = {header_of(command), word(command, read ? 0 : 1)};
        }
        if (row.message == 0) {
            const bool two = row.protocol <= scmi::protocol::perf;
            EXPECT_EQ(word(m, 1), two ? 0x20000u : 0x10000u);
        }
    }

    /// CLOCK_RATE_SET_COMPLETE and SENSOR_READING_COMPLETE: status, id, two words; after the
    /// answer.
    void delayed(const byte_string& m) {
        const scmi::header h = header_of(m);
        const auto it = late_.find(h.token);
        ASSERT_NE(it, late_.end()) << "nobody waits for it";
        EXPECT_EQ(h.protocol_id, it->second.first.protocol_id);
        EXPECT_EQ(h.message_id, it->second.first.message_id);
        EXPECT_EQ(m.size(), 20u);
        EXPECT_EQ(word(m, 0), 0u);
        EXPECT_EQ(word(m, 1), it->second.second);
        late_.erase(it);
        ++delayed_;
    }

    void notified(const byte_string& m) {
        const scmi::header h = header_of(m);
        const bool base = h.protocol_id == scmi::protocol::base;
        EXPECT_EQ(asked_.count({h.protocol_id, h.message_id, base ? 0 : word(m, 1)}), 1u)
            << "nobody has asked for it on this connection";
        const bool limits = h.protocol_id == scmi::protocol::perf && h.message_id == 0;
        const std::size_t values = base ? 2 + 2 * (word(m, 1) & 0x3ff) : limits ? 4 : 3;
        EXPECT_EQ(m.size(), 4 + 4 * values);
        EXPECT_LE(word(m, 0), platform_.agents.size());
        ++notifications_;
    }

    const scmi::platform_description& platform_;
    std::map<std::uint16_t, byte_string> unanswered_;  ///< by token
    /// Commands whose delayed response is to come, and what they are about.
    std::map<std::uint16_t, std::pair<scmi::header, std::uint32_t>> late_;
    /// Protocol, notification, resource.
    std::set<std::tuple<std::uint8_t, std::uint8_t, std::uint32_t>> asked_;
    std::size_t answers_ = 0, notifications_ = 0, delayed_ = 0;
};

}  // namespace scmi_vp::models::testing_tools
