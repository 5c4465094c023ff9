// SPDX-License-Identifier: Apache-2.0
// For tests with mutated inputs: what goes wrong with files, from small numbers, and how long to
// go on with it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace scmi_vp::mutation_testing {

/// What numbers, names and brackets are replaced by.
inline const std::vector<std::string>& tokens() {
    static const std::vector<std::string> all{"0",
                                              "-1",
                                              "1",
                                              "2147483648",
                                              "4294967296",
                                              "9223372036854775807",
                                              "-9223372036854775808",
                                              "18446744073709551615",
                                              "1e308",
                                              "1e-320",
                                              "nan",
                                              "inf",
                                              "-inf",
                                              "0.1",
                                              "1e9",
                                              "0x7fffffff",
                                              "\"0s\"",
                                              "\"1ps\"",
                                              "\"106751h\"",
                                              "\"9223372036854775807ps\"",
                                              "\"1e99s\"",
                                              "\"-1us\"",
                                              "\"\"",
                                              "true",
                                              "[]",
                                              "{}",
                                              "[[]]",
                                              "[{}]",
                                              "{ kind = \"mixture\", parts = [] }",
                                              "{ kind = \"uniform\", min = \"1s\", max = \"0s\" }",
                                              "/dev/zero",
                                              "\"/dev/zero\"",
                                              "\"/dev/null\"",
                                              "\"/\"",
                                              "\"/proc/self/mem\"",
                                              "[",
                                              "]",
                                              "{",
                                              "}",
                                              "[[",
                                              "]]",
                                              "=",
                                              ".",
                                              ",",
                                              "\"",
                                              "'",
                                              "\"\"\"",
                                              "#",
                                              "\\",
                                              "\n",
                                              "\r",
                                              "\t",
                                              " ",
                                              std::string(1, '\0'),
                                              "\x1b[",
                                              "\x7f",
                                              "\xff",
                                              "\xc3\xa9",
                                              "\xef\xbb\xbf",
                                              "\xed\xa0\x80",
                                              "null",
                                              ":",
                                              "[hops]\n",
                                              "[[workload.loop]]\n",
                                              "[[platform.sensor]]\n",
                                              "id = 4294967295\n"};
    return all;
}

/// Changes texts; the same seed, the same changes.
class mutator {
public:
    explicit mutator(std::uint64_t seed) : random_(seed) {}

    std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : random_() % n; }

    /// One to eight changes; `others` lend parts of theirs.
    std::string changed(std::string text, const std::vector<std::string>& others) {
        for (std::uint64_t n = std::uint64_t{1} << below(4); n > 0; --n) change(text, others);
        return text;
    }

private:
    void change(std::string& t, const std::vector<std::string>& others) {
        const std::size_t at = below(t.size() + 1);
        switch (below(9)) {
            case 0:
                if (at < t.size()) t[at] = char(t[at] ^ (1 << below(8)));
                break;
            case 1:
                t.insert(at, tokens()[below(tokens().size())]);
                break;
            case 2:
                replace(t, number_at(t, at), tokens()[below(tokens().size())]);
                break;
            case 3:
                replace(t, line_at(t, at), "");
                break;
            case 4:
                t.insert(at, std::string(t, below(t.size() + 1), below(200)));
                break;
            case 5:
                t.erase(at, 1 + below(1 + below(64)));
                break;
            case 6:
                if (below(4) == 0) t.resize(at);
                break;
            case 7: {
                const std::string& from = others.empty() ? t : others[below(others.size())];
                const auto [begin, size] = line_at(from, below(from.size() + 1));
                t.insert(line_at(t, at).first, std::string(from, begin, size));
                break;
            }
            default:
                repeat(t, at);
        }
    }

    void repeat(std::string& t, std::size_t at) {
        const auto [begin, size] = line_at(t, at);
        const std::string line = t.substr(begin, size);
        std::string lines;
        for (std::uint64_t n = std::uint64_t{1} << below(12); n > 0; --n) {
            if (t.size() + lines.size() + line.size() > largest) break;
            lines += line;
        }
        t.insert(begin, lines);
    }

    static void replace(std::string& t, std::pair<std::size_t, std::size_t> part,
                        const std::string& by) {
        t.replace(part.first, part.second, by);
    }

    /// The next number or quoted text from there on.
    static std::pair<std::size_t, std::size_t> number_at(const std::string& t, std::size_t at) {
        const std::size_t begin = t.find_first_of("0123456789\"", at);
        if (begin == std::string::npos) return {t.size(), 0};
        if (t[begin] == '"') {
            const std::size_t end = t.find_first_of("\"\n", begin + 1);
            return {begin, end == std::string::npos ? end : end + 1 - begin};
        }
        const std::size_t end = t.find_first_not_of("0123456789.", begin);
        return {begin, end == std::string::npos ? end : end - begin};
    }

    /// With its end.
    static std::pair<std::size_t, std::size_t> line_at(const std::string& t, std::size_t at) {
        const std::size_t begin = at == 0 ? 0 : t.rfind('\n', at - 1) + 1;
        const std::size_t end = t.find('\n', begin);
        return {begin, end == std::string::npos ? t.size() - begin : end + 1 - begin};
    }

    /// Repeated, texts must not grow without end.
    static constexpr std::size_t largest = std::size_t{256} << 10;

    std::mt19937_64 random_;
};

/// The cases of one test: number 1, 2, ... for `seconds`, or SCMI_VP_FUZZ_SECONDS of the
/// environment; only the one that SCMI_VP_FUZZ_CASE names, to repeat it.
class cases {
public:
    explicit cases(double seconds) {
        if (const char* given = std::getenv("SCMI_VP_FUZZ_SECONDS")) seconds = std::atof(given);
        if (const char* given = std::getenv("SCMI_VP_FUZZ_CASE")) {
            only_ = std::strtoull(given, nullptr, 10);
        }
        end_ = clock::now() +
               std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
    }
    /// Heavy tests begin where quick ones never come.
    void start_at(std::uint64_t number) { number_ = number; }

    /// 0 at the end.
    std::uint64_t next() {
        if (only_) return std::exchange(done_, true) ? 0 : only_;
        return clock::now() < end_ ? ++number_ : 0;
    }
    std::uint64_t count() const { return number_; }

private:
    using clock = std::chrono::steady_clock;
    clock::time_point end_;
    std::uint64_t number_ = 0, only_ = 0;
    bool done_ = false;
};

}  // namespace scmi_vp::mutation_testing
