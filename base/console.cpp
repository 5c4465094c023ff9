// SPDX-License-Identifier: Apache-2.0
// See console.h.
#include "base/console.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <sstream>

#include <sys/ioctl.h>
#include <unistd.h>

namespace scmi_vp {
namespace {

constexpr std::string_view own_name = "scmi-vp";
/// Narrower than this nothing can be laid out.
constexpr std::size_t least_columns = 40;

bool is_word_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

/// The word that starts there: "run", "--help", "COMMAND".
std::string_view word_at(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && is_word_character(text[end])) ++end;
    return text.substr(at, end - at);
}

bool starts_command(std::string_view text, std::size_t at) {
    // "build/scmi-vp run" is somebody's own command already.
    if (at > 0 && (is_word_character(text[at - 1]) || text[at - 1] == '/')) return false;
    const std::size_t next = at + own_name.size();
    if (next >= text.size() || text[next] != ' ') return false;
    const std::string_view word = word_at(text, next + 1);
    const std::vector<std::string>& known = console().subcommands;
    return word == "--help" || word == "COMMAND" ||
           std::find(known.begin(), known.end(), word) != known.end();
}

}  // namespace

console_info& console() {
    static console_info info;
    return info;
}

std::string command_of(const char* argv0) {
    const char* const script = std::getenv("SCMI_VP_COMMAND");
    if (script && *script) return shell_quoted(script);
    const std::string name = argv0 ? argv0 : "";
    return name.find('/') == std::string::npos ? std::string(own_name) : shell_quoted(name);
}

std::size_t columns_of_output() {
    std::size_t columns = 0;
    const char* const set = std::getenv("COLUMNS");
    if (set && *set) columns = std::strtoul(set, nullptr, 10);
    winsize w{};
    if (columns == 0 && ::isatty(STDOUT_FILENO) == 1 &&
        ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0) {
        columns = w.ws_col;
    }
    return columns == 0 ? 0 : std::max(columns, least_columns);
}

std::string as_started(std::string_view text) {
    std::string out;
    std::size_t from = 0;
    for (std::size_t at = text.find(own_name); at != std::string_view::npos;
         at = text.find(own_name, at + own_name.size())) {
        if (!starts_command(text, at)) continue;
        out.append(text, from, at - from).append(console().command);
        from = at + own_name.size();
    }
    return out.append(text, from, std::string_view::npos);
}

std::size_t text_columns(std::size_t most) {
    return console().columns == 0 ? most : std::min(most, console().columns);
}

std::vector<std::string> wrapped(const std::string& text, std::size_t columns) {
    std::vector<std::string> lines(1);
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        std::string& line = lines.back();
        if (line.empty()) {
            line = word;
        } else if (line.size() + 1 + word.size() <= columns) {
            line += " " + word;
        } else {
            lines.push_back(word);
        }
    }
    return lines;
}

void print_wrapped(std::ostream& out, const std::string& first, const std::string& text,
                   std::size_t most) {
    const std::size_t columns = text_columns(most);
    std::string before = first;
    for (const std::string& line : wrapped(text, columns - std::min(columns, first.size()))) {
        out << before << line << "\n";
        before = std::string(first.size(), ' ');
    }
}

std::string shell_quoted(const std::string& argument) {
    const char* const plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
    if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos)
        return argument;
    std::string quoted = "'";
    for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

bool is_in_path(const std::string& program) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (::access(((folder.empty() ? "." : folder) + "/" + program).c_str(), X_OK) == 0) {
            return true;
        }
    }
    return false;
}

}  // namespace scmi_vp
