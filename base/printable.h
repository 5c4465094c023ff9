// SPDX-License-Identifier: Apache-2.0
// What somebody gave us, quoted in a message: on one line, and without power over the terminal.
#pragma once

#include <string>

namespace scmi_vp {

/// Control characters become "\n" or "\x1b"; the rest stays, UTF-8 included.
inline std::string printable(const std::string& text) {
    constexpr const char* digits = "0123456789abcdef";
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            shown += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            shown += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
        } else {
            shown += c;
        }
    }
    return shown;
}

/// An option `--set KEY=VALUE` as messages name it; of a very long one the beginning.
inline std::string set_option_name(const std::string& option) {
    std::size_t most = 200;
    while (option.size() > most && (option[most] & 0xc0) == 0x80) --most;  // inside a character
    std::string shown = "--set " + printable(option.substr(0, most));
    if (option.size() > most) shown += "... (" + std::to_string(option.size()) + " bytes)";
    return shown;
}

}  // namespace scmi_vp
