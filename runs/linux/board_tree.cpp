// SPDX-License-Identifier: Apache-2.0
// See board_tree.h.
#include "runs/linux/board_tree.h"

#include <array>
#include <string_view>

#include <libfdt.h>

#include "base/error.h"

namespace scmi_vp::runs {
namespace {

class tree_copy {
public:
    tree_copy(const std::string& blob, std::string name) : name_(std::move(name)) {
        // Converting an old version may need some more room (fdt_open_into()).
        bytes_.resize(blob.size() + 4096);
        check(fdt_open_into(blob.data(), bytes_.data(), int(bytes_.size())));
    }

    const void* data() const { return bytes_.data(); }

    /// Its path, when it was there.
    std::string remove_node(int node) {
        std::array<char, 4096> path{};
        check(fdt_get_path(data(), node, path.data(), int(path.size())));
        check(fdt_del_node(bytes_.data(), node));
        return path.data();
    }

    bool remove_property(int node, const char* property) {
        const int result = fdt_delprop(bytes_.data(), node, property);
        if (result == -FDT_ERR_NOTFOUND) return false;
        check(result);
        return true;
    }

    int remove_reservations() {
        int n = 0;
        for (; fdt_num_mem_rsv(data()) > 0; ++n) check(fdt_del_mem_rsv(bytes_.data(), 0));
        return n;
    }

    std::string finish() {
        check(fdt_pack(bytes_.data()));
        bytes_.resize(fdt_totalsize(data()));
        return std::move(bytes_);
    }

private:
    void check(int result) const {
        if (result >= 0) return;
        throw error(error_kind::config, name_,
                    std::string("cannot be changed for the guest: ") + fdt_strerror(result));
    }

    std::string name_, bytes_;
};

/// drivers/of/fdt.c early_init_dt_scan_memory() goes by device_type; a node of that name without it
/// is a mistake that other kernels forgive.
bool is_memory(const void* tree, int node) {
    int size = 0;
    const void* type = fdt_getprop(tree, node, "device_type", &size);
    if (type && std::string_view(static_cast<const char*>(type), std::size_t(size)) ==
                    std::string_view("memory\0", 7)) {
        return true;
    }
    const std::string_view name = fdt_get_name(tree, node, nullptr);
    return name == "memory" || name.substr(0, 7) == "memory@";
}

bool is_the_boards(const void* tree, int node) {
    const std::string_view name = fdt_get_name(tree, node, nullptr);
    return is_memory(tree, node) || name == "reserved-memory" || name == "chosen" ||
           name == "chosen@0";
}

/// The first child of the root that has to go; negative when there is none.
int next_of_the_board(const void* tree) {
    int node = -1;
    fdt_for_each_subnode(node, tree, 0) {
        if (is_the_boards(tree, node)) return node;
    }
    return node;
}

void leave_out_transport(tree_copy& tree, std::vector<std::string>& left_out) {
    constexpr const char* scmi = "arm,scmi-virtio";
    for (int node = fdt_node_offset_by_compatible(tree.data(), -1, scmi); node >= 0;
         node = fdt_node_offset_by_compatible(tree.data(), node, scmi)) {
        std::array<char, 4096> path{};
        if (fdt_get_path(tree.data(), node, path.data(), int(path.size())) != 0) continue;
        for (const char* property : {"mboxes", "shmem", "interrupts", "interrupts-extended"}) {
            if (tree.remove_property(node, property))
                left_out.push_back(std::string(property) + " of " + path.data());
        }
        for (const char* names : {"mbox-names", "interrupt-names"})
            tree.remove_property(node, names);
    }
}

}  // namespace

board_tree without_the_board(const std::string& blob, const std::string& name) {
    board_tree result;
    tree_copy tree(blob, name);
    for (int node; (node = next_of_the_board(tree.data())) >= 0;)
        result.left_out.push_back(tree.remove_node(node));
    if (const int n = tree.remove_reservations()) {
        result.left_out.push_back(std::to_string(n) +
                                  (n == 1 ? " /memreserve/ entry" : " /memreserve/ entries"));
    }
    leave_out_transport(tree, result.left_out);
    result.blob = result.left_out.empty() ? blob : tree.finish();
    return result;
}

}  // namespace scmi_vp::runs
