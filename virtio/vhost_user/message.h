// SPDX-License-Identifier: Apache-2.0
// vhost-user messages: the table of requests, and the codec between bytes and typed payloads. The
// source is QEMU's docs/interop/vhost-user.rst; fields are in host byte order, without padding.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace scmi_vp::virtio::vhost_user {

/// Virtio feature bits that belong to vhost-user and are never shown to the guest.
inline constexpr std::uint64_t feature_log_all = 1ull << 26, feature_protocol_features = 1ull << 30;

namespace protocol_feature {
inline constexpr std::uint64_t mq = 1ull << 0, log_shmfd = 1ull << 1, rarp = 1ull << 2,
                               reply_ack = 1ull << 3, mtu = 1ull << 4, backend_req = 1ull << 5,
                               cross_endian = 1ull << 6, crypto_session = 1ull << 7,
                               pagefault = 1ull << 8, config = 1ull << 9,
                               backend_send_fd = 1ull << 10, host_notifier = 1ull << 11,
                               inflight_shmfd = 1ull << 12, reset_device = 1ull << 13,
                               inband_notifications = 1ull << 14, configure_mem_slots = 1ull << 15,
                               status = 1ull << 16, xen_mmap = 1ull << 17,
                               shared_object = 1ull << 18, device_state = 1ull << 19,
                               get_vring_base_inflight = 1ull << 20, gpa_addresses = 1ull << 21,
                               shmem = 1ull << 22, get_vring_base_skip_drain = 1ull << 23;
}  // namespace protocol_feature

enum class front_request : std::uint32_t {
    get_features = 1,
    set_features = 2,
    set_owner = 3,
    reset_owner = 4,
    set_mem_table = 5,
    set_log_base = 6,
    set_log_fd = 7,
    set_vring_num = 8,
    set_vring_addr = 9,
    set_vring_base = 10,
    get_vring_base = 11,
    set_vring_kick = 12,
    set_vring_call = 13,
    set_vring_err = 14,
    get_protocol_features = 15,
    set_protocol_features = 16,
    get_queue_num = 17,
    set_vring_enable = 18,
    send_rarp = 19,
    net_set_mtu = 20,
    set_backend_req_fd = 21,
    iotlb_msg = 22,
    set_vring_endian = 23,
    get_config = 24,
    set_config = 25,
    create_crypto_session = 26,
    close_crypto_session = 27,
    postcopy_advise = 28,
    postcopy_listen = 29,
    postcopy_end = 30,
    get_inflight_fd = 31,
    set_inflight_fd = 32,
    gpu_set_socket = 33,
    reset_device = 34,
    vring_kick = 35,
    get_max_mem_slots = 36,
    add_mem_reg = 37,
    rem_mem_reg = 38,
    set_status = 39,
    get_status = 40,
    get_shared_object = 41,
    set_device_state_fd = 42,
    check_device_state = 43,
    get_shmem_config = 44,
};

/// Requests of the back end, on the socket that SET_BACKEND_REQ_FD passed.
enum class back_request : std::uint32_t {
    iotlb_msg = 1,
    config_change_msg = 2,
    vring_host_notifier_msg = 3,
    vring_call = 4,
    vring_err = 5,
    shared_object_add = 6,
    shared_object_remove = 7,
    shared_object_lookup = 8,
    shmem_map = 9,
    shmem_unmap = 10,
};

// --- payloads ---------------------------------------------------------------------------------

struct vring_state {
    std::uint32_t index = 0;
    std::uint32_t num = 0;
};
/// Ring addresses are the *front end's virtual* addresses; descriptors hold guest-physical ones.
struct vring_addr {
    std::uint32_t index = 0;
    std::uint32_t flags = 0;  ///< bit 0: log writes
    std::uint64_t desc = 0, used = 0, avail = 0, log = 0;
};
struct mem_region {
    std::uint64_t guest_addr = 0, size = 0, user_addr = 0, mmap_offset = 0;
};
struct mem_table {
    std::vector<mem_region> regions;
};
struct single_region {
    mem_region region;
};
struct config_space {
    std::uint32_t offset = 0;
    std::uint32_t flags = 0;
    std::vector<std::uint8_t> data;
};
struct vring_fd {
    std::uint8_t index = 0;
    bool no_fd = false;  ///< no descriptor attached: poll instead
};
struct log_area {
    std::uint64_t size = 0, offset = 0;
};
struct iotlb_entry {
    std::uint64_t iova = 0, size = 0, user_addr = 0;
    std::uint8_t permission = 0, type = 0;
};
struct vring_area {
    std::uint64_t index = 0, size = 0, offset = 0;
};
struct inflight_area {
    std::uint64_t mmap_size = 0, mmap_offset = 0;
    std::uint16_t num_queues = 0, queue_size = 0;
};
struct shmem_config {
    std::uint32_t regions = 0;
    std::vector<std::uint64_t> sizes;  ///< 256, by shared memory id
};
struct shmem_mapping {
    std::uint8_t id = 0;
    std::uint64_t fd_offset = 0, shm_offset = 0, length = 0, flags = 0;
};
using object_id = std::array<std::uint8_t, 16>;
/// A payload whose inside is no business of an SCMI device (crypto sessions, device state).
struct opaque {
    std::vector<std::uint8_t> bytes;
};

