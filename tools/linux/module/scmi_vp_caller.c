// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a workload the operations of the kernel's SCMI protocols that 6.1 keeps for its own drivers:
 * a user of the SCMI bus like cpufreq or genpd, but with a file in place of a policy of its own.
 *
 * Writing "OP ID VALUE POLL" to /sys/kernel/debug/scmi_vp_caller makes one call in the task that writes;
 * write() returns when the operation has, with its error. Nothing is printed: the kernel's log is compared.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/scmi_protocol.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static struct dentry *file;

/* What the core gave us for each protocol that the device tree and the platform have. */
static const struct scmi_handle *handle;
static const struct scmi_power_proto_ops *power_ops;
static const struct scmi_perf_proto_ops *perf_ops;
static const struct scmi_clk_proto_ops *clock_ops;
static const struct scmi_sensor_proto_ops *sensor_ops;
static struct scmi_protocol_handle *power, *perf, *clock, *sensor;

struct request {
	char op[32];
	u32 id;
	u64 value;
	u32 poll;
};

static int power_call(const struct request *r)
{
	u32 state, wanted = r->value;
	int err;

	if (!power_ops)
		return -ENODEV;
	/* As genpd does it (scmi_pm_domain.c scmi_pd_power): set, then read back. */
	if (!strcmp(r->op, "power_on") || !strcmp(r->op, "power_off")) {
		wanted = r->op[7] == 'n' ? SCMI_POWER_STATE_GENERIC_ON : SCMI_POWER_STATE_GENERIC_OFF;
		err = power_ops->state_set(power, r->id, wanted);
		if (!err)
			err = power_ops->state_get(power, r->id, &state);
		if (!err && state != wanted)
			err = -EIO;
		return err;
	}
	if (!strcmp(r->op, "power_state_set"))
		return power_ops->state_set(power, r->id, r->value);
	if (!strcmp(r->op, "power_state_get"))
		return power_ops->state_get(power, r->id, &state);
	return -EINVAL;
}

static int perf_call(const struct request *r)
{
	u32 a, b;

	if (!perf_ops)
		return -ENODEV;
	if (!strcmp(r->op, "perf_level_set"))
		return perf_ops->level_set(perf, r->id, r->value, r->poll);
	if (!strcmp(r->op, "perf_level_get"))
		return perf_ops->level_get(perf, r->id, &a, r->poll);
	/* maximum in the upper half */
	if (!strcmp(r->op, "perf_limits_set"))
		return perf_ops->limits_set(perf, r->id, r->value >> 32, r->value);
	if (!strcmp(r->op, "perf_limits_get"))
		return perf_ops->limits_get(perf, r->id, &a, &b);
	return -EINVAL;
}

static int clock_call(const struct request *r)
{
	u64 rate;

	if (!clock_ops)
		return -ENODEV;
	if (!strcmp(r->op, "clock_get_rate"))
		return clock_ops->rate_get(clock, r->id, &rate);
	if (!strcmp(r->op, "clock_set_rate"))
		return clock_ops->rate_set(clock, r->id, r->value);
	if (!strcmp(r->op, "clock_enable"))
		return r->poll ? clock_ops->enable_atomic(clock, r->id)
			       : clock_ops->enable(clock, r->id);
	if (!strcmp(r->op, "clock_disable"))
		return r->poll ? clock_ops->disable_atomic(clock, r->id)
			       : clock_ops->disable(clock, r->id);
	return -EINVAL;
}

static int sensor_call(const struct request *r)
{
	u64 reading;

	if (!sensor_ops)
		return -ENODEV;
	if (!strcmp(r->op, "sensor_read"))
		return sensor_ops->reading_get(sensor, r->id, &reading);
	/* trip point 0 */
	if (!strcmp(r->op, "sensor_trip_config"))
		return sensor_ops->trip_point_config(sensor, r->id, 0, r->value);
	return -EINVAL;
}

static int on_event(struct notifier_block *nb, unsigned long event, void *report)
{
	return NOTIFY_OK;
}

/* Who has asked to be told of what. */
struct registration {
	struct list_head list;
	struct notifier_block nb;
	u32 source;
	u64 event;
};
static LIST_HEAD(registrations);
static DEFINE_MUTEX(registrations_lock);

/* All sources, as a NULL in the kernel's own interface. */
static const u32 any_source = 65535;

