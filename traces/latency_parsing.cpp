// SPDX-License-Identifier: Apache-2.0
// See latency_parsing.h.
#include "traces/latency_parsing.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "base/error.h"

namespace scmi_vp::traces::latency_parsing {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";
constexpr std::size_t largest_file = std::size_t{256} << 20;

// Control sequences of terminals (ECMA-48: ESC [ parameters final): cyclictest without -q moves the
// cursor up over its last status lines.
void drop_control_sequences(std::string& text) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\x1b') {
            text[to++] = text[i];
            continue;
        }
        if (i + 1 >= text.size() || text[i + 1] != '[') continue;
        i += 2;
        while (i < text.size() && text[i] != '\n' && (text[i] < '@' || text[i] > '~')) ++i;
        if (i < text.size() && text[i] == '\n') --i;  // cut in the middle
    }
    text.resize(to);
}

void split_lines(latency_text& t) {
    std::string_view rest = t.content;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        // A carriage return in the middle begins a line anew.
        for (std::size_t cut; !(line = trimmed(line)).empty(); line.remove_prefix(cut)) {
            cut = std::min(line.find('\r'), line.size());
            t.lines.push_back({trimmed(line.substr(0, cut)), number});
        }
    }
}

}  // namespace

void latency_text::refuse(const std::string& problem) const {
    throw error(error_kind::input, name, problem);
}

void latency_text::refuse(std::size_t line, const std::string& problem) const {
    throw error(error_kind::input, name + ":" + std::to_string(line), problem);
}

latency_text read_text(std::istream& in, const std::string& name) {
    latency_text t{name, {}, {}};
    std::vector<char> block(std::size_t{1} << 16);
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
        t.content.append(block.data(), static_cast<std::size_t>(in.gcount()));
        if (t.content.size() > largest_file) t.refuse("is larger than 256 MiB; thin it out");
    }
    if (in.bad()) t.refuse("reading failed");
    if (starts_with(t.content, "\xef\xbb\xbf")) t.content.erase(0, 3);
    drop_control_sequences(t.content);
    split_lines(t);
    if (t.lines.empty()) t.refuse("is empty");
    return t;
}

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> all;
    while (!(text = trimmed(text)).empty()) {
        all.push_back(text.substr(0, text.find_first_of(blanks)));
        text.remove_prefix(all.back().size());
    }
    return all;
}

std::vector<std::string_view> fields(std::string_view text, char separator) {
    std::vector<std::string_view> all;
    for (std::size_t end = 0; end != std::string_view::npos;) {
        end = text.find(separator);
        all.push_back(trimmed(text.substr(0, end)));
        if (end != std::string_view::npos) text.remove_prefix(end + 1);
    }
    return all;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || problem != std::errc() || end != text.data() + text.size()) return {};
    return value;
}

bool is_number(std::string_view text) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == std::string_view::npos) return !text.empty();
    if (text[digits] != '.') return false;
    const std::string_view fraction = text.substr(digits + 1);
    return digits + fraction.size() > 0 &&
           fraction.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower;
}

std::string counted(std::uint64_t n, const std::string& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::optional<sim_time> time_unit::time(std::uint64_t n) const {
    if (n > static_cast<std::uint64_t>(longest_span.ps / ps)) return {};
    return sim_time(static_cast<std::int64_t>(n) * ps);
}

std::optional<sim_time> time_unit::time(std::string_view decimal) const {
    if (!is_number(decimal)) return {};
    const std::size_t point = std::min(decimal.find('.'), decimal.size());
    const std::string_view whole = decimal.substr(0, point);
    const std::optional<std::uint64_t> n = whole.empty() ? 0 : whole_number(whole);
    const std::optional<sim_time> base = n ? time(*n) : std::nullopt;
    if (!base) return {};
    std::int64_t place = ps, below = 0;
    for (std::size_t i = point + 1; i < decimal.size(); ++i) {
        const std::int64_t digit = decimal[i] - '0';
        if (place == 1) {  // tenths of a picosecond
            below += digit >= 5 ? 1 : 0;
            break;
        }
        below += digit * (place /= 10);
    }
    const sim_time sum(base->ps + below);
    return sum > longest_span ? std::nullopt : std::optional<sim_time>(sum);
}

time_unit unit_named(const std::string& name) {
    for (const time_unit& u : {time_unit{"ns", 1'000}, time_unit{"us", 1'000'000},
                               time_unit{"ms", 1'000'000'000}, time_unit{"s", 1'000'000'000'000}}) {
        if (u.name == name) return u;
    }
    throw error(error_kind::config, "unit: unknown value '" + name + "': one of ns, us, ms, s");
}

time_unit chosen_unit(const latency_text& t, const latency_choice& c, const std::string& format,
                      const char* usual) {
    if (!c.unit.empty()) return unit_named(c.unit);
    if (usual) return unit_named(usual);
    throw error(error_kind::config, "needs unit: " + t.name + " (" + format +
                                        ") does not name the unit of its numbers; give unit = "
                                        "\"ns\", \"us\", \"ms\" or \"s\"");
}

time_unit own_unit(const latency_text& t, const latency_choice& c, const std::string& format,
                   const std::string& unit) {
    if (!c.unit.empty() && unit_named(c.unit).name != unit) {
        throw error(error_kind::config, "unit = \"" + c.unit + "\" contradicts " + t.name + " (" +
                                            format + "), which says that it is in " + unit);
    }
    return unit_named(unit);
}

void refuse_column(const latency_text& t, const latency_choice& c, const std::string& format) {
    if (c.column.empty()) return;
    throw error(error_kind::config, "column = \"" + c.column + "\" does not apply to " + t.name +
                                        " (" + format + "): there is nothing to choose from");
}

void add_to(std::uint64_t& sum, std::uint64_t more, const latency_text& t, std::size_t line) {
    if (!__builtin_add_overflow(sum, more, &sum)) return;
    const char* const problem = "the counts overflow 64 bits";
    line == 0 ? t.refuse(problem) : t.refuse(line, problem);
}

}  // namespace scmi_vp::traces::latency_parsing
