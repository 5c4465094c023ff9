// SPDX-License-Identifier: Apache-2.0
// The device tree through libfdt: which node is SCMI over virtio, and what it says.
#include "scenario/device_tree.h"

#include <algorithm>
#include <iterator>

#include <libfdt.h>

#include "base/error.h"
#include "scenario/suggest.h"

namespace scmi_vp::scenario {
namespace {

constexpr const char* over_virtio = "arm,scmi-virtio";

/// Bindings of other transports (drivers/firmware/arm_scmi/{mailbox,smc,optee}.c).
struct other_transport {
    const char* compatible;
    const char* what;
};
constexpr other_transport other_transports[] = {
    {"arm,scmi", "a mailbox"},
    {"arm,scmi-smc", "SMC or HVC calls"},
    {"arm,scmi-smc-param", "SMC or HVC calls"},
    {"qcom,scmi-smc", "SMC or HVC calls"},
    {"linaro,scmi-optee", "OP-TEE"},
};

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

    const std::string& name() const { return name_; }
    const void* data() const { return bytes_.data(); }
    std::string node_name(int node) const { return fdt_get_name(data(), node, nullptr); }

    std::string path_of(int node) const {
        std::string path;
        for (int at = node; at > 0; at = fdt_parent_offset(data(), at))
            path = "/" + node_name(at) + path;
        return path.empty() ? "/" : path;
    }

    bool is(int node, const char* compatible) const {
        return fdt_node_check_compatible(data(), node, compatible) == 0;
    }

    /// drivers/of/base.c __of_device_is_available().
    bool available(int node) const {
        const auto status = text(node, "status");
        return !status || *status == "okay" || *status == "ok";
    }

    /// A property's bytes up to the first 0; nullopt without it.
    std::optional<std::string> text(int node, const char* property) const {
        int size = 0;
        const void* p = fdt_getprop(data(), node, property, &size);
        if (!p) return std::nullopt;
        const std::string all(static_cast<const char*>(p), std::size_t(size));
        return all.substr(0, all.find('\0'));
    }

    std::vector<std::string> properties(int node) const {
        std::vector<std::string> names;
        int p = 0;
        fdt_for_each_property_offset(p, data(), node) {
            const char* name = nullptr;
            if (fdt_getprop_by_offset(data(), p, &name, nullptr)) names.emplace_back(name);
        }
        return names;
    }

    /// drivers/of/property.c of_property_read_u32(): the first cell, however many there are.
    struct cell {
        int bytes = -1;  ///< of the property; -1: there is none
        std::uint32_t value = 0;
        bool there() const { return bytes >= 0; }
        bool whole() const { return bytes >= 4; }
    };
    cell cell_of(int node, const char* property) const {
        cell c;
        const void* p = fdt_getprop(data(), node, property, &c.bytes);
        if (!p) return cell{};
        if (c.whole()) c.value = fdt32_ld(static_cast<const fdt32_t*>(p));
        return c;
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
        check_depth();
    }

    /// drivers/of/fdt.c unflatten_dt_nodes(): Linux takes no deeper one (FDT_MAX_DEPTH).
    void check_depth() const {
        constexpr int deepest = 64;
        int depth = 0;
        for (int n = 0; n >= 0; n = fdt_next_node(data(), n, &depth)) {
            if (depth >= deepest)
                refuse("has nodes deeper than " + std::to_string(deepest) + " levels");
        }
    }

