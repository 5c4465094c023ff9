// SPDX-License-Identifier: Apache-2.0
// See ring_buffer.h.
#include "traces/ring_buffer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace scmi_vp::traces {
namespace {

using bytes = std::vector<std::uint8_t>;
using record = ring_buffer_reader::record;

constexpr std::size_t page_size = 4096;
constexpr std::size_t page_header = 16;  ///< time stamp, number of bytes committed
constexpr std::uint64_t commit_mask = 0xfffff;

/// Little-endian, as this host is: a User-Mode Linux runs on its own kind.
template <class T>
T at(const std::uint8_t* data, std::size_t offset) {
    T value;
    std::memcpy(&value, data + offset, sizeof value);
    return value;
}

template <class T>
T at(const bytes& data, std::size_t offset) {
    return at<T>(data.data(), offset);
}

// include/linux/ring_buffer.h enum ring_buffer_type; smaller ones are a length in words.
enum : std::uint32_t { padding = 29, time_extend = 30, time_stamp = 31 };

/// Walks the records of one page.
class page_walk {
public:
    explicit page_walk(const std::uint8_t* page)
        : page_(page),
          now_(at<std::uint64_t>(page, 0)),
          committed_(at<std::uint64_t>(page, 8) & commit_mask) {}

    /// Nothing unless all that is committed are records.
    std::optional<std::vector<record>> all() {
        if (committed_ == 0 || committed_ > page_size - page_header || committed_ % 4 != 0)
            return std::nullopt;
        while (used_ < committed_) {
            if (!one()) return std::nullopt;
        }
        return std::move(found_);
    }

private:
    bool has(std::size_t n) const { return used_ + n <= committed_; }
    std::uint32_t word(std::size_t i) const {
        return at<std::uint32_t>(page_, page_header + used_ + 4 * i);
    }

    bool one() {
        const std::uint32_t type = word(0) & 31, delta = word(0) >> 5;
        if (type == padding && delta == 0) return used_ = committed_, true;  // to the page's end
        if ((type == 0 || type >= padding) && !has(8)) return false;
        if (type == padding) return skip(4 + word(1));
        if (type == time_extend) now_ += (std::uint64_t(word(1)) << 27) + delta;
        if (type == time_stamp) now_ = (std::uint64_t(word(1)) << 27) + delta;
        if (type >= time_extend) return skip(8);
        now_ += delta;
        return type ? data(4, 4 * type) : word(1) >= 4 && data(8, word(1) - 4);
    }

    bool skip(std::size_t n) {
        const bool fits = n >= 8 && n % 4 == 0 && has(n);
        used_ += n;
        return fits;
    }

    bool data(std::size_t begin, std::size_t n) {
        constexpr std::size_t trace_entry = 8;
        if (n < trace_entry || n % 4 != 0 || !has(begin + n)) return false;
        const std::uint8_t* from = page_ + page_header + used_ + begin;
        found_.push_back({now_, bytes(from, from + n)});
        used_ += begin + n;
        return true;
    }

