// SPDX-License-Identifier: Apache-2.0
// scmi-vp list: prints the tables from which everything else is derived.
#include <filesystem>
#include <iomanip>
#include <sstream>

#include "app/options.h"
#include "app/program.h"
#include "base/console.h"
#include "base/hops.h"
#include "base/input_file.h"
#include "models/config.h"
#include "runs/load.h"
#include "runs/result_sink.h"
#include "scenario/document.h"
#include "scenario/latency_value.h"
#include "scenario/schema.h"
#include "scenario/suggest.h"
#include "scmi/message.h"
#include "studies/study_checks.h"
#include "virtio/mmio_registers.h"

namespace scmi_vp::app {
namespace {

using table = std::vector<std::vector<std::string>>;

std::string hexadecimal(std::uint32_t n, int digits) {
    std::ostringstream text;
    text << "0x" << std::hex << std::setfill('0') << std::setw(digits) << n;
    return text.str();
}

void list_hops(std::ostream& out) {
    table t{{"hop", "from", "until"}};
    for (const hop_info& h : hop_table) {
        t.push_back({std::string(h.name), std::string(h.from), std::string(h.until)});
    }
    scenario::print_columns(out, t);
}

void list_profiles(std::ostream& out) {
    table t{{"profile", "rx timeout", "delayed response", "largest payload"}};
    for (const models::driver_profile& p : models::driver_profiles()) {
        t.push_back({p.name, to_string(p.max_rx_timeout), to_string(p.max_delayed_response),
                     std::to_string(p.max_msg_size) + " bytes"});
    }
    scenario::print_columns(out, t);
}

void list_distributions(std::ostream& out) {
    for (const scenario::latency_kind& k : scenario::latency_kinds()) {
        out << k.name << ": " << k.meaning << "\n    " << k.example << "\n";
        for (const scenario::latency_parameter& p : k.parameters) {
            out << "    " << p.name << ": " << p.type << ", "
                << (p.default_text[0] == '(' ? "" : "default ") << p.default_text << "\n";
        }
    }
    out << "\nfiles of recorded latencies (which one it is, is recognised):\n";
    scenario::print_latency_formats(out);
}

void list_messages(std::ostream& out) {
    table t{{"protocol", "message", "name", "section"}};
    for (unsigned p = scmi::protocol::base; p <= 0xff; ++p) {
        for (unsigned m = 0; m <= 0xff; ++m) {
            const auto* info = scmi::find_message(std::uint8_t(p), std::uint8_t(m));
            if (!info) continue;
            t.push_back(
                {hexadecimal(p, 2) + " " + std::string(scmi::protocol_name(std::uint8_t(p))),
                 hexadecimal(m, 2), std::string(info->name), std::string(info->section)});
        }
    }
    scenario::print_columns(out, t);
}

void list_registers(std::ostream& out) {
    table t{{"offset", "name", "access", "meaning"}};
    const char* const access[] = {"read", "write", "read, write"};
    for (std::size_t i = 0; i < virtio::register_table_size; ++i) {
        const virtio::register_info& r = virtio::register_table[i];
        t.push_back({hexadecimal(r.offset, 3), std::string(r.name),
                     access[std::size_t(r.direction)], std::string(r.meaning)});
    }
    scenario::print_columns(out, t);
}

void list_statuses(std::ostream& out) {
    table t{{"status", "meaning"}};
    for (const exit_status_info& s : exit_status_table) {
        t.push_back({std::to_string(int(s.status)), std::string(s.meaning)});
    }
    scenario::print_columns(out, t);
}

/// Topics without keys have nothing that starts with a prefix.
template <void print(std::ostream&)>
void all_of(std::ostream& out, const std::string&) {
    print(out);
}

struct topic {
    const char* name;
    const char* summary;
    void (*print)(std::ostream&, const std::string& prefix);
    bool has_keys = false;  ///< `list TOPIC PREFIX` is possible
};

const topic topics[] = {
    {"keys",
     "every key of a scenario, or those that start with PREFIX (--markdown: the tables of "
     "docs/scenario.md)",
     scenario::print_keys, true},
    {"study-keys", "every key of a study, or those that start with PREFIX",
     studies::print_study_keys, true},
    {"hops", "the hops of a request: where latency is injected and measured", all_of<list_hops>},
    {"distributions", "the kinds of latency and their parameters", all_of<list_distributions>},
    {"profiles", "the kernels whose driver is modelled", all_of<list_profiles>},
    {"messages", "the SCMI messages known by name", all_of<list_messages>},
    {"registers", "the virtio-mmio registers", all_of<list_registers>},
    {"statuses", "the exit statuses of scmi-vp", all_of<list_statuses>},
};

/// Of a study's first point, or of a run of a scenario.
std::vector<scenario::result_number> numbers_in(const std::string& name) {
    const std::filesystem::path path = scenario_path(name);
    const std::string text = read_input(path, inputs::scenario);
    bool is_study = false;
    try {
        is_study = scenario::parse_toml(text, {path.string(), {}, true}).contains("study");
    } catch (const toml::parse_error&) {
        // Told with its place by who reads it as a scenario.
    }
    // Without its checks: one that names no number is why somebody asks.
    studies::study_overrides unchecked;
    unchecked.without_checks = true;
    if (is_study) {
        return studies::numbers_of_point(studies::load_study(path, unchecked).points.front());
    }
    return runs::numbers_of_run(runs::load_scenario(path, {"check=[]"}));
}

void list_numbers(const std::string& name, std::ostream& out) {
    table t{{"number", "limit", "compared with at_most and at_least"}};
    for (const scenario::result_number& n : numbers_in(name)) {
        switch (n.kind) {
            case scenario::number_kind::count:
                t.push_back({n.name, "number", "it"});
                break;
            case scenario::number_kind::time:
                t.push_back({n.name, "time", "it"});
                break;
            case scenario::number_kind::rate:
                t.push_back({n.name, "number", "the high and the low end of its interval"});
                break;
        }
    }
    scenario::print_columns(out, t);
}

void print_help(std::ostream& out) {
    out << as_started("usage: scmi-vp list TOPIC [PREFIX]\n\n");
    table t;
    for (const topic& known : topics) t.push_back({"  " + std::string(known.name), known.summary});
    scenario::print_columns(out, t);
    out << as_started(
        "\nscmi-vp list numbers FILE prints what the results of a scenario or a study hold, by "
        "the\nnames that [[check]] takes.\n\nexamples:\n  scmi-vp list keys guest.max\n"
        "  scmi-vp list keys | grep timeout\n  scmi-vp list numbers my.toml\n");
}

void check_rest(const arguments& args, const topic& t) {
    const std::size_t most = t.has_keys ? 2 : 1;
    const bool option = args.size() > 1 && args[1].rfind("-", 0) == 0;
    if (args.size() <= most && !option) return;
    const std::string& extra = args[option ? 1 : most];
    if (option) {
        throw error(error_kind::usage, "list: unknown option " + extra + " (scmi-vp list --help)");
    }
    throw error(error_kind::usage, "list: " + std::string(most == 1 ? "one topic" : "one prefix") +
                                       " at a time, '" + extra +
                                       "' is too much (scmi-vp list --help)");
}

}  // namespace

exit_status list_command(const arguments& args, std::ostream& out) {
    if (args.empty() || args[0] == "--help" || args[0] == "-h") {
        print_help(out);
        return exit_status::ok;
    }
    if (args[0] == "numbers") {
        if (args.size() != 2) {
            throw error(error_kind::usage,
                        "list: numbers of what? scmi-vp list numbers FILE, a scenario or a study");
        }
        list_numbers(args[1], out);
        return exit_status::ok;
    }
    if (args.size() == 2 && args[0] == "keys" && args[1] == "--markdown") {
        scenario::print_keys_markdown(out);
        return exit_status::ok;
    }
    std::vector<std::string> names{"numbers"};
    for (const topic& t : topics) {
        names.emplace_back(t.name);
        if (args[0] != t.name) continue;
        check_rest(args, t);
        t.print(out, args.size() > 1 ? args[1] : "");
        return exit_status::ok;
    }
    throw error(error_kind::usage,
                "list: unknown topic " + args[0] + scenario::suggestion(args[0], names));
}

}  // namespace scmi_vp::app
