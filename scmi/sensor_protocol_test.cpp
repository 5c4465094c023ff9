// SPDX-License-Identifier: Apache-2.0
// Sensor 1.0: descriptors, readings now and later, trip points that are not there.
#include <gtest/gtest.h>

#include "base/error.h"
#include "scmi/server_test_tools.h"

namespace scmi_vp::scmi {
namespace {

using test::ask;
using test::payload_of;
using test::status_for;
using test::status_of;
using test::word_of;

constexpr std::uint8_t sens = protocol::sensor;

std::int64_t read(platform_server& server, std::uint32_t id) {
    const message_bytes m = ask(server, sens, 0x06, {id, 0}).response;
    EXPECT_EQ(m.size(), 16u);
    return std::int64_t(word_of(m, 0) | std::uint64_t(word_of(m, 1)) << 32);
}

// virtio 5.17.6.1: without P2A channels neither the attributes nor the descriptors show async
// reads.
TEST(sensor_protocol, async_is_advertised_only_with_p2a) {
    platform_server server(test::recorded_platform());
    EXPECT_EQ(word_of(ask(server, sens, 0x01).response, 0), 0x00040005u);
    EXPECT_EQ(word_of(ask(server, sens, 0x01, {}, {1, 136, false}).response, 0), 5u);
    EXPECT_EQ(word_of(ask(server, sens, 0x03, {4}).response, 2), 0x80000000u);
    EXPECT_EQ(word_of(ask(server, sens, 0x03, {4}, {1, 136, false}).response, 2), 0u);
}

// Sensor 1.0: attr_high 31:27 update interval, 26:22 its exponent, 15:11 unit exponent, 7:0 type.
TEST(sensor_protocol, descriptor_fields) {
    platform_description d;
    d.protocols = {sens};
    sensor_description s;
    s.name = "fifteen-bytes-x";
    s.type = 0xff;
    s.exponent = -16;
    s.update_interval_s = 31;
    s.update_interval_exponent = -3;
    d.sensors = {s};
    platform_server server(d);
    const message_bytes m = ask(server, sens, 0x03, {0}).response;
    EXPECT_EQ(word_of(m, 0), 1u);
    EXPECT_EQ(word_of(m, 1), 0u);
    EXPECT_EQ(word_of(m, 2), 0u);
    EXPECT_EQ(word_of(m, 3), 31u << 27 | 0x1du << 22 | 0x10u << 11 | 0xffu);
    EXPECT_EQ(std::string(m.begin() + 24, m.end()), std::string("fifteen-bytes-x\0", 16));
}

// As many as fit, at most the described number per reply, never 0 while some remain.
TEST(sensor_protocol, lists_descriptors_in_parts) {
    for (const std::uint16_t limit : {0, 1, 3, 100}) {
        platform_description d = test::recorded_platform();
        d.sensor_descriptors_per_reply = limit;
        platform_server server(d);
        for (std::size_t room = 40; room <= 160; room += 3) {
            std::uint32_t seen = 0, remaining = 0;
            do {
                const message_bytes m = ask(server, sens, 0x03, {seen}, {1, room}).response;
                ASSERT_EQ(status_of(m), status::success);
                const std::uint32_t n = word_of(m, 0) & 0xffff;
                std::size_t most = std::min<std::size_t>((room - 12) / 28, 5 - seen);
                if (limit != 0) most = std::min<std::size_t>(most, limit);
                ASSERT_EQ(n, most);
                ASSERT_EQ(m.size(), 12 + 28 * n);
                for (std::uint32_t i = 0; i < n; ++i) EXPECT_EQ(word_of(m, 1 + 7 * i), seen + i);
                seen += n;
                remaining = word_of(m, 0) >> 16;
                ASSERT_EQ(remaining, 5 - seen);
            } while (remaining != 0);
        }
        for (std::size_t room = 8; room < 40; ++room) {
            EXPECT_EQ(status_for(server, sens, 0x03, {0}, {1, room}), status::protocol_error);
        }
    }
}

// DEN0056 4.7.2.5: INVALID_PARAMETERS for an index out of range; no sensors is no error.
TEST(sensor_protocol, descriptor_index_is_checked) {
    platform_server server(test::recorded_platform());
    EXPECT_EQ(status_for(server, sens, 0x03, {4}), status::success);
    EXPECT_EQ(status_for(server, sens, 0x03, {5}), status::invalid_parameters);
    EXPECT_EQ(status_for(server, sens, 0x03, {0xffffffff}), status::invalid_parameters);
    platform_description none;
    none.protocols = {sens};
    platform_server empty(none);
    EXPECT_EQ(payload_of(ask(empty, sens, 0x03, {0}).response), "00000000");
    EXPECT_EQ(status_for(empty, sens, 0x03, {1}), status::invalid_parameters);
}

// reading + reading_step * n; n counts all readings, asynchronous ones when they are taken.
TEST(sensor_protocol, readings_step_with_all_that_were_served) {
    platform_description d = test::recorded_platform();
    d.sensors[0].reading = -40'000;
    d.sensors[0].reading_step = -7;
    d.sensors[1].reading_step = 0;
    platform_server server(d);
    EXPECT_EQ(read(server, 0), -40'000);
    EXPECT_EQ(read(server, 1), 41'000);
    const command_result async = ask(server, sens, 0x06, {4, 1});
    ASSERT_TRUE(async.delayed);
    EXPECT_EQ(word_of(*async.delayed, 0), 4u);
    EXPECT_EQ(word_of(*async.delayed, 1), 45'002u);
    EXPECT_EQ(read(server, 0), -40'021);
    // Refused ones are not counted.
    EXPECT_EQ(status_for(server, sens, 0x06, {9, 0}), status::not_found);
    EXPECT_EQ(status_for(server, sens, 0x06, {0, 2}), status::invalid_parameters);
    EXPECT_EQ(status_for(server, sens, 0x06, {0, 1}), status::not_supported);
    EXPECT_EQ(read(server, 0), -40'028);
}

// A reading beyond 64 bits wraps and is no undefined behaviour (the tests also run with
// sanitizers).
TEST(sensor_protocol, readings_wrap) {
    platform_description d = test::recorded_platform();
    d.sensors[0].reading = INT64_MAX;
    d.sensors[0].reading_step = INT64_MAX;
    platform_server server(d);
    EXPECT_EQ(read(server, 0), INT64_MAX);
    EXPECT_EQ(read(server, 0), -2);
}

// The bit says that a sensor can be read asynchronously; a synchronous read is answered too.
TEST(sensor_protocol, asynchronous_sensors_answer_synchronous_reads) {
    platform_server server(test::recorded_platform());
    EXPECT_EQ(read(server, 4), 44'000);
    const command_result r = ask(server, sens, 0x06, {4, 0}, {1, 136, false});
    EXPECT_EQ(word_of(r.response, 0), 44'001u);
    EXPECT_EQ(r.resource, 4);
}

TEST(sensor_protocol, parameters_of_readings_are_checked) {
    platform_server server(test::recorded_platform());
    EXPECT_EQ(status_for(server, sens, 0x06, {5, 0}), status::not_found);
    EXPECT_EQ(ask(server, sens, 0x06, {5, 0}).resource, -1);
    for (int bit = 1; bit < 32; ++bit) {
        EXPECT_EQ(status_for(server, sens, 0x06, {4, 1u << bit}), status::invalid_parameters);
        EXPECT_EQ(status_for(server, sens, 0x06, {4, 1u << bit | 1}), status::invalid_parameters);
    }
    // virtio 5.17.6.1.
    EXPECT_EQ(status_for(server, sens, 0x06, {4, 1}, {1, 136, false}), status::not_supported);
}

// More than the advertised number pending: BUSY until one is done; a reset of the agent does not
// free the places of responses that are still to be delivered or dropped.
TEST(sensor_protocol, asynchronous_reads_are_limited) {
    platform_server server(test::recorded_platform());
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(ask(server, sens, 0x06, {4, 1}).delayed);
    const command_result fifth = ask(server, sens, 0x06, {4, 1});
    EXPECT_EQ(status_of(fifth.response), status::busy);
    EXPECT_EQ(fifth.response.size(), 8u);
    EXPECT_FALSE(fifth.delayed);
    EXPECT_EQ(read(server, 0), 40'004);
    test::reset(server, 1);
    EXPECT_EQ(status_for(server, sens, 0x06, {4, 1}), status::busy);
    server.delayed_done(1, sens);
    EXPECT_TRUE(ask(server, sens, 0x06, {4, 1}).delayed);
    for (int i = 0; i < 4; ++i) server.delayed_done(1, sens);
    EXPECT_THROW(server.delayed_done(1, sens), error);
}

// DEN0056 4.1.3: the response's header is the command's; Arm's conformance suite compares the word.
TEST(sensor_protocol, headers_come_back_as_they_were_sent) {
    platform_server server(test::recorded_platform());
    for (const std::uint32_t reserved : {0x0u, 0x1u, 0xau, 0xfu}) {
        message_bytes m = test::command(protocol::sensor, 6, {4, 1}, 0x2a5);
        m[3] = std::uint8_t(m[3] | reserved << 4);
        const std::uint32_t sent = get_u32(m.data(), m.size(), 0);
        const command_result r = server.handle(1, m.data(), m.size(), 136, true);
        EXPECT_EQ(get_u32(r.response.data(), 4, 0), sent);
        ASSERT_TRUE(r.delayed);
        EXPECT_EQ(get_u32(r.delayed->data(), 4, 0), sent | 2u << 8);
        m[2] = 0x7f;  // of a protocol that nobody has
        EXPECT_EQ(get_u32(server.handle(1, m.data(), m.size(), 136, true).response.data(), 4, 0),
                  get_u32(m.data(), m.size(), 0));
    }
}

// "Pending at the same time" is said to each agent of itself: one that fills its places leaves the
// other's alone.
TEST(sensor_protocol, limits_of_asynchronous_reads_are_each_agents_own) {
    platform_description d = test::recorded_platform();
    d.agents = {{"one"}, {"two"}};
    platform_server server(d);
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(ask(server, sens, 0x06, {4, 1}, {1}).delayed);
    EXPECT_EQ(status_for(server, sens, 0x06, {4, 1}, {1}), status::busy);
    EXPECT_TRUE(ask(server, sens, 0x06, {4, 1}, {2}).delayed);
    server.delayed_done(2, sens);
    EXPECT_THROW(server.delayed_done(2, sens), error);
    EXPECT_EQ(status_for(server, sens, 0x06, {4, 1}, {1}), status::busy);
    server.delayed_done(1, sens);
    EXPECT_TRUE(ask(server, sens, 0x06, {4, 1}, {1}).delayed);
}

// DEN0056 4.7.2.8, 4.7.2.9: a sensor with 0 trip points answers NOT_SUPPORTED, after the checks.
TEST(sensor_protocol, trip_points_are_not_supported) {
    platform_server server(test::recorded_platform());
    EXPECT_EQ(status_for(server, sens, 0x04, {0, 1}), status::not_supported);
    EXPECT_EQ(status_for(server, sens, 0x04, {0, 2}), status::invalid_parameters);
    EXPECT_EQ(status_for(server, sens, 0x04, {5, 1}), status::not_found);
    EXPECT_EQ(status_for(server, sens, 0x05, {0, 0xff3, 1, 0}), status::not_supported);
    EXPECT_EQ(status_for(server, sens, 0x05, {0, 0x004, 1, 0}), status::invalid_parameters);
    EXPECT_EQ(status_for(server, sens, 0x05, {0, 0x1000, 1, 0}), status::invalid_parameters);
    EXPECT_EQ(status_for(server, sens, 0x05, {5, 0, 1, 0}), status::not_found);
}

}  // namespace
}  // namespace scmi_vp::scmi