/* The value: the protocol in the upper byte, the event in the lower one. */
static int notify_register(const struct request *r)
{
	struct registration *n;
	int err;

	n = kzalloc(sizeof(*n), GFP_KERNEL);
	if (!n)
		return -ENOMEM;
	n->nb.notifier_call = on_event;
	n->source = r->id;
	n->event = r->value;
	err = handle->notify_ops->event_notifier_register(handle, r->value >> 8, r->value & 0xff,
							   r->id == any_source ? NULL : &r->id,
							   &n->nb);
	if (err) {
		kfree(n);
		return err;
	}
	mutex_lock(&registrations_lock);
	list_add(&n->list, &registrations);
	mutex_unlock(&registrations_lock);
	return 0;
}

static int notify_unregister(const struct request *r)
{
	struct registration *n, *found = NULL;
	int err;

	mutex_lock(&registrations_lock);
	list_for_each_entry(n, &registrations, list) {
		if (n->source == r->id && n->event == r->value) {
			found = n;
			list_del(&n->list);
			break;
		}
	}
	mutex_unlock(&registrations_lock);
	if (!found)
		return -ENOENT;
	err = handle->notify_ops->event_notifier_unregister(handle, r->value >> 8, r->value & 0xff,
							     r->id == any_source ? NULL : &r->id,
							     &found->nb);
	kfree(found);
	return err;
}

static int notify_call(const struct request *r)
{
	if (!handle)
		return -ENODEV;
	if (!strcmp(r->op, "notify_register"))
		return notify_register(r);
	if (!strcmp(r->op, "notify_unregister"))
		return notify_unregister(r);
	return -EINVAL;
}

static ssize_t call_write(struct file *f, const char __user *from, size_t size, loff_t *at)
{
	struct request r = {};
	char line[96];
	int err;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = 0;
	if (sscanf(line, "%31s %u %llu %u", r.op, &r.id, &r.value, &r.poll) != 4)
		return -EINVAL;
	if (!strncmp(r.op, "power_", 6))
		err = power_call(&r);
	else if (!strncmp(r.op, "perf_", 5))
		err = perf_call(&r);
	else if (!strncmp(r.op, "clock_", 6))
		err = clock_call(&r);
	else if (!strncmp(r.op, "sensor_", 7))
		err = sensor_call(&r);
	else if (!strncmp(r.op, "notify_", 7))
		err = notify_call(&r);
	else
		err = -EINVAL;
	return err ? err : size;
}

static const struct file_operations call_operations = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = call_write,
};

static int caller_probe(struct scmi_device *sdev)
{
	struct scmi_protocol_handle *ph;
	const void *ops = sdev->handle->devm_protocol_get(sdev, sdev->protocol_id, &ph);

	if (IS_ERR(ops))
		return PTR_ERR(ops);
	handle = sdev->handle;
	switch (sdev->protocol_id) {
	case SCMI_PROTOCOL_POWER:
		power_ops = ops, power = ph;
		break;
	case SCMI_PROTOCOL_PERF:
		perf_ops = ops, perf = ph;
		break;
	case SCMI_PROTOCOL_CLOCK:
		clock_ops = ops, clock = ph;
		break;
	case SCMI_PROTOCOL_SENSOR:
		sensor_ops = ops, sensor = ph;
		break;
	}
	return 0;
}

static void caller_remove(struct scmi_device *sdev)
{
	handle = NULL;
	switch (sdev->protocol_id) {
	case SCMI_PROTOCOL_POWER:
		power_ops = NULL;
		break;
	case SCMI_PROTOCOL_PERF:
		perf_ops = NULL;
		break;
	case SCMI_PROTOCOL_CLOCK:
		clock_ops = NULL;
		break;
	case SCMI_PROTOCOL_SENSOR:
		sensor_ops = NULL;
		break;
	}
}

/* 6.1 wants different names even for different protocols (bus.c scmi_protocol_device_request()). */
static const struct scmi_device_id caller_ids[] = {
	{SCMI_PROTOCOL_POWER, "scmi-vp-power"},
	{SCMI_PROTOCOL_PERF, "scmi-vp-perf"},
	{SCMI_PROTOCOL_CLOCK, "scmi-vp-clock"},
	{SCMI_PROTOCOL_SENSOR, "scmi-vp-sensor"},
	{},
};
MODULE_DEVICE_TABLE(scmi, caller_ids);

static struct scmi_driver caller_driver = {
	.name = "scmi-vp-caller",
	.probe = caller_probe,
	.remove = caller_remove,
	.id_table = caller_ids,
};

static int __init caller_init(void)
{
	int err = scmi_register(&caller_driver);

	if (err)
		return err;
	file = debugfs_create_file("scmi_vp_caller", 0200, NULL, NULL, &call_operations);
	return 0;
}
module_init(caller_init);

MODULE_DESCRIPTION("The operations of the SCMI protocols as a file");
MODULE_LICENSE("GPL");
