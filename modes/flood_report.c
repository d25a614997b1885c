/* flood: totals into the members of a report; what limited it; assertions. */
#include "../util/num.h"
#include "flood.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char *const kinds[] = {
	[KIND_THROUGHPUT] = "throughput",
	[KIND_RR] = "rr",
	[KIND_CRR] = "crr",
	[KIND_HOLD] = "hold",
	[KIND_BLOCK] = "block",
	[KIND_UDP] = "udp",
};

static int64_t
known_sum(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 ? a : a + b;
}

static void
counts_add(struct flood_counts *c, const struct flood_counts *more)
{
	c->received += more->received;
	c->bytes += more->bytes;
	c->lost += more->lost;
	c->reordered += more->reordered;
	c->duplicates += more->duplicates;
	if (more->jitter > c->jitter)
		c->jitter = more->jitter;
}

void
flood_totals_add(struct flood_totals *t, const struct flood_totals *more)
{
	t->sent += more->sent;
	t->received += more->received;
	if (more->began != 0 && (t->began == 0 || more->began < t->began))
		t->began = more->began;
	if (more->ended > t->ended)
		t->ended = more->ended;
	t->connections += more->connections;
	t->errors += more->errors;
	t->retrans = known_sum(t->retrans, more->retrans);
	t->rtt_us += more->rtt_us;
	t->rtts += more->rtts;
	t->connect_ns += more->connect_ns;
	t->connects += more->connects;
	if (more->congestion[0] != '\0') {
		memcpy(t->congestion, more->congestion, sizeof(t->congestion));
		t->chosen = more->chosen;
	}
	t->cpu_user += more->cpu_user;
	t->cpu_system += more->cpu_system;
	t->busy_us += more->busy_us;
	t->rwnd_us += more->rwnd_us;
	t->sndbuf_us += more->sndbuf_us;
	t->looks += more->looks;
	t->starved += more->starved;
	t->transactions += more->transactions;
	t->udp_sent += more->udp_sent;
	t->udp_known = t->udp_known || more->udp_known;
	t->burst = t->burst > more->burst ? t->burst : more->burst;
	counts_add(&t->udp, &more->udp);
}

void
flood_totals_tcp(struct flood_totals *t, int fd)
{
	struct tcpinfo i;

	tcpinfo_get(&i, fd);
	if (i.state == NULL)
		return;
	t->retrans = known_sum(t->retrans, i.retrans);
	if (i.rtt_us > 0) {
		t->rtt_us += i.rtt_us;
		t->rtts++;
	}
	t->busy_us += i.busy_us > 0 ? i.busy_us : 0;
	t->rwnd_us += i.rwnd_limited_us > 0 ? i.rwnd_limited_us : 0;
	t->sndbuf_us += i.sndbuf_limited_us > 0 ? i.sndbuf_limited_us : 0;
}

static int64_t
nanoseconds(const struct timeval *t)
{
	return t->tv_sec * CLOCK_S + t->tv_usec * CLOCK_US;
}

void
flood_totals_cpu(struct flood_totals *t)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	t->cpu_user = nanoseconds(&r.ru_utime);
	t->cpu_system = nanoseconds(&r.ru_stime);
}

uint64_t
flood_totals_bytes(const struct flood_totals *t)
{
	if (t->both_ways)
		return t->sent + t->received;
	return t->reverse ? t->received : t->sent;
}

static double
seconds_of(const struct flood_totals *t, int64_t now)
{
	int64_t end = t->ended != 0 ? t->ended : now;

	return t->began != 0 && end > t->began ? clock_seconds(end - t->began)
					       : 0;
}

/* Never nan: JSON has none. */
static double
per(double amount, double by)
{
	return by > 0 ? amount / by : 0;
}

/* What held the sender up, from the times that the kernel counted (TCP_INFO:
 * busy, and of it waiting for the peer's window or for room in the send
 * buffer) and the time on the processor. What to change stands behind it. */
