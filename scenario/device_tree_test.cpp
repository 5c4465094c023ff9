// SPDX-License-Identifier: Apache-2.0
// Device trees made with libfdt: what is read, and every way in which a file can be wrong. What
// comes of it in a run: device_tree_run_test.cpp.
#include "scenario/device_tree.h"

#include <cstdlib>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/device_tree_testing.h"
#include "scenario/scenario_testing.h"

namespace scmi_vp::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_tools::error_of;
using testing_tools::firmware_tree;
using testing_tools::scratch_folder;
using testing_tools::tree_maker;

scmi_tree read(const std::string& bytes, const std::string& chosen = "") {
    std::istringstream in(bytes);
    return read_device_tree(in, "x.dtb", chosen);
}

std::string error_with(const std::string& bytes, const std::string& chosen = "") {
    return error_of([&] { read(bytes, chosen); });
}

void clock_only(tree_maker& t) {
    t.protocol("protocol@14", 0x14);
}

// driver.c scmi_probe(): of_property_read_u32(child, "reg"), whatever the node is called.
TEST(device_tree, protocols_come_in_the_order_of_the_nodes) {
    const auto tree = read(firmware_tree([](tree_maker& t) {
        t.protocol("sensors", 0x15).protocol("protocol@14", 0x14);
        t.begin("sram").end().begin("protocol@16").end();
    }));
    EXPECT_EQ(tree.node, "/firmware/scmi");
    EXPECT_EQ(device_name(tree), "firmware:scmi");
    EXPECT_THAT(tree.protocols, ElementsAre(0x15, 0x14));
    EXPECT_EQ(tree.max_rx_timeout_ms, std::nullopt);
    EXPECT_EQ(tree.atomic_threshold_us, std::nullopt);
    EXPECT_THAT(tree.notes, ElementsAre("the driver passes over protocol@16: it has no reg of a "
                                        "32-bit cell"));
}

// drivers/of/base.c __of_device_is_available().
TEST(device_tree, a_status_of_okay_or_ok_or_none_is_available) {
    const auto tree = read(firmware_tree([](tree_maker& t) {
        t.protocol("a", 0x11).protocol("b", 0x12, "okay").protocol("c", 0x13, "ok");
        t.protocol("d", 0x14, "disabled").protocol("e", 0x15, "reserved").protocol("f", 0x16, "");
        t.begin("g").cell("reg", 0x17).raw("status", "").end();
    }));
    EXPECT_THAT(tree.protocols, ElementsAre(0x11, 0x12, 0x13));
    EXPECT_THAT(tree.unavailable, ElementsAre(0x14, 0x15, 0x16, 0x17));
    EXPECT_EQ(tree.notes.front(), "the driver passes over d: its status is \"disabled\"");
}

// drivers/of/platform.c of_platform_default_populate_init(), of_device_make_bus_id().
TEST(device_tree, which_nodes_become_devices) {
    const auto under = [](const char* bus, const char* compatible, const char* status) {
        tree_maker t;
        t.begin(bus).text("compatible", compatible);
        if (status) t.text("status", status);
        t.scmi("scmi", "arm,scmi-virtio", clock_only).end();
        return read(t.bytes());
    };
    EXPECT_TRUE(under("soc", "simple-bus", nullptr).available);
    EXPECT_EQ(device_name(under("soc", "simple-bus", nullptr)), "soc:scmi");
    EXPECT_FALSE(under("soc", "simple-bus", "disabled").available);
    EXPECT_FALSE(under("other", "acme,thing", nullptr).available);
    EXPECT_TRUE(under("firmware", "acme,thing", "disabled").available);
    tree_maker root;
    EXPECT_EQ(device_name(read(root.scmi("scmi", "arm,scmi-virtio", clock_only).bytes())), "scmi");
}

TEST(device_tree, properties_that_are_not_one_cell_are_read_as_linux_does) {
    const auto tree = read(firmware_tree([](tree_maker& t) {
        t.raw("atomic-threshold-us", std::string("\0\0\0\7\0\0\0\0", 8));
        t.raw("arm,max-rx-timeout-ms", "\1");
    }));
    EXPECT_EQ(tree.atomic_threshold_us, 7u);
    EXPECT_EQ(tree.max_rx_timeout_ms, std::nullopt);
    EXPECT_TRUE(tree.malformed_rx_timeout);
    EXPECT_THAT(tree.notes,
                ElementsAre("arm,max-rx-timeout-ms has 1 bytes instead of 4: the driver ignores it",
                            "atomic-threshold-us has 8 bytes instead of 4: the driver takes the "
                            "first four, 7"));
}

TEST(device_tree, what_is_wrong_is_said) {
    EXPECT_EQ(
        error_with("/dts-v1/; / { };"),
        "x.dtb: is not a flattened device tree; compile the source: dtc -O dtb -o x.dtb x.dts");
    EXPECT_THAT(error_with(""), HasSubstr("is not a flattened device tree"));
    EXPECT_EQ(error_with(tree_maker().bytes()),
              "x.dtb: has no SCMI node: none is compatible with \"arm,scmi-virtio\"");
    EXPECT_EQ(error_with(firmware_tree(
                  [](tree_maker& t) { t.cell("arm,max-rx-timeout-ms", 0x80000000); })),
              "x.dtb: /firmware/scmi: arm,max-rx-timeout-ms is 2147483648; the driver keeps it in "
              "an int, up to 2147483647");
}

