// SPDX-License-Identifier: Apache-2.0
// Pages of a ring buffer as Linux 6.1 leaves them in memory, put together by hand.
#include "traces/ring_buffer.h"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scmi_vp::traces {
namespace {

using bytes = std::vector<std::uint8_t>;

constexpr std::size_t page_size = 4096;

template <class T>
void put(bytes& to, T value) {
    const auto* from = reinterpret_cast<const std::uint8_t*>(&value);
    for (std::size_t i = 0; i < sizeof value; ++i) to.push_back(from[i]);
}

/// struct trace_entry, then the fields that four of the events begin with.
bytes transfer(std::uint16_t type, std::int32_t pid, std::uint8_t flags, std::uint32_t last) {
    bytes b;
    put(b, type), put(b, flags), put(b, std::uint8_t(flags ? 1 : 0)), put(b, pid);
    put(b, std::int32_t(7)), put(b, std::uint8_t(6)), put(b, std::uint8_t(0x15));
    put(b, std::uint16_t(0x1b)), put(b, last);
    return b;
}

bytes dump(std::uint16_t type, const char* tag, const bytes& payload) {
    bytes b;
    put(b, type), put(b, std::uint16_t(0)), put(b, std::int32_t(22));
    put(b, std::uint8_t(0x15)), put(b, std::uint8_t(6));
    b.insert(b.end(), tag, tag + 5);
    put(b, std::uint8_t(0)), put(b, std::uint16_t(0x1b)), put(b, std::uint16_t(0));
    put(b, std::int32_t(-2)), put(b, std::uint64_t(payload.size()));
    put(b, std::uint16_t(36)), put(b, std::uint16_t(payload.size()));
    b.insert(b.end(), payload.begin(), payload.end());
    while (b.size() % 4) b.push_back(0xee);
    return b;
}

struct page {
    bytes data;
    void add(std::uint32_t delta_ns, const bytes& event) {
        if (event.size() <= 28 * 4) {
            put(data, std::uint32_t(event.size() / 4) | delta_ns << 5);
        } else {
            put(data, delta_ns << 5), put(data, std::uint32_t(event.size() + 4));
        }
        data.insert(data.end(), event.begin(), event.end());
    }
    bytes finish(std::uint64_t stamp_ns) const {
        bytes b;
        put(b, stamp_ns), put(b, std::uint64_t(data.size()) | 1ull << 31);  // RB_MISSED_EVENTS
        b.insert(b.end(), data.begin(), data.end());
        b.resize(page_size);
        return b;
    }
};

/// Page by page, the first at a page's beginning.
std::vector<std::string> lines_of(const std::vector<bytes>& pages) {
    std::vector<std::uint8_t> memory((pages.size() + 1) * page_size);
    std::uint8_t* first =
        memory.data() + (page_size - reinterpret_cast<std::uintptr_t>(memory.data()) % page_size);
    for (std::size_t i = 0; i < pages.size(); ++i)
        std::copy(pages[i].begin(), pages[i].end(), first + i * page_size);
    ring_buffer_reader reader;
    reader.look_through(memory.data(), memory.size());
    std::vector<std::string> lines;
    for (const ftrace_event& e : reader.finish()) {
        const std::string line = format_ftrace_line(e, ftrace_format::linux_6_1);
        lines.push_back(line.substr(line.find_first_not_of(' ')));
    }
    return lines;
}

/// One of each kind; the numbers of the others are so far from scmi_msg_dump's.
void expect_every_kind(int direction) {
    const auto number = [direction](int n) { return std::uint16_t(49 + n * direction); };
    page p;
    p.add(0, transfer(number(4), 22, 0, 1));
    p.add(256, dump(49, "CMND", {4, 0, 0, 0, 1}));
    bytes wait = transfer(number(3), 22, 0, 30);
    put(wait, std::uint32_t(1));
    p.add(256, wait);
    put(p.data, std::uint32_t(30 | 5u << 5)), put(p.data, std::uint32_t(1));  // 2^27 + 5 ns
    p.add(0, transfer(number(1), 0, 0x09, 2));
    p.add(0, transfer(number(2), 22, 0, std::uint32_t(-110)));
    put(p.data, std::uint32_t(29 | 1u << 5)), put(p.data, std::uint32_t(8));  // discarded
    put(p.data, std::uint32_t(0xabcdef));
    EXPECT_THAT(
        lines_of({p.finish(1'000'000'000)}),
        testing::ElementsAre(
            "<...>-22      [000] .....     1.000000: scmi_xfer_begin: pt=15 msg_id=06 seq=001B "
            "transfer_id=7 poll=1",
            "<...>-22      [000] .....     1.000000: scmi_msg_dump: pt=15 t=CMND msg_id=06 "
            "seq=001B s=-2 pyld=0400000001",
            "<...>-22      [000] .....     1.000001: scmi_xfer_response_wait: pt=15 msg_id=06 "
            "seq=001B transfer_id=7 tmo_ms=30 poll=1",
            "<idle>-0       [000] d.h1.     1.134218: scmi_rx_done: pt=15 msg_id=06 seq=001B "
            "transfer_id=7 msg_type=2",
            "<...>-22      [000] .....     1.134218: scmi_xfer_end: pt=15 msg_id=06 seq=001B "
            "transfer_id=7 s=-110"));
}

TEST(ring_buffer, every_kind_of_event_is_read_in_either_order_of_their_numbers) {
    expect_every_kind(-1);
    expect_every_kind(1);
}

/// Linux 6.12 include/trace/events/scmi.h.
bytes newer_dump(const char* tag) {
    bytes b;
    put(b, std::uint16_t(49)), put(b, std::uint16_t(0)), put(b, std::int32_t(22));
    put(b, std::int32_t(3)), put(b, std::uint8_t(1)), put(b, std::uint8_t(0x15));
    put(b, std::uint8_t(6));
    b.insert(b.end(), tag, tag + 6);
    put(b, std::uint8_t(0)), put(b, std::uint16_t(0x1b)), put(b, std::int32_t(-2));
    put(b, std::uint32_t(0)), put(b, std::uint64_t(4));
    put(b, std::uint16_t(44)), put(b, std::uint16_t(4)), put(b, std::uint32_t(0x04030201));
    return b;
}

TEST(ring_buffer, newer_kernels_name_instance_and_channel) {
    page p;
    p.add(0, newer_dump("!RESP"));
    const bytes page_bytes = p.finish(1000);
    std::vector<std::uint8_t> memory(2 * page_size);
    std::copy(
        page_bytes.begin(), page_bytes.end(),
        memory.data() + (page_size - reinterpret_cast<std::uintptr_t>(memory.data()) % page_size));
    ring_buffer_reader reader;
    reader.look_through(memory.data(), memory.size());
    const auto events = reader.finish();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_THAT(format_ftrace_line(events[0], reader.format()),
                testing::EndsWith("scmi_msg_dump: id=3 ch=01 pt=15 t=!RESP msg_id=06 seq=001B s=-2 "
                                  "pyld=01020304"));
}

TEST(ring_buffer, pages_are_put_in_the_order_of_time_and_long_events_are_read) {
    page early, late;
    early.add(0, dump(49, "CMND", bytes(128, 0x5a)));
    late.add(0, dump(49, "RESP", {}));
    const auto lines = lines_of({late.finish(2000), bytes(page_size), early.finish(1000)});
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_THAT(lines[0], testing::HasSubstr("t=CMND"));
    EXPECT_THAT(lines[0], testing::EndsWith("5a5a"));
    EXPECT_THAT(lines[1], testing::HasSubstr("t=RESP"));
}

TEST(ring_buffer, other_memory_is_no_page) {
    page cut;
    cut.add(0, dump(49, "CMND", {}));
    put(cut.data, std::uint32_t(20));  // a record that would go on behind the page's end
    bytes text(page_size, 'C');
    std::memcpy(text.data() + 100, "CMND", 5);
    page other;
    other.add(0, transfer(45, 22, 0, 1));  // no event that names itself
    EXPECT_THAT(lines_of({cut.finish(1), text, other.finish(1), bytes(page_size, 0xff)}),
                testing::IsEmpty());
}

}  // namespace
}  // namespace scmi_vp::traces
