#include "event.h"

/* What summary, progress and result say: whatever the mode has of it. */
#define TOTALS \
	"[, {kind}][, {peer}][, {hosts} hosts][, {ports} ports]" \
	"[, {open} open][, {closed:some} closed][, {filtered:some} filtered]" \
	"[, {unreachable:some} unreachable][, {dropped:some} dropped]" \
	"[, {completed} completed][, {connections} connections]" \
	"[, {denied:some} denied][, {files} files][, {bytes:bytes}]" \
	"[ ({bytes_sent:bytes} sent, {bytes_received:bytes} received)]" \
	"[, {rx} received][, {tx} sent][, {unsent:some} not sent]" \
	"[, {sent} sent][, {received} received][, {count} sent]" \
	"[, {transactions} transactions][, {ok} ok][, {skipped:some} skipped]" \
	"[, {refused:some} refused][, {failed:some} failed]" \
	"[, {wrong:some} wrong][, {lost:some} lost]" \
	"[, {reordered:some} reordered][, {duplicates:some} duplicates]" \
	"[, jitter {jitter_us:us}][, {burst} a call]" \
	"[, {errors:some} errors]" \
	"[, {elapsed_s:s}][, {duration_s:s}][, {bits_per_second:bits}]" \
	"[, {bytes_per_second:bytes}/s][, {per_second}/s]" ROUND_TRIP \
	"[, rtt {rtt_us:us}][, connected in {connect_ms:ms}]" \
	"[, {retrans:some} retransmitted]" \
	"[, {congestion}[ (chosen by sockctl{chosen:if})]]" \
	"[, cpu {cpu_user_s:s} user {cpu_system_s:s} system]" \
	"[, polling {poll_us:us}]" \
	"[, received bytes were dropped in the kernel{skip_rx_copy:if}]" \
	"[, limited by {limited_by}[: {advice}]]"

#define ROUND_TRIP \
	"[, rtt min {rtt_us.min:us} mean {rtt_us.mean:us}]" \
	"[ p50 {rtt_us.p50:us} p99 {rtt_us.p99:us}][ max {rtt_us.max:us}]" \
	"[, latency min {latency_us.min:us} mean {latency_us.mean:us}" \
	" p50 {latency_us.p50:us} p90 {latency_us.p90:us}" \
	" p99 {latency_us.p99:us} p999 {latency_us.p999:us}" \
	" max {latency_us.max:us}]"

/* Behind the columns of a port. */
#define PORT_MORE \
	"[ {ok} of {count}][, {loss_percent:percent} lost]" \
	"[, min {rtt_ms.min:ms} mean {rtt_ms.mean:ms} max {rtt_ms.max:ms}]" \
	"[ {banner}][ mss {info.mss}][, window scale {info.snd_wscale} to it " \
	"{info.rcv_wscale} from it][, sack{info.sack:if}]" \
	"[, timestamps{info.timestamps:if}][, ecn{info.ecn:if}]" \
	"[, sndbuf {info.sndbuf}][, rcvbuf {info.rcvbuf}]" \
	"[ ({history})][ ({why})]"

