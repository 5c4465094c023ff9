// SPDX-License-Identifier: Apache-2.0
// Device trees made with libfdt: what is read, and every way in which a file can be wrong.
#include "testbenches/device_tree.h"

#include <cstdlib>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libfdt.h>

#include "testbenches/scenario_testing.h"

namespace scmi_vp::testbenches {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_tools::error_of;
using testing_tools::scratch_folder;

/// A tree with one node "firmware/scmi" that `fill` completes.
std::string tree_with(const char* compatible, const std::function<void(void*)>& fill) {
    std::string bytes(4096, '\0');
    void* fdt = bytes.data();
    fdt_create(fdt, int(bytes.size()));
    fdt_finish_reservemap(fdt);
    fdt_begin_node(fdt, "");
    fdt_begin_node(fdt, "firmware");
    fdt_begin_node(fdt, "scmi");
    fdt_property_string(fdt, "compatible", compatible);
    fill(fdt);
    fdt_end_node(fdt);
    fdt_end_node(fdt);
    fdt_end_node(fdt);
    fdt_finish(fdt);
    bytes.resize(fdt_totalsize(fdt));
    return bytes;
}

void add_protocol(void* fdt, const char* name, std::uint32_t reg) {
    fdt_begin_node(fdt, name);
    fdt_property_u32(fdt, "reg", reg);
    fdt_end_node(fdt);
}

models::device_tree_info read(const std::string& bytes) {
    std::istringstream in(bytes);
    return read_device_tree(in, "x.dtb");
}

std::string error_with(const std::string& bytes) {
    return error_of([&] { read(bytes); });
}

// Linux Documentation/devicetree/bindings/firmware/arm,scmi.yaml
TEST(device_tree, protocols_come_in_the_order_of_the_nodes) {
    const auto info = read(tree_with("arm,scmi-virtio", [](void* fdt) {
        add_protocol(fdt, "protocol@15", 0x15);
        add_protocol(fdt, "protocol@14", 0x14);
        fdt_begin_node(fdt, "sram");  // other children are no protocols
        fdt_end_node(fdt);
    }));
    EXPECT_EQ(info.scmi_node, "scmi");
    EXPECT_THAT(info.protocols, ElementsAre(0x15, 0x14));
    EXPECT_EQ(info.max_rx_timeout_ms, std::nullopt);
}

TEST(device_tree, the_timeout_is_read) {
    const auto info = read(tree_with("arm,scmi-virtio", [](void* fdt) {
        fdt_property_u32(fdt, "arm,max-rx-timeout-ms", 3000);
        add_protocol(fdt, "protocol@14", 0x14);
    }));
    EXPECT_EQ(info.max_rx_timeout_ms, 3000u);
}

TEST(device_tree, what_is_wrong_is_said) {
    const auto nothing = [](void*) {};
    EXPECT_EQ(
        error_with("/dts-v1/; / { };"),
        "x.dtb: is not a flattened device tree; compile the source: dtc -O dtb -o x.dtb x.dts");
    EXPECT_THAT(error_with(""), HasSubstr("is not a flattened device tree"));
    EXPECT_EQ(error_with(tree_with("arm,scmi", nothing)),
              "x.dtb: has no node compatible with \"arm,scmi-virtio\"");
    EXPECT_EQ(error_with(tree_with("arm,scmi-virtio", nothing)),
              "x.dtb: scmi has no protocol nodes: add protocol@14 { reg = <0x14>; #clock-cells = "
              "<1>; };");
    EXPECT_EQ(error_with(tree_with("arm,scmi-virtio",
                                   [](void* fdt) {
                                       fdt_begin_node(fdt, "protocol@14");
                                       fdt_end_node(fdt);
                                   })),
              "x.dtb: protocol@14 has no reg: add reg = <0x14>; with the protocol's number");
    EXPECT_EQ(error_with(tree_with("arm,scmi-virtio",
                                   [](void* fdt) { add_protocol(fdt, "protocol@3", 3); })),
              "x.dtb: protocol@3: reg is 3; protocols are 0x10 to 0xff");
    EXPECT_EQ(error_with(tree_with("arm,scmi-virtio",
                                   [](void* fdt) {
                                       add_protocol(fdt, "protocol@14", 0x14);
                                       add_protocol(fdt, "protocol@15", 0x14);
                                   })),
              "x.dtb: protocol@15: another node has the same reg");
    EXPECT_EQ(error_with(tree_with("arm,scmi-virtio",
                                   [](void* fdt) {
                                       fdt_property_u32(fdt, "arm,max-rx-timeout-ms", 0);
                                       add_protocol(fdt, "protocol@14", 0x14);
                                   })),
              "x.dtb: arm,max-rx-timeout-ms is 0; at least 1 is wanted");
    EXPECT_EQ(error_with(tree_with("arm,scmi-virtio",
                                   [](void* fdt) {
                                       fdt_property_string(fdt, "arm,max-rx-timeout-ms", "30000");
                                       add_protocol(fdt, "protocol@14", 0x14);
                                   })),
              "x.dtb: scmi: arm,max-rx-timeout-ms has 6 bytes; one 32-bit cell is wanted");
}

// Wherever it is cut or one byte is changed: a tree or one error, no crash (run under sanitizers).
TEST(device_tree, damage_is_refused_or_harmless) {
    const std::string good =
        tree_with("arm,scmi-virtio", [](void* fdt) { add_protocol(fdt, "protocol@14", 0x14); });
    for (std::size_t n = 0; n < good.size(); ++n) {
        const std::string what = error_with(good.substr(0, n));
        EXPECT_EQ(what.rfind("x.dtb: ", 0), 0u) << n << ": " << what;
        if (n >= sizeof(fdt_header)) {
            EXPECT_THAT(what, HasSubstr("is cut short: it has " + std::to_string(n) + " bytes of " +
                                        std::to_string(good.size())));
        }
    }
    for (std::size_t n = 0; n < good.size(); ++n) {
        std::string bad = good;
        bad[n] = char(~bad[n]);
        const std::string what = error_with(bad);
        EXPECT_TRUE(what == "no error" || what.rfind("x.dtb: ", 0) == 0) << n << ": " << what;
    }
}

std::string recorded(const char* name) {
    return std::string(SCMI_VP_SOURCE_DIR) + "/testbenches/linux-6.1-recording/" + name;
}

TEST(device_tree, the_recorded_one_is_what_its_source_says) {
    std::ifstream in(recorded("scmi.dtb"), std::ios::binary);
    const std::string committed{std::istreambuf_iterator<char>(in), {}};
    const auto info = read(committed);
    EXPECT_EQ(info.scmi_node, "scmi");
    EXPECT_THAT(info.protocols, ElementsAre(0x14, 0x15));
    if (std::system("dtc --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "dtc is not installed";
    const scratch_folder folder;
    const std::string out = (folder.path() / "scmi.dtb").string();
    ASSERT_EQ(std::system(
                  ("dtc -q -I dts -O dtb -o '" + out + "' '" + recorded("scmi.dts") + "'").c_str()),
              0);
    EXPECT_EQ(folder.read("scmi.dtb"), committed) << "compile scmi.dts again";
}

TEST(device_tree, a_scenario_uses_it) {
    const scratch_folder folder;
    folder.write("t.dtb", tree_with("arm,scmi-virtio", [](void* fdt) {
                     fdt_property_u32(fdt, "arm,max-rx-timeout-ms", 500);
                     add_protocol(fdt, "protocol@15", 0x15);
                 }));
    const auto path = folder.write("s.toml", "guest.device_tree = \"t.dtb\"\n");
    const auto guest = load_scenario(path, {}).system.guest;
    EXPECT_THAT(guest.device_tree.protocols, ElementsAre(0x15));
    EXPECT_EQ(guest.device_tree.max_rx_timeout_ms, 500u);
    const auto forced = load_scenario(path, {"guest.max_rx_timeout=30ms"}).system.guest;
    EXPECT_EQ(forced.device_tree.max_rx_timeout_ms, std::nullopt);
    EXPECT_EQ(forced.profile.max_rx_timeout, milliseconds(30));
    EXPECT_EQ(error_of([&] { load_scenario(path, {"guest.device_tree=no.dtb"}); }),
              "--set guest.device_tree=no.dtb: guest.device_tree: cannot read no.dtb; paths are "
              "relative to the file that names them");
}

}  // namespace
}  // namespace scmi_vp::testbenches
