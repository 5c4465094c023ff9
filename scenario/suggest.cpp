// SPDX-License-Identifier: Apache-2.0
// Edit distances and the sentences made of them.
#include "scenario/suggest.h"

#include <algorithm>
#include <cctype>

namespace scmi_vp::scenario {
namespace {

bool same_letter(char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
}

}  // namespace

// Optimal string alignment: Damerau-Levenshtein in which no part is edited twice.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = last[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
            row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                                 same_letter(a[i - 2], b[j - 1]);
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
    for (const std::string& c : candidates) {
        // A name of two letters is two edits away from every other one: at most half may differ.
        const std::size_t distance = edit_distance(name, c);
        if (distance < best_distance && distance * 2 <= std::max(name.size(), c.size())) {
            best = c;
            best_distance = distance;
        }
    }
    return best;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates) {
    const auto best = nearest(name, candidates);
    return best ? ", did you mean " + *best + "?" : ": one of " + joined(candidates);
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
    return text;
}

}  // namespace scmi_vp::scenario
