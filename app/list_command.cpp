// SPDX-License-Identifier: Apache-2.0
// scmi-vp list: prints the tables from which everything else is derived.
#include <iomanip>
#include <sstream>

#include "app/program.h"
#include "base/hops.h"
#include "models/config.h"
#include "scmi/message.h"
#include "studies/study.h"
#include "testbenches/latency_value.h"
#include "testbenches/schema.h"
#include "testbenches/suggest.h"
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
    testbenches::print_columns(out, t);
}

void list_profiles(std::ostream& out) {
    table t{{"profile", "rx timeout", "delayed response", "largest payload"}};
    for (const models::driver_profile& p : models::driver_profiles()) {
        t.push_back({p.name, to_string(p.max_rx_timeout), to_string(p.max_delayed_response),
                     std::to_string(p.max_msg_size) + " bytes"});
    }
    testbenches::print_columns(out, t);
}

void list_distributions(std::ostream& out) {
    for (const testbenches::latency_kind& k : testbenches::latency_kinds()) {
        out << k.name << ": " << k.meaning << "\n    " << k.example << "\n";
        for (const testbenches::latency_parameter& p : k.parameters) {
            out << "    " << p.name << ": " << p.type << ", "
                << (p.default_text[0] == '(' ? "" : "default ") << p.default_text << "\n";
        }
    }
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
    testbenches::print_columns(out, t);
}

void list_registers(std::ostream& out) {
    table t{{"offset", "name", "access", "meaning"}};
    const char* const access[] = {"read", "write", "read, write"};
    for (std::size_t i = 0; i < virtio::register_table_size; ++i) {
        const virtio::register_info& r = virtio::register_table[i];
        t.push_back({hexadecimal(r.offset, 3), std::string(r.name),
                     access[std::size_t(r.direction)], std::string(r.meaning)});
    }
    testbenches::print_columns(out, t);
}

void list_statuses(std::ostream& out) {
    table t{{"status", "meaning"}};
    for (const exit_status_info& s : exit_status_table) {
        t.push_back({std::to_string(int(s.status)), std::string(s.meaning)});
    }
    testbenches::print_columns(out, t);
}

struct topic {
    const char* name;
    const char* summary;
    void (*print)(std::ostream&);
};

const topic topics[] = {
    {"keys", "every key of a scenario (--markdown: the tables of docs/scenario.md)",
     testbenches::print_keys},
    {"study-keys", "every key of a study", studies::print_study_keys},
    {"hops", "the hops of a request: where latency is injected and measured", list_hops},
    {"distributions", "the kinds of latency and their parameters", list_distributions},
    {"profiles", "the kernels whose driver is modelled", list_profiles},
    {"messages", "the SCMI messages known by name", list_messages},
    {"registers", "the virtio-mmio registers", list_registers},
    {"statuses", "the exit statuses of scmi-vp", list_statuses},
};

void print_help(std::ostream& out) {
    out << "usage: scmi-vp list TOPIC\n\n";
    table t;
    for (const topic& known : topics) t.push_back({"  " + std::string(known.name), known.summary});
    testbenches::print_columns(out, t);
    out << "\nexample:\n  scmi-vp list keys | grep timeout\n";
}

}  // namespace

exit_status list_command(const arguments& args, std::ostream& out) {
    if (args.empty() || args[0] == "--help" || args[0] == "-h") {
        print_help(out);
        return exit_status::ok;
    }
    const bool markdown = args.size() == 2 && args[0] == "keys" && args[1] == "--markdown";
    if (args.size() > 1 && !markdown) {
        throw error(error_kind::usage, "list: one topic at a time, '" + args[1] +
                                           "' is too much (scmi-vp list --help)");
    }
    if (markdown) {
        testbenches::print_keys_markdown(out);
        return exit_status::ok;
    }
    std::vector<std::string> names;
    for (const topic& t : topics) {
        names.emplace_back(t.name);
        if (args[0] != t.name) continue;
        t.print(out);
        return exit_status::ok;
    }
    throw error(error_kind::usage,
                "list: unknown topic " + args[0] + testbenches::suggestion(args[0], names));
}

}  // namespace scmi_vp::app
