// SPDX-License-Identifier: Apache-2.0
// See run.h.
#include "runs/linux/run.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include <poll.h>

#include "base/error.h"
#include "base/input_file.h"
#include "models/peers/shared_platform.h"
#include "models/peers/turns.h"
#include "models/peers/vhost_user_peer.h"
#include "runs/fault_report.h"
#include "runs/fingerprint.h"
#include "runs/linux/board_tree.h"
#include "runs/linux/device_tree.h"
#include "runs/linux/failure.h"
#include "runs/linux/process.h"
#include "runs/linux/results.h"
#include "runs/linux/workload.h"
#include "runs/output_directory.h"
#include "runs/stop_signals.h"
#include "traces/ring_buffer.h"

namespace scmi_vp::runs {
namespace {

namespace fs = std::filesystem;
namespace vhost_user = virtio::vhost_user;

// How long a started guest may take to open its clock's socket, and to end after its power-off.
constexpr int start_s = 60, end_s = 20;
// After sim.duration the guest collects its results; more than that and it is stuck.
constexpr sim_time grace = seconds(1);

linux_boot boot_of(const scenario::scenario& s, const linux_options& o, std::uint64_t calls) {
    linux_boot b;
    b.kernel = o.kernel.empty() ? default_kernel() : o.kernel;
    b.initramfs = b.kernel.parent_path() / "initramfs.cpio";
    for (const fs::path& p : {b.kernel, b.initramfs}) {
        std::error_code ignored;
        if (!fs::is_regular_file(p, ignored)) {
            throw error(error_kind::usage, p.string(),
                        "is not there; tools/build-linux makes it (four minutes, once)");
        }
    }
    b.trace = s.system.guest.ftrace;
    // Six to eight events of at most 200 bytes per call; the default holds the probe and 1 500
    // calls.
    constexpr std::uint64_t bytes_per_call = 8 * 200, most_kb = 512 * 1024, few = 1500;
    if (b.trace && (calls == 0 || calls > few)) {
        const std::uint64_t kb = calls == 0 ? 64 * 1024 : calls * bytes_per_call / 1024;
        b.trace_buffer_kb = unsigned(std::min(kb, most_kb));
        b.memory_mb += b.trace_buffer_kb / 1024 * 5 / 4;
    }
    return b;
}

/// The scenario's own blob, which may hold more than the SCMI node.
/// Else one made from what we know.
board_tree device_tree_of(const scenario::scenario& s) {
    const fs::path& file = s.tree.file;
    if (file.empty()) return {make_device_tree(s.system.guest.device_tree), {}};
    return without_the_board(read_input(file, inputs::device_tree), file.string());
}

std::string note_about(const board_tree& tree) {
    std::string what;
    for (const std::string& n : tree.left_out) what += (what.empty() ? "" : ", ") + n;
    return "left out of the guest's device tree, since User-Mode Linux has no such thing: " + what;
}

vhost_user::session_config session_of(const models::device_hw_config& d) {
    vhost_user::session_config c;
    c.features = virtio::feature::version_1;
    if (d.p2a_channels) c.features |= virtio::feature::scmi_p2a_channels;
    if (d.event_idx) c.features |= virtio::feature::event_idx;
    if (d.indirect_desc) c.features |= virtio::feature::indirect_desc;
    c.protocol_features = vhost_user::offer_for_uml_time_travel;
    return c;
}

/// One guest from its start to its results.
class linux_session {
public:
    linux_session(const scenario::scenario& s, const linux_options& options)
        : scenario_(s),
          options_(options),
          workload_(make_linux_workload(s, options.log_calls)),
          boot_(boot_of(s, options, workload_.calls)),
          platform_("top", s.system, 1),
          inputs_(inputs_of(s)) {
        if (!options.out.empty()) out_ = std::make_unique<output_directory>(options.out);
        folder_.write("workload", workload_.script);
        const board_tree tree = device_tree_of(s);
        if (!tree.left_out.empty()) workload_.notes.push_back(note_about(tree));
        folder_.write("scmi.dtb", tree.blob);
    }

    linux_outcome run(std::ostream& report) {
        const auto begun = std::chrono::steady_clock::now();
        try {
            simulate();
        } catch (const error& e) {
            if (e.kind() == error_kind::usage) throw;
            throw error(e.kind(), std::string(e.what()) + ending());
        }
        host_s_ = seconds_since(begun);
        collect();
        write_files();
        print(report);
        if (stopped_by_ != 0) throw stopped(stopped_by_, outcome_.failure + kept());
        return outcome_;
    }

private:
    static double seconds_since(std::chrono::steady_clock::time_point t) {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
    }
    std::string in_folder(const char* name) const { return (folder_.path() / name).string(); }

