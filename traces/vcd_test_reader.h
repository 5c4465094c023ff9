// SPDX-License-Identifier: Apache-2.0
// A small VCD reader for tests, written from IEEE 1364-2005 section 18.2 and not from the writer:
// definitions, then time stamps, value changes and $dump* sections. Throws std::runtime_error.
#pragma once

#include <cctype>
#include <cstdint>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace scmi_vp::traces {

struct vcd_contents {
    struct change {
        std::int64_t time;
        std::string value;    ///< "1", "x", "101" without the b
        std::string section;  ///< "$dumpvars", "$dumpoff", "$dumpon", or empty
    };
    struct variable {
        unsigned width = 0;
        std::string range;  ///< "[3:0]" or empty
        std::vector<change> changes;

        /// Plain changes, without those of the sections.
        std::size_t edges() const {
            std::size_t n = 0;
            for (const change& c : changes) n += c.section.empty() ? 1U : 0U;
            return n;
        }
    };
    std::string timescale;
    std::map<std::string, variable> variables;  ///< by full path
    std::vector<std::int64_t> stamps;
    std::vector<std::string> sections;  ///< "$dumpvars@0", in order
};

class vcd_test_reader {
public:
    explicit vcd_test_reader(const std::string& text) : in_(text) {}

    vcd_contents read() {
        while (next() != "$enddefinitions") read_definition();
        expect_end();
        while (in_ >> token_) read_simulation_command();
        return contents_;
    }

private:
    const std::string& next() {
        if (!(in_ >> token_)) throw std::runtime_error("unexpected end of the file");
        return token_;
    }
    void expect_end() {
        if (next() != "$end") throw std::runtime_error("expected $end, found " + token_);
    }
    std::string text_until_end() {
        std::string text;
        while (next() != "$end") text += (text.empty() ? "" : " ") + token_;
        return text;
    }

    void read_definition() {
        if (token_ == "$timescale") {
            contents_.timescale = text_until_end();
        } else if (token_ == "$scope") {
            if (next() != "module") throw std::runtime_error("scope type " + token_);
            scopes_.push_back(next());
            expect_end();
        } else if (token_ == "$upscope") {
            if (scopes_.empty()) throw std::runtime_error("$upscope without $scope");
            scopes_.pop_back();
            expect_end();
        } else if (token_ == "$var") {
            read_variable();
        } else if (token_ == "$version" || token_ == "$date" || token_ == "$comment") {
            text_until_end();
        } else {
            throw std::runtime_error("unknown keyword " + token_);
        }
    }

    void read_variable() {
        if (next() != "wire") throw std::runtime_error("variable type " + token_);
        vcd_contents::variable v;
        v.width = static_cast<unsigned>(std::stoul(next()));
        const std::string code = next();
        for (const char c : code) {
            if (c < '!' || c > '~') throw std::runtime_error("identifier code not printable");
        }
        std::string path;
        for (const std::string& scope : scopes_) path += scope + ".";
        path += next();
        if (next() != "$end") {
            v.range = token_;
            expect_end();
        }
        if (!paths_.emplace(code, path).second) throw std::runtime_error("code used twice");
        contents_.variables.emplace(path, v);
    }

    void read_simulation_command() {
        if (token_.front() == '#') {
            const std::int64_t time = std::stoll(token_.substr(1));
            if (time <= time_) throw std::runtime_error("time goes back at " + token_);
            contents_.stamps.push_back(time_ = time);
        } else if (token_ == "$dumpvars" || token_ == "$dumpoff" || token_ == "$dumpon") {
            section_ = token_;
            contents_.sections.push_back(section_ + "@" + std::to_string(time_));
        } else if (token_ == "$end") {
            if (section_.empty()) throw std::runtime_error("$end without a section");
            section_.clear();
        } else if (token_.front() == 'b') {
            const std::string value = token_.substr(1);
            add_change(next(), value, true);
        } else {
            add_change(token_.substr(1), token_.substr(0, 1), false);
        }
    }

    void add_change(const std::string& code, const std::string& value, bool is_vector) {
        if (value.empty() || value.find_first_not_of("01x") != std::string::npos) {
            throw std::runtime_error("value '" + value + "'");
        }
        if (time_ < 0) throw std::runtime_error("a value before the first time stamp");
        vcd_contents::variable& v = contents_.variables.at(paths_.at(code));
        if (is_vector != (v.width > 1) || value.size() > v.width) {
            throw std::runtime_error("value " + value + " for a width of " +
                                     std::to_string(v.width));
        }
        v.changes.push_back({time_, value, section_});
    }

    std::istringstream in_;
    std::string token_;
    vcd_contents contents_;
    std::vector<std::string> scopes_;
    std::map<std::string, std::string> paths_;
    std::int64_t time_ = -1;
    std::string section_;
};

}  // namespace scmi_vp::traces
