// SPDX-License-Identifier: Apache-2.0
// The workload as the guest's program plays it, read from the script that
// runs/linux/workload.cpp writes.
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum { max_name = 16, max_text = 256, max_tasks = 256 };

// What a call is: reading a file, or writing a line to it, and perhaps then one to another.
struct file {
    char name[max_text], line[max_text];
    char then_name[max_text], then_line[max_text];
    int fd, seekable;
};

struct step {
    unsigned task, file;
    int64_t gap_ns;
};

struct task {
    char name[max_name];
    pid_t pid;
    int64_t start_ns;
    uint64_t count;  // 0 = for ever
    int loop, lock, open;
    unsigned *files, n_files;
    int64_t* thinks;
    uint64_t n_thinks;
};

struct arrivals {
    int lock;
    unsigned *files, n_files;
    int64_t* at_ns;
    uint64_t n;
};

extern struct file* files;
extern struct step* steps;
extern struct task tasks[max_tasks];
extern struct arrivals opens[max_tasks];
extern unsigned n_files, n_steps, n_tasks, n_opens;
extern int64_t end_ns;     // of the run: INT64_MAX for none
extern int64_t module_ns;  // when the module was loaded; 0 = it was not
extern int want_trace;
extern uint64_t log_size;  // calls to note for each task

// Reads /host/workload, and loads the module of calls when it says so.
void read_script(void);

// Of player.c. `fail` tells the host and does not return.
void fail(const char* format, ...) __attribute__((format(printf, 1, 2), noreturn));
int64_t clock_ns(void);
