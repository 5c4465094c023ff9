// SPDX-License-Identifier: Apache-2.0
// Base, and what the driver core itself does for a caller:
// drivers/firmware/arm_scmi/{base,notify}.c v6.1, and the files of sysfs that unbind and bind the
// transport's driver.
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "models/agent/listing.h"
#include "models/agent/scmi_instance.h"

namespace scmi_vp::models {
namespace {

namespace protocol = scmi::protocol;

class base_driver : public protocol_driver {
public:
    explicit base_driver(scmi_instance& instance) : protocol_driver(instance, protocol::base) {}

    int init(guest_context& c, std::uint32_t version) override;
    void forget() override {}
    std::uint32_t sources() const override { return 1; }  // SCMI_BASE_NUM_SOURCES
    bool has_report(const event_row& e, const std::vector<std::uint8_t>& payload) const override;

    int version_call(guest_context& c, const call&) {
        return ask(c, msg_version, 4, "version_get", nullptr);
    }
    int register_notifier(guest_context& c, const call& what);
    int unregister_notifier(guest_context& c, const call& what);

private:
    int list_protocols(guest_context& c, unsigned protocols, std::vector<std::uint8_t>& found);
    /// Who has been given none of the protocols' operations has none to call.
    bool may_notify() const { return !instance().has_caller() || instance().any_called(); }
};

/// scmi_base_protocol_init: the attributes are needed, the rest is not.
int base_driver::init(guest_context& c, std::uint32_t version) {
    std::vector<std::uint8_t> attributes, reply;
    const int err = ask(c, msg_attributes, 4, "scmi_base_attributes_get", &attributes);
    if (err) return err;
    const unsigned protocols = attributes[0], agents = attributes[1];
    const auto text = [](const std::vector<std::uint8_t>& r) {
        return std::string(r.begin(), std::find(r.begin(), r.end(), 0));
    };
    std::string vendor, sub_vendor;
    std::uint32_t implementation = 0;
    if (!ask(c, 3, 16, "scmi_base_vendor_id_get", &reply)) vendor = text(reply);
    if (!ask(c, 4, 16, "scmi_base_vendor_id_get", &reply)) sub_vendor = text(reply);
    if (!ask(c, 5, 4, "scmi_base_implementation_version_get", &reply)) {
        implementation = scmi::get_u32(reply.data(), reply.size(), 0);
    }
    std::vector<std::uint8_t> found;
    list_protocols(c, protocols, found);
    instance().set_implemented(std::move(found));
    char line[128];
    std::snprintf(line, sizeof line, "SCMI Protocol v%u.%u '%s:%s' Firmware version 0x%x",
                  version >> 16, version & 0xffff, vendor.c_str(), sub_vendor.c_str(),
                  implementation);
    agent().log(c, line);
    for (unsigned id = 0; id < agents; ++id) {
        transfer t;
        if (agent().begin(c, t, protocol::base, 7, 4, 20, "scmi_base_discover_agent_get")) continue;
        t.put_u32(0, id);
        agent().do_xfer(c, t);
        agent().end(t);
    }
    return 0;
}

/// One xfer for all rounds (scmi_base_implementation_list_get).
int base_driver::list_protocols(guest_context& c, unsigned protocols,
                                std::vector<std::uint8_t>& found) {
    found.clear();
    transfer t;
    int err = agent().begin(c, t, protocol::base, 6, 4, 0, "scmi_base_implementation_list_get");
    if (err) return err;
    for (;;) {
        t.put_u32(0, static_cast<std::uint32_t>(found.size()));
        err = agent().do_xfer(c, t);
        if (err) break;
        const std::uint32_t returned = t.u32(0);
        if (returned == 0) break;
        if (returned > protocols - found.size()) {
            agent().log(c, "No. Returned protocols > Total protocols.");
            break;
        }
        if (t.x->rx_len < 8) {
            agent().log(c, "Truncated reply - rx.len:" + std::to_string(t.x->rx_len));
            err = -EPROTO;
            break;
        }
        const std::size_t sent = t.x->rx_len - 4, counted = (returned + 3) / 4 * 4;
        if (sent != counted) {
            agent().log(c, "Malformed reply - real_sz:" + std::to_string(sent) +
                               "  calc_sz:" + std::to_string(counted) +
                               "  (loop_num_ret:" + std::to_string(returned) + ")");
            if (counted > sent) {
                err = -EPROTO;
                break;
            }
        }
        for (std::uint32_t i = 0; i < returned; ++i) found.push_back(t.x->buf[4 + i]);
        if (found.size() >= protocols) break;
        agent().begin_again(c, t, 4);
    }
    agent().end(t);
    return err;
}

/// base.c scmi_base_fill_custom_report: as many reports as ERROR_CMD_COUNT of the status says.
bool base_driver::has_report(const event_row&, const std::vector<std::uint8_t>& payload) const {
    const std::uint32_t reports = scmi::get_u32(payload.data(), payload.size(), 4) & 0x3ff;
    return payload.size() >= 8 + 8 * std::size_t(reports);
}

int base_driver::register_notifier(guest_context& c, const call& what) {
    if (!may_notify()) return -ENODEV;
    return instance().notifications().register_notifier(c, what.event->protocol_id,
                                                        what.event->event, what.id);
}

int base_driver::unregister_notifier(guest_context& c, const call& what) {
    if (!may_notify()) return -ENODEV;
    return instance().notifications().unregister_notifier(c, what.event->protocol_id,
                                                          what.event->event, what.id);
}

constexpr call_row calls[] = {
    // PROTOCOL_VERSION: the smallest round trip.
    {"base_version", protocol::base, "", "", argument_kind::none,
     making<&base_driver::version_call>, nullptr, false, false, true},
    // notify ops event_notifier_register.
    {"notify_register", protocol::base, "", "source", argument_kind::event,
     making<&base_driver::register_notifier>},
    {"notify_unregister", protocol::base, "", "source", argument_kind::event,
     making<&base_driver::unregister_notifier>},
    // The driver lets the device go: it is reset, and calls fail until it is bound again. Then Base
    // is probed; in 6.1 the users of other protocols are not.
    {"driver_unbind", protocol::base, "", "", argument_kind::none, nullptr, nullptr, false, false,
     false, call_target::unbind},
    {"driver_bind", protocol::base, "", "", argument_kind::none, nullptr, nullptr, false, false,
     false, call_target::bind},
};

constexpr event_row events[] = {
    // base.c: agent, status, at most 1024 reports of 8 bytes.
    {"base_error", protocol::base, 0, 8, 8 + 8 * 1024, 8 + 8 * 1024, no_source, 8,
     "scmi_base_set_notify_enabled"},
};

}  // namespace

extern const agent_protocol base_driver_row;
const agent_protocol base_driver_row{
    protocol::base, calls, events, {}, [](scmi_instance& i) {
        return std::unique_ptr<protocol_driver>(std::make_unique<base_driver>(i));
    }};

}  // namespace scmi_vp::models
