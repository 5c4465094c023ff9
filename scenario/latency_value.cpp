// SPDX-License-Identifier: Apache-2.0
// The kinds of latency, one row each; the rest is derived from the rows.
#include "scenario/latency_value.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "scenario/scenario.h"
#include "scenario/schema.h"
#include "scenario/suggest.h"
#include "traces/latency_file.h"

namespace scmi_vp::scenario {

/// The parameters of one latency table, while its distribution is made.
class latency_reader {
public:
    latency_reader(const value& table, scenario& s) : table_(table), scenario_(s) {}

    bool has(const char* name) const { return table_.member(name).node != nullptr; }
    value at(const char* name) const { return table_.member(name); }
    const value& table() const { return table_; }
    sim_time time(const char* name) const { return at(name).time(sim_time{}, longest_span); }
    sim_time signed_time(const char* name) const {
        return at(name).time(sim_time(-longest_span.ps), longest_span);
    }
    double number(const char* name) const { return at(name).number(); }
    distribution_ptr latency(const value& v) const { return read_latency(v, scenario_); }

    std::istringstream open(const char* name, std::string& file) const {
        const value v = at(name);
        const std::filesystem::path path = v.path();
        std::istringstream in(read_input(path, inputs::latencies, v.where() + ": " + v.key));
        scenario_.inputs.push_back(path);
        file = path.string();
        return in;
    }

    traces::latency_choice choice() const {
        traces::latency_choice c;
        if (has("unit")) c.unit = at("unit").choice({"ns", "us", "ms", "s"});
        if (has("column")) c.column = at("column").text();
        return c;
    }

    distribution_ptr histogram(const std::string& file, const scmi_vp::histogram& pooled,
                               histogram_overflow overflow) const {
        scenario_.histograms.push_back({file, pooled, overflow});
        return make_histogram(pooled, overflow);
    }

