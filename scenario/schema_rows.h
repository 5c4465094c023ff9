// SPDX-License-Identifier: Apache-2.0
// Makes rows of the schema: each maker knows a type, its check and its range text.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "scenario/schema.h"

namespace scmi_vp::scenario::rows {

template <class T>
using setter = std::function<void(draft&, T)>;

inline constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();

/// What every row has: key, default, meaning.
struct about {
    std::string path;
    std::string default_text;
    std::string meaning;
};

key_info text(about a, setter<std::string> set, std::size_t longest = 0);  ///< 0: no limit
key_info integer(about a, std::string unit, std::int64_t min, std::int64_t max,
                 setter<std::int64_t> set);
/// The same, its range shown in hexadecimal.
key_info hex_integer(about a, std::int64_t min, std::int64_t max, setter<std::int64_t> set);
key_info number(about a, double min, double max, setter<double> set);
key_info boolean(about a, setter<bool> set);
key_info time(about a, sim_time min, sim_time max, setter<sim_time> set);
key_info time(about a, setter<sim_time> set);  ///< 0 to the longest span
key_info latency(about a, setter<distribution_ptr> set);
key_info choice(about a, std::vector<std::string> words, setter<std::string> set);
/// The setter gets the value too, for errors that name its place.
key_info path(about a, std::function<void(draft&, const std::filesystem::path&, const value&)> set);
key_info size(about a, std::uint64_t min, std::uint64_t max, setter<std::uint64_t> set);
key_info list(about a, std::string unit, std::string range,
              std::function<void(draft&, const value&)> set);
key_info integer_or_word(about a, std::string range, std::function<void(draft&, const value&)> set);
key_info tables(about a, std::function<void(draft&, const value&)> begin,
                std::function<void(draft&, const value&)> finish = {});

/// A protocol by name ("clock") or number (0x14).
std::uint8_t protocol_of(const value& v);

/// The keys that say which messages an element is about; `at` finds them in the draft. The
/// element's begin clears draft::message, its finish calls resolve_message.
void add_match_keys(std::vector<key_info>& keys, const std::string& prefix,
                    const std::function<models::message_match&(draft&)>& at);
/// draft::message, if one was given, becomes a number (and a protocol, if it is of one only).
void resolve_message(const draft& d, const value& element, models::message_match& match);

/// at, every, count.
void add_schedule_keys(std::vector<key_info>& keys, const std::string& prefix,
                       const std::function<models::schedule_config&(draft&)>& at);
/// Refuses a schedule that happens more than once in the same instant.
void check_schedule(const value& v, const models::schedule_config& s);

/// SCMI status codes by name, "BUSY", without SUCCESS; and back.
std::vector<std::string> status_names();
scmi::status status_named(const std::string& name);

/// The parts of the schema, in the order in which they are applied.
std::vector<key_info> run_keys();
std::vector<key_info> guest_keys();
std::vector<key_info> device_keys();
std::vector<key_info> platform_keys();
std::vector<key_info> domain_keys();
std::vector<key_info> host_keys();
std::vector<key_info> fault_keys();
std::vector<key_info> change_keys();
std::vector<key_info> hop_keys();
std::vector<key_info> workload_keys();
std::vector<key_info> output_keys();
std::vector<key_info> check_rows();

}  // namespace scmi_vp::scenario::rows
