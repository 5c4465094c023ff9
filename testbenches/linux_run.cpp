// SPDX-License-Identifier: Apache-2.0
// See linux_run.h.
#include "testbenches/linux_run.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include <poll.h>

#include "base/error.h"
#include "models/peers/shared_platform.h"
#include "models/peers/turns.h"
#include "models/peers/vhost_user_peer.h"
#include "testbenches/fault_report.h"
#include "testbenches/linux_device_tree.h"
#include "testbenches/linux_process.h"
#include "testbenches/linux_results.h"
#include "testbenches/linux_workload.h"
#include "testbenches/output_directory.h"
#include "testbenches/stop_signals.h"

namespace scmi_vp::testbenches {
namespace {

namespace fs = std::filesystem;
namespace vhost_user = virtio::vhost_user;

// How long a started guest may take to open its clock's socket, and to end after its power-off.
constexpr int start_s = 60, end_s = 20;
// After sim.duration the guest collects its results; more than that and it is stuck.
constexpr sim_time grace = seconds(1);

linux_boot boot_of(const scenario& s, const linux_options& o, std::uint64_t calls) {
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

/// The scenario's own blob, which may hold more than the SCMI node; else one made from what we
/// know.
std::string device_tree_of(const scenario& s) {
    for (const fs::path& p : s.inputs) {
        if (p.extension() != ".dtb") continue;
        std::ifstream in(p, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    return make_device_tree(s.system.guest.device_tree);
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

std::string last_lines(const std::string& text, int n) {
    std::size_t from = text.size();
    while (n-- >= 0 && from != std::string::npos && from > 0) from = text.rfind('\n', from - 1);
    return text.substr(from == std::string::npos ? 0 : std::min(from + 1, text.size()));
}

/// One guest from its start to its results.
class linux_session {
public:
    linux_session(const scenario& s, const linux_options& options)
        : scenario_(s),
          options_(options),
          workload_(make_linux_workload(s, options.log_calls)),
          boot_(boot_of(s, options, workload_.calls)),
          platform_("top", s.system, 1) {
        if (!options.out.empty()) out_ = std::make_unique<output_directory>(options.out);
        folder_.write("workload", workload_.script);
        folder_.write("scmi.dtb", device_tree_of(s));
    }

    linux_outcome run(std::ostream& report) {
        const auto begun = std::chrono::steady_clock::now();
        try {
            simulate();
        } catch (const error& e) {
            throw error(e.kind(), std::string(e.what()) + ending());
        }
        host_s_ = seconds_since(begun);
        collect();
        write_files();
        print(report);
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
        models::turns turns(accept(clock), peer);
        turns.stop = orderly.asked();
        ending_ = turns.run(scenario_.system.duration + grace);
        turns_ = turns.clock().turns();
        calls_ = peer.calls();
        complaint_ = peer.complaint();
        ring_fault_ = peer.ring_fault();
        outcome_.first_command = peer.first_command();
        outcome_.ended = now();
    }

    virtio::unix_stream accept(virtio::unix_listener& listener) {
        for (int i = 0; i < start_s * 10; ++i) {
            if (auto connection = listener.accept()) return std::move(*connection);
            if (!process_->running()) break;
            pollfd p{listener.fd(), POLLIN, 0};
            ::poll(&p, 1, 100);
        }
        throw error(error_kind::input, boot_.kernel.string(),
                    "has not connected to its clock: is it a User-Mode Linux with time travel?");
    }

    /// How the guest ended, and the last it said.
    std::string ending() {
        const std::string how = process_ ? process_->finish(0) : "not started";
        const std::string said = last_lines(folder_.read("console.txt"), 12);
        return "\nthe guest: " + how +
               (said.empty() ? "" : "; the last lines of its console:\n" + said);
    }

    void collect() {
        const std::string how =
            process_->finish(ending_ == models::turns::ending::gone ? end_s : 0);
        const std::string failed = folder_.read("player.error");
        if (!failed.empty()) throw error(error_kind::input, "the guest", failed + ending_text(how));
        const std::string result = folder_.read("player.result");
        if (result.empty()) {
            const char* why = ending_ == models::turns::ending::gone ? "it ended without results"
                              : ending_ == models::turns::ending::deadline
                                  ? "it has not ended by sim.duration and a second"
                                  : "it sleeps for ever";
            throw error(error_kind::input, "the guest", why + ending_text(how));
        }
        outcome_.guest = read_player_result(result);
        outcome_.kinds = workload_.kinds;
        outcome_.served = platform_.served();
        outcome_.status = !outcome_.guest.played     ? run_status::no_probe
                          : !outcome_.guest.finished ? run_status::unfinished
                                                     : run_status::ok;
        if (!ring_fault_.empty()) outcome_.status = run_status::violations;
        messages_ = scmi_messages(folder_.read("dmesg"));
    }

    std::string ending_text(const std::string& how) const {
        return " (" + how + ")\nthe last lines of its console:\n" +
               last_lines(folder_.read("console.txt"), 70);
    }

    void write_files() {
        if (boot_.trace) {
            trace_ = folder_.read("trace");
            lost_ = lost_trace_entries(trace_, "the guest's trace");
        }
        if (!out_) return;
        if (boot_.trace && scenario_.output.ftrace) out_->open("scmi.ftrace") << trace_;
        if (scenario_.output.dmesg) out_->open("dmesg.txt") << messages_;
        out_->open("console.txt") << console();
        if (scenario_.output.summary) write_summary();
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
        j["title"] = scenario_.title;
        j["scenario"] = scenario_.file.string();
        j["set"] = scenario_.overrides;
        j["seed"] = scenario_.system.seed;
        j["simulated_ps"] = outcome_.ended.ps;
        j["finished"] = outcome_.guest.finished;
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
        out_->open("summary.json") << j.dump(2) << "\n";
    }

    void print(std::ostream& report) {
        report << scenario_.title << ": seed " << scenario_.system.seed << ", "
               << boot_.kernel.string() << ", simulated " << to_string(outcome_.ended) << "\n";
        for (const std::string& n : workload_.notes) report << "note: " << n << "\n";
        report << "\nKernel messages:\n";
        std::istringstream lines(messages_);
        for (std::string line; std::getline(lines, line);) report << "  " << line << "\n";
        report << "\n" << outcome_.served << " commands answered, " << calls_ << " interrupts\n";
        print_tasks(report);
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
        if (outcome_.status == run_status::no_probe) {
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

    void print_tasks(std::ostream& report) const {
        for (const player_result::task& t : outcome_.guest.tasks) {
            report << "  " << t.name << ": " << t.calls << " calls, " << t.errors << " failed";
            if (t.errors) report << " (last: " << std::strerror(t.last_errno) << ")";
            report << "\n";
        }
        report << "workload: " << to_string(outcome_.guest.span()) << " of guest time\n";
    }

    const scenario& scenario_;
    const linux_options& options_;
    private_folder folder_;
    linux_workload workload_;
    linux_boot boot_;
    models::shared_platform platform_;
    std::unique_ptr<output_directory> out_;
    std::unique_ptr<linux_process> process_;
    models::turns::ending ending_ = models::turns::ending::gone;
    linux_outcome outcome_;
    std::uint64_t turns_ = 0, calls_ = 0, lost_ = 0;
    double host_s_ = 0;
    std::string complaint_, ring_fault_, messages_, trace_;
};

}  // namespace

fs::path default_kernel() {
    // The program lies in build/<preset>/, the kernel in build/linux/.
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    const fs::path beside = program.parent_path().parent_path() / "linux" / "linux";
    return fs::exists(beside, ignored) ? beside : fs::path("build") / "linux" / "linux";
}

linux_outcome run_linux(const scenario& s, const linux_options& options, std::ostream& report) {
    linux_session session(s, options);
    return session.run(report);
}

}  // namespace scmi_vp::testbenches
