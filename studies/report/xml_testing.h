// SPDX-License-Identifier: Apache-2.0
// A strict reader for tests: is a text one well-formed XML 1.0 element? Written from the
// specification's grammar (sections 2.4, 3.1), not from the writer.
#pragma once

#include <cctype>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace scmi_vp::studies {

class xml_test_reader {
public:
    explicit xml_test_reader(std::string text) : text_(std::move(text)) {}

    /// Throws std::runtime_error with the offset. Counts elements by name.
    void read() {
        element();
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
        if (at_ != text_.size()) fail("text behind the root element");
    }
    std::size_t count(const std::string& name) const { return names_.count(name); }
    const std::vector<std::string>& texts() const { return texts_; }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error(what + " at " + std::to_string(at_) + ": " +
                                 text_.substr(at_, 60));
    }
    char peek() const {
        if (at_ >= text_.size()) fail("unexpected end");
        return text_[at_];
    }
    void expect(const std::string& what) {
        if (text_.compare(at_, what.size(), what) != 0) fail("expected " + what);
        at_ += what.size();
    }
    std::string name() {
        const std::size_t from = at_;
        const auto fits = [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == ':';
        };
        while (fits(peek())) ++at_;
        if (at_ == from || !std::isalpha(static_cast<unsigned char>(text_[from]))) fail("a name");
        return text_.substr(from, at_ - from);
    }
    void entity() {
        for (const char* known : {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#39;"}) {
            if (text_.compare(at_, std::string(known).size(), known) != 0) continue;
            at_ += std::string(known).size();
            return;
        }
        fail("an entity that XML does not know");
    }
    void character() {
        if (peek() == '&') return entity();
        const auto c = static_cast<unsigned char>(text_[at_]);
        if (c < 0x20 && c != '\n' && c != '\t' && c != '\r') fail("a control character");
        ++at_;
    }
    void attributes() {
        std::set<std::string> seen;
        while (std::isspace(static_cast<unsigned char>(peek()))) {
            ++at_;
            if (peek() == '/' || peek() == '>' || std::isspace(static_cast<unsigned char>(peek())))
                continue;
            const std::string key = name();
            if (!seen.insert(key).second) fail("attribute " + key + " twice");
            expect("=\"");
            while (peek() != '"') {
                if (peek() == '<') fail("< in an attribute");
                character();
            }
            ++at_;
        }
    }
    void element() {
        expect("<");
        const std::string tag = name();
        names_.insert(tag);
        attributes();
        if (peek() == '/') return expect("/>");
        expect(">");
        std::string text;
        while (text_.compare(at_, 2, "</") != 0) {
            if (peek() == '<') {
                element();
                continue;
            }
            const std::size_t from = at_;
            character();
            text += text_.substr(from, at_ - from);
        }
        if (text.find_first_not_of(" \n") != std::string::npos) texts_.push_back(text);
        expect("</" + tag + ">");
    }

    std::string text_;
    std::size_t at_ = 0;
    std::multiset<std::string> names_;
    std::vector<std::string> texts_;
};

}  // namespace scmi_vp::studies
