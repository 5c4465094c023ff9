// SPDX-License-Identifier: Apache-2.0
// The first and only program of the guest: plays the workload of a scenario and hands back what the
// kernel recorded. runs/linux/workload.cpp writes the script that it reads from the host.
//
// Guest instructions are free in simulated time but cost host time, and a clock read costs 256 ns:
// so a call is one system call on an open file, and the clock is read only where noted.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "script.h"

// What a sleep of the kernel adds: its timer fires at the end of the slack (1 ns, set below), and
// arch/um/kernel/time.c itimer_next_event adds another.
enum { sleep_excess_ns = 2, clock_read_ns = 256, longest_spin_ns = 100000 };

// A fair lock: the kernel's own are first come first served too.
struct fair_lock {
    _Atomic uint32_t next, serving;
};

// What the tasks share.
struct shared {
    _Atomic uint32_t turn;  // the step of the sequence that is due
    _Atomic uint64_t next_arrival[max_tasks];
    struct fair_lock locks[max_tasks];
    struct {
        uint64_t calls, errors;
        int last_errno;
        int64_t begin_ns, end_ns;
        uint64_t logged;
    } done[max_tasks];
};

static int64_t start_ns;
static struct shared* shared;

// When each call was made and which one, if the script asks for it: log_size entries for each task.
static struct made {
    int64_t at_ns;
    unsigned file;
} * made;

static __attribute__((noreturn)) void power_off(void) {
    sync();
    reboot(RB_POWER_OFF);
    for (;;) pause();
}

// The host reads this file first.
void fail(const char* format, ...) {
    va_list arguments;
    FILE* out = fopen("/host/player.error", "w");
    va_start(arguments, format);
    if (out) {
        vfprintf(out, format, arguments);
        fclose(out);
    }
    power_off();
}

int64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// Short times are spent reading the clock, 256 ns each: a sleep would end at the next 10 ms tick as
// long as the kernel has not switched to high-resolution timers, which it does at its first tick.
static void sleep_ns(int64_t ns) {
    if (ns <= longest_spin_ns) {
        for (; ns > clock_read_ns / 2; ns -= clock_read_ns) clock_ns();
        return;
    }
    ns -= sleep_excess_ns;
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    nanosleep(&t, NULL);
}