    const std::uint8_t* page_;
    std::uint64_t now_;
    std::size_t committed_, used_ = 0;
    std::vector<record> found_;
};

/// Where scmi_msg_dump has its fields: struct trace_event_raw_scmi_msg_dump of 6.1, and with `int
/// id` and `u8 channel_id` in front and a tag of six bytes since 6.10 (6.3 to 6.9 have it of five:
/// not known here).
struct dump_layout {
    std::size_t protocol, message, tag, seq, status, location;
    std::optional<std::size_t> instance, channel;
};
constexpr std::array<dump_layout, 2> dump_layouts{
    {{8, 9, 10, 16, 20, 32, {}, {}}, {13, 14, 15, 22, 24, 40, 8, 12}}};

constexpr std::array<const char*, 8> tags{"CMND", "RESP", "NOTI", "DLYD",
                                          "cmnd", "resp", "noti", "dlyd"};
constexpr std::array<const char*, 4> rejected_tags{"!RES", "!DLY", "!NOT", "UNKN"};

std::string tag_of(const bytes& data, const dump_layout& l) {
    const std::string tag(reinterpret_cast<const char*>(data.data()) + l.tag, 4);
    const auto is = [&](const char* t) { return tag == t; };
    if (std::any_of(tags.begin(), tags.end(), is)) return tag;
    // v6.10 and later: tag[6]
    if (std::any_of(rejected_tags.begin(), rejected_tags.end(), is)) {
        // The memory is that of a guest that failed: nothing says that the text ends.
        const std::string_view rest(reinterpret_cast<const char*>(data.data()) + l.tag,
                                    std::min<std::size_t>(6, data.size() - l.tag));
        return std::string(rest.substr(0, rest.find('\0')));
    }
    return "";
}

std::optional<bytes> payload_of(const bytes& data, const dump_layout& l) {
    const std::size_t offset = at<std::uint16_t>(data, l.location);
    const std::size_t length = at<std::uint16_t>(data, l.location + 2);
    if (offset != l.location + 4 || offset + length > data.size()) return std::nullopt;
    return bytes(data.begin() + long(offset), data.begin() + long(offset + length));
}

/// nullptr: this is no scmi_msg_dump.
const dump_layout* layout_of(const bytes& data) {
    for (const dump_layout& l : dump_layouts) {
        if (data.size() < l.location + 4) continue;
        if (!tag_of(data, l).empty() && payload_of(data, l)) return &l;
    }
    return nullptr;
}

/// kernel/trace/trace_output.c trace_print_lat_fmt().
std::string flags_of(std::uint8_t flags, std::uint8_t preempt_count) {
    const bool irqs_off = flags & 0x01, no_support = flags & 0x02, resched = flags & 0x04,
               hard = flags & 0x08, soft = flags & 0x10, preempt_resched = flags & 0x20,
               nmi = flags & 0x40, bh_off = flags & 0x80;
    const auto digit = [](unsigned n) { return n ? "0123456789abcdef"[n] : '.'; };
    std::string f;
    f += irqs_off ? (bh_off ? 'D' : 'd') : bh_off ? 'b' : no_support ? 'X' : '.';
    f += resched ? (preempt_resched ? 'N' : 'n') : preempt_resched ? 'p' : '.';
    f += nmi ? (hard ? 'Z' : 'z') : hard ? (soft ? 'H' : 'h') : soft ? 's' : '.';
    f += digit(preempt_count & 15);
    f += digit(preempt_count >> 4);
    return f;
}

void read_dump(const bytes& data, const dump_layout& l, ftrace_event& e) {
    e.kind = ftrace_kind::msg_dump;
    e.protocol_id = data[l.protocol];
    e.message_id = data[l.message];
    e.tag = tag_of(data, l);
    e.seq = at<std::uint16_t>(data, l.seq);
    e.status = at<std::int32_t>(data, l.status);
    if (l.instance) e.instance = at<std::int32_t>(data, *l.instance);
    if (l.channel) e.channel = data[*l.channel];
    e.payload = *payload_of(data, l);
}

/// The other four begin alike. False for what is none of them.
bool read_transfer(const bytes& data, unsigned from_dump, ftrace_event& e) {
    static constexpr std::array<ftrace_kind, 5> kinds{
        ftrace_kind::msg_dump, ftrace_kind::rx_done, ftrace_kind::xfer_end,
        ftrace_kind::xfer_response_wait, ftrace_kind::xfer_begin};
    if (from_dump == 0 || from_dump >= kinds.size() || data.size() < 20) return false;
    e.kind = kinds[from_dump];
    e.transfer_id = at<std::int32_t>(data, 8);
    e.message_id = data[12];
    e.protocol_id = data[13];
    e.seq = at<std::uint16_t>(data, 14);
    if (e.kind == ftrace_kind::rx_done) e.msg_type = data[16];
    if (e.kind == ftrace_kind::xfer_end) e.status = at<std::int32_t>(data, 16);
    if (e.kind == ftrace_kind::xfer_begin) e.poll = data[16] != 0;
    if (e.kind != ftrace_kind::xfer_response_wait) return true;
    if (data.size() < 24) return false;
    e.timeout_ms = at<std::uint32_t>(data, 16);
    e.poll = data[20] != 0;
    return true;
}

/// The number of scmi_msg_dump: that of most records that look like one. 0: there is none.
unsigned number_of_dump(const std::vector<record>& records) {
    std::map<unsigned, std::size_t> seen;
    for (const record& r : records)
        if (layout_of(r.data)) ++seen[at<std::uint16_t>(r.data, 0)];
    unsigned best = 0;
    for (const auto& [number, n] : seen)
        if (!best || n > seen[best]) best = number;
    return best;
}

/// By time; where one page ends and the next begins at the same instant, page by page.
std::vector<record> in_order(std::vector<std::vector<record>> pages) {
    std::sort(pages.begin(), pages.end(), [](const auto& a, const auto& b) {
        return std::pair(a.front().stamp_ns, a.back().stamp_ns) <
               std::pair(b.front().stamp_ns, b.back().stamp_ns);
    });
    std::vector<record> all;
    for (std::vector<record>& p : pages) std::move(p.begin(), p.end(), std::back_inserter(all));
    return all;
}

/// How far the number of each is from that of scmi_msg_dump. The kernel numbers its events as the
/// compiler has laid them out, from the first to the last or the other way round (gcc).
int direction_of(const std::vector<record>& records, int dump) {
    int balance = 0;
    for (const record& r : records) {
        const int away = at<std::uint16_t>(r.data, 0) - dump;
        if (away >= -4 && away <= 4) balance += away;
    }
    return balance > 0 ? 1 : -1;
}

}  // namespace

void ring_buffer_reader::look_through(const std::uint8_t* memory, std::size_t size) {
    std::array<std::uint8_t, page_size> page;
    const std::size_t first =
        (page_size - reinterpret_cast<std::uintptr_t>(memory) % page_size) % page_size;
    for (std::size_t i = first; i + page_size <= size; i += page_size) {
        if (at<std::uint64_t>(memory + i, 8) == 0) continue;
        std::memcpy(page.data(), memory + i, page_size);
        auto found = page_walk(page.data()).all();
        if (!found) continue;
        const auto is_dump = [](const record& r) { return layout_of(r.data) != nullptr; };
        if (std::none_of(found->begin(), found->end(), is_dump)) continue;
        pages_.push_back(std::move(*found));
    }
}

std::vector<ftrace_event> ring_buffer_reader::finish() {
    const std::vector<record> records = in_order(std::move(pages_));
    const int dump = int(number_of_dump(records)), direction = direction_of(records, dump);
    std::vector<ftrace_event> events;
    for (const record& r : records) {
        ftrace_event e;
        const int number = at<std::uint16_t>(r.data, 0);
        const dump_layout* l = number == dump ? layout_of(r.data) : nullptr;
        if (l) {
            read_dump(r.data, *l, e);
            if (l->instance) format_ = ftrace_format::linux_6_3;
        } else if (!read_transfer(r.data, unsigned((number - dump) * direction), e)) {
            continue;
        }
        e.stamp = nanoseconds(std::int64_t(r.stamp_ns));
        e.pid = at<std::int32_t>(r.data, 4);
        e.task = e.pid == 0 ? "<idle>" : "<...>";
        e.flags = flags_of(r.data[2], r.data[3]);
        events.push_back(std::move(e));
    }
    return events;
}

}  // namespace scmi_vp::traces
