/* sockctl: one program for sockets. This file knows the modes by one table:
 * finds, parses, runs, exits. */
#include "modes/mode.h"
#include "util/behave.h"
#include "util/complete.h"
#include "util/confine.h"
#include "util/mem.h"
#include "util/net.h"
#include "util/num.h"
#include "util/report.h"
#include "util/sockopt.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct mode *const modes[] = {
	&mode_serve,
	&mode_connect,
	&mode_echo,
	&mode_chat,
	&mode_sendfile,
	&mode_recvfile,
	&mode_flood,
	&mode_probe,
};
enum { MODES = sizeof modes / sizeof modes[0] };

static const struct topic {
	const char *name, *summary;
	void (*fill)(struct buf *out);
} topics[] = {
	{ "sockopts", "the socket options that -o takes", sockopt_table },
	{ "behaviours", "the peers of serve --behave", behave_table },
};
enum { TOPICS = sizeof topics / sizeof topics[0] };

#ifdef _GNU_SOURCE
#define FULL true
#else
#define FULL false
#endif
#if defined(UDP_SEGMENT) && defined(UDP_GRO)
#define SEGMENTS FULL
#else
#define SEGMENTS false
#endif

/* What this build can use of its system. Where it lacks one a portable twin
 * works, or, as the manual says, something is not known. */
static const struct feature {
	const char *name;
	bool here;
} features[] = {
	{ "splice", FULL },
	{ "accept4", FULL },
	{ "tcp-info", FULL },
	{ "zerocopy", FULL },
	{ "udp-gso", SEGMENTS },
	{ "udp-gro", SEGMENTS },
	{ "pktinfo", FULL },
	{ "interface-flags", FULL },
	{ "large-select", FULL },
	{ "prctl", FULL },
	{ "landlock", CONFINE_LANDLOCK },
};
enum { FEATURES = sizeof features / sizeof features[0] };

struct habit {
	const char *modes; /* NULL: in all */
	const char *option;
	const char *sentence;
	/* Whether value means the other program's. NULL: always, where the
	 * mode does not have this option itself. */
	bool (*meant)(const char *value);
};

static bool
is_rate(const char *value)
{
	int64_t number;
	uint64_t rate;

	return value && num_int(value, 0, INT64_MAX, &number) == -1 &&
		(num_size(value, 0, UINT64_MAX, &rate) == 0 ||
			num_rate(value, &rate) == 0);
}

static bool
is_missing(const char *value)
{
	return !value || value[0] == '-';
}

/* What users of other programs type. The first row that fits is told. */
static const struct habit habits[] = {
	{ "serve", "l", "serve always listens: sockctl serve -p PORT", NULL },
	{ "echo chat sendfile recvfile flood", "l", "to listen: -p PORT",
		NULL },
	{ NULL, "l", "to listen: sockctl serve -p PORT", NULL },
	{ "probe", "z", "probe only looks anyway: sockctl probe HOST PORTS",
		NULL },
	{ NULL, "z", "to look at ports: sockctl probe HOST PORTS", NULL },
	{ "serve connect", "e", "to run a command: --exec COMMAND", NULL },
	{ NULL, "e", "to run a command: sockctl serve -p PORT --exec COMMAND",
		NULL },
	{ NULL, "X",
		"a proxy is --proxy socks5://HOST:PORT or --proxy "
		"http://HOST:PORT",
		NULL },
	{ "connect", "p",
		"the port is an argument, sockctl connect HOST PORT, and "
		"-b PORT the local one",
		NULL },
	{ "probe", "p", "ports are arguments: sockctl probe HOST PORTS", NULL },
	{ "flood", "s",
		"the far side is: sockctl flood -p PORT (-s ADDR binds)",
		is_missing },
	{ NULL, "s", "to measure, the far side: sockctl flood -p PORT", NULL },
	{ NULL, "c", "to measure, the sending side: sockctl flood HOST PORT",
		NULL },
	{ "serve", "b", "to limit the rate: --rate RATE", is_rate },
	{ "connect sendfile recvfile flood", "b",
		"to limit the rate: --rate RATE (-b PORT binds)", is_rate },
	{ NULL, "b",
		"to send at a rate: sockctl flood --rate RATE (-b PORT binds)",
		is_rate },
	{ NULL, NULL, NULL, NULL },
};

/* Whether name is one of the words of list (blanks between). */
static bool
among(const char *list, const char *name)
{
	size_t n = strlen(name);
	const char *at;

	for (at = strstr(list, name); at; at = strstr(at + 1, name)) {
		if ((at == list || at[-1] == ' ') && strchr(" ", at[n]))
			return true;
	}
	return false;
}

/* An option of this mode; options of others are explained. */
struct asked {
	const struct mode *mode; /* NULL: none yet */
	char text[160];
};

