// SPDX-License-Identifier: Apache-2.0
// The device tree through libfdt.
#include "testbenches/device_tree.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include <libfdt.h>

#include "base/error.h"

namespace scmi_vp::testbenches {
namespace {

/// A blob that libfdt has checked, with the name for errors.
class blob {
public:
    blob(std::istream& in, std::string name)
        : name_(std::move(name)),
          bytes_(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()) {
        check();
    }

    [[noreturn]] void refuse(const std::string& message) const {
        throw error(error_kind::config, name_, message);
    }

    const void* data() const { return bytes_.data(); }
    std::string node_name(int node) const { return fdt_get_name(data(), node, nullptr); }

    /// One 32-bit cell of a property that the node must or may have.
    std::optional<std::uint32_t> cell(int node, const char* property) const {
        int size = 0;
        const void* p = fdt_getprop(data(), node, property, &size);
        if (!p) return std::nullopt;
        if (size != 4) {
            refuse(node_name(node) + ": " + property + " has " + std::to_string(size) +
                   " bytes; one 32-bit cell is wanted");
        }
        return fdt32_ld(static_cast<const fdt32_t*>(p));
    }

private:
    void check() const {
        constexpr std::size_t header_size = sizeof(fdt_header);
        if (bytes_.size() < 4 || fdt_magic(data()) != FDT_MAGIC) {
            refuse("is not a flattened device tree; compile the source: dtc -O dtb -o x.dtb x.dts");
        }
        if (bytes_.size() < header_size || fdt_totalsize(data()) > bytes_.size()) {
            refuse("is cut short: it has " + std::to_string(bytes_.size()) + " bytes" +
                   (bytes_.size() < header_size ? std::string()
                                                : " of " + std::to_string(fdt_totalsize(data()))));
        }
        const int result = fdt_check_full(data(), bytes_.size());
        if (result != 0) refuse(std::string("is damaged (") + fdt_strerror(result) + ")");
    }

    std::string name_;
    std::vector<char> bytes_;
};

/// drivers/firmware/arm_scmi/driver.c scmi_probe: one channel set-up per child with a reg of 8
/// bits.
std::uint8_t protocol_of(const blob& tree, int node) {
    const std::string name = tree.node_name(node);
    const auto reg = tree.cell(node, "reg");
    if (!reg) tree.refuse(name + " has no reg: add reg = <0x14>; with the protocol's number");
    if (*reg < 0x10 || *reg > 0xff) {
        tree.refuse(name + ": reg is " + std::to_string(*reg) + "; protocols are 0x10 to 0xff");
    }
    return std::uint8_t(*reg);
}

models::device_tree_info read_node(const blob& tree, int scmi) {
    models::device_tree_info info;
    info.scmi_node = tree.node_name(scmi);
    info.max_rx_timeout_ms = tree.cell(scmi, "arm,max-rx-timeout-ms");
    if (info.max_rx_timeout_ms == 0u)
        tree.refuse("arm,max-rx-timeout-ms is 0; at least 1 is wanted");
    int node = -1;
    fdt_for_each_subnode(node, tree.data(), scmi) {
        const std::string name = tree.node_name(node);
        if (name.rfind("protocol@", 0) != 0) continue;
        const std::uint8_t protocol = protocol_of(tree, node);
        auto& list = info.protocols;
        if (std::find(list.begin(), list.end(), protocol) != list.end()) {
            tree.refuse(name + ": another node has the same reg");
        }
        list.push_back(protocol);
    }
    if (info.protocols.empty()) {
        tree.refuse(
            info.scmi_node +
            " has no protocol nodes: add protocol@14 { reg = <0x14>; #clock-cells = <1>; };");
    }
    return info;
}

}  // namespace

models::device_tree_info read_device_tree(std::istream& in, const std::string& name) {
    const blob tree(in, name);
    const int scmi = fdt_node_offset_by_compatible(tree.data(), -1, "arm,scmi-virtio");
    if (scmi < 0) tree.refuse("has no node compatible with \"arm,scmi-virtio\"");
    return read_node(tree, scmi);
}

}  // namespace scmi_vp::testbenches
