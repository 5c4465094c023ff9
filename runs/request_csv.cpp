// SPDX-License-Identifier: Apache-2.0
// See request_csv.h. The columns: docs/results.md.
#include "runs/request_csv.h"

#include "base/row_writer.h"

namespace scmi_vp::runs {

using models::instant;
using models::request;

std::vector<std::string> task_names(const models::guest_config& g) {
    std::vector<std::string> names;
    for (const models::context_config& c : models::all_contexts(g)) {
        names.push_back(c.name + "-" + std::to_string(c.pid));
    }
    return names;
}

void write_request_heading(std::ostream& out) {
    out << "id,task,protocol,message,name,resource,seq,transfer_id,entered_ps,outcome,scmi_status,"
           "linux_errno,intended_ps,called_ps,round_trip_ps";
    for (const hop_info& h : hop_table) out << "," << h.name << "_ps";
    out << ",stuck_in,lost,late_at_ps,delayed_ready_ps,delayed_used_ps,delayed_irq_ps,"
           "delayed_matched_ps";
    for (std::size_t i = hop_count; i < span_count; ++i) out << ',' << span_table[i].name << "_ps";
    out << ",limit,delayed_lost,delayed_late_at_ps";
}

void write_request_row(std::ostream& out, const request& r, const std::string& task) {
    row_writer o(out);
    o << r.id << ',' << std::string_view(task) << ',' << unsigned(r.hdr.protocol_id) << ','
      << unsigned(r.hdr.message_id) << ','
      << scmi::message_name(r.hdr.protocol_id, r.hdr.message_id) << ',';
    if (r.resource >= 0) o << r.resource;
    o << ',' << r.hdr.token << ',' << r.transfer_id << ',' << r.at[std::size_t(instant::entered)].ps
      << ',' << name_of(r.result) << ',' << r.scmi_status << ',' << r.linux_errno << ','
      << r.intended.ps << ',' << r.called.ps << ',' << r.round_trip().ps;
    const auto hops = r.hops();
    for (std::size_t i = 0; i < hop_count; ++i) o << ',' << hops[i].ps;
    o << ',';
    if (r.gave_up() != models::limit::none || r.result == models::outcome::unfinished) {
        o << name_of(r.stuck_in());
    }
    o << ',' << (r.lost ? 1 : 0);
    for (const sim_time t :
         {r.late_at, r.delayed_ready, r.delayed_used, r.delayed_irq, r.delayed_matched}) {
        o << ',';
        if (t != sim_time{}) o << t.ps;
    }
    for (std::size_t i = hop_count; i < span_count; ++i) o << ',' << hops[i].ps;
    o << ',' << name_of(r.gave_up()) << ',' << (r.delayed_lost ? 1 : 0) << ',';
    if (r.delayed_late_at != sim_time{}) o << r.delayed_late_at.ps;
}

}  // namespace scmi_vp::runs
