// SPDX-License-Identifier: Apache-2.0
// Names of the VCD writer: scopes and variables in the file itself, and GTKWave's save file and
// filter files (GTKWave 3.3 user's guide; flags: its analyzer.h, trace flags TR_*).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "traces/vcd_writer.h"

namespace scmi_vp::traces {
namespace {

// Right-justified (0x20) and a number format.
constexpr unsigned flags_hexadecimal = 0x22;
constexpr unsigned flags_decimal = 0x24;
constexpr unsigned flags_binary = 0x28;
constexpr unsigned flag_filter_file = 0x2000;
constexpr const char* flags_group_begin = "@800200\n-";
constexpr const char* flags_group_end = "@1000200\n-";

/// GTKWave takes a relative name as seen from where it was started, but moves absolute ones along
/// with the save file: what was beside [savefile] is looked for beside the file that it reads
/// (savefile.c, find_dumpfile() and get_relative_adjusted_name()). So a folder that need not exist
/// stands for the save file's own, and results can be opened from anywhere and copied elsewhere.
constexpr const char* own_folder = "/folder-of-this-save-file/";

std::string beside_save_file(const std::string& name) {
    return !name.empty() && name.front() == '/' ? name : own_folder + name;
}

/// Of the window; without the list of signals, the wave pane is some 1000 pixels wide.
constexpr int window_width = 1300, window_height = 900, names_width = 260;
constexpr double view_pixels = 980;
/// What GTKWave's zoom is about: 2^-zoom time units are so many pixels (its pixelsperframe).
constexpr double frame_pixels = 200;

std::string scope_of(const std::string& path) {
    const std::size_t dot = path.rfind('.');
    return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string last_name(const std::string& path) {
    return path.substr(path.rfind('.') + 1);
}

std::string bit_range(unsigned width) {
    return width == 1 ? "" : "[" + std::to_string(width - 1) + ":0]";
}

bool is_printable(const std::string& text, char lowest) {
    return std::all_of(text.begin(), text.end(), [&](char c) { return c >= lowest && c <= '~'; });
}

unsigned flags_of(wave_radix radix, unsigned width) {
    switch (radix) {
        case wave_radix::bit:
            return flags_binary;
        case wave_radix::decimal:
            return flags_decimal;
        case wave_radix::hexadecimal:
            return width == 1 ? flags_binary : flags_hexadecimal;
        case wave_radix::states:
            break;
    }
    return flag_filter_file | (width == 1 ? flags_binary : flags_hexadecimal);
}

/// As GTKWave displays it: all digits of the width.
std::string hex_digits(std::uint64_t value, unsigned digits) {
    std::string text(digits, '0');
    for (unsigned i = digits; i-- > 0; value >>= 4) text[i] = "0123456789ABCDEF"[value & 15];
    return text;
}

}  // namespace

void vcd_writer::check_path(const std::string& path) const {
    const bool empty_part = path.empty() || path.front() == '.' || path.back() == '.' ||
                            path.find("..") != std::string::npos;
    // A space ends a name, and text at a $ could be taken for a keyword ($end).
    if (empty_part || !is_printable(path, '!') || path.find('$') != std::string::npos) {
        throw error(error_kind::model, name_,
                    "the signal name '" + path +
                        "' has an empty part, a $ or a character that VCD cannot say");
    }
}

void vcd_writer::add_states(const std::string& path, std::uint64_t mask,
                            const state_table& states) {
    const auto refuse = [&](const std::string& why) {
        throw error(error_kind::model, name_, path + ": state table '" + states.name + "' " + why);
    };
    if (states.name.empty() || !is_printable(states.name, '!') ||
        states.name.find('/') != std::string::npos) {
        refuse("needs a name that can be a file's, without spaces");
    }
    if (states.words.empty()) refuse("has no words");
    for (const auto& [value, word] : states.words) {
        if (value > mask) refuse("has the value " + std::to_string(value) + ", too wide for it");
        if (word.empty() || word.front() == ' ' || !is_printable(word, ' ')) {
            refuse("has a word that cannot be shown: '" + word + "'");
        }
    }
    const auto [known, is_new] = states_.emplace(states.name, states);
    if (!is_new && known->second.words != states.words) {
        refuse("was given with other words before; one name, one table");
    }
}

std::vector<vcd_writer::scope> vcd_writer::scopes() const {
    std::vector<scope> all(1);
    std::map<std::string, std::size_t> index{{"", 0}};
    for (wave_id id = 0; id < declarations_.size(); ++id) {
        // Scopes from the inside out until one is known, then made from the outside in.
        std::vector<std::string> missing;
        std::string path = scope_of(declarations_[id].path);
        const std::string own = path;
        for (; index.count(path) == 0; path = scope_of(path)) missing.push_back(path);
        std::size_t parent = index[path];
        for (; !missing.empty(); missing.pop_back()) {
            all[parent].children.push_back(all.size());
            parent = all.size();
            index[missing.back()] = parent;
            all.push_back({missing.back(), {}, {}});
        }
        all[index[own]].signals.push_back(id);
    }
    return all;
}

void vcd_writer::put_scope(std::string& text, const std::vector<scope>& all,
                           std::size_t which) const {
    const scope& here = all[which];
    const bool is_root = here.path.empty();
    if (!is_root) text += "$scope module " + last_name(here.path) + " $end\n";
    for (const wave_id id : here.signals) {
        const declaration& d = declarations_[id];
        const std::string range = bit_range(d.width);
        text += "$var wire " + std::to_string(d.width) + ' ' + code_of(id) + ' ' +
                last_name(d.path) + (range.empty() ? "" : " " + range) + " $end\n";
    }
    for (const std::size_t child : here.children) put_scope(text, all, child);
    if (!is_root) text += "$upscope $end\n";
}

void vcd_writer::save_view(std::ostream& out, sim_time marker) const {
    const sim_time last = finished_ ? end_ : started_ ? now_ : sim_time();
    wave_window view{sim_time(), last};
    for (const wave_window& w : windows_) {
        if (marker >= w.from && marker < w.to) view = {w.from, std::min(w.to, last)};
    }
    const double span = std::max(1.0, static_cast<double>((view.to - view.from).ps));
    char line[64];
    std::snprintf(line, sizeof line, "*%f %lld", -std::log2(span * frame_pixels / view_pixels),
                  static_cast<long long>(marker < sim_time() ? -1 : marker.ps));
    out << "[timestart] " << view.from.ps << '\n'
        << "[size] " << window_width << ' ' << window_height << '\n'
        << line;
    for (int named_marker = 0; named_marker < 26; ++named_marker) out << " -1";
    out << "\n[signals_width] " << names_width << "\n[sst_expanded] 0\n";
}

void vcd_writer::write_save_file(std::ostream& out, const std::string& vcd_file_name,
                                 sim_time marker, const std::string& filter_dir) const {
    out << "[dumpfile] \"" << beside_save_file(vcd_file_name) << "\"\n"
        << "[savefile] \"" << beside_save_file("this.gtkw") << "\"\n";
    save_view(out, marker);
    const std::string dir =
        filter_dir.empty() || filter_dir.back() == '/' ? filter_dir : filter_dir + '/';
    // GTKWave numbers the filters; a repeated number with the same file is the same filter.
    std::map<std::string, std::size_t> numbers;
    for (const auto& [table, states] : states_) numbers.emplace(table, numbers.size() + 1);
    for (const scope& here : scopes()) {
        if (here.signals.empty()) continue;
        if (!here.path.empty()) out << flags_group_begin << here.path << '\n';
        for (const wave_id id : here.signals) {
            const declaration& d = declarations_[id];
            char flags[16];
            std::snprintf(flags, sizeof flags, "@%x\n", flags_of(d.radix, d.width));
            out << flags;
            if (!d.states.empty()) {
                out << '^' << numbers[d.states] << ' '
                    << beside_save_file(dir + d.states + ".filter") << '\n';
            }
            out << d.path << bit_range(d.width) << '\n';
        }
        if (!here.path.empty()) out << flags_group_end << here.path << '\n';
    }
    check_stream(out, "GTKWave save file of " + vcd_file_name);
}

std::map<std::string, std::string> vcd_writer::filters() const {
    // GTKWave compares the displayed text, whose digits depend on the width: one set for each.
    std::map<std::string, std::set<unsigned>> digits_of;
    for (const declaration& d : declarations_) {
        if (!d.states.empty()) digits_of[d.states].insert((d.width + 3) / 4);
    }
    std::map<std::string, std::string> texts;
    for (const auto& [table, states] : states_) {
        std::string& text = texts[table + ".filter"];
        for (const unsigned digits : digits_of[table]) {
            for (const auto& [value, word] : states.words) {
                text += hex_digits(value, digits) + ' ' + word + '\n';
            }
        }
    }
    return texts;
}

}  // namespace scmi_vp::traces
