// SPDX-License-Identifier: Apache-2.0
// The device and its host behind a front that is no bus and no register: queues, workers, delayed
// responses, resets and faults, each with its times.
#include "models/platform/scmi_device.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/model_testing.h"

namespace scmi_vp::models {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_tools::collector;
using testing_tools::in_child;
using strings = std::vector<std::string>;

constexpr std::uint64_t ram = 0x80000000, ram_bytes = 1 << 20;
constexpr std::uint16_t ring_size = 8;

latency fixed(sim_time t) {
    return latency(make_constant(t), random_stream(0, "", ""));
}
latency listed(std::vector<sim_time> values) {
    return latency(make_recorded(std::move(values), false), random_stream(0, "", ""));
}

host_latencies service_of(sim_time t) {
    host_latencies l;
    l.service = fixed(t);
    l.delayed_work = fixed(microseconds(5));
    return l;
}

platform_config platform(unsigned workers) {
    platform_config c;
    c.description = testing_tools::small_system().platform.description;
    c.description.sensor_max_async = 1;
    c.workers = workers;
    return c;
}

/// A driver without a kernel: puts commands into the ring, and collects when it is interrupted.
class bench : public sc_core::sc_module, public device_front {
public:
    /// Agent 1, or on its platform agent 2, whose driver is the first one's.
    bench(const platform_config& config, host_latencies latencies, bench* first = nullptr)
        : sc_core::sc_module(sc_core::sc_module_name(first ? "second" : "bench")),
          bytes_(ram_bytes),
          mon_(sink_),
          device("device", config, std::move(latencies), view_, mon_, first ? 2 : 1,
                 first ? &first->device : nullptr) {
        view_.add_region({ram, ram_bytes, bytes_.data()});
        device.connect(*this);
        start();
        if (first) return;
        SC_HAS_PROCESS(bench);
        SC_THREAD(run_driver);
    }

    void start() {
        std::fill(bytes_.begin(), bytes_.end(), std::uint8_t(0));
        for (unsigned q = 0; q < 2; ++q) {
            const auto layout =
                virtio::ring_layout::linux_block(ram + q * 0x10000, ring_size, 4096);
            queues[q] = virtio::driver_queue(view_, layout, {});
            device.start(q, layout, {}, true);
        }
        next_buffer_ = ram + 0x20000;
    }
    /// A command with the token; the doorbell rings unless `kick` is false.
    void send(std::uint16_t token, std::uint8_t protocol, std::uint8_t message,
              std::vector<std::uint32_t> payload = {}, bool kick = true) {
        payload.insert(payload.begin(),
                       scmi::header{message, scmi::message_type::command, protocol, token}.pack());
        const virtio::buffer out = take(std::uint32_t(4 * payload.size())), in = take(136);
        view_.write(virtio::actor::driver, out.address, payload.data(), out.size);
        ASSERT_EQ(queues[0].add(&out, 1, &in, 1, at(in.address)), virtio::add_result::added);
        queues[0].kick_prepare();
        if (kick) device.kick(virtio::scmi_cmdq);
    }
    void version(std::uint16_t token) { send(token, scmi::protocol::base, 0); }
    void read_async(std::uint16_t token) { send(token, scmi::protocol::sensor, 6, {1, 1}); }
    void post_event_buffer(std::uint32_t size = 136) {
        const virtio::buffer in = take(size);
        ASSERT_EQ(queues[1].add(nullptr, 0, &in, 1, at(in.address)), virtio::add_result::added);
        device.kick(virtio::scmi_eventq);
    }
    void corrupt_avail_slot(std::uint16_t slot, std::uint16_t head) {
        view_.store(virtio::actor::driver, queues[0].layout().avail_slot(slot), head);
    }
    void used_buffer_interrupt(unsigned) override {
        for (unsigned q = 0; q < 2; ++q) {
            for (auto u = queues[q].get_buf(); u.token; u = queues[q].get_buf()) {
                std::uint32_t words[2];
                std::memcpy(words, u.token, sizeof words);
                const scmi::header h = scmi::header::unpack(words[0]);
                const char* const kind = h.type == scmi::message_type::command        ? "reply "
                                         : h.type == scmi::message_type::notification ? "told "
                                                                                      : "delayed ";
                seen.push_back(kind + std::to_string(h.token) + " status " +
                               std::to_string(std::int32_t(words[1])) + " at " + to_string(now()));
            }
        }
    }
    void ring_broken(unsigned, const virtio::ring_fault& fault) override {
        seen.push_back("broken at " + to_string(now()) + ": " + fault.what);
    }
    void run() { sc_core::sc_start(to_sc(milliseconds(10))); }