TEST(device_tree, another_transport_is_called_by_its_name) {
    const std::pair<const char*, const char*> all[] = {{"arm,scmi", "a mailbox"},
                                                       {"arm,scmi-smc", "SMC or HVC calls"},
                                                       {"arm,scmi-smc-param", "SMC or HVC calls"},
                                                       {"qcom,scmi-smc", "SMC or HVC calls"},
                                                       {"linaro,scmi-optee", "OP-TEE"}};
    for (const auto& [compatible, what] : all) {
        EXPECT_EQ(error_with(firmware_tree(clock_only, compatible)),
                  std::string("x.dtb: /firmware/scmi is ") + compatible + ": " + what +
                      "; only virtio is modelled. To try its protocols and timeouts over virtio, "
                      "in a copy: fdtput -t s COPY.dtb /firmware/scmi compatible arm,scmi-virtio");
    }
}

TEST(device_tree, the_advice_for_another_transport_works) {
    if (std::system("command -v fdtput >/dev/null") != 0) GTEST_SKIP() << "fdtput is not installed";
    const scratch_folder folder;
    const std::string mailbox = firmware_tree(
        [](tree_maker& t) { t.cell("arm,max-rx-timeout-ms", 5000).protocol("protocol@14", 0x14); },
        "arm,scmi");
    folder.write("COPY.dtb", mailbox);
    std::string advice = error_with(mailbox);
    advice.erase(0, advice.find("fdtput"));
    ASSERT_EQ(std::system(("cd '" + folder.path().string() + "' && " + advice).c_str()), 0);
    const auto tree = read(folder.read("COPY.dtb"));
    EXPECT_THAT(tree.protocols, ElementsAre(0x14));
    EXPECT_EQ(tree.max_rx_timeout_ms, 5000u);
}

std::string two_nodes(const char* first_status = "okay") {
    tree_maker t;
    t.begin("firmware");
    t.scmi("scmi-a", "arm,scmi-virtio",
           [&](tree_maker& n) { n.text("status", first_status).protocol("protocol@14", 0x14); });
    t.scmi("scmi-b", "arm,scmi-virtio", [](tree_maker& n) { n.protocol("protocol@15", 0x15); });
    t.scmi("scmi-c", "arm,scmi", [](tree_maker& n) { n.protocol("protocol@16", 0x16); });
    return t.end().bytes();
}

// virtio.c virtio_chan_available(): one device, the first instance has its channels.
TEST(device_tree, of_several_nodes_one_is_to_be_chosen) {
    EXPECT_EQ(error_with(two_nodes()),
              "x.dtb: has 2 SCMI nodes over virtio, /firmware/scmi-a, /firmware/scmi-b, and Linux "
              "one SCMI virtio device, which the first to probe gets; say which one is meant: "
              "guest.scmi_node = \"/firmware/scmi-a\"");
    for (const char* name : {"scmi-b", "/firmware/scmi-b"}) {
        const auto tree = read(two_nodes(), name);
        EXPECT_EQ(tree.node, "/firmware/scmi-b");
        EXPECT_THAT(tree.protocols, ElementsAre(0x15));
        EXPECT_THAT(tree.notes,
                    ElementsAre("left out: /firmware/scmi-a; in Linux the first to probe gets the "
                                "one SCMI virtio device",
                                "left out: /firmware/scmi-c, a mailbox"));
    }
    EXPECT_EQ(read(two_nodes("disabled")).node, "/firmware/scmi-b");
    EXPECT_EQ(error_with(two_nodes(), "scmi-d"),
              "x.dtb: guest.scmi_node: it has no SCMI node scmi-d: one of /firmware/scmi-a, "
              "/firmware/scmi-b");
    EXPECT_THAT(error_with(two_nodes(), "scmi-c"), HasSubstr("/firmware/scmi-c is arm,scmi: "));
}

// Wherever it is cut or one byte is changed: a tree or one error, no crash (run under sanitizers).
TEST(device_tree, damage_is_refused_or_harmless) {
    const std::string good = firmware_tree([](tree_maker& t) {
        t.cell("atomic-threshold-us", 5).protocol("protocol@14", 0x14, "okay");
    });
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
    const auto tree = read(committed);
    EXPECT_EQ(tree.scmi_node, "scmi");
    EXPECT_THAT(tree.protocols, ElementsAre(0x14, 0x15));
    EXPECT_THAT(tree.notes, IsEmpty());
    if (std::system("dtc --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "dtc is not installed";
    const scratch_folder folder;
    const std::string out = (folder.path() / "scmi.dtb").string();
    ASSERT_EQ(std::system(
                  ("dtc -q -I dts -O dtb -o '" + out + "' '" + recorded("scmi.dts") + "'").c_str()),
              0);
    EXPECT_EQ(folder.read("scmi.dtb"), committed) << "compile scmi.dts again";
}

TEST(device_tree, a_scenario_without_the_file_is_refused) {
    EXPECT_EQ(testing_tools::scenario_error("", {"guest.device_tree=no.dtb"}),
              "--set guest.device_tree=no.dtb: guest.device_tree: cannot read no.dtb (No such file "
              "or directory); paths are "
              "relative to the file that names them");
    EXPECT_EQ(testing_tools::scenario_error("[guest]\nscmi_node = \"scmi-b\"\n"),
              "s.toml:2:13: guest.scmi_node: chooses in a device tree; give guest.device_tree too");
}

}  // namespace
}  // namespace scmi_vp::scenario
