// SPDX-License-Identifier: Apache-2.0
// The scmi-vp program: a table of subcommands, and errors as messages and exit statuses.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "app/exit_status.h"

namespace scmi_vp::app {

using arguments = std::vector<std::string>;

struct command {
    std::string_view name;
    std::string_view summary;
    /// `args` are those behind the subcommand. Throws scmi_vp::error.
    exit_status (*run)(const arguments& args, std::ostream& out);
};

/// One function per subcommand, each in its own file.
exit_status run_command(const arguments& args, std::ostream& out);
exit_status study_command(const arguments& args, std::ostream& out);
exit_status explain_command(const arguments& args, std::ostream& out);
exit_status report_command(const arguments& args, std::ostream& out);
exit_status linux_command(const arguments& args, std::ostream& out);
exit_status validate_command(const arguments& args, std::ostream& out);
exit_status serve_command(const arguments& args, std::ostream& out);
exit_status connect_command(const arguments& args, std::ostream& out);
exit_status list_command(const arguments& args, std::ostream& out);
exit_status init_command(const arguments& args, std::ostream& out);

const std::vector<command>& commands();

/// Runs `scmi-vp args...`: results go to `out`, the one error message to `err`.
exit_status run_program(const arguments& args, std::string_view version, std::ostream& out,
                        std::ostream& err);

/// Ends this process as that signal would have ended it, so that shells and scripts know.
[[noreturn]] void end_by_signal(int signal);

}  // namespace scmi_vp::app