    std::function<void()> driver;
    strings seen;
    std::array<virtio::driver_queue, 2> queues;

private:
    void run_driver() { driver(); }
    virtio::buffer take(std::uint32_t size) {
        const virtio::buffer b{next_buffer_, size};
        next_buffer_ += (size + 63) / 64 * 64;
        return b;
    }
    void* at(std::uint64_t address) { return bytes_.data() + (address - ram); }

    std::vector<std::uint8_t> bytes_;
    virtio::guest_memory view_;
    collector sink_;
    monitor mon_;
    std::uint64_t next_buffer_ = 0;

public:
    scmi_device device;
};

void pass(sim_time t) {
    sc_core::wait(to_sc(t));
}

/// What the driver sees of a run.
strings run(const platform_config& config, host_latencies latencies,
            const std::function<void(bench&)>& driver) {
    bench b(config, std::move(latencies));
    b.driver = [&] { driver(b); };
    b.run();
    return b.seen;
}

struct worker_case {
    unsigned workers;
    std::array<const char*, 4> at;
};

TEST(scmi_device, has_as_many_workers_as_it_is_given) {
    for (const worker_case& w : {worker_case{1, {"10us", "20us", "30us", "40us"}},
                                 {2, {"10us", "10us", "20us", "20us"}},
                                 {0, {"10us", "10us", "10us", "10us"}}}) {
        in_child([&] {
            const strings seen =
                run(platform(w.workers), service_of(microseconds(10)), [](bench& b) {
                    for (std::uint16_t t = 1; t <= 4; ++t) b.version(t);
                });
            ASSERT_EQ(seen.size(), 4u);
            for (std::size_t i = 0; i < 4; ++i) {
                EXPECT_EQ(seen[i], "reply " + std::to_string(i + 1) + " status 0 at " + w.at[i])
                    << w.workers << " workers";
            }
        });
    }
}

service_rule rule(std::uint8_t protocol, std::uint8_t message, bool never) {
    service_rule r;
    r.protocol_id = protocol;
    r.message_id = message;
    r.never = never;
    return r;
}

TEST(scmi_device, replies_in_the_order_in_which_they_are_ready) {
    host_latencies l = service_of(microseconds(10));
    l.rules.emplace_back(rule(scmi::protocol::base, 1, false), fixed(microseconds(30)));
    l.rules.emplace_back(rule(scmi::protocol::base, 3, false), fixed(microseconds(50)));
    l.rules.emplace_back(rule(scmi::protocol::base, 3, false), fixed(microseconds(20)));
    const strings seen = run(platform(0), std::move(l), [](bench& b) {
        for (std::uint8_t m : {1, 0, 3}) b.send(m, scmi::protocol::base, m);
    });
    // Of two rules for a message the last one counts.
    EXPECT_THAT(seen, ElementsAre("reply 0 status 0 at 10us", "reply 3 status 0 at 20us",
                                  "reply 1 status 0 at 30us"));
}

TEST(scmi_device, is_woken_once_and_looks_again_before_it_sleeps) {
    host_latencies l = service_of(microseconds(10));
    l.notify = fixed(microseconds(2));
    l.host_wake = listed({microseconds(3), microseconds(100)});
    l.return_ = fixed(microseconds(1));
    const strings seen = run(platform(1), std::move(l), [](bench& b) {
        b.version(1);
        pass(microseconds(1));
        b.version(2);  // while the first doorbell is on its way
        pass(microseconds(8));
        b.version(3);  // while the worker is busy
        pass(microseconds(91));
        b.version(4);  // it sleeps again, and the second wake-up takes 100 us
    });
    EXPECT_THAT(seen, ElementsAre("reply 1 status 0 at 16us", "reply 2 status 0 at 26us",
                                  "reply 3 status 0 at 36us", "reply 4 status 0 at 213us"));
}

TEST(scmi_device, sees_what_was_published_without_a_kick_of_its_own) {
    // One doorbell for three chains: an eventfd counts no chains.
    const strings seen = run(platform(1), service_of(microseconds(10)), [](bench& b) {
        b.send(1, scmi::protocol::base, 0, {}, false);
        b.send(2, scmi::protocol::base, 0, {}, false);
        b.send(3, scmi::protocol::base, 0, {}, true);
    });
    EXPECT_EQ(seen.size(), 3u);
}

TEST(scmi_device, keeps_a_chain_that_is_never_answered_but_not_its_worker) {
    // Also when the worker takes it only after a queue latency: nobody rings again for the others.
    for (const sim_time queue : {sim_time{}, microseconds(4)}) {
        SCOPED_TRACE(to_string(queue));
        in_child([&] {
            host_latencies l = service_of(microseconds(10));
            l.queue = fixed(queue);
            l.rules.emplace_back(rule(scmi::protocol::base, 1, true), latency());
            bench b(platform(1), std::move(l));
            b.driver = [&] {
                b.send(1, scmi::protocol::base, 1);
                b.version(2);
                b.version(3);
            };
            b.run();
            const sim_time first = microseconds(10) + queue * 2;
            EXPECT_THAT(b.seen, ElementsAre("reply 2 status 0 at " + to_string(first),
                                            "reply 3 status 0 at " +
                                                to_string(first + microseconds(10) + queue)));
            EXPECT_EQ(b.device.busy_workers(), 0u);
            EXPECT_EQ(b.queues[0].free_descriptors(), ring_size - 2);
        });
    }
}

TEST(scmi_device, holds_a_delayed_response_until_there_is_an_event_buffer) {
    // virtio 5.17.6.3: it MUST be sent; in order.
    platform_config config = platform(0);
    config.description.sensor_max_async = 2;
    const strings seen = run(config, service_of(microseconds(10)), [](bench& b) {
        b.read_async(1);
        pass(microseconds(1));
        b.read_async(2);
        pass(microseconds(99));
        b.post_event_buffer();
        pass(microseconds(100));
        b.post_event_buffer();
    });
    EXPECT_THAT(seen, ElementsAre("reply 1 status 0 at 10us", "reply 2 status 0 at 11us",
                                  "delayed 1 status 0 at 100us", "delayed 2 status 0 at 200us"));
}

TEST(scmi_device, sends_a_delayed_response_when_its_work_is_done) {
    const strings seen = run(platform(1), service_of(microseconds(10)), [](bench& b) {
        b.post_event_buffer();
        b.read_async(7);
    });
    EXPECT_THAT(seen, ElementsAre("reply 7 status 0 at 10us", "delayed 7 status 0 at 15us"));
}

TEST(scmi_device, drops_what_is_under_way_when_it_is_reset) {
    const strings seen = run(platform(2), service_of(microseconds(10)), [](bench& b) {
        b.read_async(1);
        b.version(2);
        b.version(3);  // not yet taken
        pass(microseconds(5));
        b.device.reset();
        b.start();
        pass(microseconds(100));
        // The platform's one place for a delayed response is free again.
        b.post_event_buffer();
        b.read_async(4);
    });
    EXPECT_THAT(seen, ElementsAre("reply 4 status 0 at 115us", "delayed 4 status 0 at 120us"));
}

/// Agent 2 sets a level; agent 1, which has asked to be told of it, resets its device meanwhile.
class told_of_a_level : public testing::Test {
protected:
    void run(const std::function<void(bench&, bench&)>& driver) {
        platform_config c = platform(1);
        std::vector<std::uint8_t>& protocols = c.description.protocols;
        protocols.insert(protocols.begin(), scmi::protocol::perf);
        c.description.agents.resize(2);
        c.description.performance_domains.resize(1);
        c.description.performance_domains[0].levels = {{1, 1, 1}, {2, 1, 1}};
        c.description.performance_domains[0].level = 1;
        c.description.performance_domains[0].notifies_level = true;
        bench one(c, service_of(microseconds(10)));
        bench two(c, service_of(microseconds(10)), &one);
        one.driver = [&] {
            one.post_event_buffer();
            one.send(1, scmi::protocol::perf, 0xa, {0, 1});
            pass(microseconds(20));
            two.send(2, scmi::protocol::perf, 7, {0, 2});
            pass(microseconds(5));
            driver(one, two);
        };
        one.run();
        of_one = one.seen;
        of_two = two.seen;
    }
    strings of_one, of_two;
};

TEST_F(told_of_a_level, an_agent_is_told_when_it_is_set) {
    run([](bench&, bench&) {});
    EXPECT_THAT(of_one, ElementsAre("reply 1 status 0 at 10us", "told 0 status 2 at 30us"));
    EXPECT_THAT(of_two, ElementsAre("reply 2 status 0 at 30us"));
}

TEST_F(told_of_a_level, who_comes_after_it_is_not) {
    run([](bench& one, bench&) {
        one.device.reset();
        one.start();
        one.post_event_buffer();
        one.version(3);
    });
    EXPECT_THAT(of_one, ElementsAre("reply 1 status 0 at 10us", "reply 3 status 0 at 35us"));
    EXPECT_THAT(of_two, ElementsAre("reply 2 status 0 at 30us"));
}

TEST_F(told_of_a_level, it_is_although_who_set_it_is_gone) {
    run([](bench&, bench& two) { two.device.reset(); });
    EXPECT_THAT(of_one, ElementsAre("reply 1 status 0 at 10us", "told 0 status 2 at 25us"));
    EXPECT_THAT(of_two, IsEmpty());
}

TEST(scmi_device, gives_the_place_of_a_delayed_response_back_when_its_queue_is_stopped) {
    const strings seen = run(platform(1), service_of(microseconds(10)), [](bench& b) {
        b.read_async(1);
        pass(microseconds(5));
        b.device.stop(virtio::scmi_cmdq);  // QueueReady = 0 while it works
        pass(microseconds(50));
        b.device.reset();
        b.start();
        b.post_event_buffer();
        b.read_async(2);
    });
    EXPECT_THAT(seen, ElementsAre("reply 2 status 0 at 65us", "delayed 2 status 0 at 70us"));
}

TEST(scmi_device, a_pending_kick_or_wake_up_does_not_outlive_a_reset) {
    host_latencies l = service_of(microseconds(10));
    l.notify = fixed(microseconds(5));
    l.host_wake = fixed(microseconds(5));
    const strings seen = run(platform(1), std::move(l), [](bench& b) {
        b.version(1);
        pass(microseconds(1));
        b.device.reset();
        b.start();
        b.send(2, scmi::protocol::base, 0, {}, false);  // nobody rings for this one
        pass(microseconds(100));
    });
    EXPECT_THAT(seen, IsEmpty());
}

TEST(scmi_device, tells_its_front_of_a_broken_ring_and_serves_it_no_more) {
    // A head beyond the ring (virtio 2.7.13.1.1): DEVICE_NEEDS_RESET is the front's to set.
    const strings seen = run(platform(0), service_of(microseconds(10)), [](bench& b) {
        b.version(1);
        pass(microseconds(2));
        b.send(2, scmi::protocol::base, 0, {}, false);
        b.corrupt_avail_slot(1, 99);
        b.device.kick(virtio::scmi_cmdq);
        pass(microseconds(100));
        b.version(3);
    });
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].substr(0, 15), "broken at 2us: ");
    EXPECT_NE(seen[0].find("99"), std::string::npos) << seen[0];
}

}  // namespace
}  // namespace scmi_vp::models