    std::string name_;
    std::vector<char> bytes_;
};

/// Buses whose children become devices (drivers/of/platform.c of_default_bus_match_table).
bool is_bus(const blob& tree, int node) {
    for (const char* bus : {"simple-bus", "simple-mfd", "isa", "arm,amba-bus"}) {
        if (tree.is(node, bus)) return true;
    }
    return false;
}

/// of_platform_default_populate_init(): children of the root, of /firmware whatever its status, and
/// of buses that are devices themselves.
bool is_populated(const blob& tree, int node) {
    const int parent = fdt_parent_offset(tree.data(), node);
    if (parent == 0) return true;
    if (parent < 0) return false;
    if (tree.path_of(parent) == "/firmware") return true;
    return is_bus(tree, parent) && tree.available(parent) && is_populated(tree, parent);
}

std::string quoted_status(const blob& tree, int node) {
    return "its status is \"" + tree.text(node, "status").value_or("") + "\"";
}

/// Reads what the chosen node says.
class node_reader {
public:
    node_reader(const blob& tree, int node) : tree_(tree), node_(node) {}

    scmi_tree read() {
        name();
        properties();
        int child = -1;
        fdt_for_each_subnode(child, tree_.data(), node_) read_child(child);
        return std::move(out_);
    }

private:
    void note(std::string text) { out_.notes.push_back(std::move(text)); }

    void name() {
        out_.node = tree_.path_of(node_);
        out_.scmi_node = tree_.node_name(node_);
        const std::size_t last = out_.node.rfind('/');
        out_.parents = last > 0 ? out_.node.substr(1, last - 1) : "";
        std::replace(out_.parents.begin(), out_.parents.end(), '/', ':');
        out_.available = tree_.available(node_) && is_populated(tree_, node_);
        if (out_.available) return;
        note("Linux makes no device of " + out_.node + ": " +
             (tree_.available(node_) ? "it does not lie in the root, in /firmware or on a bus"
                                     : quoted_status(tree_, node_)));
    }

    void properties() {
        for (const std::string& p : tree_.properties(node_)) {
            if (p.rfind("arm,", 0) == 0 || p == "atomic-threshold-us") out_.properties.push_back(p);
        }
        const blob::cell timeout = property("arm,max-rx-timeout-ms");
        if (timeout.whole()) out_.max_rx_timeout_ms = timeout.value;
        out_.malformed_rx_timeout = timeout.there() && !timeout.whole();
        if (timeout.whole() && timeout.value > INT32_MAX) {
            tree_.refuse(out_.node + ": arm,max-rx-timeout-ms is " + std::to_string(timeout.value) +
                         "; the driver keeps it in an int, up to 2147483647");
        }
        const blob::cell threshold = property("atomic-threshold-us");
        if (threshold.whole()) out_.atomic_threshold_us = threshold.value;
    }

    blob::cell property(const char* name) {
        const blob::cell c = tree_.cell_of(node_, name);
        if (!c.there() || c.bytes == 4) return c;
        note(std::string(name) + " has " + std::to_string(c.bytes) +
             " bytes instead of 4: the driver " +
             (c.whole() ? "takes the first four, " + std::to_string(c.value) : "ignores it"));
        return c;
    }

    /// scmi_channels_setup(), scmi_probe(): for_each_available_child_of_node().
    void read_child(int child) {
        const std::string name = tree_.node_name(child);
        const blob::cell reg = tree_.cell_of(child, "reg");
        const bool is_protocol = reg.whole() && reg.value <= 0xff;
        if (!tree_.available(child)) {
            if (is_protocol) out_.unavailable.push_back(std::uint8_t(reg.value));
            note("the driver passes over " + name + ": " + quoted_status(tree_, child));
        } else if (is_protocol) {
            out_.protocols.push_back(std::uint8_t(reg.value));
        } else if (reg.whole()) {
            out_.out_of_range.push_back({out_.protocols.size(), reg.value});
        } else if (name.rfind("protocol", 0) == 0) {
            note("the driver passes over " + name + ": it has no reg of a 32-bit cell");
        }
    }

