// SPDX-License-Identifier: Apache-2.0
// The kinds of latency, one row each; the rest is derived from the rows.
#include "testbenches/latency_value.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/error.h"
#include "testbenches/scenario.h"
#include "testbenches/suggest.h"
#include "traces/histogram_file.h"

namespace scmi_vp::testbenches {

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

    std::ifstream open(const char* name, std::string& file) const {
        const value v = at(name);
        const std::filesystem::path path = v.path();
        std::ifstream in(path);
        if (!in || std::filesystem::is_directory(path)) {
            const int reason = in ? EISDIR : errno;
            throw error(error_kind::input, v.where(),
                        v.key + ": cannot read " + path.string() + " (" + std::strerror(reason) +
                            "); paths are relative to the file that names them");
        }
        scenario_.inputs.push_back(path);
        file = path.string();
        return in;
    }

    distribution_ptr histogram(const std::string& file, const scmi_vp::histogram& pooled,
                               histogram_overflow overflow) const {
        scenario_.histograms.push_back({file, pooled, overflow});
        return make_histogram(pooled, overflow);
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

distribution_ptr make_histogram_of(const latency_reader& r) {
    const std::vector<std::string> words{"drop", "at_max", "uniform"};
    histogram_overflow overflow = histogram_overflow::at_max;
    if (r.has("overflow")) {
        const std::string word = r.at("overflow").choice(words);
        if (word == "drop") overflow = histogram_overflow::drop;
        if (word == "uniform") overflow = histogram_overflow::uniform;
    }
    std::string file;
    std::ifstream in = r.open("file", file);
    return r.histogram(file, traces::read_cyclictest(in, file).pooled, overflow);
}

distribution_ptr make_recorded_of(const latency_reader& r) {
    if (r.has("file") == r.has("values")) r.table().refuse("give either file or values");
    const bool repeat = !r.has("repeat") || r.at("repeat").boolean();
    std::vector<sim_time> values;
    if (r.has("file")) {
        std::string file;
        std::ifstream in = r.open("file", file);
        values = traces::read_time_list(in, file);
    } else {
        for (const value& v : r.at("values").elements("a list of times")) {
            values.push_back(v.time(sim_time{}, longest_span));
        }
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
         "what cyclictest -h printed, all its columns added up",
         R"({ kind = "histogram", file = "cyclictest.txt", overflow = "at_max" })",
         {{"file", "path", required}, {"overflow", "drop, at_max or uniform", "\"at_max\""}},
         make_histogram_of},
        {"recorded",
         "a list played in order, from a file (one time per line) or in place",
         R"({ kind = "recorded", values = ["50us", "52us", "48us"], repeat = true })",
         {{"file", "path", "(file or values)"},
          {"values", "list of times", "(file or values)"},
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

}  // namespace scmi_vp::testbenches
