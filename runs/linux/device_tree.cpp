// SPDX-License-Identifier: Apache-2.0
// The device tree, written in order through libfdt.
#include "runs/linux/device_tree.h"

#include <cstdio>

#include <libfdt.h>

#include "base/error.h"

namespace scmi_vp::runs {
namespace {

constexpr std::size_t room = 1 << 16;

class tree_writer {
public:
    tree_writer() : blob_(room, '\0') {
        check(fdt_create(data(), int(room)));
        check(fdt_finish_reservemap(data()));
    }
    void begin(const std::string& name) { check(fdt_begin_node(data(), name.c_str())); }
    void end() { check(fdt_end_node(data())); }
    void cell(const char* name, std::uint32_t value) {
        check(fdt_property_u32(data(), name, value));
    }
    void text(const char* name, const char* value) {
        check(fdt_property_string(data(), name, value));
    }
    std::string finish() {
        check(fdt_finish(data()));
        blob_.resize(fdt_totalsize(data()));
        return std::move(blob_);
    }

private:
    void* data() { return blob_.data(); }
    static void check(int result) {
        if (result < 0) {
            throw error(error_kind::model, std::string("device tree: ") + fdt_strerror(result));
        }
    }

    std::string blob_;
};

/// How consumers name one of a protocol's resources (arm,scmi.yaml).
const char* cells_property(std::uint8_t protocol) {
    switch (protocol) {
        case 0x11:
            return "#power-domain-cells";
        case 0x13:
            return "#clock-cells";
        case 0x14:
            return "#clock-cells";
        case 0x15:
            return "#thermal-sensor-cells";
        case 0x16:
            return "#reset-cells";
        default:
            return nullptr;
    }
}

void add_protocol(tree_writer& t, std::uint8_t protocol) {
    char name[32];
    std::snprintf(name, sizeof name, "protocol@%x", unsigned(protocol));
    t.begin(name);
    t.cell("reg", protocol);
    if (const char* cells = cells_property(protocol)) t.cell(cells, 1);
    t.end();
}

}  // namespace

std::string make_device_tree(const models::device_tree_info& info) {
    tree_writer t;
    t.begin("");
    t.cell("#address-cells", 1);
    t.cell("#size-cells", 1);
    t.text("model", "scmi-vp");
    t.text("compatible", "scmi-vp");
    t.begin("firmware");
    t.begin(info.scmi_node);
    t.text("compatible", "arm,scmi-virtio");
    t.cell("#address-cells", 1);
    t.cell("#size-cells", 0);
    if (info.max_rx_timeout_ms) t.cell("arm,max-rx-timeout-ms", *info.max_rx_timeout_ms);
    if (info.atomic_threshold_us) t.cell("atomic-threshold-us", *info.atomic_threshold_us);
    for (const std::uint8_t p : info.protocols) add_protocol(t, p);
    t.end();
    t.end();
    t.end();
    return t.finish();
}

}  // namespace scmi_vp::runs
