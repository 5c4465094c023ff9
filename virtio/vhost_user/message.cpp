// SPDX-License-Identifier: Apache-2.0
// The table of vhost-user requests and the codec. Nothing that a peer says about sizes or counts is
// believed before it was compared with what arrived.
#include "virtio/vhost_user/message.h"

#include <cstring>

#include "base/error.h"

namespace scmi_vp::virtio::vhost_user {

static_assert(std::variant_size_v<payload> == static_cast<std::size_t>(payload_kind::opaque) + 1,
              "payload and payload_kind are in the same order");

namespace {

using k = payload_kind;
namespace pf = protocol_feature;

constexpr std::uint8_t one_per_region = max_regions;

}  // namespace

constexpr request_info front_request_table[] = {
    {1, "GET_FEATURES", k::none, 0, 0, true, k::u64, 0, 0, true},
    {2, "SET_FEATURES", k::u64, 0, 0, false, k::none, 0, 0, true},
    {3, "SET_OWNER", k::none, 0, 0, false, k::none, 0, 0, true},
    {4, "RESET_OWNER", k::none, 0, 0, false, k::none, 0, 0, true},
    {5, "SET_MEM_TABLE", k::mem_table, 1, one_per_region, false, k::none, 0, 0, true},
    {6, "SET_LOG_BASE", k::log, 0, 1, true, k::none, 0, pf::log_shmfd, false},
    {7, "SET_LOG_FD", k::none, 1, 1, false, k::none, 0, pf::log_shmfd, false},
    {8, "SET_VRING_NUM", k::vring_state, 0, 0, false, k::none, 0, 0, true},
    {9, "SET_VRING_ADDR", k::vring_addr, 0, 0, false, k::none, 0, 0, true},
    {10, "SET_VRING_BASE", k::vring_state, 0, 0, false, k::none, 0, 0, true},
    {11, "GET_VRING_BASE", k::vring_state, 0, 0, true, k::vring_state, 0, 0, true},
    {12, "SET_VRING_KICK", k::vring_fd, 0, 1, false, k::none, 0, 0, true},
    {13, "SET_VRING_CALL", k::vring_fd, 0, 1, false, k::none, 0, 0, true},
    {14, "SET_VRING_ERR", k::vring_fd, 0, 1, false, k::none, 0, 0, true},
    {15, "GET_PROTOCOL_FEATURES", k::none, 0, 0, true, k::u64, 0, 0, true},
    {16, "SET_PROTOCOL_FEATURES", k::u64, 0, 0, false, k::none, 0, 0, true},
    {17, "GET_QUEUE_NUM", k::none, 0, 0, true, k::u64, 0, pf::mq, true},
    {18, "SET_VRING_ENABLE", k::vring_state, 0, 0, false, k::none, 0, 0, true},
    {19, "SEND_RARP", k::u64, 0, 0, false, k::none, 0, pf::rarp, false},
    {20, "NET_SET_MTU", k::u64, 0, 0, false, k::none, 0, pf::mtu, false},
    {21, "SET_BACKEND_REQ_FD", k::none, 1, 1, false, k::none, 0, pf::backend_req, true},
    {22, "IOTLB_MSG", k::iotlb, 0, 0, true, k::u64, 0, 0, false},
    {23, "SET_VRING_ENDIAN", k::vring_state, 0, 0, false, k::none, 0, pf::cross_endian, false},
    {24, "GET_CONFIG", k::config, 0, 0, true, k::config, 0, pf::config, false},
    {25, "SET_CONFIG", k::config, 0, 0, false, k::none, 0, pf::config, false},
    {26, "CREATE_CRYPTO_SESSION", k::opaque, 0, 0, true, k::opaque, 0, pf::crypto_session, false},
    {27, "CLOSE_CRYPTO_SESSION", k::u64, 0, 0, false, k::none, 0, pf::crypto_session, false},
    {28, "POSTCOPY_ADVISE", k::none, 0, 0, true, k::none, 1, pf::pagefault, false},
    {29, "POSTCOPY_LISTEN", k::none, 0, 0, false, k::none, 0, pf::pagefault, false},
    {30, "POSTCOPY_END", k::none, 0, 0, true, k::u64, 0, pf::pagefault, false},
    {31, "GET_INFLIGHT_FD", k::inflight, 0, 0, true, k::inflight, 1, pf::inflight_shmfd, false},
    {32, "SET_INFLIGHT_FD", k::inflight, 1, 1, false, k::none, 0, pf::inflight_shmfd, false},
    {33, "GPU_SET_SOCKET", k::none, 1, 1, false, k::none, 0, 0, false},
    {34, "RESET_DEVICE", k::none, 0, 0, false, k::none, 0, pf::reset_device, true},
    {35, "VRING_KICK", k::vring_state, 0, 0, false, k::none, 0, pf::inband_notifications, true},
    {36, "GET_MAX_MEM_SLOTS", k::none, 0, 0, true, k::u64, 0, pf::configure_mem_slots, true},
    {37, "ADD_MEM_REG", k::single_region, 1, 1, false, k::none, 0, pf::configure_mem_slots, true},
    {38, "REM_MEM_REG", k::single_region, 0, 1, false, k::none, 0, pf::configure_mem_slots, true},
    {39, "SET_STATUS", k::u64, 0, 0, false, k::none, 0, pf::status, true},
    {40, "GET_STATUS", k::none, 0, 0, true, k::u64, 0, pf::status, true},
    {41, "GET_SHARED_OBJECT", k::uuid, 0, 0, true, k::none, 1, pf::shared_object, false},
    {42, "SET_DEVICE_STATE_FD", k::opaque, 1, 1, true, k::u64, 1, pf::device_state, false},
    {43, "CHECK_DEVICE_STATE", k::none, 0, 0, true, k::u64, 0, pf::device_state, false},
    {44, "GET_SHMEM_CONFIG", k::none, 0, 0, true, k::shmem_config, 0, pf::shmem, false},
};
constexpr std::size_t front_request_count = std::size(front_request_table);

constexpr request_info back_request_table[] = {
    {1, "IOTLB_MSG", k::iotlb, 0, 0, false, k::none, 0, pf::backend_req, false},
    {2, "CONFIG_CHANGE_MSG", k::none, 0, 0, false, k::none, 0, pf::config, false},
    {3, "VRING_HOST_NOTIFIER_MSG", k::vring_area, 0, 1, false, k::none, 0, pf::host_notifier,
     false},
    {4, "VRING_CALL", k::vring_state, 0, 0, false, k::none, 0, pf::inband_notifications, true},
    {5, "VRING_ERR", k::vring_state, 0, 0, false, k::none, 0, pf::inband_notifications, true},
    {6, "SHARED_OBJECT_ADD", k::uuid, 0, 0, false, k::none, 0, pf::shared_object, false},
    {7, "SHARED_OBJECT_REMOVE", k::uuid, 0, 0, false, k::none, 0, pf::shared_object, false},
    {8, "SHARED_OBJECT_LOOKUP", k::uuid, 0, 0, true, k::u64, 1, pf::shared_object, false},
    {9, "SHMEM_MAP", k::shmem_mapping, 1, 1, false, k::none, 0, pf::shmem, false},
    {10, "SHMEM_UNMAP", k::shmem_mapping, 0, 0, false, k::none, 0, pf::shmem, false},
};
constexpr std::size_t back_request_count = std::size(back_request_table);

namespace {

template <std::size_t n>
constexpr bool numbered_from_one(const request_info (&table)[n]) {
    for (std::size_t i = 0; i < n; ++i) {
        if (table[i].id != i + 1) return false;
    }
    return true;
}
static_assert(numbered_from_one(front_request_table) && numbered_from_one(back_request_table),
              "find_front_request and find_back_request index by number");

constexpr std::size_t region_bytes = 32, table_head_bytes = 8, config_head_bytes = 12;
constexpr std::size_t shmem_ids = 256;

/// Bytes of a payload of fixed size, in the order of payload_kind; mem_table, config and opaque say
/// how long they are at least.
constexpr std::size_t payload_size[] = {0,
                                        8,
                                        8,
                                        40,
                                        table_head_bytes,
                                        table_head_bytes + region_bytes,
                                        config_head_bytes,
                                        8,
                                        16,
                                        32,
                                        24,
                                        24,
                                        8 + 8 * shmem_ids,
                                        40,
                                        16,
                                        0};
static_assert(std::size(payload_size) == std::variant_size_v<payload>, "one per kind");

[[noreturn]] void refuse(std::string_view name, const std::string& what) {
    throw error(error_kind::input, std::string(name), what);
}

/// Reads fields one after the other; the size was checked before.
class field_reader {
public:
    explicit field_reader(const std::uint8_t* data) : at_(data) {}
    template <class T>
    T take() {
        T value;
        std::memcpy(&value, at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    void skip(std::size_t bytes) { at_ += bytes; }
    const std::uint8_t* at() const { return at_; }

private:
    const std::uint8_t* at_;
};

class field_writer {
public:
    explicit field_writer(wire& out) : out_(out) {}
    template <class T>
    void put(T value) {
        const std::size_t at = out_.size();
        out_.resize(at + sizeof value, boost::container::default_init);
        std::memcpy(out_.data() + at, &value, sizeof value);
    }
    void zeros(std::size_t n) { out_.insert(out_.end(), n, std::uint8_t{0}); }
    template <class Bytes>
    void bytes(const Bytes& b) {
        out_.insert(out_.end(), b.begin(), b.end());
    }

private:
    wire& out_;
};

mem_region read_region(field_reader& r) {
    mem_region m;
    m.guest_addr = r.take<std::uint64_t>();
    m.size = r.take<std::uint64_t>();
    m.user_addr = r.take<std::uint64_t>();
    m.mmap_offset = r.take<std::uint64_t>();
    return m;
}

mem_table read_table(std::string_view name, const std::uint8_t* data, std::size_t size) {
    field_reader r(data);
    const auto count = r.take<std::uint32_t>();
    r.skip(4);
    if (count == 0 || count > max_regions) {
        refuse(name, "announces " + std::to_string(count) + " memory regions; 1 to " +
                         std::to_string(max_regions) + " are possible");
    }
    // Not equality: UML 6.1 always sends the space of two regions (arch/um/drivers/virtio_uml.c).
    if (size < table_head_bytes + region_bytes * count) {
        refuse(name, "announces " + std::to_string(count) + " memory regions in " +
                         std::to_string(size) + " bytes; they take " +
                         std::to_string(table_head_bytes + region_bytes * count));
    }
    mem_table table;
    for (std::uint32_t i = 0; i < count; ++i) table.regions.push_back(read_region(r));
    return table;
}

config_space read_config(std::string_view name, const std::uint8_t* data, std::size_t size) {
    field_reader r(data);
    config_space c;
    c.offset = r.take<std::uint32_t>();
    const auto length = r.take<std::uint32_t>();
    c.flags = r.take<std::uint32_t>();
    if (length != size - config_head_bytes) {
        refuse(name, "announces " + std::to_string(length) + " bytes of configuration and has " +
                         std::to_string(size - config_head_bytes));
    }
    c.data.assign(r.at(), r.at() + length);
    return c;
}

vring_fd read_vring_fd(std::string_view name, field_reader& r) {
    const auto word = r.take<std::uint64_t>();
    if (word > 0x1ff) {
        refuse(name,
               "sets reserved bits: only the queue (bits 7:0) and 'no descriptor' (bit 8) "
               "exist, the word is " +
                   std::to_string(word));
    }
    return {static_cast<std::uint8_t>(word), (word & 0x100) != 0};
}

void check_size(std::string_view name, payload_kind kind, std::size_t size) {
    const std::size_t least = payload_size[static_cast<std::size_t>(kind)];
    const bool open = kind == k::mem_table || kind == k::config || kind == k::opaque;
    if (size < least || (size > least && !open)) {
        refuse(name, "has " + std::to_string(size) + " bytes of payload instead of " +
                         std::to_string(least) + (open ? " or more" : ""));
    }
}

/// The payloads that carry no ring and no memory table.
payload read_rare(std::string_view name, payload_kind kind, const std::uint8_t* data,
                  std::size_t size) {
    field_reader r(data);
    switch (kind) {
        case k::config:
            return read_config(name, data, size);
        case k::log: {
            const auto length = r.take<std::uint64_t>();
            return log_area{length, r.take<std::uint64_t>()};
        }
        case k::iotlb: {
            iotlb_entry e;
            e.iova = r.take<std::uint64_t>();
            e.size = r.take<std::uint64_t>();
            e.user_addr = r.take<std::uint64_t>();
            e.permission = r.take<std::uint8_t>();
            e.type = r.take<std::uint8_t>();
            return e;
        }
        case k::vring_area: {
            const auto index = r.take<std::uint64_t>(), length = r.take<std::uint64_t>();
            return vring_area{index, length, r.take<std::uint64_t>()};
        }
        case k::inflight: {
            const auto length = r.take<std::uint64_t>(), offset = r.take<std::uint64_t>();
            const auto queues = r.take<std::uint16_t>();
            return inflight_area{length, offset, queues, r.take<std::uint16_t>()};
        }
        case k::shmem_config: {
            shmem_config c{r.take<std::uint32_t>(), {}};
            r.skip(4);
            for (std::size_t i = 0; i < shmem_ids; ++i) c.sizes.push_back(r.take<std::uint64_t>());
            return c;
        }
        case k::shmem_mapping: {
            shmem_mapping m;
            m.id = r.take<std::uint8_t>();
            r.skip(7);
            for (auto* field : {&m.fd_offset, &m.shm_offset, &m.length, &m.flags}) {
                *field = r.take<std::uint64_t>();
            }
            return m;
        }
        case k::uuid:
            return r.take<object_id>();
        default:
            return opaque{std::vector<std::uint8_t>(data, data + size)};
    }
}

payload read_payload(std::string_view name, payload_kind kind, const std::uint8_t* data,
                     std::size_t size) {
    check_size(name, kind, size);
    field_reader r(data);
    switch (kind) {
        case k::none:
            return std::monostate{};
        case k::u64:
            return r.take<std::uint64_t>();
        case k::vring_state: {
            const auto index = r.take<std::uint32_t>();
            return vring_state{index, r.take<std::uint32_t>()};
        }
        case k::vring_addr: {
            vring_addr a;
            a.index = r.take<std::uint32_t>();
            a.flags = r.take<std::uint32_t>();
            // The document's order: descriptors, used, available, log.
            for (auto* field : {&a.desc, &a.used, &a.avail, &a.log}) {
                *field = r.take<std::uint64_t>();
            }
            return a;
        }
        case k::mem_table:
            return read_table(name, data, size);
        case k::single_region:
            r.skip(8);
            return single_region{read_region(r)};
        case k::vring_fd:
            return read_vring_fd(name, r);
        default:
            return read_rare(name, kind, data, size);
    }
}

void check_fds(std::string_view name, std::size_t count, std::size_t least, std::size_t most) {
    if (count >= least && count <= most) return;
    refuse(name, "came with " + std::to_string(count) + " descriptors instead of " +
                     std::to_string(least) +
                     (most == least ? std::string() : " to " + std::to_string(most)));
}

/// Appends each kind of payload; the variant says which.
struct payload_writer {
    field_writer& w;

    void region(const mem_region& m) const {
        for (auto field : {m.guest_addr, m.size, m.user_addr, m.mmap_offset}) w.put(field);
    }
    void operator()(std::monostate) const {}
    void operator()(std::uint64_t v) const { w.put(v); }
    void operator()(const vring_state& s) const { w.put(s.index), w.put(s.num); }
    void operator()(const vring_addr& a) const {
        w.put(a.index), w.put(a.flags);
        for (auto field : {a.desc, a.used, a.avail, a.log}) w.put(field);
    }
    void operator()(const mem_table& t) const {
        w.put(static_cast<std::uint32_t>(t.regions.size())), w.zeros(4);
        for (const mem_region& m : t.regions) region(m);
    }
    void operator()(const single_region& s) const { w.zeros(8), region(s.region); }
    void operator()(const config_space& c) const {
        w.put(c.offset), w.put(static_cast<std::uint32_t>(c.data.size())), w.put(c.flags);
        w.bytes(c.data);
    }
    void operator()(const vring_fd& f) const {
        w.put(std::uint64_t{f.index} | (f.no_fd ? 0x100u : 0u));
    }
    void operator()(const log_area& l) const { w.put(l.size), w.put(l.offset); }
    void operator()(const iotlb_entry& e) const {
        w.put(e.iova), w.put(e.size), w.put(e.user_addr);
        w.put(e.permission), w.put(e.type), w.zeros(6);
    }
    void operator()(const vring_area& a) const { w.put(a.index), w.put(a.size), w.put(a.offset); }
    void operator()(const inflight_area& i) const {
        w.put(i.mmap_size), w.put(i.mmap_offset), w.put(i.num_queues), w.put(i.queue_size);
        w.zeros(4);
    }
    void operator()(const shmem_config& c) const {
        w.put(c.regions), w.zeros(4);
        for (std::size_t i = 0; i < shmem_ids; ++i) {
            w.put(i < c.sizes.size() ? c.sizes[i] : std::uint64_t{0});
        }
    }
    void operator()(const shmem_mapping& m) const {
        w.put(m.id), w.zeros(7);
        for (auto field : {m.fd_offset, m.shm_offset, m.length, m.flags}) w.put(field);
    }
    void operator()(const object_id& u) const { w.bytes(u); }
    void operator()(const opaque& o) const { w.bytes(o.bytes); }
};

}  // namespace

const request_info* find_front_request(std::uint32_t id) {
    return id >= 1 && id <= front_request_count ? &front_request_table[id - 1] : nullptr;
}
const request_info* find_back_request(std::uint32_t id) {
    return id >= 1 && id <= back_request_count ? &back_request_table[id - 1] : nullptr;
}
const request_info& info_of(front_request r) {
    return front_request_table[static_cast<std::uint32_t>(r) - 1];
}
const request_info& info_of(back_request r) {
    return back_request_table[static_cast<std::uint32_t>(r) - 1];
}

header read_header(const std::uint8_t* bytes, traffic expected) {
    header h;
    std::memcpy(&h.request, bytes, 4);
    std::memcpy(&h.flags, bytes + 4, 4);
    std::memcpy(&h.size, bytes + 8, 4);
    const std::string where = "message " + std::to_string(h.request);
    if ((h.flags & flag_version_mask) != flag_version) {
        throw error(error_kind::input, where,
                    "has version " + std::to_string(h.flags & flag_version_mask) +
                        " in its header; vhost-user has version 1");
    }
    const bool good = expected == traffic::replies ? h.flags == reply_flags
                                                   : (h.flags & ~flag_need_reply) == flag_version;
    if (!good) {
        throw error(error_kind::input, where,
                    "has flags " + std::to_string(h.flags) + " where a " +
                        (expected == traffic::replies ? "reply has 5" : "request has 1 or 9"));
    }
    if (h.size > max_payload_bytes) {
        throw error(error_kind::input, where,
                    "announces " + std::to_string(h.size) + " bytes of payload; at most " +
                        std::to_string(max_payload_bytes) + " are taken");
    }
    return h;
}

payload parse_request(const request_info& info, const std::uint8_t* data, std::size_t size,
                      std::size_t fd_count) {
    payload body = read_payload(info.name, info.body, data, size);
    if (const auto* fd = std::get_if<vring_fd>(&body)) {
        const std::size_t exact = fd->no_fd ? 0 : 1;
        check_fds(info.name, fd_count, exact, exact);
    } else if (const auto* table = std::get_if<mem_table>(&body)) {
        check_fds(info.name, fd_count, table->regions.size(), table->regions.size());
    } else {
        check_fds(info.name, fd_count, info.min_fds, info.max_fds);
    }
    return body;
}

payload parse_reply(const request_info& info, const std::uint8_t* data, std::size_t size,
                    std::size_t fd_count) {
    check_fds(info.name, fd_count, 0, info.reply_fds);
    // A back end that cannot answer GET_CONFIG sends an empty reply (vhost-user.rst, GET_CONFIG).
    if (info.reply == k::config && size == 0) return std::monostate{};
    return read_payload(info.name, info.reply, data, size);
}

std::uint64_t parse_ack(const request_info& info, const std::uint8_t* data, std::size_t size,
                        std::size_t fd_count) {
    check_fds(info.name, fd_count, 0, 0);
    return std::get<std::uint64_t>(read_payload(info.name, k::u64, data, size));
}

wire encode(std::uint32_t request, std::uint32_t flags, const payload& body) {
    wire out;
    field_writer w(out);
    w.put(request), w.put(flags), w.put(std::uint32_t{0});
    std::visit(payload_writer{w}, body);
    const auto size = static_cast<std::uint32_t>(out.size() - header_bytes);
    std::memcpy(out.data() + 8, &size, sizeof size);
    return out;
}

void assembler::received(std::size_t bytes) {
    const bool had_header = have_ >= header_bytes;
    have_ += bytes;
    if (!had_header && have_ == header_bytes) {
        need_ = header_bytes + read_header(buffer_.data(), expected_).size;
    }
}

}  // namespace scmi_vp::virtio::vhost_user