/* "unknown here, --jobs of probe" */
static const char *
of_others(struct asked *a, const char *option)
{
	struct buf b = { 0 };
	const char *name = option[1] ? option : NULL;
	const char *joint = " of ";
	const struct opt *row;
	int i;

	for (i = 0; i < MODES; i++) {
		row = opt_find(modes[i]->groups, name, name ? 0 : option[0]);
		if (!row || row->type == OPT_NOTHING ||
			row->type == OPT_REFUSED)
			continue;
		if (b.len == 0 && row->name)
			buf_printf(&b, "unknown here, --%s", row->name);
		else if (b.len == 0)
			buf_printf(&b, "unknown here, -%c", row->letter);
		buf_printf(&b, "%s%s", joint, modes[i]->name);
		joint = ", ";
	}
	snprintf(a->text, sizeof a->text, "%s", buf_cstr(&b));
	buf_free(&b);
	return a->text[0] ? a->text : NULL;
}

static const char *
object(void *arg, const struct opt *row, const char *option, const char *value)
{
	struct asked *a = arg;
	const struct habit *h;

	for (h = habits; h->option; h++) {
		if (strcmp(h->option, option) != 0 || (h->modes && !a->mode) ||
			(h->modes && !among(h->modes, a->mode->name)))
			continue;
		if (h->meant ? h->meant(value) : !row)
			return h->sentence;
	}
	return row ? NULL : of_others(a, option);
}

/* All of out to fd, and frees it. A closed pipe kills, as it does cat. */
static int
print(int fd, struct buf *out)
{
	struct err err = { 0 };
	ssize_t n;

	while (out->len > 0 && !err.op) {
		n = write(fd, buf_data(out), out->len);
		if (n >= 0)
			buf_consume(out, (size_t)n);
		else if (errno != EINTR)
			err_set(&err, "write", errno, "standard output");
	}
	buf_free(out);
	if (err.op)
		report_early(NULL, &err);
	return err.op ? EXIT_LOCAL : EXIT_OK;
}

static void
mode_help(struct buf *out, const struct mode *m)
{
	const char *line, *before = "usage: ";
	size_t n;

	for (line = m->usage; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		buf_printf(out, "%ssockctl %s %.*s\n", before, m->name, (int)n,
			line);
		before = "       ";
	}
	buf_printf(out, "\nexamples (%s):\n", m->summary);
	for (line = m->examples; *line; line += n + (line[n] == '\n')) {
		line += strspn(line, " ");
		n = strcspn(line, "\n");
		buf_printf(out, "  %.*s\n", (int)n, line);
	}
	opt_help(out, m->groups);
	buf_printf(out,
		"\n  -h, --help              this help\n\n"
		"Socket options: sockctl help sockopts. More: man "
		"sockctl-%s\n",
		m->name);
}

static void
short_help(struct buf *out)
{
	int i;

	buf_string(out, "usage: sockctl MODE [OPTION...] [ARGUMENT...]\n\n");
	for (i = 0; i < MODES; i++)
		buf_printf(
			out, "  %-9s %s\n", modes[i]->name, modes[i]->summary);
	buf_string(out, "\n  sockctl MODE --help, sockctl help MODE\n");
	for (i = 0; i < TOPICS; i++)
		buf_printf(out, "  sockctl help %-11s %s\n", topics[i].name,
			topics[i].summary);
	buf_string(out,
		"  sockctl completion bash|zsh|fish\n"
		"  sockctl --version\n");
}

static const struct mode *
find_mode(const char *name)
{
	int i;

	for (i = 0; i < MODES; i++) {
		if (strcmp(modes[i]->name, name) == 0)
			return modes[i];
	}
	return NULL;
}

/* Every name, with a joint between. Returns out. */
enum { NAMES_MAX = 200 };
static const char *
list_names(char *out, const char *joint, bool also_topics)
{
	size_t n = 0;
	int i;

	for (i = 0; i < MODES + (also_topics ? TOPICS : 0); i++)
		n += (size_t)snprintf(out + n, NAMES_MAX - n, "%s%s",
			i ? joint : "",
			i < MODES ? modes[i]->name : topics[i - MODES].name);
	return out;
}

static int
do_help(int argc, char **argv)
{
	const struct mode *m = argc > 1 ? find_mode(argv[1]) : NULL;
	struct buf out = { 0 };
	char names[NAMES_MAX];
	int i;

	if (argc > 2)
		return mode_usage_of(NULL, "help: one MODE or topic at a time");
	if (argc == 1) {
		short_help(&out);
		return print(STDOUT_FILENO, &out);
	}
	if (m) {
		mode_help(&out, m);
		return print(STDOUT_FILENO, &out);
	}
	for (i = 0; i < TOPICS; i++) {
		if (strcmp(topics[i].name, argv[1]) == 0) {
			topics[i].fill(&out);
			return print(STDOUT_FILENO, &out);
		}
	}
	return mode_usage_of(NULL, "help '%.80s': no such topic, but %s",
		argv[1], list_names(names, ", ", true));
}

static void
add_feature(struct buf *out, const char **head, const char *name)
{
	buf_string(out, *head);
	buf_byte(out, ' ');
	buf_string(out, name);
	*head = "";
}