enum limit { BY_NOBODY, BY_RATE, BY_CPU, BY_WINDOW, BY_BUFFER, BY_NETWORK };

static const struct {
	const char *name, *advice;
} limits[] = {
	[BY_NOBODY] = { NULL, NULL },
	[BY_RATE] = { "rate",
		"--rate was reached: more only with a higher one" },
	[BY_CPU] = { "sender-cpu",
		"the sender's processor is busy: larger --chunk, --zerocopy, "
		"-P with more --workers" },
	[BY_WINDOW] = { "receiver-window",
		"the receiver's window was full: a larger --rcvbuf there (or "
		"net.ipv4.tcp_rmem), or a receiver that reads faster" },
	[BY_BUFFER] = { "send-buffer",
		"the send buffer was full: a larger --sndbuf here (or "
		"net.ipv4.tcp_wmem)" },
	[BY_NETWORK] = { "network",
		"the path was full: its rate, loss or delay decides; see "
		"retrans and rtt, try --congestion, or -P" },
};

/* A full send buffer in which nothing waits to be sent starves the network.
 * Where the system makes the buffer as large as it may be, that only counts
 * when there was time left. */
static bool
buffer_limits(
	const struct flood_totals *t, const struct flood_conf *conf, double cpu)
{
	bool fixed = false;

	for (int i = 0; i < conf->sockopts.count; i++)
		fixed = fixed ||
			strcmp(conf->sockopts.item[i].name, "sndbuf") == 0;
	return (fixed || cpu < 0.5) &&
		(2 * t->starved > t->looks || 2 * t->sndbuf_us > t->busy_us);
}

static enum limit
limit_of(const struct flood_totals *t, const struct flood_conf *conf,
	double seconds)
{
	double cpu = per(clock_seconds(t->cpu_user + t->cpu_system), seconds);
	double rate = per((double)t->sent, seconds);
	bool stream = t->kind == KIND_THROUGHPUT;

	if ((!stream && t->kind != KIND_UDP) || t->reverse || seconds <= 0 ||
		t->sent == 0)
		return BY_NOBODY;
	if (conf->rate > 0 && rate >= 0.9 * (double)conf->rate)
		return BY_RATE;
	if (stream && buffer_limits(t, conf, cpu))
		return BY_BUFFER;
	if (stream && 2 * t->rwnd_us > t->busy_us)
		return BY_WINDOW;
	return cpu > 0.8 ? BY_CPU : BY_NETWORK;
}

static const struct field_percentile percentiles[FLOOD_PERCENTILES] = {
	{ "min", 0 }, { "mean", -1 }, { "p50", 50 }, { "p90", 90 },
	{ "p99", 99 }, { "p999", 99.9 }, { "max", 100 }
};

static struct field
microseconds(const char *name, double ns, bool known)
{
	return known ? (struct field)F_REAL(name, ns / 1e3, 3)
		     : (struct field)F_NULL(name);
}

static size_t
udp_members(struct field *out, const struct flood_totals *t)
{
	const struct flood_counts *c = &t->udp;
	bool known = t->udp_known;
	size_t n = 0;

	out[n++] = (struct field)F_UINT("sent", t->udp_sent);
	out[n++] = field_known("received", known ? (int64_t)c->received : -1);
	out[n++] = field_known("lost", known ? (int64_t)c->lost : -1);
	out[n++] = field_known("reordered", known ? (int64_t)c->reordered : -1);
	out[n++] = field_known(
		"duplicates", known ? (int64_t)c->duplicates : -1);
	out[n++] = microseconds("jitter_us", (double)c->jitter, known);
	out[n++] = field_known("burst", t->burst > 0 ? t->burst : -1);
	return n;
}