/// In the order of payload_kind.
using payload =
    std::variant<std::monostate, std::uint64_t, vring_state, vring_addr, mem_table, single_region,
                 config_space, vring_fd, log_area, iotlb_entry, vring_area, inflight_area,
                 shmem_config, shmem_mapping, object_id, opaque>;

enum class payload_kind : std::uint8_t {
    none,
    u64,
    vring_state,
    vring_addr,
    mem_table,
    single_region,
    config,
    vring_fd,
    log,
    iotlb,
    vring_area,
    inflight,
    shmem_config,
    shmem_mapping,
    uuid,
    opaque,
};

// --- the table of requests --------------------------------------------------------------------

/// One row per request: decoding, gating, error messages and tests come from here.
struct request_info {
    std::uint32_t id;
    std::string_view name;  ///< the document's: "SET_MEM_TABLE"
    payload_kind body;
    std::uint8_t min_fds, max_fds;
    bool replies;  ///< has a reply of its own; otherwise only an acknowledgement when asked for
    payload_kind reply;
    std::uint8_t reply_fds;  ///< most descriptors with the reply
    std::uint64_t needs;     ///< protocol feature without which it is not sent
    bool served;             ///< a back end that is an SCMI device takes part in it
};
extern const request_info front_request_table[];
extern const std::size_t front_request_count;
extern const request_info back_request_table[];
extern const std::size_t back_request_count;

/// The row, or nullptr for a number that no document knows.
const request_info* find_front_request(std::uint32_t id);
const request_info* find_back_request(std::uint32_t id);
const request_info& info_of(front_request r);
const request_info& info_of(back_request r);

// --- the codec --------------------------------------------------------------------------------

inline constexpr std::uint32_t flag_version = 1, flag_version_mask = 3, flag_reply = 4,
                               flag_need_reply = 8;
/// Flags of a reply: QEMU and UML compare for equality.
inline constexpr std::uint32_t reply_flags = flag_version | flag_reply;
inline constexpr std::size_t header_bytes = 12;
inline constexpr std::size_t max_payload_bytes = 4096;
inline constexpr std::size_t max_regions = 32;

struct header {
    std::uint32_t request = 0, flags = flag_version, size = 0;
    bool need_reply() const { return (flags & flag_need_reply) != 0; }
};

/// Bytes to be sent; those of a kick, a call or an acknowledgement need no allocation.
using wire = boost::container::small_vector<std::uint8_t, 64>;

/// What travels in a direction of a socket: requests only, or replies only.
enum class traffic : std::uint8_t { requests, replies };

/// The header at `bytes` (header_bytes of them). Throws scmi_vp::error (input) for a version, flags
/// or a size after which nothing that follows can be trusted: close the connection.
header read_header(const std::uint8_t* bytes, traffic expected);

/// The payload of a request. Throws scmi_vp::error (input) when its size, its count of regions or
/// the number of descriptors does not fit; the message says which request.
payload parse_request(const request_info& info, const std::uint8_t* data, std::size_t size,
                      std::size_t fd_count);
/// The payload of a request's own reply, likewise.
payload parse_reply(const request_info& info, const std::uint8_t* data, std::size_t size,
                    std::size_t fd_count);
/// The acknowledgement of a request that has no reply of its own: 0 is success.
std::uint64_t parse_ack(const request_info& info, const std::uint8_t* data, std::size_t size,
                        std::size_t fd_count);

/// A whole message.
wire encode(std::uint32_t request, std::uint32_t flags, const payload& body);
inline wire encode(front_request r, std::uint32_t flags, const payload& body = {}) {
    return encode(static_cast<std::uint32_t>(r), flags, body);
}
inline wire encode(back_request r, std::uint32_t flags, const payload& body = {}) {
    return encode(static_cast<std::uint32_t>(r), flags, body);
}

/// Cuts a stream of bytes into messages, never asking for a byte beyond the current one: the
/// descriptors of the next message come with its first byte.
class assembler {
public:
    explicit assembler(traffic expected) : expected_(expected) {}

    /// Where to put the next bytes, and how many at most.
    std::uint8_t* space() { return buffer_.data() + have_; }
    std::size_t wanted() const { return need_ - have_; }
    /// So many bytes were put there. Throws as read_header does.
    void received(std::size_t bytes);
    bool complete() const { return have_ == need_; }
    /// Between two messages; otherwise the peer has begun one and owes the rest.
    bool idle() const { return have_ == 0; }
    const std::uint8_t* data() const { return buffer_.data(); }
    std::size_t size() const { return have_; }
    void next() { have_ = 0, need_ = header_bytes; }

private:
    std::array<std::uint8_t, header_bytes + max_payload_bytes> buffer_;
    std::size_t have_ = 0, need_ = header_bytes;
    traffic expected_;
};

}  // namespace scmi_vp::virtio::vhost_user