    void simulate() {
        const one_cpu together;
        const stop_flag orderly;  // the guest is killed, its folder goes
        virtio::unix_listener clock(in_folder("clock.sock"));
        models::vhost_user_peer peer(virtio::unix_listener(in_folder("device.sock")),
                                     session_of(scenario_.system.device), platform_.device(0),
                                     platform_.view(0));
        process_ = std::make_unique<linux_process>(boot_, folder_);
        std::optional<virtio::unix_stream> calendar = accept(clock, orderly);
        if (!calendar) return;
        models::turns turns(std::move(*calendar), peer);
        turns.patience_s = options_.patience_s;
        turns.stop = orderly.asked();
        take_turns(turns, orderly);
        if (stopped_by_ == 0 && !turns.clock().started() &&
            !find_panic(folder_.read("console.txt"))) {
            explain_silence();
            throw error(error_kind::input, boot_.kernel.string(),
                        "has not started its clock: is it a User-Mode Linux with time travel?");
        }
        turns_ = turns.clock().turns();
        calls_ = peer.calls();
        complaint_ = peer.complaint();
        ring_fault_ = peer.ring_fault();
        outcome_.first_command = peer.first_command();
        outcome_.ended = now();
        // While the guest's memory is still mapped.
        if (boot_.trace && folder_.read("trace").empty()) recover_trace(peer.memory());
    }

    /// What a guest does that has booted is a result, whatever it breaks.
    void take_turns(models::turns& turns, const stop_flag& orderly) {
        try {
            ending_ = turns.run(scenario_.system.duration + grace);
        } catch (const error& e) {
            if (asked_to_stop(orderly)) return;
            if (e.kind() != error_kind::input || !turns.clock().started()) throw;
            static const std::string prefix = "the guest: ";
            broken_ = e.what();
            if (broken_.rfind(prefix, 0) == 0) broken_.erase(0, prefix.size());
        }
    }

    /// Then what has happened until now is the result.
    bool asked_to_stop(const stop_flag& orderly) {
        stopped_by_ = *orderly.asked();
        return stopped_by_ != 0;
    }
    std::string kept() const {
        return options_.out.empty() ? ""
                                    : "; what there was until then is in " + options_.out.string();
    }
    /// A guest that never came to its clock: often there is a reason that it does not tell.
    void explain_silence() const {
        if (const auto why = shared_memory_trouble(boot_.memory_mb))
            throw error(error_kind::output, boot_.kernel.string(), "cannot boot: " + *why);
        if (const auto why = folder_.full())
            throw error(error_kind::output, boot_.kernel.string(), "cannot boot: " + *why);
    }

    /// Nothing when its kernel has panicked before it came there, or there is no time left.
    std::optional<virtio::unix_stream> accept(virtio::unix_listener& listener,
                                              const stop_flag& orderly) {
        for (int i = 0; i < start_s * 10; ++i) {
            if (auto connection = listener.accept()) return connection;
            if (!process_->running()) break;
            if (asked_to_stop(orderly)) return std::nullopt;
            pollfd p{listener.fd(), POLLIN, 0};
            ::poll(&p, 1, 100);
        }
        if (find_panic(folder_.read("console.txt"))) return std::nullopt;
        explain_silence();
        throw error(error_kind::input, boot_.kernel.string(),
                    "has not connected to its clock: is it a User-Mode Linux with time travel?");
    }

    /// How the guest ended, and the last it said.
    std::string ending() {
        const std::string how = process_ ? process_->finish(0) : "not started";
        const std::string said = last_words(folder_.read("console.txt"), 12);
        return "\nthe guest: " + how +
               (said.empty() ? "" : "; the last lines of its console:\n" + said);
    }

    void recover_trace(const vhost_user::memory_table& memory) {
        virtio::guest_memory view;
        memory.install(view);
        traces::ring_buffer_reader reader;
        for (const virtio::guest_memory::region& r : view.regions())
            reader.look_through(r.data, r.size);
        recovered_ = reader.finish();
        recovered_format_ = reader.format();
        for (traces::ftrace_event& e : recovered_) {
            for (const models::context_config& c : scenario_.system.guest.contexts)
                if (c.pid > 0 && c.pid == e.pid) e.task = c.name;
        }
    }