static void sleep_until(int64_t ns) {
    ns -= sleep_excess_ns;
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void futex_wait(_Atomic uint32_t* word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t* word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void wait_for(_Atomic uint32_t* word, uint32_t value) {
    uint32_t seen;
    while ((seen = atomic_load(word)) != value) futex_wait(word, seen);
}

// --- calls ------------------------------------------------------------------------------------

static void path_of(const struct file* f, char* path, size_t size);

// A driver that was unbound has taken its files with it; one that is bound again has new ones.
static ssize_t no_device(void) {
    errno = ENODEV;
    return -1;
}

// Reading sysfs again at offset 0 asks the driver again; debugfs cannot seek: it is opened anew.
static ssize_t read_file(struct file* f, char* to, size_t size) {
    if (f->fd >= 0 && f->seekable) {
        const ssize_t n = pread(f->fd, to, size, 0);
        if (n >= 0 || errno != ENODEV) return n;
        close(f->fd);
        f->fd = -1;
    }
    char path[2 * max_text + 8];
    path_of(f, path, sizeof path);
    const int fd = open(path, O_RDONLY);
    if (fd < 0) return no_device();
    const ssize_t n = read(fd, to, size);
    const int why = errno;
    if (f->seekable) {
        f->fd = fd;
    } else {
        close(fd);
    }
    errno = why;
    return n;
}

static ssize_t write_file(const struct file* f) {
    if (f->fd < 0) return no_device();
    const ssize_t n = write(f->fd, f->line, strlen(f->line));
    if (n < 0 || !f->then_name[0]) return n;
    const int fd = open(f->then_name, O_WRONLY);
    if (fd < 0) return no_device();
    const ssize_t then = write(fd, f->then_line, strlen(f->then_line));
    const int why = errno;
    close(fd);
    errno = why;
    return then;
}

static void call(unsigned task, unsigned file, int lock) {
    struct file* f = &files[file];
    char text[64];
    uint32_t ticket = 0;
    if (lock >= 0) {
        ticket = atomic_fetch_add(&shared->locks[lock].next, 1);
        wait_for(&shared->locks[lock].serving, ticket);
    }
    if (shared->done[task].logged < log_size) {
        struct made* m = &made[task * log_size + shared->done[task].logged++];
        m->file = file;
        m->at_ns = clock_ns();
    }
    if ((f->line[0] ? write_file(f) : read_file(f, text, sizeof text)) < 0) {
        shared->done[task].errors++;
        shared->done[task].last_errno = errno;
    }
    shared->done[task].calls++;
    if (lock >= 0) {
        atomic_store(&shared->locks[lock].serving, ticket + 1);
        if (atomic_load(&shared->locks[lock].next) != ticket + 1) {
            futex_wake(&shared->locks[lock].serving);
        }
    }
}

static void play_sequence(unsigned task) {
    for (unsigned i = 0; i < n_steps; ++i) {
        if (steps[i].task != task) continue;
        wait_for(&shared->turn, i);
        // The first gap counts from the end of the probe, early in the boot.
        sleep_ns(i == 0 ? steps[i].gap_ns - start_ns : steps[i].gap_ns);
        call(task, steps[i].file, -1);
        atomic_store(&shared->turn, i + 1);
        if (i + 1 < n_steps && steps[i + 1].task != task) futex_wake(&shared->turn);
    }
}

static void play_loop(unsigned task) {
    const struct task* t = &tasks[task];
    sleep_ns(t->start_ns);
    for (uint64_t i = 0; t->count == 0 || i < t->count; ++i) {
        if (t->n_thinks) sleep_ns(t->thinks[i < t->n_thinks ? i : t->n_thinks - 1]);
        call(task, t->files[i % t->n_files], t->lock);
    }
}

static void play_open(unsigned task) {
    const struct arrivals* a = &opens[tasks[task].open];
    for (;;) {
        const uint64_t i = atomic_fetch_add(&shared->next_arrival[tasks[task].open], 1);
        if (i >= a->n) return;
        sleep_until(start_ns + a->at_ns[i]);
        call(task, a->files[i % a->n_files], a->lock);
    }
}

// An open file of its own: the kernel serves the readers of one open sysfs file one by one.
static void open_again(void) {
    for (unsigned i = 0; i < n_files; ++i) {
        const int shared_fd = files[i].fd;
        char path[64];
        if (shared_fd < 0) continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", shared_fd);
        files[i].fd = open(path, files[i].line[0] ? O_WRONLY : O_RDONLY);
        close(shared_fd);
        if (files[i].fd < 0) fail("cannot open %s again: %s", files[i].name, strerror(errno));
    }
}

static void play(unsigned task) {
    open_again();
    shared->done[task].begin_ns = clock_ns();
    if (tasks[task].open >= 0) {
        play_open(task);
    } else if (tasks[task].loop) {
        play_loop(task);
    } else {
        play_sequence(task);
    }
    shared->done[task].end_ns = clock_ns();
    _exit(0);
}

// The task's own pid, so that traces of model and kernel name the same; any other if it is taken.
static void start_task(unsigned task) {
    pid_t pid = tasks[task].pid;
    struct clone_args args = {.exit_signal = SIGCHLD};
    if (pid > 0) {
        args.set_tid = (uintptr_t)&pid;
        args.set_tid_size = 1;
    }
    long child = syscall(SYS_clone3, &args, sizeof args);
    if (child < 0 && pid > 0) {
        args.set_tid = args.set_tid_size = 0;
        child = syscall(SYS_clone3, &args, sizeof args);
    }
    if (child < 0) fail("cannot start task %s: %s", tasks[task].name, strerror(errno));
    if (child != 0) return;
    prctl(PR_SET_NAME, tasks[task].name);
    prctl(PR_SET_TIMERSLACK, 1);
    play(task);
}

// hwmon numbers its devices in the order of their registration: look for the one of the driver.
static void find_hwmon(char* folder, size_t size) {
    DIR* all = opendir("/sys/class/hwmon");
    for (struct dirent* e; all && (e = readdir(all));) {
        char path[max_text], name[32] = "";
        snprintf(path, sizeof path, "/sys/class/hwmon/%.64s/name", e->d_name);
        const int fd = open(path, O_RDONLY);
        if (fd < 0) continue;
        if (read(fd, name, sizeof name - 1) > 0 && !strcmp(name, "scmi_sensors\n")) {
            snprintf(folder, size, "/sys/class/hwmon/%.64s", e->d_name);
        }
        close(fd);
    }
    if (all) closedir(all);
}

// A name without a folder is one of the driver's hwmon device.
static void path_of(const struct file* f, char* path, size_t size) {
    char hwmon[max_text] = "/sys/class/hwmon/(none of scmi_sensors)";
    const int relative = f->name[0] != '/';
    if (relative) find_hwmon(hwmon, sizeof hwmon);
    snprintf(path, size, "%s%s%s", relative ? hwmon : "", relative ? "/" : "", f->name);
}

// Calls of what is not there fail, as they do for any program.
static void open_files(void) {
    for (unsigned i = 0; i < n_files; ++i) {
        char path[2 * max_text + 8];
        path_of(&files[i], path, sizeof path);
        files[i].fd = open(path, files[i].line[0] ? O_WRONLY : O_RDONLY);
        files[i].seekable = lseek(files[i].fd, 0, SEEK_SET) == 0;
        if (files[i].fd >= 0) continue;
        FILE* out = fopen("/host/player.missing", "a");
        if (out) {
            fprintf(out, "%s\n", path);
            fclose(out);
        }
    }
}

// Whether the driver has an instance: its probe has reached the platform.
static int driver_is_bound(void) {
    DIR* all = opendir("/sys/bus/platform/drivers/arm-scmi");
    int bound = 0;
    for (struct dirent* e; all && (e = readdir(all));) {
        bound |= e->d_type == DT_LNK && strcmp(e->d_name, "module") != 0;
    }
    if (all) closedir(all);
    return bound;
}

// --- from boot to power-off ---------------------------------------------------------------------

static void mount_all(void) {
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
    const char* host = getenv("SCMI_VP_HOST");
    if (!host || mount("host", "/host", "hostfs", 0, host) != 0) {
        printf("player: cannot mount the host's folder %s\n", host ? host : "(SCMI_VP_HOST)");
        fflush(stdout);
        power_off();
    }
}

// The bytes of it. What is written lies in the guest's memory until it is synced: only then is the
// host's disk known to have it.
static long long copy_file(const char* from, const char* to) {
    static char block[1 << 16];
    const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0) fail("cannot copy %s to the host: %s", from, strerror(errno));
    long long bytes = 0;
    ssize_t n;
    while ((n = read(in, block, sizeof block)) > 0) {
        if (write(out, block, (size_t)n) != n) fail("cannot write %s: %s", to, strerror(errno));
        bytes += n;
    }
    if (n < 0) fail("cannot read %s: %s", from, strerror(errno));
    if (fsync(out) != 0 || close(out) != 0) fail("cannot write %s: %s", to, strerror(errno));
    close(in);
    return bytes;
}

static void close_written(FILE* out, const char* what) {
    if (fflush(out) != 0 || fsync(fileno(out)) != 0 || fclose(out) != 0) {
        fail("cannot write %s: %s", what, strerror(errno));
    }
}

static long long write_kernel_log(void) {
    const int size = klogctl(10, NULL, 0);  // SYSLOG_ACTION_SIZE_BUFFER
    char* log = malloc(size > 0 ? (size_t)size : 1);
    const int n = log ? klogctl(3, log, size) : -1;  // SYSLOG_ACTION_READ_ALL
    FILE* out = fopen("/host/dmesg", "w");
    if (n < 0 || !out || fwrite(log, 1, (size_t)n, out) != (size_t)n) {
        fail("cannot write the kernel's messages: %s", strerror(errno));
    }
    close_written(out, "the kernel's messages");
    return n;
}

// Last, with the sizes of the others: whoever reads this knows whether he has all of it.
static void write_results(int played, int finished, long long log_bytes, long long trace_bytes) {
    FILE* out = fopen("/host/player.result", "w");
    if (!out) fail("cannot write the results: %s", strerror(errno));
    fprintf(out, "played %d\nfinished %d\n", played, finished);
    fprintf(out, "module %lld\n", (long long)module_ns);
    for (unsigned i = 0; i < n_tasks; ++i) {
        fprintf(out, "task %s %llu %llu %d %lld %lld\n", tasks[i].name,
                (unsigned long long)shared->done[i].calls,
                (unsigned long long)shared->done[i].errors, shared->done[i].last_errno,
                (long long)shared->done[i].begin_ns, (long long)shared->done[i].end_ns);
    }
    for (unsigned i = 0; i < n_tasks; ++i) {
        for (uint64_t k = 0; k < shared->done[i].logged; ++k) {
            const struct made* m = &made[i * log_size + k];
            fprintf(out, "made %u %u %lld\n", i, m->file, (long long)m->at_ns);
        }
    }
    fprintf(out, "files %lld %lld\n", log_bytes, trace_bytes);
    close_written(out, "the results");
}

// Waits for the tasks, at the latest until `end_ns`; a task in an uninterruptible wait stays there.
static int wait_for_tasks(void) {
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    for (unsigned running = n_tasks; running > 0;) {
        while (running > 0 && waitpid(-1, NULL, WNOHANG) > 0) --running;
        if (running == 0) break;
        const int64_t left = end_ns == INT64_MAX ? INT64_MAX : end_ns - clock_ns();
        if (left <= 0) return 0;
        struct timespec t = {left / 1000000000, left % 1000000000};
        sigtimedwait(&children, NULL, end_ns == INT64_MAX ? NULL : &t);
    }
    return 1;
}

int main(void) {
    sigset_t children;
    mount_all();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail("no shared memory: %s", strerror(errno));
    read_script();
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    made = mmap(NULL, n_tasks * log_size * sizeof *made + 1, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) fail("no memory for the log of calls: %s", strerror(errno));
    open_files();
    const int played = driver_is_bound();
    int finished = 0;
    start_ns = clock_ns();
    if (played) {
        for (unsigned i = 0; i < n_tasks; ++i) start_task(i);
        finished = wait_for_tasks();
    }
    const long long log_bytes = write_kernel_log();
    long long trace_bytes = 0;
    if (want_trace) trace_bytes = copy_file("/sys/kernel/tracing/trace", "/host/trace");
    write_results(played, finished, log_bytes, trace_bytes);
    power_off();
}
