// SPDX-License-Identifier: Apache-2.0
// Named random streams: the same numbers on every compiler, and adding a module changes nobody
// else's. Philox4x32-10 (Salmon et al., SC'11; Random123), keyed by (seed, name, purpose), counted
// by index.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace scmi_vp {

/// One block of Philox4x32 with 10 rounds (Random123): a bijection of the counter for each key.
std::array<std::uint32_t, 4> philox4x32_10(const std::array<std::uint32_t, 4>& counter,
                                           const std::array<std::uint32_t, 2>& key);

/// A stream of uniform numbers, named by who draws and what for. A value: copy it to fork it.
class random_stream {
public:
    /// `name` is the hierarchical name of the user ("guest.sh"), `purpose` what is drawn ("think").
    random_stream(std::uint64_t seed, std::string_view name, std::string_view purpose);

    /// The index-th 64 random bits of this stream; does not move the stream.
    std::uint64_t bits(std::uint64_t index) const;

    /// The next uniform number u in the open interval (0, 1), a multiple of 2^-52 plus 2^-53: the
    /// finest such grid that is symmetric and on which both u and 1 - u are exact doubles (one bit
    /// more and the last value would round to 1).
    double next_unit();

    /// How many numbers were drawn; set it to replay from a point.
    std::uint64_t index() const { return index_; }
    void seek(std::uint64_t index) { index_ = index; }

private:
    std::array<std::uint32_t, 2> key_;
    std::array<std::uint32_t, 2> name_hash_;
    std::uint64_t index_ = 0;
};

}  // namespace scmi_vp
