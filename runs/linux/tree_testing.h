// SPDX-License-Identifier: Apache-2.0
// Trees in the manner of real boards, for tests of real kernels.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <libfdt.h>

namespace scmi_vp::runs::testing_tools {

/// Writes a tree in order through libfdt.
class board_writer {
public:
    explicit board_writer(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> reserved)
        : blob_(1 << 16, '\0') {
        fdt_create(data(), int(blob_.size()));
        for (const auto& [address, size] : reserved)
            fdt_add_reservemap_entry(data(), address, size);
        fdt_finish_reservemap(data());
        fdt_begin_node(data(), "");
    }
    board_writer& begin(const char* name) { return fdt_begin_node(data(), name), *this; }
    board_writer& end() { return fdt_end_node(data()), *this; }
    board_writer& text(const char* name, const std::string& value) {
        return fdt_property(data(), name, value.c_str(), int(value.size() + 1)), *this;
    }
    board_writer& cells(const char* name, const std::vector<std::uint32_t>& values = {}) {
        std::string big_endian;
        for (const std::uint32_t v : values)
            for (int shift = 24; shift >= 0; shift -= 8) big_endian += char(v >> shift & 0xff);
        fdt_property(data(), name, big_endian.data(), int(big_endian.size()));
        return *this;
    }
    std::string finish() {
        fdt_end_node(data());
        fdt_finish(data());
        blob_.resize(fdt_totalsize(data()));
        return blob_;
    }

private:
    void* data() { return blob_.data(); }
    std::string blob_;
};

inline void add_protocol(board_writer& t, std::uint32_t id, const char* cells,
                         std::uint32_t handle) {
    char name[16];
    std::snprintf(name, sizeof name, "protocol@%x", unsigned(id));
    t.begin(name).cells("reg", {id}).cells(cells, {1}).cells("phandle", {handle}).end();
}

/// Memory in two banks, as the big Arm boards have it, and what the boot loader leaves.
inline void add_memory(board_writer& t) {
    t.begin("memory@80000000").text("device_type", "memory");
    t.cells("reg", {0, 0x80000000, 0, 0x7f000000}).end();
    t.begin("memory@880000000").text("device_type", "memory");
    t.cells("reg", {8, 0x80000000, 1, 0x80000000}).end();
    t.begin("memory-controller").text("compatible", "arm,pl35x").end();
    t.begin("reserved-memory").cells("#address-cells", {2}).cells("#size-cells", {2});
    t.cells("ranges");
    t.begin("optee@84000000").cells("reg", {0, 0x84000000, 0, 0x2000000}).cells("no-map").end();
    t.begin("linux,cma").text("compatible", "shared-dma-pool").cells("reusable");
    t.cells("size", {0, 0x3c000000}).cells("alloc-ranges", {0, 0x80000000, 0, 0x7f000000});
    t.cells("linux,cma-default").end().end();
}

inline void add_chosen(board_writer& t) {
    t.begin("chosen").text("bootargs", "console=ttyAMA0,115200 root=/dev/sda2 mem=512M");
    t.cells("linux,initrd-start", {0x88000000}).cells("linux,initrd-end", {0x88800000});
    t.cells("linux,usable-memory-range", {0, 0x90000000, 0, 0x10000000});
    t.text("stdout-path", "serial0:115200n8").end();
}

/// phandles of the board below.
enum : std::uint32_t { gic = 1, mailbox, sram, domains, dvfs, clocks, sensors };

inline void add_scmi(board_writer& t, bool as_on_hardware) {
    t.begin("firmware").begin("scmi").text("compatible", "arm,scmi-virtio");
    if (as_on_hardware) {
        t.text("mbox-names", "tx").cells("mboxes", {mailbox, 0, 0}).cells("shmem", {sram});
        t.cells("interrupts", {0, 36, 4});
    }
    t.cells("#address-cells", {1}).cells("#size-cells", {0});
    add_protocol(t, 0x11, "#power-domain-cells", domains);
    add_protocol(t, 0x13, "#clock-cells", dvfs);
    add_protocol(t, 0x14, "#clock-cells", clocks);
    add_protocol(t, 0x15, "#thermal-sensor-cells", sensors);
    t.end().end();
}

inline void add_processors(board_writer& t) {
    t.begin("psci").text("compatible", "arm,psci-0.2").text("method", "smc").end();
    t.begin("cpus").cells("#address-cells", {2}).cells("#size-cells", {0});
    for (const char* name : {"cpu@0", "cpu@100"}) {
        t.begin(name).text("compatible", "arm,cortex-a53").text("device_type", "cpu");
        t.cells("reg", {0, name[4] == '1' ? 0x100u : 0u}).text("enable-method", "psci");
        t.cells("clocks", {dvfs, 0}).cells("#cooling-cells", {2}).end();
    }
    t.end();
    t.begin("timer").text("compatible", "arm,armv8-timer");
    t.cells("interrupts", {1, 13, 0xff01, 1, 14, 0xff01}).end();
}

/// Devices that are given clocks, power domains and sensors by SCMI, as arm/juno-base.dtsi,
/// freescale/imx95.dtsi and rockchip/rk3588s.dtsi have them.
inline void add_devices(board_writer& t) {
    t.begin("interrupt-controller@2c010000").text("compatible", "arm,gic-400");
    t.cells("phandle", {gic}).cells("interrupt-controller").cells("#interrupt-cells", {3});
    t.cells("reg", {0, 0x2c010000, 0, 0x1000}).end();
    t.begin("soc").text("compatible", "simple-bus").cells("#address-cells", {1});
    t.cells("#size-cells", {1}).cells("ranges", {0, 0, 0, 0x80000000});
    t.begin("mailbox@2b1f0000").text("compatible", "arm,mhu").cells("phandle", {mailbox});
    t.cells("reg", {0x2b1f0000, 0x1000}).cells("#mbox-cells", {2}).end();
    t.begin("sram@2e000000").text("compatible", "mmio-sram").cells("reg", {0x2e000000, 0x8000});
    t.cells("#address-cells", {1})
        .cells("#size-cells", {1})
        .cells("ranges", {0, 0x2e000000, 0x8000});
    t.begin("scp-shmem@0").text("compatible", "arm,scmi-shmem").cells("phandle", {sram});
    t.cells("reg", {0, 0x200}).end().end();
    t.begin("display@7ff60000").text("compatible", "arm,hdlcd").cells("reg", {0x7ff60000, 0x1000});
    t.cells("interrupts", {0, 85, 4}).cells("clocks", {clocks, 0});
    t.cells("power-domains", {domains, 0}).end();
    t.begin("serial@7ff80000").text("compatible", "snps,dw-apb-uart");
    t.cells("reg", {0x7ff80000, 0x100}).cells("clocks", {clocks, 0}).end();
    t.end();
    t.begin("thermal-zones").begin("soc").cells("polling-delay", {1000});
    t.cells("polling-delay-passive", {100}).cells("thermal-sensors", {sensors, 0});
    t.begin("trips").begin("critical").cells("temperature", {90000}).cells("hysteresis", {2000});
    t.text("type", "critical").end().end().end().end();
}

/// A tree with all that a real one has beside SCMI; `as_on_hardware`: the SCMI node has what
/// another transport needs, as when somebody changed nothing but its compatible.
inline std::string board(bool as_on_hardware = true) {
    board_writer t({{0x80000000, 0x10000}, {0x9ff00000, 0x100000}});
    t.cells("#address-cells", {2}).cells("#size-cells", {2}).cells("interrupt-parent", {gic});
    t.text("model", "a board").text("compatible", "vendor,board");
    t.begin("aliases").text("serial0", "/soc/serial@7ff80000").end();
    add_chosen(t);
    add_memory(t);
    add_processors(t);
    add_scmi(t, as_on_hardware);
    add_devices(t);
    return t.finish();
}

}  // namespace scmi_vp::runs::testing_tools
