// SPDX-License-Identifier: Apache-2.0
// From files and options to a checked scenario: gather, apply key by key, complete, check.
#include "scenario/scenario.h"

#include <cstdio>

#include "base/error.h"
#include "base/input_file.h"
#include "scenario/document.h"
#include "scenario/scenario_checks.h"
#include "scenario/schema.h"

namespace scmi_vp::scenario {
namespace {

/// Defaults are applied like values, so that what the documentation says is what happens.
void apply_default(draft& d, const key_info& k, const std::string& key) {
    const value_source source{"default of " + k.path, {}, false};
    const toml::table table = toml::parse("v = " + k.default_text);
    k.apply(d, value{table.get("v"), &source, key});
}

void apply_level(draft& d, const document& doc, const std::string& pattern, const std::string& key);

void apply_list(draft& d, const document& doc, const key_info& k, const std::string& key) {
    for (std::size_t i = 0; i < doc.count(key); ++i) {
        const std::string element = key + "." + std::to_string(i);
        const value& v = *doc.find(element);
        k.apply(d, v);
        apply_level(d, doc, k.path + "[].", element + ".");
        if (k.finish) k.finish(d, v);
    }
}

/// Applies all keys directly below a prefix ("", "platform.clock[].") in the schema's order.
void apply_level(draft& d, const document& doc, const std::string& pattern,
                 const std::string& key) {
    for (const key_info& k : schema()) {
        if (k.path.compare(0, pattern.size(), pattern) != 0) continue;
        const std::string rest = k.path.substr(pattern.size());
        if (rest.find('[') != std::string::npos) continue;
        const std::string full = key + rest;
        if (k.type == key_type::tables) {
            apply_list(d, doc, k, full);
        } else if (const value* v = doc.find(full)) {
            k.apply(d, *v);
        } else if (k.required()) {
            throw error(error_kind::config, doc.place(full), full + " is missing: " + k.meaning);
        } else if (k.has_default()) {
            apply_default(d, k, full);
        }
    }
}

/// The value of platform.file, before anything else is looked at; nullptr if nobody gives it. What
/// is wrong elsewhere is left to the second reading, which has the platform's lists.
const value* find_platform_file(document& doc, const scenario& s) {
    try {
        doc.add_file(s.file, s.source_text);
    } catch (const error&) {
        return nullptr;
    }
    for (const std::string& o : s.overrides) {
        try {
            doc.add_override(o);
        } catch (const error&) {
            continue;
        }
    }
    return doc.find("platform.file");
}

/// The platform's own file comes first, so that the scenario and the options replace its keys.
void add_platform_file(document& doc, draft& d) {
    document sketch(d.out.file.string());
    const value* file = find_platform_file(sketch, d.out);
    if (!file || file->path().empty()) return;
    const std::filesystem::path path = file->path();
    const std::string text = read_input(path, inputs::scenario, file->where() + ": platform.file");
    d.out.inputs.push_back(path);
    doc.add_file(path, text, "platform");
    if (const value* nested = doc.find("platform.file")) {
        nested->refuse("a platform's file cannot name another one");
    }
}

std::string name_from(const std::filesystem::path& file) {
    const std::string stem = file.stem().string();
    const std::string folder = file.parent_path().filename().string();
    return stem == "scenario" && !folder.empty() ? folder : stem;
}

/// virtio 1.3 section 5.17.6.1: no delayed response without the event queue, so the platform does
/// not offer what needs one, and Linux (sensors.c scmi_sensor_reading_get, clock.c
/// scmi_clock_rate_set) does not ask for it.
void note_synchronous(scenario& s) {
    if (s.system.device.p2a_channels) return;
    const std::string why = ": device.p2a_channels is false, and delayed responses need it";
    const scmi::platform_description& p = s.system.platform.description;
    for (const scmi::sensor_description& sensor : p.sensors) {
        if (!sensor.async) continue;
        s.notes.push_back("sensor '" + sensor.name +
                          "' has async = true and is read synchronously all the same" + why);
    }
    if (p.clock_max_async != 0) s.notes.push_back("platform.clock_max_async has no effect" + why);
}

/// Of protocols that the platform lists and does not serve.
void note_unserved(scenario& s) {
    for (const std::uint8_t id : scmi::listed_but_not_served(s.system.platform.description)) {
        char hex[8];
        std::snprintf(hex, sizeof hex, "0x%02x", id);
        s.notes.push_back("platform.protocols lists " + std::string(hex) + " (" +
                          std::string(scmi::protocol_name(id)) +
                          "), which this platform does not serve: every message of it is answered "
                          "NOT_SUPPORTED");
    }
}

void complete(draft& d) {
    scenario& s = d.out;
    if (s.title.empty()) s.title = name_from(s.file);
    s.system.title = s.title;
    scmi::platform_description& p = d.platform();
    if (p.agents.empty()) p.agents.push_back({"OSPM"});
    if (!d.protocols_given) {
        if (!p.power_domains.empty()) p.protocols.push_back(scmi::protocol::power);
        if (!p.performance_domains.empty()) p.protocols.push_back(scmi::protocol::perf);
        if (!p.clocks.empty()) p.protocols.push_back(scmi::protocol::clock);
        if (!p.sensors.empty()) p.protocols.push_back(scmi::protocol::sensor);
    }
    s.tree = use_device_tree(d.tree, d.guest());
    if (s.tree.file.empty()) d.guest().device_tree.protocols = p.protocols;
    note_synchronous(s);
    note_unserved(s);
    models::prepare_for(d.guest(), p);
}

}  // namespace

scenario parse_scenario(const std::string& text, const std::filesystem::path& name,
                        const std::vector<std::string>& overrides) {
    require_utf8(name, overrides);
    draft d;
    d.out.file = name;
    d.out.source_text = text;
    d.out.overrides = overrides;
    d.out.inputs.push_back(name);

    document doc(name.string());
    add_platform_file(doc, d);
    doc.add_file(name, text);
    for (const std::string& o : overrides) doc.add_override(o);
    apply_level(d, doc, "", "");
    complete(d);
    check_scenario(d.out, doc);
    return std::move(d.out);
}

scenario read_scenario(const std::filesystem::path& path,
                       const std::vector<std::string>& overrides) {
    return parse_scenario(read_input(path, inputs::scenario), path, overrides);
}

std::vector<std::string> lasting_overrides(const std::vector<std::string>& overrides) {
    std::vector<std::string> lasting;
    for (const std::string& o : overrides) {
        if (o.rfind("sim.quantum", 0) != 0 && o.rfind("sim.run_ahead", 0) != 0)
            lasting.push_back(o);
    }
    return lasting;
}

}  // namespace scmi_vp::scenario
