// SPDX-License-Identifier: Apache-2.0
// Named random streams over Random123's Philox4x32-10.
#include "base/random.h"

#include <Random123/philox.h>

namespace scmi_vp {
namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo): fixed for ever, unlike std::hash.
constexpr std::uint64_t fnv_offset = 0xcbf29ce484222325;
constexpr std::uint64_t fnv_prime = 0x100000001b3;

constexpr std::uint64_t fnv_add(std::uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * fnv_prime;
}

// The separator cannot occur in UTF-8, so ("ab", "c") and ("a", "bc") are different streams.
std::uint64_t hash_of(std::string_view name, std::string_view purpose) {
    std::uint64_t hash = fnv_offset;
    for (char c : name) hash = fnv_add(hash, static_cast<unsigned char>(c));
    hash = fnv_add(hash, 0xff);
    for (char c : purpose) hash = fnv_add(hash, static_cast<unsigned char>(c));
    return hash;
}

constexpr std::array<std::uint32_t, 2> low_and_high(std::uint64_t x) {
    return {static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(x >> 32)};
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(const std::array<std::uint32_t, 4>& counter,
                                           const std::array<std::uint32_t, 2>& key) {
    const philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
    const philox4x32_key_t k = {{key[0], key[1]}};
    const philox4x32_ctr_t r = philox4x32_R(10, c, k);
    return {r.v[0], r.v[1], r.v[2], r.v[3]};
}

random_stream::random_stream(std::uint64_t seed, std::string_view name, std::string_view purpose)
    : key_(low_and_high(seed)), name_hash_(low_and_high(hash_of(name, purpose))) {}

std::uint64_t random_stream::bits(std::uint64_t index) const {
    const std::array<std::uint32_t, 2> i = low_and_high(index);
    const auto block = philox4x32_10({i[0], i[1], name_hash_[0], name_hash_[1]}, key_);
    return block[0] | std::uint64_t{block[1]} << 32;
}

double random_stream::next_unit() {
    const auto top = static_cast<double>(bits(index_++) >> 12);
    return top * 0x1p-52 + 0x1p-53;
}

}  // namespace scmi_vp