/* The features that are here, or those that are not: nothing where none is. */
static void
list_features(struct buf *out, bool here)
{
	const char *head = here ? "with:" : "without:";
	int i;

	for (i = 0; i < FEATURES; i++)
		if (features[i].here == here)
			add_feature(out, &head, features[i].name);
	for (i = 0; !here && sockopt_absent(i); i++)
		add_feature(out, &head, sockopt_absent(i));
	if (!*head)
		buf_byte(out, '\n');
}

static int
do_version(int argc, char **argv)
{
	struct buf out = { 0 };

	if (argc > 1)
		return mode_usage_of(NULL,
			"--version '%.80s': no argument is expected", argv[1]);
	buf_string(&out, "sockctl " SOCKCTL_VERSION "\n");
	list_features(&out, true);
	list_features(&out, false);
	return print(STDOUT_FILENO, &out);
}

static int
do_completion(int argc, char **argv)
{
	struct complete_word words[MODES + 3] = { 0 };
	struct buf out = { 0 };
	char names[NAMES_MAX];
	int i;

	for (i = 0; i < MODES; i++)
		words[i] = (struct complete_word){ modes[i]->name,
			modes[i]->summary, modes[i]->groups, modes[i]->usage };
	words[MODES] = (struct complete_word){ "help", "a mode or a topic",
		NULL, list_names(names, " ", true) };
	words[MODES + 1] = (struct complete_word){ "completion",
		"a script for a shell", NULL, "bash zsh fish" };
	if (argc != 2)
		return mode_usage_of(NULL,
			"completion: the shell is to be named, bash, zsh or "
			"fish");
	if (complete_script(&out, argv[1], words) == -1)
		return mode_usage_of(NULL,
			"completion '%.80s': no such shell, but bash, zsh, "
			"fish",
			argv[1]);
	return print(STDOUT_FILENO, &out);
}

static const struct {
	const char *word;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "help", do_help },
	{ "--help", do_help },
	{ "-h", do_help },
	{ "--version", do_version },
	{ "completion", do_completion },
};

/* -h is --help everywhere, whatever else is said behind the command. */
static int
run_command(int (*run)(int argc, char **argv), int argc, char **argv)
{
	int i, n = 1;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "-h") != 0 &&
			strcmp(argv[i], "--help") != 0)
			argv[n++] = argv[i];
	if (n < argc && (run != do_help || n > 2))
		return do_help(1, argv);
	return run(n, argv);
}

/* What a refusal has to know before the options are parsed. */
static void
look_ahead(struct run *run, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		run->json = run->json || strcmp(argv[i], "--json") == 0;
	if (run->mode->command && i < argc)
		run->command = argv + i + 1;
}

/* Exits from here, with the settings still on the stack: what they own is not
 * lost but in use, for those who count (valgrind, LeakSanitizer). */
static _Noreturn void
run_mode(const struct mode *m, int argc, char **argv)
{
	struct run run = { .mode = m };
	struct asked asked = { .mode = m };
	struct buf out = { 0 };
	struct err err = { 0 };
	char *conf = mem_zero(1, m->conf_size + 1);
	int all, after, code;

	if (m->conf_size > 0)
		memcpy(conf, m->defaults, m->conf_size);
	run.conf = conf;
	look_ahead(&run, argc, argv);
	code = opt_parse(m->groups, conf, argc, argv, &run.argv, &all, &after,
		object, &asked, &err);
	if (code == 1) {
		mode_help(&out, m);
		exit(print(STDOUT_FILENO, &out));
	}
	if (code == -1)
		exit(mode_refuse(&run, &err));
	run.argc = m->command ? after : all;
	run.command = m->command && after < all ? run.argv + after : NULL;
	exit(m->run(&run));
}

static int
unknown_word(int argc, char **argv)
{
	struct asked asked = { 0 };
	const char *word = argv[0], *why = NULL;
	char names[NAMES_MAX];

	if (word[0] == '-' && word[1])
		why = object(
			&asked, NULL, word + 1 + (word[1] == '-'), argv[1]);
	if (why)
		return mode_usage_of(NULL, "'%.80s': %s", word, why);
	if (argc == 2 && word[0] != '-')
		return mode_usage_of(NULL,
			"'%.80s': no such mode; to connect there: sockctl "
			"connect %.80s %.80s",
			word, word, argv[1]);
	return mode_usage_of(NULL, "'%.80s': no such mode, but %s", word,
		list_names(names, ", ", false));
}

int
main(int argc, char **argv)
{
	struct buf out = { 0 };
	const struct mode *m;
	size_t i;

	net_hold_standard();
	if (argc < 2) {
		short_help(&out);
		print(STDERR_FILENO, &out);
		return EXIT_USAGE;
	}
	m = find_mode(argv[1]);
	if (m)
		run_mode(m, argc - 1, argv + 1);
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].word, argv[1]) == 0)
			return run_command(commands[i].run, argc - 1, argv + 1);
	}
	return unknown_word(argc - 1, argv + 1);
}