    const blob& tree_;
    int node_;
    scmi_tree out_;
};

/// Which node is meant.
class node_choice {
public:
    explicit node_choice(const blob& tree) : tree_(tree) {
        for (int n = fdt_next_node(tree.data(), -1, nullptr); n >= 0;
             n = fdt_next_node(tree.data(), n, nullptr)) {
            // Each look at one of them walks the tree from its start.
            constexpr std::size_t most = 256;
            if (virtio_.size() + others_.size() == most)
                tree.refuse("has more than " + std::to_string(most) + " SCMI nodes");
            if (tree.is(n, over_virtio)) {
                virtio_.push_back(n);
            } else if (const other_transport* t = transport_of(n)) {
                others_.push_back({n, t});
            }
        }
    }

    int choose(const std::string& chosen) const {
        if (!chosen.empty()) return named(chosen);
        std::vector<int> devices;
        for (const int n : virtio_) {
            if (is_device(n)) devices.push_back(n);
        }
        if (devices.size() > 1) refuse_many(devices);
        if (!devices.empty()) return devices.front();
        for (const other& o : others_) {
            if (is_device(o.node) || virtio_.empty()) refuse_transport(o);
        }
        if (virtio_.empty())
            tree_.refuse("has no SCMI node: none is compatible with \"arm,scmi-virtio\"");
        return virtio_.front();
    }

    /// What else there is, and is not modelled.
    void note_others(std::vector<std::string>& notes, int node) const {
        for (const int n : virtio_) {
            if (n == node || !is_device(n)) continue;
            notes.push_back("left out: " + tree_.path_of(n) +
                            "; in Linux the first to probe gets the one SCMI virtio device");
        }
        for (const other& o : others_) {
            if (is_device(o.node))
                notes.push_back("left out: " + tree_.path_of(o.node) + ", " + o.is->what);
        }
    }

private:
    struct other {
        int node;
        const other_transport* is;
    };

    const other_transport* transport_of(int node) const {
        for (const other_transport& t : other_transports) {
            if (tree_.is(node, t.compatible)) return &t;
        }
        return nullptr;
    }

    bool is_device(int node) const { return tree_.available(node) && is_populated(tree_, node); }

    int named(const std::string& chosen) const {
        std::vector<std::string> paths;
        for (const int n : virtio_) {
            const std::string path = tree_.path_of(n);
            if (path == chosen || tree_.node_name(n) == chosen) return n;
            paths.push_back(path);
        }
        for (const other& o : others_) {
            if (tree_.path_of(o.node) == chosen || tree_.node_name(o.node) == chosen)
                refuse_transport(o);
        }
        tree_.refuse("guest.scmi_node: it has no SCMI node " + chosen + suggestion(chosen, paths));
    }

    // virtio.c virtio_chan_available(): -EINVAL for the second instance, as long as the first has
    // the channels.
    [[noreturn]] void refuse_many(const std::vector<int>& devices) const {
        std::string all;
        for (const int n : devices) all += (all.empty() ? "" : ", ") + tree_.path_of(n);
        tree_.refuse("has " + std::to_string(devices.size()) + " SCMI nodes over virtio, " + all +
                     ", and Linux one SCMI virtio device, which the first to probe gets; say which "
                     "one is meant: guest.scmi_node = \"" +
                     tree_.path_of(devices.front()) + "\"");
    }

    [[noreturn]] void refuse_transport(const other& o) const {
        const std::string path = tree_.path_of(o.node);
        tree_.refuse(path + " is " + o.is->compatible + ": " + o.is->what +
                     "; only virtio is modelled. To try its protocols and timeouts over virtio, in "
                     "a copy: fdtput -t s COPY.dtb " +
                     path + " compatible " + over_virtio);
    }

    const blob& tree_;
    std::vector<int> virtio_;
    std::vector<other> others_;
};

}  // namespace

scmi_tree read_device_tree(std::istream& in, const std::string& name, const std::string& chosen) {
    const blob tree(in, name);
    const node_choice choice(tree);
    const int node = choice.choose(chosen);
    scmi_tree read = node_reader(tree, node).read();
    choice.note_others(read.notes, node);
    return read;
}

}  // namespace scmi_vp::scenario