size_t
flood_members(struct field *out, struct flood_room *room,
	const struct flood_totals *t, const struct hist *latency,
	const struct flood_conf *conf, int64_t now)
{
	double seconds = seconds_of(t, now);
	enum limit by = limit_of(t, conf, seconds);
	uint64_t bytes = flood_totals_bytes(t);
	size_t n = 0;

	out[n++] = F_STR("kind", kinds[t->kind]);
	out[n++] = (struct field)F_UINT("bytes", bytes);
	if (t->both_ways) {
		out[n++] = (struct field)F_UINT("bytes_sent", t->sent);
		out[n++] = (struct field)F_UINT("bytes_received", t->received);
	}
	out[n++] = (struct field)F_REAL("elapsed_s", seconds, 6);
	out[n++] = (struct field)F_REAL(
		"bits_per_second", per((double)bytes * 8, seconds), 0);
	out[n++] = (struct field)F_INT("connections", t->connections);
	out[n++] = (struct field)F_INT("errors", t->errors);
	if (t->kind == KIND_RR || t->kind == KIND_CRR) {
		out[n++] = (struct field)F_UINT(
			"transactions", t->transactions);
		out[n++] = (struct field)F_REAL(
			"per_second", per((double)t->transactions, seconds), 1);
		out[n++] = field_hist("latency_us", latency, percentiles,
			FLOOD_PERCENTILES, room->latency);
		if (conf->poll > 0)
			out[n++] = microseconds(
				"poll_us", (double)conf->poll, true);
	}
	if (t->kind == KIND_UDP)
		n += udp_members(out + n, t);
	if (conf->skip_rx_copy)
		out[n++] = (struct field)F_BOOL("skip_rx_copy", true);
	out[n++] = field_known("retrans", t->retrans);
	out[n++] = field_known(
		"rtt_us", t->rtts > 0 ? t->rtt_us / t->rtts : -1);
	out[n++] = t->connects == 0
		? (struct field)F_NULL("connect_ms")
		: (struct field)F_REAL("connect_ms",
			  (double)t->connect_ns / (double)t->connects / 1e6, 3);
	out[n++] = F_STR(
		"congestion", t->congestion[0] != '\0' ? t->congestion : NULL);
	out[n++] = (struct field)F_BOOL("chosen", t->chosen);
	out[n++] = (struct field)F_REAL(
		"cpu_user_s", clock_seconds(t->cpu_user), 6);
	out[n++] = (struct field)F_REAL(
		"cpu_system_s", clock_seconds(t->cpu_system), 6);
	out[n++] = F_STR("limited_by", limits[by].name);
	out[n++] = F_STR("advice", limits[by].advice);
	return n;
}

static int
unmet(struct report *r, const char *option, const char *wanted, const char *got)
{
	struct err err = { 0 };

	err_setf(&err, "assert", 0, option, "wanted %s, measured %s", wanted,
		got);
	report_error(r, NULL, &err);
	return EXIT_ASSERT;
}

int
flood_assert(struct report *r, const struct flood_conf *conf,
	const struct flood_totals *t, const struct hist *latency)
{
	double rate = per((double)flood_totals_bytes(t), seconds_of(t, 0));
	uint64_t all = t->udp.received + t->udp.lost;
	double loss = per(100 * (double)t->udp.lost, (double)all);
	int64_t p99 = hist_percentile(latency, 99);
	char want[64], got[64];
	int code = EXIT_OK;

	if (conf->min_rate > 0 && rate < (double)conf->min_rate) {
		num_show_bits((double)conf->min_rate * 8, want);
		code = unmet(
			r, "--min-rate", want, num_show_bits(rate * 8, got));
	}
	if (conf->max_loss >= 0 && (loss > conf->max_loss || all == 0)) {
		snprintf(want, sizeof(want), "at most %g %%", conf->max_loss);
		snprintf(got, sizeof(got), "%.3f %%", loss);
		code = unmet(r, "--max-loss", want, all > 0 ? got : "nothing");
	}
	if (conf->max_p99 > 0 && (p99 < 0 || p99 > conf->max_p99)) {
		num_show_time(conf->max_p99, want);
		code = unmet(r, "--max-p99", want,
			p99 < 0 ? "nothing" : num_show_time(p99, got));
	}
	return code;
}
