// SPDX-License-Identifier: Apache-2.0
// See script.h.
#define _GNU_SOURCE
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct file* files;
struct step* steps;
struct task tasks[max_tasks];
struct arrivals opens[max_tasks];
unsigned n_files, n_steps, n_tasks, n_opens;
int64_t end_ns = INT64_MAX, module_ns;
int want_trace;
uint64_t log_size;

static void* grown(void* array, unsigned n, size_t size) {
    // Powers of two only: a script may have a million numbers.
    if (n & (n - 1)) return array;
    void* larger = realloc(array, (n ? 2 * (size_t)n : 1) * size);
    if (!larger) fail("the guest has no memory for the workload");
    return larger;
}

static unsigned number_list(unsigned** list) {
    unsigned n = 0;
    for (char* word; (word = strtok(NULL, " "));) {
        *list = grown(*list, n, sizeof **list);
        (*list)[n++] = (unsigned)strtoul(word, NULL, 10);
    }
    return n;
}

static uint64_t time_list(int64_t** list) {
    unsigned n = 0;
    for (char* word; (word = strtok(NULL, " "));) {
        *list = grown(*list, n, sizeof **list);
        (*list)[n++] = strtoll(word, NULL, 10);
    }
    return n;
}

static int64_t number(void) {
    const char* word = strtok(NULL, " ");
    if (!word) fail("the workload has a line without a number");
    return strtoll(word, NULL, 10);
}

static void text(char* to, size_t size) {
    const char* word = strtok(NULL, " ");
    if (!word) fail("the workload has a line without a name");
    snprintf(to, size, "%s", word);
}

static void read_task(void) {
    struct task* t = &tasks[n_tasks++];
    t->pid = (pid_t)number();
    text(t->name, sizeof t->name);
    t->lock = t->open = -1;
}

static void read_loop(void) {
    struct task* t = &tasks[number()];
    t->loop = 1;
    t->start_ns = number();
    t->count = (uint64_t)number();
    t->lock = (int)number();
    t->n_files = number_list(&t->files);
}

// The file by which the operations of the SCMI protocols are called (tools/linux/module).
static void load_module(void) {
    const int fd = open("/scmi_vp_caller.ko", O_RDONLY);
    module_ns = clock_ns();
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) {
        fail("cannot load the module of calls: %s", strerror(errno));
    }
    close(fd);
}

static void read_file_line(int writes) {
    files = grown(files, n_files, sizeof *files);
    struct file* f = &files[n_files++];
    memset(f, 0, sizeof *f);
    text(f->name, sizeof f->name);
    const char* rest = strtok(NULL, "");
    if (writes) snprintf(f->line, sizeof f->line, "%s", rest ? rest : "");
    if (writes && !rest) fail("the workload writes nothing to %s", f->name);
}

static void read_command(char* line) {
    const char* word = strtok(line, " ");
    if (!word) return;
    if (!strcmp(word, "file") || !strcmp(word, "write")) {
        read_file_line(*word == 'w');
    } else if (!strcmp(word, "then") && n_files > 0) {
        struct file* f = &files[n_files - 1];
        text(f->then_name, sizeof f->then_name);
        text(f->then_line, sizeof f->then_line);
    } else if (!strcmp(word, "module")) {
        load_module();
    } else if (!strcmp(word, "task")) {
        read_task();
    } else if (!strcmp(word, "step")) {
        steps = grown(steps, n_steps, sizeof *steps);
        struct step* s = &steps[n_steps++];
        s->task = (unsigned)number(), s->gap_ns = number(), s->file = (unsigned)number();
    } else if (!strcmp(word, "loop")) {
        read_loop();
    } else if (!strcmp(word, "think")) {
        struct task* t = &tasks[number()];
        t->n_thinks = time_list(&t->thinks);
    } else if (!strcmp(word, "open")) {
        struct arrivals* a = &opens[n_opens++];
        a->lock = (int)number();
        a->n_files = number_list(&a->files);
    } else if (!strcmp(word, "arrive")) {
        opens[n_opens - 1].n = time_list(&opens[n_opens - 1].at_ns);
    } else if (!strcmp(word, "member")) {
        tasks[number()].open = (int)n_opens - 1;
    } else if (!strcmp(word, "end")) {
        end_ns = number();
    } else if (!strcmp(word, "log")) {
        log_size = (uint64_t)number();
    } else if (!strcmp(word, "trace")) {
        want_trace = 1;
    } else {
        fail("the workload has an unknown line: %s", word);
    }
}

void read_script(void) {
    FILE* in = fopen("/host/workload", "r");
    if (!in) fail("cannot open the workload: %s", strerror(errno));
    char* line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, in)) > 0) {
        if (line[size - 1] == '\n') line[size - 1] = 0;
        read_command(line);
    }
    free(line);
    fclose(in);
}
