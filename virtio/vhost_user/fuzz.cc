// SPDX-License-Identifier: Apache-2.0
// libFuzzer target of the vhost-user codec and session, not built by default:
//   clang++ -std=c++17 -O1 -g -fsanitize=fuzzer,address,undefined -iquote .
//   virtio/vhost_user/fuzz.cc
//       $(ls virtio/*.cpp | grep -v _test) -o vhost_user_fuzz && ./vhost_user_fuzz -max_len=2048
#include <cstdlib>

#include "virtio/vhost_user/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace scmi_vp::virtio::vhost_user;
    static const fuzz_descriptors descriptors;
    const unsigned open_before = open_fds();
    fuzz_counts counts;
    fuzz_session(data, size, descriptors, counts);
    if (counts.violations != 0 || open_fds() != open_before) std::abort();
    return 0;
}