static const struct event_row rows[EV_COUNT] = {
	[EV_LISTENING] = { "listening", LEVEL_LISTENER,
		"listening on {local} ({transport}[, backlog {backlog}])" },
	[EV_ACCEPT] = { "accept", LEVEL_LISTENER, "#{conn} accept {peer}" },
	[EV_CONNECT] = { "connect", LEVEL_VERBOSE,
		"#{conn} connect {peer} from {local}[ in {elapsed_ms:ms}]"
		"[, {congestion}[ (chosen by sockctl{chosen:if})]]" },
	[EV_HALF_CLOSE] = { "half-close", LEVEL_VERBOSE,
		"#{conn} half-close {peer}: the {side} side ended" },
	[EV_CLOSE] = { "close", LEVEL_LISTENER,
		"#{conn} close {peer}: {reason}, {rx} received, {tx} sent"
		"[, {unsent:some} not sent][, {unread:some} unread]"
		", {duration_s:s}[, exit status {exec_status}][; {why}]" },
	[EV_DENIED] = { "denied", LEVEL_VERBOSE, "denied {peer}[ by {rule}]" },
	[EV_ERROR] = { "error", LEVEL_ALWAYS,
		"sockctl[ {mode}]: [{op}[ {target}]: ]{message}[ ({errno})]"
		"[; {hint}]" },
	[EV_SOCKOPT] = { "sockopt", LEVEL_OWN,
		"sockopt {name}: [, default {default}], requested {requested}"
		", effective {effective}[, limited by {limit}]" },
	[EV_TCPINFO] = { "tcpinfo", LEVEL_OWN,
		"#{conn} tcpinfo {peer}: [, {state}][, recvq {recvq}]"
		"[, sendq {sendq}][, rtt {rtt_us:us} (var {rttvar_us:us})]"
		"[, {retrans} retransmitted][, cwnd {cwnd}][, mss {mss}]"
		"[, {delivery_rate:bytes}/s][, {acked} acked]"
		"[, {received} received]" },
	[EV_SCRIPT] = { "script", LEVEL_OWN,
		"[#{conn} ]step {step} {op}[ {requested}]: [, {result}]"
		"[, {errno}][, {elapsed_us:us}][, {state}]" },
	[EV_BLOCKED] = { "blocked", LEVEL_OWN,
		"[#{conn} ]step {step} {op}[ {requested}] blocked: "
		"[, {result} so far][, {elapsed_us:us}][, {state}]"
		"[, recvq {recvq}][, sendq {sendq}][; {why}]" },
	[EV_DATA] = { "data", LEVEL_OWN,
		"[#{conn} ]data {dir} {offset}: {hex}" },
	[EV_JOIN] = { "join", LEVEL_VERBOSE, "join {name}[ (id {id})]" },
	[EV_LEAVE] = { "leave", LEVEL_VERBOSE,
		"leave {name}[ (id {id})][: {text}]" },
	[EV_RENAME] = { "rename", LEVEL_VERBOSE, "rename {old} to {name}" },
	[EV_MESSAGE] = { "message", LEVEL_VERBOSE,
		"message {name}[ to {to}]: [{text}]" },
	[EV_FILE] = { "file", LEVEL_RESULT,
		"{name}: {status}[: {reason}][, {bytes:bytes}]"
		"[ from {offset:some}][, {hash}][, {elapsed_s:s}]" },
	[EV_PORT] = { "port", LEVEL_RESULT,
		"{host} {port:<1}/{proto} {state} {service:<1} "
		"{rtt_ms:<1}" PORT_MORE },
	[EV_INTERFACE] = { "interface", LEVEL_RESULT,
		"{name} {addr} {family} {mtu:<1}[ {flags}]" },
	[EV_INTERVAL] = { "interval", LEVEL_RESULT,
		"{t0}-{t1} s: {bytes:bytes}, {bits_per_second:bits}"
		"[, {retrans:some} retransmitted]" },
	[EV_BLOCK] = { "block", LEVEL_RESULT,
		"blocked after {bytes} bytes"
		"[, sendq {sendq}][, recvq {recvq}]"
		"[, went on after {resumed_after} read by the peer]" },
	[EV_RESULT] = { "result", LEVEL_RESULT, "[#{conn} ]result: " TOTALS },
	[EV_PROGRESS] = { "progress", LEVEL_ALWAYS, "so far: " TOTALS },
	[EV_SUMMARY] = { "summary", LEVEL_SUMMARY, "summary: " TOTALS },
	[EV_NOTE] = { "note", LEVEL_NOTE, "{text}" },
};

const struct event_row *
event_row(enum event ev)
{
	return &rows[ev];
}

const char *
event_columns(enum event ev)
{
	static const char *const columns[EV_COUNT] = {
		[EV_PORT] = ("{host:<16} {port:>5}/{proto:<4} {state:<11} "
			     "{service:<14}[ {rtt_ms:ms}]" PORT_MORE),
		[EV_INTERFACE] = ("{name:<11} {addr:<39} {family:<5} "
				  "mtu {mtu:<5}[ {flags}]"),
	};

	return columns[ev];
}
