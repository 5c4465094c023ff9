// SPDX-License-Identifier: Apache-2.0
// Who reads what is printed: how wide their terminal is, and how they start this program, so that
// tables fit and commands can be pasted. main() finds it out; nothing in a file depends on it.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace scmi_vp {

struct console_info {
    /// Of the terminal; 0: no terminal, so every row stays on its line, for grep and diff.
    std::size_t columns = 0;
    /// What starts this program where its reader is: "./run", "build/release/scmi-vp"; quoted.
    std::string command = "scmi-vp";
    std::vector<std::string> subcommands;  ///< what may follow it in a hint: "run", "study", ...
};

/// The one of this process.
console_info& console();

/// For a program that was started as `argv0`, or by a script that says in the environment variable
/// SCMI_VP_COMMAND how it was started itself. A name with a slash works from this folder; without
/// one it was found in PATH.
std::string command_of(const char* argv0);

/// The terminal behind standard output, or COLUMNS where that is set; else 0.
std::size_t columns_of_output();

/// The same text with each "scmi-vp SUBCOMMAND" as its reader would start it.
std::string as_started(std::string_view text);

/// At most `most` columns, fewer on a narrow terminal.
std::size_t text_columns(std::size_t most);

/// Words on lines of at most so many columns; a longer word has a line of its own. At least one.
std::vector<std::string> wrapped(const std::string& text, std::size_t columns);

/// `first` and the text behind it, in text_columns(most) columns; further lines begin below it.
void print_wrapped(std::ostream& out, const std::string& first, const std::string& text,
                   std::size_t most);

/// One argument, quoted for a POSIX shell where it needs to be.
std::string shell_quoted(const std::string& argument);

/// Whether the shell would find this program.
bool is_in_path(const std::string& program);

}  // namespace scmi_vp
