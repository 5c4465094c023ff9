// SPDX-License-Identifier: Apache-2.0
// The memory table: two translations, what is refused, and a file that is cut off below a mapping.
#include "virtio/vhost_user/memory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "virtio/vhost_user/testing.h"

namespace scmi_vp::virtio::vhost_user {
namespace {

std::string refusal(memory_table& table, const mem_region& region, const file_descriptor& file) {
    const std::size_t before = table.size();
    try {
        table.add(region, file);
    } catch (const error& e) {
        EXPECT_EQ(e.kind(), error_kind::input);
        EXPECT_EQ(table.size(), before) << "nothing has changed";
        return e.what();
    }
    return "accepted";
}

// vhost-user.rst "Memory access": ring addresses are user addresses, descriptors guest addresses;
// the mapping is at a third place, and its offset in the file is no multiple of the page size.
TEST(VhostUserMemory, TwoTranslationsAndAnOddOffset) {
    const file_descriptor file = make_memfd(0x10000);
    ASSERT_EQ(::pwrite(file.get(), "abc", 3, 0x1234), 3);
    memory_table table;
    table.add({0x40000000, 0x2000, 0x7f0000000000, 0x1234}, file);
    table.add({0x80000000, 0x1000, 0x1000, 0x8000}, file);
    EXPECT_EQ(table.guest_address(0x7f0000000010, 0x1ff0), 0x40000010u);
    EXPECT_EQ(table.guest_address(0x1800, 0x800), 0x80000800u);
    EXPECT_FALSE(table.guest_address(0x1800, 0x801)) << "reaches beyond the region";
    EXPECT_FALSE(table.guest_address(0x40000000, 1)) << "a guest address is no user address";
    EXPECT_FALSE(table.guest_address(0xfff, 1));
    EXPECT_FALSE(table.guest_address(UINT64_MAX, 2));

    guest_memory view;
    table.install(view);
    char text[4] = {};
    ASSERT_TRUE(view.read(actor::device, 0x40000000, text, 3));
    EXPECT_STREQ(text, "abc");
    EXPECT_FALSE(view.contains(0x7f0000000000, 1)) << "a user address is no guest address";
    view.store<std::uint32_t>(actor::device, 0x80000ffc, 0x11223344);
    std::uint32_t value = 0;
    ASSERT_EQ(::pread(file.get(), &value, 4, 0x8ffc), 4);
    EXPECT_EQ(value, 0x11223344u) << "shared with the file, up to the last byte of the region";
}

TEST(VhostUserMemory, HostileRegions) {
    const file_descriptor file = make_memfd(0x4000);
    memory_table t;
    t.add({0x10000, 0x1000, 0x50000, 0}, file);
    const auto refused = [&](const mem_region& r, const char* why) {
        EXPECT_THAT(refusal(t, r, file), testing::HasSubstr(why));
    };
    refused({0x20000, 0, 0x60000, 0}, "is empty");
    refused({UINT64_MAX - 0xffe, 0x1000, 0x60000, 0}, "wraps");
    refused({0x20000, 0x1000, UINT64_MAX - 0xffe, 0}, "wraps");
    refused({0x20000, 0x1000, 0x60000, UINT64_MAX - 0xffe}, "wraps");
    refused({0x10fff, 0x1000, 0x60000, 0}, "overlaps");
    refused({0x0f001, 0x1000, 0x60000, 0}, "overlaps");
    refused({0x20000, 0x1000, 0x50fff, 0}, "in user addresses");
    refused({0x20000, 0x1000, 0x4f001, 0}, "in user addresses");
    refused({0x20000, 0x4001, 0x60000, 0}, "too few");
    refused({0x20000, 0x1000, 0x60000, 0x3001}, "too few");
    refused({0x20000, 1ull << 62, 0x60000, 0}, "too few");
    refused({0x20000, UINT64_MAX - 0x20000, 0x60000, 0}, "wraps");
    EXPECT_EQ(refusal(t, {0x11000, 0x1000, 0x51000, 0x3000}, file), "accepted") << "adjoining";
}

TEST(VhostUserMemory, DescriptorsThatAreNoMemory) {
    memory_table t;
    const mem_region r{0, 0x1000, 0, 0};
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const file_descriptor read_end(pipe_fds[0]), write_end(pipe_fds[1]);
    const file_descriptor device(::open("/dev/zero", O_RDWR | O_CLOEXEC)),
        folder(::open("/proc", O_RDONLY | O_CLOEXEC)), program(::open("/proc/self/exe", O_RDONLY));
    const file_descriptor event = make_eventfd(), none;
    for (const file_descriptor* fd : {&read_end, &device, &folder, &event}) {
        EXPECT_THAT(refusal(t, r, *fd), testing::HasSubstr("neither a file nor a memfd"));
    }
    EXPECT_THAT(refusal(t, r, program), testing::HasSubstr("open for reading and writing"));
    EXPECT_THAT(refusal(t, r, none), testing::HasSubstr("cannot look at the file"));
}

TEST(VhostUserMemory, NotMoreRegionsThanAnnounced) {
    const file_descriptor file = make_memfd(0x1000);
    memory_table t;
    for (std::uint64_t i = 0; i < max_regions; ++i) {
        t.add({i * 0x1000, 0x1000, i * 0x1000, 0}, file);
    }
    EXPECT_THAT(refusal(t, {1 << 30, 0x1000, 1 << 30, 0}, file), testing::HasSubstr("one more"));
    // vhost-user.rst, REM_MEM_REG: found by guest address, user address and size.
    EXPECT_THROW(t.remove({0x1000, 0x1000, 0x2000, 0}), error);
    EXPECT_THROW(t.remove({0x1000, 0x800, 0x1000, 0}), error);
    t.remove({0x1000, 0x1000, 0x1000, 0x7777});
    EXPECT_EQ(t.size(), max_regions - 1);
    EXPECT_FALSE(t.guest_address(0x1000, 1));
}

// A peer may truncate the file after it was mapped; the access raises SIGBUS (mmap(2)).
TEST(VhostUserMemory, CuttingOffTheFileIsSurvived) {
    const file_descriptor file = make_memfd(0x4000);
    memory_table t, other;
    t.add({0x10000, 0x4000, 0x10000, 0}, file);
    other.add({0x10000, 0x1000, 0x10000, 0}, make_memfd(0x1000));
    guest_memory view;
    t.install(view);
    view.store<std::uint32_t>(actor::device, 0x13000, 7);
    ASSERT_EQ(::ftruncate(file.get(), 0x1000), 0);
    EXPECT_FALSE(t.lost()) << "nobody has touched it yet";
    EXPECT_EQ(view.load<std::uint32_t>(actor::device, 0x13000), 0u) << "zeroes in its place";
    view.store<std::uint32_t>(actor::device, 0x13000, 8);
    EXPECT_TRUE(t.lost());
    EXPECT_FALSE(other.lost());
    EXPECT_EQ(t.size(), 1u);
}

// SIGBUS of anybody else goes to the handler that was there before, and ends the process.
TEST(VhostUserMemoryDeathTest, OtherBusErrorsAreNotSwallowed) {
    const file_descriptor guarded_file = make_memfd(0x1000), file = make_memfd(0x1000);
    EXPECT_DEATH(
        {
            const mapping guarded(guarded_file, 0, 0x1000);
            auto* data = static_cast<volatile char*>(
                ::mmap(nullptr, 0x1000, PROT_READ, MAP_SHARED, file.get(), 0));
            if (::ftruncate(file.get(), 0) == 0 && *data == 0) ::_exit(0);
        },
        "");
}

TEST(VhostUserMemory, NothingIsLeaked) {
    const unsigned before = open_fds();
    {
        const file_descriptor file = make_memfd(0x2000);
        memory_table t;
        t.add({0, 0x1000, 0, 0}, file);
        const memory_table copy = t;
        EXPECT_NE(refusal(t, {0, 0x1000, 0, 0}, file), "accepted");
        EXPECT_EQ(open_fds(), before + 1) << "mappings hold no descriptors";
    }
    EXPECT_EQ(open_fds(), before);
}

// Our own memory cannot be cut off by a back end (fcntl(2), F_ADD_SEALS).
TEST(VhostUserMemory, SharedMemoryIsSealed) {
    const shared_memory m(0x3000);
    EXPECT_NE(::ftruncate(m.fd(), 0), 0);
    EXPECT_NE(::ftruncate(m.fd(), 0x9000), 0);
    EXPECT_EQ(m.data()[0x2fff], 0);
    EXPECT_EQ(m.region(0x80000000).size, 0x3000u);
    EXPECT_THROW(shared_memory(std::uint64_t{1} << 63), error);
}

}  // namespace
}  // namespace scmi_vp::virtio::vhost_user