    void collect() {
        // Who has gone may still be busy ending; others will not end.
        const bool may_end = ending_ == models::turns::ending::gone && stopped_by_ == 0;
        const std::string how = process_->finish(may_end && broken_.empty() ? end_s : 0);
        const std::string result = folder_.read("player.result"), log = folder_.read("dmesg");
        trace_ = folder_.read("trace");
        const std::optional<player_result> told = results_in(result);
        // Cut off where the disk was full, they look like less of the same: by their sizes.
        if (told) cut_ = what_is_cut(log, told->files->log, "kernel's messages");
        if (told && boot_.trace && cut_.empty()) {
            cut_ = what_is_cut(trace_, told->files->trace, "trace");
        }
        const bool whole = told && cut_.empty();
        outcome_.failure = failure(whole, how);
        outcome_.served = platform_.served();
        outcome_.kinds = workload_.kinds;
        if (whole) {
            outcome_.guest = *told;
            if (boot_.trace) lost_ = lost_trace_entries(trace_, "the guest's trace");
        }
        outcome_.status = status();
        messages_ = scmi_messages(whole ? log : kernel_log_on(folder_.read("console.txt")));
    }

    static std::string what_is_cut(const std::string& text, std::uint64_t bytes, const char* name) {
        if (text.size() == bytes) return "";
        return "only " + std::to_string(text.size()) + " of the " + std::to_string(bytes) +
               " bytes of its " + name + " have come";
    }
    /// Nothing when they are cut off.
    static std::optional<player_result> results_in(const std::string& text) {
        try {
            player_result r = read_player_result(text);
            if (r.files) return r;
        } catch (const error&) {
            // A line that was cut.
        }
        return std::nullopt;
    }

    run_status status() const {
        if (!outcome_.failure.empty()) return run_status::guest_failed;
        if (!ring_fault_.empty()) return run_status::violations;
        if (!outcome_.guest.played) return run_status::no_probe;
        return outcome_.guest.finished ? run_status::ok : run_status::unfinished;
    }

    /// Empty if it did what it should. `whole`: it handed back all of its results; `how` it ended.
    std::string failure(bool whole, const std::string& how) const {
        if (stopped_by_ != 0)
            return std::string("interrupted (SIG") + sigabbrev_np(stopped_by_) + ")";
        if (const auto panic = find_panic(console())) return panic->text();
        if (const std::string said = folder_.read("player.error"); !said.empty())
            return "its program gave up: " + said + because();
        if (!broken_.empty()) return broken_ + because();
        if (whole) return "";
        if (!cut_.empty()) return cut_ + because();
        if (const auto why = folder_.full()) return "its results are not whole: " + *why;
        switch (ending_) {
            case models::turns::ending::deadline:
                return "it has not ended by sim.duration and a second";
            case models::turns::ending::asleep:
                return "it sleeps for ever: neither it nor the platform has anything left to do";
            case models::turns::ending::gone:
                break;
        }
        return "it ended without results (" + how + ")" + because();
    }
    /// What the host lacks, when that may be why.
    std::string because() const {
        std::optional<std::string> why = folder_.full();
        if (!why) why = shared_memory_trouble(boot_.memory_mb);
        return why ? "; " + *why : "";
    }

    void write_files() {
        if (!out_) return;
        if (boot_.trace && scenario_.output.ftrace) write_trace();
        if (scenario_.output.dmesg) out_->open("dmesg.txt") << messages_;
        out_->open("console.txt") << console();
        if (scenario_.output.summary) write_summary();
    }

    void write_trace() {
        if (!trace_.empty()) {
            out_->open("scmi.ftrace") << trace_;
        } else if (!recovered_.empty()) {
            traces::ftrace_writer writer(out_->open("scmi.ftrace"), "scmi.ftrace",
                                         recovered_format_, 1);
            for (const traces::ftrace_event& e : recovered_) writer.add(e);
            writer.finish();
        }
    }

    /// With the name that the guest's folder has in this run only taken out.
    std::string console() const {
        std::string text = folder_.read("console.txt");
        const std::string name = folder_.path().string();
        for (std::size_t at; (at = text.find(name)) != std::string::npos;)
            text.erase(at, name.size());
        return text;
    }

    // No host time in it: two runs give the same files.
    void write_summary() {
        nlohmann::ordered_json j;
        j["format"] = summary_format;
        j["command"] = "linux";
        j["title"] = scenario_.title;
        j["scenario"] = scenario_.file.string();
        j["set"] = scenario::lasting_overrides(scenario_.overrides);
        j["seed"] = scenario_.system.seed;
        j["simulated_ps"] = outcome_.ended.ps;
        j["finished"] = outcome_.guest.finished;
        if (!outcome_.failure.empty()) j["failure"] = outcome_.failure;
        j["served"] = outcome_.served;
        j["malformed"] = platform_.malformed();
        j["interrupts"] = calls_;
        add_faults(j, platform_.device(0));
        j["workload_ps"] = outcome_.guest.span().ps;
        for (const player_result::task& t : outcome_.guest.tasks) {
            j["tasks"].push_back({{"name", t.name},
                                  {"calls", t.calls},
                                  {"errors", t.errors},
                                  {"last_errno", t.last_errno}});
        }
        add_fingerprint(j, inputs_);
        const auto replace = nlohmann::json::error_handler_t::replace;
        out_->write("summary.json", j.dump(2, ' ', false, replace) + "\n");
    }

