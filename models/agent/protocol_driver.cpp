// SPDX-License-Identifier: Apache-2.0
// See protocol_driver.h.
#include "models/agent/protocol_driver.h"

#include "models/agent/listing.h"
#include "models/agent/scmi_instance.h"

namespace scmi_vp::models {

scmi_agent& protocol_driver::agent() const {
    return instance_.agent();
}

const guest_config& protocol_driver::config() const {
    return instance_.config();
}

std::uint64_t& protocol_driver::last_value() {
    return instance_.last_value();
}

bool protocol_driver::usable() const {
    return instance_.has_caller() ? called : held;
}

int protocol_driver::command(guest_context& c, const operation& o,
                             std::initializer_list<std::uint32_t> words) {
    transfer t;
    int err = agent().begin(c, t, id_, o.message_id, static_cast<std::uint16_t>(4 * words.size()),
                            o.reply_bytes, o.caller, o.resource);
    if (err) return err;
    std::size_t at = 0;
    for (const std::uint32_t w : words) {
        t.put_u32(at, w);
        at += 4;
    }
    err = agent().do_xfer(c, t);
    if (!err) last_value() = t.u32(0);
    agent().end(t);
    return err;
}

int protocol_driver::ask(guest_context& c, std::uint8_t message, std::uint16_t reply_bytes,
                         const char* caller, std::vector<std::uint8_t>* reply) {
    transfer t;
    int err = agent().begin(c, t, id_, message, 0, reply_bytes, caller);
    if (err) return err;
    err = agent().do_xfer(c, t);
    if (!err && reply) reply->assign(t.x->buf.begin(), t.x->buf.begin() + reply_bytes);
    agent().end(t);
    return err;
}

int protocol_driver::ask_version(guest_context& c, std::uint32_t& version) {
    std::vector<std::uint8_t> reply;
    const int err = ask(c, msg_version, 4, "version_get", &reply);
    if (!err) version = scmi::get_u32(reply.data(), reply.size(), 0);
    return err;
}

void protocol_driver::extended_name(guest_context& c, std::uint8_t message, std::uint32_t id,
                                    std::string& name) {
    transfer t;
    int err = agent().begin(c, t, id_, message, 4, 68, "scmi_common_extended_name_get",
                            static_cast<std::int32_t>(id));
    if (!err) {
        t.put_u32(0, id);
        err = agent().do_xfer(c, t);
        if (!err) name = name_at(t, 4, 63);
        agent().end(t);
    }
    if (err) {
        agent().log(c, "Failed to get extended name - id:" + std::to_string(id) +
                           " (ret:" + std::to_string(err) + "). Using " + name);
    }
}

void protocol_driver::log_device(guest_context& c, const std::string& device,
                                 const std::string& text) {
    agent().kernel().printk(device + ": " + text, c.time());
}

int protocol_driver::set_notify(guest_context& c, const event_row& e, std::uint32_t source,
                                bool on) {
    if (e.source_at == no_source) return command(c, {e.set_notify, 0, e.caller, -1}, {on ? 1u : 0});
    return command(c, {e.set_notify, 0, e.caller, static_cast<std::int32_t>(source)},
                   {source, on ? 1u : 0});
}

}  // namespace scmi_vp::models
