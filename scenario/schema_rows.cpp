// SPDX-License-Identifier: Apache-2.0
// The makers of rows: type check, range check, then the setter.
#include "scenario/schema_rows.h"

#include <cctype>
#include <sstream>
#include <utility>

#include "scenario/latency_value.h"
#include "scenario/suggest.h"
#include "scmi/message.h"

namespace scmi_vp::scenario::rows {
namespace {

key_info row(about a, key_type type, std::string unit, std::string range,
             std::function<void(draft&, const value&)> apply) {
    return {std::move(a.path),         type,
            std::move(unit),           std::move(range),
            std::move(a.default_text), std::move(a.meaning),
            std::move(apply),          {}};
}

}  // namespace

key_info text(about a, setter<std::string> set, std::size_t longest) {
    std::string range = longest ? "at most " + std::to_string(longest) + " bytes" : "";
    auto apply = [set = std::move(set), longest](draft& d, const value& v) {
        std::string s = v.text();
        if (longest && s.size() > longest) {
            v.refuse("'" + s + "' has " + std::to_string(s.size()) + " bytes, at most " +
                     std::to_string(longest) + " fit");
        }
        set(d, std::move(s));
    };
    return row(std::move(a), key_type::text, "", std::move(range), std::move(apply));
}

key_info integer(about a, std::string unit, std::int64_t min, std::int64_t max,
                 setter<std::int64_t> set) {
    auto apply = [set = std::move(set), min, max](draft& d, const value& v) {
        set(d, v.integer(min, max));
    };
    return row(std::move(a), key_type::integer, std::move(unit), range_text(min, max),
               std::move(apply));
}

key_info hex_integer(about a, std::int64_t min, std::int64_t max, setter<std::int64_t> set) {
    key_info k = integer(std::move(a), "", min, max, std::move(set));
    std::ostringstream range;
    range << std::hex << std::showbase << min << ".." << max;
    k.range = range.str();
    return k;
}

key_info number(about a, double min, double max, setter<double> set) {
    std::ostringstream range;
    range << min << ".." << max;
    auto apply = [set = std::move(set), min, max, range = range.str()](draft& d, const value& v) {
        const double n = v.number();
        if (n < min || n > max) v.refuse("is out of range: " + range);
        set(d, n);
    };
    return row(std::move(a), key_type::number, "", range.str(), std::move(apply));
}

key_info boolean(about a, setter<bool> set) {
    auto apply = [set = std::move(set)](draft& d, const value& v) { set(d, v.boolean()); };
    return row(std::move(a), key_type::boolean, "", "", std::move(apply));
}

key_info time(about a, sim_time min, sim_time max, setter<sim_time> set) {
    auto apply = [set = std::move(set), min, max](draft& d, const value& v) {
        set(d, v.time(min, max));
    };
    const bool any_time = min == sim_time{} && max == longest_span;
    return row(std::move(a), key_type::time, "ps to h", any_time ? "" : range_text(min, max),
               std::move(apply));
}

key_info time(about a, setter<sim_time> set) {
    return time(std::move(a), sim_time{}, longest_span, std::move(set));
}

key_info latency(about a, setter<distribution_ptr> set) {
    auto apply = [set = std::move(set)](draft& d, const value& v) {
        set(d, read_latency(v, d.out));
    };
    return row(std::move(a), key_type::latency, "ps to h", "", std::move(apply));
}

key_info choice(about a, std::vector<std::string> words, setter<std::string> set) {
    std::string range = joined(words);
    auto apply = [set = std::move(set), words = std::move(words)](draft& d, const value& v) {
        set(d, v.choice(words));
    };
    return row(std::move(a), key_type::choice, "", std::move(range), std::move(apply));
}

key_info path(about a,
              std::function<void(draft&, const std::filesystem::path&, const value&)> set) {
    auto apply = [set = std::move(set)](draft& d, const value& v) { set(d, v.path(), v); };
    return row(std::move(a), key_type::path, "", "", std::move(apply));
}

key_info size(about a, std::uint64_t min, std::uint64_t max, setter<std::uint64_t> set) {
    auto apply = [set = std::move(set), min, max](draft& d, const value& v) {
        set(d, v.byte_count(min, max));
    };
    return row(std::move(a), key_type::size, "KiB to GiB",
               std::to_string(min >> 20) + "MiB.." + std::to_string(max >> 20) + "MiB",
               std::move(apply));
}

key_info list(about a, std::string unit, std::string range,
              std::function<void(draft&, const value&)> set) {
    return row(std::move(a), key_type::list, std::move(unit), std::move(range), std::move(set));
}

key_info integer_or_word(about a, std::string range,
                         std::function<void(draft&, const value&)> set) {
    return row(std::move(a), key_type::integer_or_word, "", std::move(range), std::move(set));
}

key_info tables(about a, std::function<void(draft&, const value&)> begin,
                std::function<void(draft&, const value&)> finish) {
    key_info k = row(std::move(a), key_type::tables, "", "", std::move(begin));
    k.finish = std::move(finish);
    return k;
}

std::uint8_t protocol_of(const value& v) {
    if (v.node->is_integer()) return std::uint8_t(v.integer(0x10, 0xff));
    if (!v.node->is_string()) v.refuse_type("a protocol: a name like \"sensor\" or a number");
    std::vector<std::string> names;
    for (unsigned id = scmi::protocol::base; id <= scmi::protocol::pinctrl; ++id) {
        std::string name(scmi::protocol_name(std::uint8_t(id)));
        for (char& c : name) c = char(std::tolower(static_cast<unsigned char>(c)));
        if (name == v.text()) return std::uint8_t(id);
        names.push_back(name);
    }
    v.refuse("unknown protocol '" + v.text() + "'" + suggestion(v.text(), names));
}

}  // namespace scmi_vp::scenario::rows