    void print(std::ostream& report) {
        report << scenario_.title << ": seed " << scenario_.system.seed << ", "
               << boot_.kernel.string() << ", simulated " << to_string(outcome_.ended) << "\n";
        for (const std::string& n : workload_.notes) report << "note: " << n << "\n";
        report << "\nKernel messages:\n";
        std::istringstream lines(messages_);
        for (std::string line; std::getline(lines, line);) report << "  " << line << "\n";
        report << "\n" << outcome_.served << " commands answered, " << calls_ << " interrupts\n";
        if (outcome_.failure.empty() || !outcome_.guest.tasks.empty()) print_tasks(report);
        report << std::fixed << std::setprecision(2) << "host time " << host_s_ << " s, " << turns_
               << " turns of the guest, " << std::setprecision(0)
               << double(outcome_.served) / host_s_ << " commands per second of host time\n"
               << std::defaultfloat;
        print_faults(report, platform_.device(0));
        if (lost_) {
            report << "\nThe kernel's trace buffer has lost " << lost_ << " events: scmi.ftrace "
                   << "shows the last ones only.\n";
        }
        if (!complaint_.empty()) report << "\nvhost-user: " << complaint_ << "\n";
        if (!ring_fault_.empty())
            report << "\nThe guest's ring is malformed: " << ring_fault_ << "\n";
        if (!outcome_.failure.empty()) {
            print_failure(report);
        } else if (outcome_.status == run_status::no_probe) {
            report << "\nThe workload did not run: the driver was not probed.\n";
        } else if (const std::string missing = folder_.read("player.missing"); !missing.empty()) {
            report << "\nThe guest does not have these, so calls of them failed:\n" << missing;
        }
        if (!out_) return;
        report << "\nWritten to " << options_.out.string() << ":\n";
        for (const output_file& f : out_->finish()) {
            report << "  " << f.name << "  " << f.bytes << " bytes\n";
        }
    }

    void print_failure(std::ostream& report) const {
        if (stopped_by_ != 0) return;  // the guest has done nothing wrong
        report << "\nTHE GUEST FAILED: " << outcome_.failure << "\n";
        if (const std::string said = last_words(console(), 40); !said.empty())
            report << "The last lines of its console:\n" << said << "\n";
        if (trace_.empty() && !recovered_.empty()) {
            report << "The kernel could not hand over its trace: " << recovered_.size()
                   << " events were read out of its memory, which has no names for the tasks\n"
                   << "of others than the workload (\"<...>\").\n";
        }
    }

    void print_tasks(std::ostream& report) const {
        for (const player_result::task& t : outcome_.guest.tasks) {
            report << "  " << t.name << ": " << t.calls << " calls, " << t.errors << " failed";
            if (t.errors) report << " (last: " << std::strerror(t.last_errno) << ")";
            report << "\n";
        }
        report << "workload: " << to_string(outcome_.guest.span()) << " of guest time\n";
    }

    const scenario::scenario& scenario_;
    const linux_options& options_;
    private_folder folder_;
    linux_workload workload_;
    linux_boot boot_;
    models::shared_platform platform_;
    std::vector<input_digest> inputs_;  ///< as they were before the run
    std::unique_ptr<output_directory> out_;
    std::unique_ptr<linux_process> process_;
    models::turns::ending ending_ = models::turns::ending::gone;
    linux_outcome outcome_;
    std::uint64_t turns_ = 0, calls_ = 0, lost_ = 0;
    int stopped_by_ = 0;
    double host_s_ = 0;
    std::string complaint_, ring_fault_, broken_, cut_, messages_, trace_;
    std::vector<traces::ftrace_event> recovered_;
    traces::ftrace_format recovered_format_ = traces::ftrace_format::linux_6_1;
};

}  // namespace

fs::path default_kernel() {
    // The program lies in build/<preset>/, the kernel in build/linux/.
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    const fs::path beside = program.parent_path().parent_path() / "linux" / "linux";
    return fs::exists(beside, ignored) ? beside : fs::path("build") / "linux" / "linux";
}

linux_outcome run_linux(const scenario::scenario& s, const linux_options& options,
                        std::ostream& report) {
    linux_session session(s, options);
    return session.run(report);
}

}  // namespace scmi_vp::runs