    void took(const std::string& file, const traces::latency_file& what,
              std::vector<std::string> notes) const {
        const std::string name = std::filesystem::path(file).lexically_normal().string();
        for (std::string& n : notes) n.insert(0, name + " ");
        scenario_.latency_sources.push_back(
            {table_.key, name + ": " + traces::describe(what), std::move(notes)});
    }

private:
    value table_;
    scenario& scenario_;
};

namespace {

const std::string required = "(required)";

distribution_ptr make_mixture_of(const latency_reader& r) {
    std::vector<std::pair<double, distribution_ptr>> parts;
    for (const value& part : r.at("parts").elements("a list of { weight, latency }")) {
        if (!part.node->is_table()) part.refuse_type("a table { weight = 1, latency = \"50us\" }");
        for (const auto& [k, node] : *part.node->as_table()) {
            const std::string name(k.str());
            if (name != "weight" && name != "latency") {
                part.member(name).refuse("unknown key" + suggestion(name, {"weight", "latency"}));
            }
        }
        const value weight = part.member("weight"), latency = part.member("latency");
        if (!weight.node) part.refuse("has no weight");
        if (!latency.node) part.refuse("has no latency");
        parts.emplace_back(weight.number(), r.latency(latency));
    }
    return make_mixture(std::move(parts));
}

histogram_overflow overflow_of(const latency_reader& r) {
    if (!r.has("overflow")) return histogram_overflow::at_max;
    const std::string word = r.at("overflow").choice({"drop", "at_max", "uniform", "fit"});
    if (word == "drop") return histogram_overflow::drop;
    if (word == "uniform") return histogram_overflow::uniform;
    return word == "fit" ? histogram_overflow::fit : histogram_overflow::at_max;
}

const char* name_of(histogram_overflow overflow) {
    switch (overflow) {
        case histogram_overflow::drop:
            return "drop";
        case histogram_overflow::uniform:
            return "uniform";
        case histogram_overflow::fit:
            return "fit";
        case histogram_overflow::at_max:
            break;
    }
    return "at_max";
}

/// What the overflows become makes another mean than the file has: said from a tenth on.
void compare_means(const traces::latency_file& file, histogram_overflow overflow,
                   std::vector<std::string>& notes) {
    const histogram& h = file.pooled;
    if (h.overflows == 0 || h.mean == sim_time()) return;
    const auto drawn = static_cast<double>(mean_of(h, overflow).ps);
    const auto recorded = static_cast<double>(h.mean.ps);
    if (std::abs(drawn - recorded) <= recorded / 10) return;
    notes.push_back("has an average of " + traces::rounded_time(file.average_ps) +
                    ", but with overflow = \"" + name_of(overflow) + "\" the mean is " +
                    traces::rounded_time(drawn) +
                    ": it cannot be so; overflow = \"fit\" keeps the " + "file's average");
}

distribution_ptr make_histogram_of(const latency_reader& r) {
    const histogram_overflow overflow = overflow_of(r);
    std::string name;
    std::istringstream in = r.open("file", name);
    traces::latency_file file = traces::read_latency_file(in, name, r.choice());
    histogram& h = file.pooled;
    if (!file.max_known && overflow != histogram_overflow::drop) {
        throw error(error_kind::input, name,
                    std::to_string(h.overflows) + " samples are beyond " + to_string(h.limit) +
                        " and nothing says how long they were; record with a larger histogram, or "
                        "leave them out with overflow = \"drop\"");
    }
    if (!file.max_known) h.max = h.limit;
    distribution_ptr made = r.histogram(name, h, overflow);
    compare_means(file, overflow, file.notes);
    r.took(name, file, file.notes);
    return made;
}

distribution_ptr make_recorded_of(const latency_reader& r) {
    if (r.has("file") == r.has("values")) r.table().refuse("give either file or values");
    const bool repeat = !r.has("repeat") || r.at("repeat").boolean();
    if (r.has("file")) {
        std::string name;
        std::istringstream in = r.open("file", name);
        const traces::latency_file file = traces::read_latency_list(in, name, r.choice());
        r.took(name, file, file.notes);
        return make_recorded(file.in_order, repeat);
    }
    for (const char* key : {"unit", "column"}) {
        if (r.has(key)) r.at(key).refuse("belongs to a file");
    }
    std::vector<sim_time> values;
    for (const value& v : r.at("values").elements("a list of times")) {
        values.push_back(v.time(sim_time{}, longest_span));
    }
    return make_recorded(std::move(values), repeat);
}

std::vector<std::string> kind_names() {
    std::vector<std::string> names;
    for (const latency_kind& k : latency_kinds()) names.push_back(k.name);
    return names;
}

const latency_kind& kind_of(const value& v) {
    const value kind = v.member("kind");
    if (!kind.node) v.refuse("has no kind: one of " + joined(kind_names()));
    const std::string name = kind.choice(kind_names());
    for (const latency_kind& k : latency_kinds()) {
        if (k.name == name) return k;
    }
    kind.refuse("unknown");  // choice() has thrown already
}

void check_parameters(const value& v, const latency_kind& kind) {
    std::vector<std::string> names{"kind"};
    for (const latency_parameter& p : kind.parameters) names.push_back(p.name);
    for (const auto& [k, node] : *v.node->as_table()) {
        const std::string name(k.str());
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        throw error(error_kind::config, place_of(k.source(), *v.source),
                    "unknown key " + v.key + "." + name + suggestion(name, names));
    }
    for (const latency_parameter& p : kind.parameters) {
        if (p.default_text == required && !v.member(p.name).node) {
            v.refuse(kind.name + " needs " + p.name + ": " + kind.example);
        }
    }
}

}  // namespace

const std::vector<latency_kind>& latency_kinds() {
    static const std::vector<latency_kind> kinds{
        {"constant",
         "always the same; the same as writing the time alone",
         R"({ kind = "constant", value = "50us" })",
         {{"value", "time", required}},
         [](const latency_reader& r) { return make_constant(r.time("value")); }},
        {"uniform",
         "anything between two times",
         R"({ kind = "uniform", low = "40us", high = "60us" })",
         {{"low", "time", required}, {"high", "time", required}},
         [](const latency_reader& r) { return make_uniform(r.time("low"), r.time("high")); }},
        {"normal",
         "a bell curve without its part below zero",
         R"({ kind = "normal", mean = "50us", sd = "5us" })",
         {{"mean", "time", required}, {"sd", "time", required}},
         [](const latency_reader& r) { return make_normal(r.signed_time("mean"), r.time("sd")); }},
        {"lognormal",
         "a skewed curve; sigma is the standard deviation of the logarithm",
         R"({ kind = "lognormal", median = "50us", sigma = 0.5 })",
         {{"median", "time", required}, {"sigma", "number", required}},
         [](const latency_reader& r) {
             return make_lognormal(r.time("median"), r.number("sigma"));
         }},
        {"exponential",
         "memoryless",
         R"({ kind = "exponential", mean = "50us" })",
         {{"mean", "time", required}},
         [](const latency_reader& r) { return make_exponential(r.time("mean")); }},
        {"gamma",
         "the sum of `shape` exponentials",
         R"({ kind = "gamma", shape = 4, mean = "50us" })",
         {{"shape", "number", required}, {"mean", "time", required}},
         [](const latency_reader& r) { return make_gamma(r.number("shape"), r.time("mean")); }},
        {"weibull",
         "a tail lighter (shape > 1) or heavier (shape < 1) than exponential",
         R"({ kind = "weibull", shape = 0.7, scale = "50us" })",
         {{"shape", "number", required}, {"scale", "time", required}},
         [](const latency_reader& r) { return make_weibull(r.number("shape"), r.time("scale")); }},
        {"pareto",
         "a power-law tail above a minimum; no mean for shape <= 1",
         R"({ kind = "pareto", shape = 2.5, minimum = "30us" })",
         {{"shape", "number", required}, {"minimum", "time", required}},
         [](const latency_reader& r) { return make_pareto(r.number("shape"), r.time("minimum")); }},
        {"mixture",
         "one of several latencies, drawn by weight",
         R"({ kind = "mixture", parts = [ { weight = 0.99, latency = "50us" }, { weight = 0.01, latency = "5ms" } ] })",
         {{"parts", "list of { weight, latency }", required}},
         make_mixture_of},
        {"histogram",
         "what cyclictest -h, rtla, bpftrace, fio and others recorded (see the files below)",
         R"({ kind = "histogram", file = "cyclictest.txt", overflow = "at_max" })",
         {{"file", "path", required},
          {"unit", "ns, us, ms or s", "(the file's own; cyclictest: us)"},
          {"column", "text", "(all, where there are not several kinds)"},
          {"overflow", "drop, at_max, uniform or fit", "\"at_max\""}},
         make_histogram_of},
        {"recorded",
         "a list played in order, from a file (one time per line; fio, CSV) or in place",
         R"({ kind = "recorded", values = ["50us", "52us", "48us"], repeat = true })",
         {{"file", "path", "(file or values)"},
          {"values", "list of times", "(file or values)"},
          {"unit", "ns, us, ms or s", "(each value's own)"},
          {"column", "text", "(of a CSV file or fio log)"},
          {"repeat", "true or false (the last value goes on)", "true"}},
         make_recorded_of},
    };
    return kinds;
}

distribution_ptr read_latency(const value& v, scenario& s) {
    if (!v.node->is_table()) {
        if (!v.node->is_string() && !v.node->is_number()) {
            v.refuse_type("a latency: a time like \"50us\", or a table { kind = ... }");
        }
        return make_constant(v.time(sim_time{}, longest_span));
    }
    const latency_kind& kind = kind_of(v);
    check_parameters(v, kind);
    try {
        return kind.make(latency_reader(v, s));
    } catch (const error& e) {
        // Errors of members and files say their own place; a maker's names only the parameter.
        const std::string text = e.what();
        if (e.kind() != error_kind::config || text.rfind(v.source->name + ":", 0) == 0) throw;
        v.refuse(text);
    }
}

void print_latency_formats(std::ostream& out) {
    std::vector<std::vector<std::string>> table{{"file", "what makes it", "keys"}};
    for (const traces::latency_format& f : traces::latency_formats()) {
        table.push_back({f.name, f.command, f.keys});
    }
    print_columns(out, table);
}

void print_latency_sources(std::ostream& out, const scenario& s) {
    for (const latency_source& l : s.latency_sources) {
        out << "  " << l.key << ": " << l.text << "\n";
        for (const std::string& n : l.notes) out << "  note: " << n << "\n";
    }
}

}  // namespace scmi_vp::scenario
