// SPDX-License-Identifier: Apache-2.0
// Device tree blobs for tests, made with libfdt.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <libfdt.h>

namespace scmi_vp::scenario::testing_tools {

/// Writes a tree in order; bytes() ends it.
class tree_maker {
public:
    tree_maker() : bytes_(8192, '\0') {
        fdt_create(data(), int(bytes_.size()));
        fdt_finish_reservemap(data());
        fdt_begin_node(data(), "");
    }
    tree_maker& begin(const char* name) {
        fdt_begin_node(data(), name);
        return *this;
    }
    tree_maker& end() {
        fdt_end_node(data());
        return *this;
    }
    tree_maker& text(const char* name, const char* value) {
        fdt_property_string(data(), name, value);
        return *this;
    }
    tree_maker& cell(const char* name, std::uint32_t value) {
        fdt_property_u32(data(), name, value);
        return *this;
    }
    tree_maker& raw(const char* name, const std::string& value) {
        fdt_property(data(), name, value.data(), int(value.size()));
        return *this;
    }
    tree_maker& protocol(const char* name, std::uint32_t reg, const char* status = nullptr) {
        begin(name).cell("reg", reg);
        if (status) text("status", status);
        return end();
    }
    /// A node with what `fill` puts into it.
    tree_maker& scmi(const char* name, const char* compatible,
                     const std::function<void(tree_maker&)>& fill) {
        begin(name).text("compatible", compatible);
        fill(*this);
        return end();
    }
    std::string bytes() {
        fdt_end_node(data());
        fdt_finish(data());
        bytes_.resize(fdt_totalsize(data()));
        return bytes_;
    }

private:
    void* data() { return bytes_.data(); }
    std::string bytes_;
};

/// A tree with /firmware/scmi, compatible arm,scmi-virtio unless it is said otherwise.
inline std::string firmware_tree(const std::function<void(tree_maker&)>& fill,
                                 const char* compatible = "arm,scmi-virtio") {
    tree_maker t;
    t.begin("firmware").scmi("scmi", compatible, fill).end();
    return t.bytes();
}

}  // namespace scmi_vp::scenario::testing_tools
